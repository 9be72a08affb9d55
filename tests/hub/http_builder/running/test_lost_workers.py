"""A real worker, killed while a request is under way: the request was sent once and is never sent again."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from hub import create_app
from hub.columns import utc_now
from hub.config import ROOT, Config, as_database
from hub.contracts.actor import Actor
from hub.contracts.http import RequestDefinition
from hub.extensions import db
from hub.http_builder.models import RequestRun, RunState
from hub.http_builder.running import cancel_run, start_run
from hub.jobs import services
from hub.jobs.models import Job
from hub.jobs.worker import run_worker
from tests.conftest import TEST_KEY, make_user
from tests.hub.egress.servers import Received, Server, Talk, answer

Start = Callable[[Talk], Server]


@pytest.fixture
def url(config: Config, database_url: str, tmp_path: Path) -> str:
    """A database of this test's own, which other processes can open."""
    if config.database.is_sqlite:
        return f"sqlite:///{tmp_path / 'lost.db'}"
    engine = sa.create_engine(config.database.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE IF EXISTS hub_lost")
        connection.exec_driver_sql("CREATE DATABASE hub_lost")
    engine.dispose()
    return sa.make_url(database_url).set(database="hub_lost").render_as_string(hide_password=False)


@pytest.fixture
def app(config: Config, url: str) -> Iterator[Flask]:
    app = create_app(dataclasses.replace(config, database=as_database(url)))
    with app.app_context():
        db.create_all()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def ada(app: Flask) -> Actor:
    with app.app_context():
        actor = Actor(user_id=make_user("ada").id)
        db.session.commit()
    return actor


class Hanging:
    """Takes a request and answers when told to. ``hung_up`` is set once the client is gone."""

    def __init__(self) -> None:
        self.arrived, self.release, self.hung_up = threading.Event(), threading.Event(), threading.Event()

    def __call__(self, _request: Received, connection: socket.socket) -> None:
        self.arrived.set()
        connection.settimeout(0.05)
        while not self.release.is_set():
            try:
                if not connection.recv(1):
                    self.hung_up.set()
                    return
            except TimeoutError:
                continue
            except OSError:
                self.hung_up.set()
                return
        connection.sendall(answer(200))


def begin(app: Flask, actor: Actor, server: Server) -> str:
    with app.app_context():
        return start_run(actor, RequestDefinition(url=f"http://127.0.0.1:{server.port}/"), name="x").id


def state_of(app: Flask, run_id: str) -> RunState:
    with app.app_context():
        run = db.session.get(RequestRun, run_id)
        assert run is not None
        return run.state


def work_until(app: Flask, is_done: Callable[[], bool]) -> None:
    """A worker in this process, until what is waited for has come; fails after half a minute."""
    stop, done = threading.Event(), threading.Event()

    def watch() -> None:
        pause = threading.Event()
        for _ in range(600):
            if is_done():
                done.set()
                break
            pause.wait(0.05)
        stop.set()

    watching = threading.Thread(target=watch)
    watching.start()
    run_worker(app, stop=stop)
    watching.join(30)
    assert done.is_set()


def test_a_killed_worker_leaves_it_interrupted(app: Flask, url: str, ada: Actor, start_server: Start, tmp_path: Path) -> None:
    hanging = Hanging()
    server = start_server(hanging)
    run_id = begin(app, ada, server)
    settings = {"DATABASE_URL": url, "ENCRYPTION_KEY": TEST_KEY, "HUB_INSTANCE_DIR": str(tmp_path), "HUB_LOG_LEVEL": "ERROR"}
    worker = subprocess.Popen([sys.executable, "-m", "hub", "worker"], cwd=ROOT, env={**os.environ, **settings})
    try:
        assert hanging.arrived.wait(60)
        assert state_of(app, run_id) is RunState.RUNNING
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait(30)
    assert hanging.hung_up.wait(30)
    with app.app_context():
        ended = sa.update(Job).where(Job.name == "requests.send").values(lease_until=utc_now() - dt.timedelta(seconds=1))
        db.session.execute(ended)
        db.session.commit()
    hanging.release.set()
    work_until(app, lambda: state_of(app, run_id) is not RunState.RUNNING)
    assert state_of(app, run_id) is RunState.INTERRUPTED
    assert len(server.received) == 1


def test_cancelling_hangs_up(app: Flask, ada: Actor, start_server: Start) -> None:
    hanging = Hanging()
    server = start_server(hanging)
    run_id = begin(app, ada, server)

    def cancelled() -> bool:
        if hanging.arrived.is_set() and state_of(app, run_id) is RunState.RUNNING:
            with app.app_context():
                cancel_run(ada, run_id)
        return hanging.hung_up.is_set()

    work_until(app, cancelled)
    assert state_of(app, run_id) is RunState.CANCELED
    with app.app_context():
        assert not services.has_due_job(services.Lane.REQUESTS)
