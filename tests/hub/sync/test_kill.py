"""A worker that is killed with SIGKILL at any statement of a sync leaves nothing that a second run does not put right."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
import sqlalchemy as sa
from flask import Flask

from hub import create_app
from hub.columns import utc_now
from hub.config import ROOT, Config, as_database
from hub.contracts.actor import Actor
from hub.executions.models import Execution
from hub.extensions import Base, db
from hub.instances.models import Instance
from hub.instances.services import create_instance
from hub.jobs.models import Job, JobState
from hub.sync.services import request_sync
from hub.workflows.models import Workflow, WorkflowVersion
from tests.conftest import TEST_KEY, make_user
from tests.hub.sync.fake_n8n import FakeN8n, FakeServer

KILLS = 30


@pytest.fixture
def url(config: Config, database_url: str, tmp_path: Path) -> str:
    """A database of this test's own, which other processes can open."""
    if config.database.is_sqlite:
        return f"sqlite:///{tmp_path / 'kill.db'}"
    engine = sa.create_engine(config.database.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE IF EXISTS hub_kill")
        connection.exec_driver_sql("CREATE DATABASE hub_kill")
    engine.dispose()
    return sa.make_url(database_url).set(database="hub_kill").render_as_string(hide_password=False)


@pytest.fixture
def app(config: Config, url: str) -> Iterator[Flask]:
    """The hub on that database, in this process."""
    app = create_app(dataclasses.replace(config, database=as_database(url)))
    with app.app_context():
        db.create_all()
    yield app
    with app.app_context():
        db.engine.dispose()


class Workers:
    """Starts workers that end by themselves or by SIGKILL."""

    def __init__(self, url: str, tmp_path: Path) -> None:
        settings = {"DATABASE_URL": url, "ENCRYPTION_KEY": TEST_KEY, "HUB_INSTANCE_DIR": str(tmp_path), "HUB_LOG_LEVEL": "ERROR"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hub.sync.killable_worker"],
            cwd=ROOT,
            env={**os.environ, **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def _pipe(stream: IO[str] | None) -> IO[str]:
        assert stream is not None
        return stream

    def run(self, fatal: int = 0) -> dict[str, Any]:
        """Run one worker; kill it right before statement number ``fatal``."""
        print(fatal, file=self._pipe(self._process.stdin), flush=True)
        answer: dict[str, Any] = json.loads(self._pipe(self._process.stdout).readline())
        return answer

    def close(self) -> None:
        self._pipe(self._process.stdin).close()
        self._process.wait(30)
        self._pipe(self._process.stdout).close()


@pytest.fixture
def workers(url: str, app: Flask, tmp_path: Path) -> Iterator[Workers]:
    workers = Workers(url, tmp_path)
    yield workers
    workers.close()


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """An n8n with a bit of everything, which stands still."""
    n8n = FakeN8n(page_size=5)
    for name in "abcdefg":
        n8n.add_workflow(name)
    for number in range(27):
        n8n.run("abcdefg"[number % 7], ("success", "error", "success", "canceled", "success", "success")[number % 6])
    n8n.finish(n8n.retry("2")["id"])
    n8n.start("a")
    n8n.wait(n8n.start("b")["id"])
    with FakeServer(n8n) as server:
        yield server


def reset(server: FakeServer) -> None:
    """An empty hub with the instance and a queued sync."""
    for table in reversed(Base.metadata.sorted_tables):
        db.session.execute(table.delete())
    user = make_user("kim")
    db.session.commit()
    actor = Actor(user_id=user.id)
    instance = create_instance(actor, name="Fake", url=server.url, api_key="n8n_api_test")
    request_sync(actor, instance.id)


def snapshot() -> dict[str, Any]:
    """All that a sync stores, without the hub's own ids and times."""
    names = {row.id: row.n8n_id for row in db.session.execute(sa.select(Workflow.id, Workflow.n8n_id))}
    workflow_columns = [
        *(Workflow.n8n_id, Workflow.name, Workflow.content_hash, Workflow.total_executions, Workflow.successful_executions),
        *(Workflow.last_execution_at, Workflow.vanished_at),
    ]
    left_out = {"id", "instance_id", "workflow_id"}
    columns = [column for column in Execution.__table__.columns if column.name not in left_out]
    versions = db.session.execute(sa.select(WorkflowVersion.workflow_id, WorkflowVersion.kind, WorkflowVersion.content_hash))
    executions = db.session.execute(sa.select(Execution.workflow_id, *columns).order_by(Execution.n8n_execution_id))
    instance = db.session.scalars(sa.select(Instance)).one()
    return {
        "workflows": sorted(map(tuple, db.session.execute(sa.select(*workflow_columns)))),
        "versions": sorted((names[key], kind, digest) for key, kind, digest in versions),
        "executions": [(names[key], *rest) for key, *rest in executions],
        "instance": (instance.status, instance.epoch, instance.last_error, instance.sync_state["memory"]),
        "jobs": db.session.scalars(sa.select(Job.state)).all(),
    }


def test_thirty_kills_change_nothing(app: Flask, workers: Workers, server: FakeServer) -> None:
    with app.app_context():
        reset(server)
        statements = workers.run()["statements"]
        undisturbed = snapshot()
        assert len(undisturbed["executions"]) == 30
        assert undisturbed["jobs"] == [JobState.DONE]
        draw = random.Random(2026)
        # Random, but spread over the whole run; then more of them, should one of the pages have been missed.
        points = [2 + int((number + draw.random()) * (statements - 2) / KILLS) for number in range(KILLS)]
        states: set[int] = set()
        extra = 2 * KILLS
        while points:
            point = points.pop(0)
            db.session.rollback()
            reset(server)
            # Progress is reported by time, so a run may take fewer statements than the first one did: draw an earlier point.
            while not workers.run(point)["killed"]:
                point = draw.randrange(2, point)
                db.session.rollback()
                reset(server)
            db.session.rollback()
            states.add(db.session.scalars(sa.select(sa.func.count()).select_from(Execution)).one())
            # Time passes, and the dead worker's lease runs out.
            db.session.execute(sa.update(Job).values(lease_until=utc_now() - dt.timedelta(seconds=1)))
            db.session.commit()
            assert not workers.run()["killed"]
            db.session.rollback()
            assert snapshot() == undisturbed, f"killed before statement {point} of {statements}"
            if not points and extra and len(states - {0, 30}) < 5:
                points, extra = [draw.randrange(2, statements)], extra - 1
        # The kills fell between all six pages of executions, not only before or after them.
        assert len(states - {0, 30}) >= 5
