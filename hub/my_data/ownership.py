"""Whose rows are whose, read from the foreign keys of the models: a new table that refers to a person's is found by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hub.encrypted_columns import list_encrypted_columns
from hub.extensions import Base

#: Tables that hold nothing of one person, and why. A table that is neither here nor owned fails a test.
NOT_OWNED = {
    "audit_chains": "the newest hash of each chain of the audit log, which stays",
    "audit_checkpoints": "seals of what was pruned from the audit log, which stay",
    "billing_events": "ids of messages of billing providers, forgotten after a while",
    "hash_keys": "keys of the hub",
    "jobs": "ids and progress, forgotten after a week",
    "plugin_settings": "settings of the hub",
    "rate_buckets": "counters of minutes and hours",
    "templates": "the same for everybody",
}
#: The log of what was done outlives the person: it is exported and never deleted.
AUDIT = "audit_logs"

#: Columns that open something, or are of no use outside the hub. All others are exported.
_SECRET = re.compile(r"password|token|secret|digest|sealed|challenge|public_key|hash$|(^|_)key$")
_HARMLESS = frozenset({"is_secret", "monthly_tokens", "tokens_in", "tokens_out"})


@dataclass(frozen=True, slots=True)
class Person:
    """Whose rows are looked for."""

    user_id: str
    email: str


Condition = sa.ColumnElement[bool]
#: Tables that name a person otherwise than by a foreign key.
_BY_HAND: dict[str, Callable[[sa.Table, Person], Condition]] = {
    AUDIT: lambda table, person: table.c.user_id == person.user_id,
    "automation_stops": lambda table, person: sa.or_(
        table.c.scope == f"user:{person.user_id}",
        table.c.scope.in_(
            sa.select(sa.literal("instance:") + _table("instances").c.id).where(_table("instances").c.user_id == person.user_id)
        ),
    ),
    "mails": lambda table, person: table.c.recipient == person.email,
    "registrations": lambda table, person: table.c.email == person.email,
}


def _table(name: str) -> sa.Table:
    return Base.metadata.tables[name]


def owned_tables() -> list[sa.Table]:
    """Every table with rows of persons, parents first."""
    links = _links()
    return [table for table in Base.metadata.sorted_tables if table.name in _BY_HAND or table.name in links]


def deletion_order() -> list[sa.Table]:
    """What goes with an account: first what is found through other tables, then children before parents, the user last."""
    tables = [table for table in reversed(owned_tables()) if table.name != AUDIT]
    return sorted(tables, key=lambda table: (table.name == "users", table.name not in _BY_HAND))


def owned_by(table: sa.Table, person: Person) -> Condition:
    """The rows of a table that are this person's."""
    if table.name in _BY_HAND:
        return _BY_HAND[table.name](table, person)
    column, parent = _links()[table.name]
    if parent is None:
        return column == person.user_id
    return column.in_(sa.select(primary_key(parent)).where(owned_by(parent, person)))


def _links() -> dict[str, tuple[sa.Column[Any], sa.Table | None]]:
    """Table -> the column by which its rows belong to a person, and the table it leads to (None: it holds the person's id).

    The shortest way up by foreign keys; one that becomes NULL with its parent owns nothing.
    """
    users = _table("users")
    links: dict[str, tuple[sa.Column[Any], sa.Table | None]] = {users.name: (users.c.id, None)}
    while True:
        new: dict[str, tuple[sa.Column[Any], sa.Table | None]] = {}
        for table in Base.metadata.sorted_tables:
            for reference in sorted(table.foreign_keys, key=lambda each: str(each.parent.name)):
                parent = reference.column.table
                if table.name not in links and parent.name in links and (reference.ondelete or "").upper() != "SET NULL":
                    new[table.name] = reference.parent, None if parent is users else parent
        if not new:
            return links
        links |= new


def primary_key(table: sa.Table) -> sa.Column[Any]:
    """The column that rows are walked by."""
    return next(iter(table.primary_key.columns))


def is_secret(column: sa.Column[Any]) -> bool:
    """Whether a column's values are never exported."""
    place = f"{column.table.name}.{column.name}"
    by_name = bool(_SECRET.search(column.name)) and column.name not in _HARMLESS
    return by_name or place in {each.place for each in list_encrypted_columns()}
