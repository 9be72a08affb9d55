"""Nothing is lost with a process: what a sync stores and what is told of it are one, and a message is sent at least once."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.columns import utc_now
from hub.config import ROOT
from hub.contracts.actor import Actor
from hub.executions.models import Execution, ExecutionStatus
from hub.extensions import db
from hub.instances.models import Instance
from hub.instances.services import mark_down
from hub.jobs.models import Job
from hub.webhooks.models import DeliveryState, Webhook, WebhookDelivery
from tests.conftest import TEST_KEY, make_user
from tests.hub.egress.servers import Server, Talk, answer
from tests.hub.factories import make_instance
from tests.hub.http_builder.running import test_lost_workers
from tests.hub.http_builder.running.conftest import start_server
from tests.hub.http_builder.running.test_lost_workers import Hanging, work_until
from tests.hub.sync import fake_n8n, test_kill
from tests.hub.sync.fake_n8n import FakeN8n, FakeServer
from tests.hub.sync.test_kill import Workers, reset
from tests.hub.webhooks.conftest import make_webhook

__all__ = ["start_server"]

app, url, workers = test_lost_workers.app, test_lost_workers.url, test_kill.workers
KILLS = 6
#: Time passes, and a dead worker's lease runs out.
LEASES_END = sa.update(Job).values(lease_until=utc_now() - dt.timedelta(seconds=1))


def test_a_worker_killed_while_it_sends(app: Flask, url: str, start_server: Callable[[Talk], Server], tmp_path: Path) -> None:
    hanging = Hanging()
    server = start_server(hanging)
    with app.app_context():
        owner = Actor(user_id=make_user("ada").id)
        instance = make_instance(owner)
        make_webhook(owner, f"http://127.0.0.1:{server.port}/")
        mark_down(instance)
        db.session.commit()
    settings = {"DATABASE_URL": url, "ENCRYPTION_KEY": TEST_KEY, "HUB_INSTANCE_DIR": str(tmp_path), "HUB_LOG_LEVEL": "ERROR"}
    worker = subprocess.Popen([sys.executable, "-m", "hub", "worker"], cwd=ROOT, env={**os.environ, **settings})
    try:
        assert hanging.arrived.wait(60)
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait(30)
    assert hanging.hung_up.wait(30)
    with app.app_context():
        pending = db.session.scalars(sa.select(WebhookDelivery)).one()
        assert (pending.state, pending.attempts, pending.body is None) == (DeliveryState.PENDING, 0, False)
        db.session.execute(LEASES_END)
        db.session.commit()
    hanging.release.set()

    def is_delivered() -> bool:
        with app.app_context():
            return db.session.scalars(sa.select(WebhookDelivery.state)).one() is DeliveryState.DELIVERED

    work_until(app, is_delivered)
    first, second = server.received
    assert dict(first.headers)["webhook-id"] == dict(second.headers)["webhook-id"], "the receiver can tell that it is the same"
    assert first.body == second.body


def test_a_slow_target_does_not_slow_another(app: Flask, start_server: Callable[[Talk], Server]) -> None:
    hanging = Hanging()
    slow, quick = start_server(hanging), start_server(lambda _request, connection: connection.sendall(answer(204)))
    with app.app_context():
        owners = [Actor(user_id=make_user(name).id) for name in ("ada", "ben")]
        for owner, server in zip(owners, (slow, quick), strict=True):
            make_webhook(owner, f"http://127.0.0.1:{server.port}/")
            mark_down(make_instance(owner))
            db.session.commit()

    def both() -> bool:
        return hanging.arrived.is_set() and len(quick.received) == 1

    released = threading.Event()
    work_until(app, lambda: both() and (released.set() or hanging.release.set() or True))  # type: ignore[func-returns-value]
    assert released.is_set(), "the quick one was told while the slow one still thought"


def test_kills_during_a_sync_lose_and_double_nothing(app: Flask, workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each failed execution is told exactly once, whatever statement the worker died before."""
    monkeypatch.setattr(fake_n8n, "START", utc_now())
    n8n = FakeN8n(page_size=3)
    for name in "abc":
        n8n.add_workflow(name)
    for number in range(12):
        n8n.run("abc"[number % 3], "error" if number % 2 else "success")
    with FakeServer(n8n) as server, app.app_context():

        def begin() -> None:
            reset(server)
            owner = Actor(user_id=db.session.scalars(sa.select(Instance.user_id)).one())
            make_webhook(owner, "https://127.0.0.1:8443/")
            db.session.execute(sa.update(Webhook).values(active_since=utc_now() - dt.timedelta(hours=1)))
            db.session.commit()

        begin()
        statements = workers.run()["statements"]
        draw = random.Random(5)
        partly = 0
        # Spread over the whole run; then more of them, until enough fell between the pages and not before or after them all.
        points = [2 + int((number + draw.random()) * (statements - 2) / KILLS) for number in range(KILLS)]
        extra = 3 * KILLS
        while points:
            point = points.pop(0)
            db.session.rollback()
            begin()
            while not workers.run(point)["killed"]:
                point = draw.randrange(2, point)
                db.session.rollback()
                begin()
            db.session.rollback()
            assert told() == failed(), f"killed before statement {point} of {statements}"
            partly += 0 < len(failed()) < 6
            db.session.execute(LEASES_END)
            db.session.commit()
            assert not workers.run()["killed"]
            db.session.rollback()
            assert told() == failed()
            assert len(failed()) == 6
            if not points and extra and partly < 2:
                points, extra = [draw.randrange(2, statements)], extra - 1
        assert partly >= 2


def told() -> Counter[str]:
    """Executions by how often they are told."""
    data = db.session.scalars(sa.select(WebhookDelivery.data)).all()
    return Counter(key for each in data for key in (each["execution"]["id"], *each["others"]))


def failed() -> Counter[str]:
    """Executions that failed, as the hub knows them, once each."""
    return Counter(db.session.scalars(sa.select(Execution.id).where(Execution.status == ExecutionStatus.FAILED)).all())
