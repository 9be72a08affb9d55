"""The one list of encrypted columns. Whatever walks over secrets (a change of the key, a check, an export) walks over this list.

A room declares its column beside the model, ``API_KEY = encrypted_column(Instance, "api_key")``, and encrypts and opens through
what it gets. Every value is bound to its place and row (``instances.api_key:<id>``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hub.crypto import current_vault, declare_place
from hub.extensions import Base


@dataclass(frozen=True, slots=True)
class EncryptedColumn:
    """A column that holds envelopes of ``hub.crypto``, or a JSON object with one under the key ``inside``."""

    model: type[Base]
    name: str
    inside: str | None = None

    @property
    def table(self) -> sa.Table:
        """The table of the model."""
        return self.model.metadata.tables[self.model.__tablename__]

    @property
    def place(self) -> str:
        """``table.column``."""
        return f"{self.model.__tablename__}.{self.name}"

    @property
    def row_key(self) -> sa.Column[Any]:
        """The primary key, whose value binds an envelope to its row."""
        return next(iter(self.table.primary_key.columns))

    @property
    def envelope(self) -> sa.ColumnElement[str]:
        """The envelope in SQL."""
        column = self.table.c[self.name]
        return column[self.inside].as_string() if self.inside else column

    def binding(self, key: str) -> str:
        """What an envelope of the row ``key`` is bound to."""
        return f"{self.place}:{key}"

    def encrypt(self, text: str, key: str) -> str:
        """The envelope of ``text`` for the row ``key``."""
        return current_vault().encrypt(text, binding=self.binding(key))

    def decrypt(self, envelope: str, key: str) -> str:
        """The text of the row ``key``; DecryptionError where it does not open."""
        return current_vault().decrypt(envelope, binding=self.binding(key))


_columns: dict[str, EncryptedColumn] = {}


def encrypted_column(model: type[Base], name: str, *, inside: str | None = None) -> EncryptedColumn:
    """Declare a column of ``model``; with ``inside`` a JSON object that holds the envelope under this key."""
    column = EncryptedColumn(model, name, inside)
    _columns[declare_place(column.place)] = column
    return column


def list_encrypted_columns() -> list[EncryptedColumn]:
    """All declared columns by place; those of a plugin that was refused are not there, because its tables are not."""
    known = [column for column in _columns.values() if column.model.__tablename__ in column.model.metadata.tables]
    return sorted(known, key=lambda column: column.place)
