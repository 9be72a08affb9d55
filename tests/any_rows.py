"""A row of any table, whatever columns it has: for tests that must hold for tables that nobody has written yet."""

from __future__ import annotations

import itertools
from typing import Any

import sqlalchemy as sa

from hub.columns import utc_now
from hub.extensions import Base, db
from hub.identifiers import new_id

_numbers = itertools.count(1)


def make_row(table: sa.Table, parents: dict[str, Any] | None = None, **values: Any) -> Any:
    """Insert a row with everything that must be filled; answers its key. ``parents`` (table -> key) are referred to.

    A parent that is not named is made too, and put there for the next row.
    """
    parents = {} if parents is None else parents
    row = {column.name: _value(column, parents) for column in table.columns if column.name not in values and _is_asked(column)}
    key = next(iter(table.primary_key.columns))
    inserted = db.session.execute(sa.insert(table).values({**row, **values}).returning(key)).scalar_one()
    parents.setdefault(table.name, inserted)
    return inserted


def _is_asked(column: sa.Column[Any]) -> bool:
    return column.primary_key or column.name == "user_id" or not (column.nullable or column.default or column.server_default)


def _value(column: sa.Column[Any], parents: dict[str, Any]) -> Any:
    for reference in column.foreign_keys:
        parent = reference.column.table
        if parent.name not in parents:
            make_row(parent, parents)
        return parents[parent.name]
    if column.name == "user_id":
        return parents.get("users")
    number = next(_numbers)
    if column.primary_key:
        return new_id()
    if isinstance(column.type, sa.Enum):
        return next(iter(column.type.enum_class or column.type.enums))
    if isinstance(column.type, sa.String):
        return f"{column.name}-{number}"[: column.type.length]
    if isinstance(column.type, sa.JSON):
        return {}
    kinds: dict[type, Any] = {bool: False, int: number, float: 0.5, bytes: b"content"}
    try:
        return kinds[column.type.python_type]
    except KeyError:
        return utc_now()


def tables() -> list[sa.Table]:
    """Every table of the models, parents first."""
    return list(Base.metadata.sorted_tables)
