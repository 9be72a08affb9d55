"""One statement that writes many rows, on both databases: the rows travel as one JSON parameter.

Measured for a sync page of 250 rows: SQLAlchemy's multi-row VALUES needs thousands of bind parameters and compiles for
longer than n8n takes to answer; executemany sends a statement a row.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

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

    def __init__(self, model: type[Base], columns: Sequence[str], template: str) -> None:
        table: sa.Table = model.__table__  # type: ignore[assignment]
        names = ", ".join(columns)
        sqlite = ", ".join(f"json_extract(value, '$[{place}]') AS {name}" for place, name in enumerate(columns))
        postgresql = ", ".join(f"{_read(table.c[name].type, place)} AS {name}" for place, name in enumerate(columns))
        # All names here come from the code that builds the statement; values only ever travel in the parameter.
        sources = {
            "sqlite": f"(SELECT {sqlite} FROM json_each(:rows)) AS source",  # noqa: S608
            "postgresql": f"(SELECT {postgresql} FROM jsonb_array_elements(CAST(:rows AS jsonb))) AS source",  # noqa: S608
        }
        differs = {"sqlite": "IS NOT", "postgresql": "IS DISTINCT FROM"}
        self._statements = {
            dialect: sa.text(template.format(rows=source, columns=names, differs=differs[dialect]))
            for dialect, source in sources.items()
        }

    def execute(self, rows: Sequence[Sequence[Any]]) -> sa.Result[*tuple[Any, ...]]:
        """Run the statement in the present transaction."""
        dialect = db.engine.dialect.name
        encode = _sqlite_time if dialect == "sqlite" else _iso_time
        return db.session.execute(self._statements[dialect], {"rows": json.dumps(rows, default=encode)})

    def execute_returning_pairs(self, rows: Sequence[Sequence[Any]]) -> dict[str, str]:
        """Run a statement that returns two columns; the second by the first."""
        return {row[0]: row[1] for row in self.execute(rows)}


def _read(kind: sa.types.TypeEngine[Any], place: int) -> str:
    """PostgreSQL's expression for one value of a row."""
    plain = kind.impl_instance if isinstance(kind, sa.types.TypeDecorator) else kind
    if isinstance(plain, sa.JSON):
        return f"value -> {place}"
    cast = next((name for base, name in _CASTS if isinstance(plain, base)), None)
    return f"CAST(value ->> {place} AS {cast})" if cast else f"value ->> {place}"


def _sqlite_time(moment: dt.datetime) -> str:
    """As ``UtcDateTime`` stores it there."""
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds")


def _iso_time(moment: dt.datetime) -> str:
    return moment.isoformat()
