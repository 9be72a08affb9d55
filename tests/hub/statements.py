"""Counts the statements that reach the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import Engine

_TRANSACTION_WORDS = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT", "PRAGMA")


@contextmanager
def count_statements() -> Iterator[list[str]]:
    """The statements of the block as they are sent, without those that only mark transactions; an executemany is one a row."""
    statements: list[str] = []

    def note(
        _connection: object, _cursor: object, statement: str, parameters: list[object], _context: object, many: bool
    ) -> None:
        if not statement.lstrip().upper().startswith(_TRANSACTION_WORDS):
            # One INSERT of many rows comes as one set of parameters, an executemany as a list of them.
            statements.extend([statement] * (len(parameters) if many and isinstance(parameters, list) else 1))

    sa.event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        sa.event.remove(Engine, "before_cursor_execute", note)
