"""A new table is found by its foreign keys, or somebody says why it is nobody's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from hub.contracts.actor import Actor
from hub.encrypted_columns import list_encrypted_columns
from hub.extensions import Base, db
from hub.my_data.ownership import NOT_OWNED, Person, is_secret, owned_by, owned_tables


def count(table: sa.Table, owner: Actor, email: str) -> int:
    condition = owned_by(table, Person(str(owner.user_id), email))
    return db.session.scalar(sa.select(sa.func.count()).select_from(table).where(condition)) or 0


def test_every_table_is_owned_or_said_to_be_nobodys() -> None:
    """A new table that fails here needs a foreign key to its owner, a line in ``_BY_HAND``, or one in ``NOT_OWNED``."""
    hub_tables = {table.name for table in Base.metadata.sorted_tables}
    owned = {table.name for table in owned_tables()}
    assert hub_tables - owned - set(NOT_OWNED) == set()
    assert owned & set(NOT_OWNED) == set()


def test_tables_that_name_a_person_are_never_called_nobodys() -> None:
    tables = (Base.metadata.tables[name] for name in NOT_OWNED if name in Base.metadata.tables)
    assert [table.name for table in tables if {"user_id", "email", "recipient"} & set(table.c.keys())] == []


def test_rows_of_every_table_are_found_by_their_owner_alone(
    alice: Actor, bob: Actor, fill: Callable[[Actor], dict[str, Any]]
) -> None:
    fill(alice)
    fill(bob)
    tables = [table for table in owned_tables() if table.name not in ("audit_logs", "sessions")]
    assert {table.name: count(table, alice, "alice@example.com") for table in tables} == {table.name: 1 for table in tables}
    assert {table.name: count(table, bob, "bob@example.com") for table in tables} == {table.name: 1 for table in tables}


def test_every_encrypted_column_and_every_digest_is_secret() -> None:
    tables = Base.metadata.tables
    assert all(is_secret(column.table.c[column.name]) for column in list_encrypted_columns())
    opening = ("users.password", "users.two_factor_secret", "users.reset_token", "sessions.token", "sessions.refresh_token")
    for place in (*opening, "api_keys.key", "instances.api_key", "oauth_tokens.refresh_token"):
        table, _, column = place.partition(".")
        assert is_secret(tables[table].c[column]), place
    for place in ("variables.name", "variables.hosts", "variables.is_secret", "api_keys.key_prefix", "users.email"):
        table, _, column = place.partition(".")
        assert not is_secret(tables[table].c[column]), place
