"""What the page of failures costs the database: 1,000,000 executions of ten instances, 50,000 of them failures, on SQLite."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hub import create_app
from hub.accounts.models import User
from hub.columns import utc_now
from hub.config import load_config
from hub.contracts.actor import Actor
from hub.extensions import db
from hub.failures.credentials import list_refused_credentials
from hub.failures.services import Sorting, get_failure, list_failures
from tests.hub.factories import make_instance, make_workflow

EXECUTIONS, FAILING = 1_000_000, 20
INSTANCES, WORKFLOWS, KINDS, DAYS = 10, 1000, 500, 90
LIMIT_MS = 50
COLUMNS = (
    *(
        "id",
        "workflow_id",
        "instance_id",
        "n8n_execution_id",
        "status",
        "n8n_status",
        "mode",
        "data",
        "started_at",
        "detail_state",
    ),
    *("error_message", "error_node", "fingerprint", "fingerprint_case", "error_node_type", "error_code", "credential_id"),
)


def executions(places: list[tuple[str, str]]) -> Iterator[tuple[Any, ...]]:
    """Rows of ``COLUMNS``: every twentieth fails, each workflow in one to four ways, some ways far more often than others."""
    marks = [hashlib.sha256(str(kind).encode()).hexdigest()[:32] for kind in range(KINDS)]
    ways = {place: [min(int(random.expovariate(6 / KINDS)), KINDS - 1) for _ in range(random.randint(1, 4))] for place in places}
    now, data = utc_now().replace(tzinfo=None), json.dumps({"data": "x" * 3000})
    for number in range(EXECUTIONS):
        place = random.choice(places)
        began = (now - dt.timedelta(days=DAYS * random.random())).isoformat(" ", "microseconds")
        head = (f"c{number:024}", *place, str(number))
        if number % FAILING:
            yield (*head, "SUCCESS", "success", "webhook", None, began, "NONE", *[None] * 7)
            continue
        kind = random.choice(ways[place])
        refused = (None, None) if kind % 10 else ("401", f"credential-{kind}")
        error = (f"Error {kind} of item {number}", "Node", marks[kind], marks[kind], "n8n-nodes-base.httpRequest", *refused)
        yield (*head, "FAILED", "error", "webhook", data, began, "STORED", *error)


def fill(folder: Path) -> Actor:
    """The rows, and whose they are. Indexes are made at the end, which is faster."""
    db.create_all()
    user = User(email="bench@example.com", password="!", name="Bench")
    db.session.add(user)
    db.session.flush()
    actor = Actor(user_id=user.id)
    instances = [make_instance(actor, f"Instance{number}") for number in range(INSTANCES)]
    workflows = [make_workflow(instances[number % INSTANCES], f"Workflow {number}") for number in range(WORKFLOWS)]
    places = [(workflow.id, workflow.instance_id) for workflow in workflows]
    db.session.commit()
    db.session.remove()
    db.engine.dispose()
    connection = sqlite3.connect(folder / "hub.db")
    indexes = connection.execute("SELECT name, sql FROM sqlite_master WHERE tbl_name = 'executions' AND sql LIKE 'CREATE INDEX%'")
    statements = indexes.fetchall()
    for name, _ in statements:
        connection.execute(f"DROP INDEX {name}")
    marks = ", ".join("?" * len(COLUMNS))
    connection.executemany(f"INSERT INTO executions ({', '.join(COLUMNS)}) VALUES ({marks})", executions(places))
    for _, statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # else every page would be looked for in a log of a gigabyte
    connection.close()
    return actor


def measure(name: str, ask: Callable[[], Any], repeats: int = 9) -> float:
    """Print and answer the median in milliseconds of CPU time, SQLite's included, which others on the machine do not lengthen."""
    seconds = []
    for _ in range(repeats):
        db.session.rollback()
        begin = time.process_time()
        ask()
        seconds.append(time.process_time() - begin)
    median = sorted(seconds)[repeats // 2] * 1000
    print(f"{name:32} {median:7.1f} ms (fastest {min(seconds) * 1000:.1f})")
    return median


def main() -> int:
    """Print the medians; 1 where the page as it opens takes longer than ``LIMIT_MS``."""
    random.seed(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        app = create_app(load_config({"HUB_INSTANCE_DIR": name, "DATABASE_URL": f"sqlite:///{folder / 'hub.db'}"}))
        with app.app_context():
            actor = fill(folder)
            month = utc_now() - dt.timedelta(days=30)
            first = list_failures(actor, sorting=Sorting.COUNT).rows[0]
            page = measure("last 30 days, as it opens", lambda: list_failures(actor, since=month))
            measure("any time", lambda: list_failures(actor))
            measure("any time, by count", lambda: list_failures(actor, sorting=Sorting.COUNT))
            measure("last 30 days, search", lambda: list_failures(actor, since=month, search="error 17"))
            measure(f"one failure, seen {first.count} times", lambda: get_failure(actor, first.fingerprint))
            measure("refused credentials", lambda: list_refused_credentials(actor, since=month))
            db.session.remove()
            db.engine.dispose()
    return 0 if page <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
