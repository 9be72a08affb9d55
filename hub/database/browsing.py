"""A read-only look at any table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from hub.database.tables import reflect
from hub.errors import NotFound
from hub.extensions import DEFERRED, db
from hub.pagination import Page

#: Columns whose values open something, by table or in every table.
SECRET_COLUMNS = frozenset(
    {"password", "verify_token", "reset_token", "two_factor_secret", "recovery_key", "recovery_codes.digest", "challenge"}
    | {"token", "refresh_token", "api_key", "api_keys.key", "auth", "secret", "old_secret"}
)
MASK = "••••••••"
WIDTH = 120


def read_rows(table_name: str, *, limit: int, after: str | None = None) -> Page[Mapping[str, str]]:
    """Rows in the order of the primary key, as text cut to one line each. ``after`` is the key of the last row seen."""
    with db.engine.execution_options(**DEFERRED).connect() as connection:
        table = reflect(connection).tables.get(table_name)
        if table is None:
            raise NotFound(f"There is no table {table_name}.")
        key = next(iter(table.primary_key.columns))
        statement = sa.select(table).order_by(key).limit(limit + 1)
        if after is not None:
            statement = statement.where(key > after)
        found = connection.execute(statement).mappings().all()
    rows = [{name: _show(table_name, name, value) for name, value in row.items()} for row in found[:limit]]
    return Page(rows, str(found[limit - 1][key.name]) if len(found) > limit else None)


def _show(table: str, column: str, value: Any) -> str:
    if value is None:
        return "–"
    if column in SECRET_COLUMNS or f"{table}.{column}" in SECRET_COLUMNS:
        return MASK
    text = " ".join(str(value).split())
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
