"""Keyset pages with opaque cursors. Never OFFSET: page 10,000 costs what page 1 costs."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from hub.errors import Invalid

Row = TypeVar("Row")

DEFAULT_LIMIT = 50
MAX_LIMIT = 250


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows of a list. ``next_cursor`` asks for the following ones; None at the end."""

    rows: Sequence[Row]
    next_cursor: str | None


def encode_cursor(values: Sequence[Any]) -> str:
    """Opaque text of the last row's key."""
    plain = [value.isoformat() if isinstance(value, dt.datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain, separators=(",", ":")).encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str, kinds: Sequence[type]) -> list[Any]:
    """The key in a cursor, checked against the kinds of its columns; ``Invalid`` for anything else."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        values = json.loads(raw)
        if not isinstance(values, list) or len(values) != len(kinds):
            raise ValueError("wrong shape")
        return [_checked(value, kind) for value, kind in zip(values, kinds, strict=True)]
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        raise Invalid("The cursor is not one that this list gave out.") from error


def _checked(value: Any, kind: type) -> Any:
    """The value as its column's kind: an aware time, or a text that PostgreSQL takes (no NUL)."""
    if kind is dt.datetime:
        moment = dt.datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("no zone")
        return moment.astimezone(dt.UTC)
    if not isinstance(value, kind) or (isinstance(value, str) and "\x00" in value):
        raise ValueError("wrong kind")
    return value


def clamp_limit(limit: int | None) -> int:
    """A page size between 1 and ``MAX_LIMIT``."""
    return DEFAULT_LIMIT if limit is None else max(1, min(limit, MAX_LIMIT))


def keyset(
    statement: sa.Select[Any],
    columns: Sequence[InstrumentedAttribute[Any]],
    kinds: Sequence[type],
    *,
    cursor: str | None,
    limit: int,
    descending: bool = True,
) -> sa.Select[Any]:
    """Order ``statement`` by ``columns`` and cut out one page plus one row (which tells whether there is a next page)."""
    ordering = [column.desc() if descending else column.asc() for column in columns]
    if cursor:
        key = sa.tuple_(*columns)
        values = sa.tuple_(
            *(sa.literal(value, column.type) for column, value in zip(columns, decode_cursor(cursor, kinds), strict=True))
        )
        statement = statement.where(key < values if descending else key > values)
    return statement.order_by(*ordering).limit(limit + 1)


def make_page(rows: Sequence[Row], limit: int, *key_names: str) -> Page[Row]:
    """A page from the ``limit + 1`` rows that ``keyset`` asked for; ``key_names`` are the key's attributes of a row."""
    more = len(rows) > limit
    rows = rows[:limit]
    cursor = encode_cursor([getattr(rows[-1], name) for name in key_names]) if more else None
    return Page(rows, cursor)
