"""A value in every encrypted column there is, and whether all of them still open."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from hub.crypto import Vault
from hub.encrypted_columns import EncryptedColumn, list_encrypted_columns
from hub.extensions import db
from tests.any_rows import make_row

Secrets = dict[tuple[str, str], str]


def fill(rows: int, parents: dict[str, Any] | None = None) -> Secrets:
    """Make ``rows`` rows of every table with encrypted columns; (place, row key) -> the secret."""
    parents = {} if parents is None else parents
    secrets: Secrets = {}
    for column in list_encrypted_columns():
        for number in range(rows):
            key = make_secret_row(column, parents)
            secrets[column.place, key] = text = f"secret {number} of {column.place} ضـ"
            put(column, key, column.encrypt(text, key))
    db.session.commit()
    return secrets


def make_secret_row(column: EncryptedColumn, parents: dict[str, Any] | None = None, **values: Any) -> str:
    """A row whose encrypted columns are all empty."""
    same_table = [each for each in list_encrypted_columns() if each.table is column.table and not each.inside]
    return str(make_row(column.table, parents, **{**{each.name: "" for each in same_table}, **values}))


def put(column: EncryptedColumn, key: str, envelope: str) -> None:
    """Write an envelope past everything."""
    value = {column.inside: envelope, "beside": [1]} if column.inside else envelope
    db.session.execute(sa.update(column.table).where(column.row_key == key).values({column.name: value}))


def envelopes() -> dict[tuple[str, str], str]:
    """Every stored envelope."""
    found = {}
    for column in list_encrypted_columns():
        for key, envelope in db.session.execute(sa.select(column.row_key, column.envelope).where(column.envelope != "")):
            found[column.place, key] = envelope
    return found


def lost(secrets: Secrets, vault: Vault, stored: Secrets | None = None) -> list[tuple[str, str]]:
    """The secrets that ``vault`` does not open to what they were, of the stored envelopes."""
    stored = envelopes() if stored is None else stored
    return [
        place_and_key
        for place_and_key, text in secrets.items()
        if vault.decrypt(stored[place_and_key], binding=":".join(place_and_key)) != text
    ]
