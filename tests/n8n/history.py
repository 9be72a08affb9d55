"""Gives an n8n a long past: copies of executions that really ran, written into the database of a stopped n8n."""

from __future__ import annotations

import sqlite3
from pathlib import Path

#: One execution in so many failed, as on a server that works by and large.
FAILURE_EVERY = 20

COPY_EXECUTION = """
INSERT INTO execution_entity ("workflowId", finished, mode, status, "storedAt", "jsonSizeBytes", "workflowVersionId",
                              "startedAt", "stoppedAt", "createdAt")
SELECT "workflowId", finished, mode, status, "storedAt", "jsonSizeBytes", "workflowVersionId",
       strftime('%Y-%m-%d %H:%M:%f', 'now', :age),
       strftime('%Y-%m-%d %H:%M:%f', 'now', :age, '+0.120 seconds'),
       strftime('%Y-%m-%d %H:%M:%f', 'now', :age)
FROM execution_entity WHERE id = :source
"""
COPY_DATA = """
INSERT INTO execution_data ("executionId", "workflowData", data, "workflowVersionId")
SELECT last_insert_rowid(), "workflowData", data, "workflowVersionId" FROM execution_data WHERE "executionId" = :source
"""


def lengthen(folder: Path, count: int) -> None:
    """Add `count` executions to the n8n of `folder`, a minute apart; it must be stopped and have both kinds already."""
    database = sqlite3.connect(folder / ".n8n" / "database.sqlite", isolation_level=None)
    failures = ids(database, "error")
    successes = ids(database, "success")
    database.execute("BEGIN")
    for number in range(count):
        kind = successes if number % FAILURE_EVERY else failures
        values = {"source": kind[number % len(kind)], "age": f"-{count - number} minutes"}
        database.execute(COPY_EXECUTION, values)
        database.execute(COPY_DATA, values)
    database.execute("COMMIT")
    database.close()


def ids(database: sqlite3.Connection, status: str) -> list[int]:
    return [row[0] for row in database.execute("SELECT id FROM execution_entity WHERE status = ? ORDER BY id", [status])]
