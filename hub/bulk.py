"""One statement that writes many rows, on both databases: as one JSON parameter for PostgreSQL, as VALUES for SQLite.

Measured for a sync page of 250 rows: SQLAlchemy's multi-row VALUES compiles for longer than n8n takes to answer,
executemany sends a statement a row, and SQLite reads VALUES in two thirds of the time that it needs for JSON.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from hub.extensions import Base, db

_CASTS: tuple[tuple[type[Any], str], ...] = (
    (sa.Boolean, "boolean"),
    (sa.Float, "double precision"),
    (sa.Integer, "integer"),
    (sa.DateTime, "timestamptz"),
)


class BulkWrite:
    """A statement over rows that are lists of values in the order of ``columns``.

    In ``template`` ``{rows}`` becomes a table called ``source`` with these columns, ``{columns}`` their names and
    ``{differs}`` the operator of inequality that takes NULL for a value.
    """

    # All names in the statements come from the code that builds them; values only ever travel in parameters.

    def __init__(self, model: type[Base], columns: Sequence[str], template: str) -> None:
        table: sa.Table = model.__table__  # type: ignore[assignment]
        self._template = template
        self._columns = columns
        kinds = [_plain(table.c[name].type) for name in columns]
        self._times = [place for place, kind in enumerate(kinds) if isinstance(kind, sa.DateTime)]
        self._documents = [place for place, kind in enumerate(kinds) if isinstance(kind, sa.JSON)]
        self._words = [place for place, kind in enumerate(kinds) if isinstance(kind, sa.Enum)]
        read = ", ".join(f"{_read(kind, place)} AS {name}" for place, (name, kind) in enumerate(zip(columns, kinds, strict=True)))
        self._postgresql = sa.text(
            self._fill(f"(SELECT {read} FROM jsonb_array_elements(CAST(:rows AS jsonb)))", "IS DISTINCT FROM")  # noqa: S608
        )
        self._sqlite: dict[int, str] = {}

    def _fill(self, source: str, differs: str) -> str:
        return self._template.format(rows=f"{source} AS source", columns=", ".join(self._columns), differs=differs)

    def execute(self, rows: Sequence[Sequence[Any]]) -> sa.Result[*tuple[Any, ...]]:
        """Run the statement in the present transaction."""
        values = [list(row) for row in rows]
        if db.engine.dialect.name == "sqlite":
            return self._execute_on_sqlite(values)
        self._convert(values, self._times, dt.datetime.isoformat)
        return db.session.execute(self._postgresql, {"rows": json.dumps(values)})

    def _execute_on_sqlite(self, values: list[list[Any]]) -> sa.Result[*tuple[Any, ...]]:
        """Past SQLAlchemy's compiler, which takes longer over thousands of parameters than SQLite over the rows."""
        self._convert(values, self._times, _sqlite_time)
        self._convert(values, self._documents, json.dumps)
        self._convert(values, self._words, str)
        statement = self._sqlite.get(len(values))
        if statement is None:
            names = ", ".join(f"column{place} AS {name}" for place, name in enumerate(self._columns, 1))
            row = f"({', '.join('?' * len(self._columns))})"
            source = f"(SELECT {names} FROM (VALUES {', '.join([row] * len(values))}))"  # noqa: S608
            statement = self._sqlite[len(values)] = self._fill(source, "IS NOT")
        return db.session.connection().exec_driver_sql(statement, tuple(itertools.chain.from_iterable(values)))

    @staticmethod
    def _convert(rows: list[list[Any]], places: Sequence[int], write: Callable[[Any], str]) -> None:
        """Not left to the database driver or the JSON encoder, which take twice as long over what they do not know."""
        for place in places:
            for row in rows:
                if row[place] is not None:
                    row[place] = write(row[place])

    def execute_returning_pairs(self, rows: Sequence[Sequence[Any]]) -> dict[str, str]:
        """Run a statement that returns two columns; the second by the first."""
        return {row[0]: row[1] for row in self.execute(rows)}


def is_one_of(column: sa.ColumnElement[str], parameter: str) -> sa.ColumnElement[bool]:
    """``column IN`` the texts of a parameter, which is a JSON list.

    For statements that are run often: ``in_`` has a parameter for each text, so that every run compiles and prepares anew.
    """
    if db.engine.dialect.name == "postgresql":
        texts = sa.func.jsonb_array_elements_text(sa.cast(sa.bindparam(parameter, type_=sa.Text), JSONB)).table_valued("value")
    else:
        texts = sa.func.json_each(sa.bindparam(parameter, type_=sa.Text)).table_valued("value")
    return column.in_(sa.select(texts.c.value))


def _plain(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    return kind.impl_instance if isinstance(kind, sa.types.TypeDecorator) else kind


def _read(kind: sa.types.TypeEngine[Any], place: int) -> str:
    """PostgreSQL's expression for one value of a row."""
    if isinstance(kind, sa.JSON):
        return f"value -> {place}"
    cast = next((name for base, name in _CASTS if isinstance(kind, base)), None)
    return f"CAST(value ->> {place} AS {cast})" if cast else f"value ->> {place}"


def _sqlite_time(moment: dt.datetime) -> str:
    """As ``UtcDateTime`` stores it there: without the zone, which is UTC."""
    return moment.isoformat(" ", "microseconds")[:26]
