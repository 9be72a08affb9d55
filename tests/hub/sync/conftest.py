"""An instance of Alice's that leads to a fake n8n, and a way to sync it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.contracts.actor import Actor
from hub.instances.models import Instance
from hub.instances.services import create_instance
from hub.jobs.registry import JobContext
from hub.sync.engine import Counts
from hub.sync.services import run_sync
from tests.hub.sync.fake_n8n import FakeN8n, FakeServer

Session = sa.orm.scoped_session[sa.orm.Session]
Sync = Callable[[], Counts]


@pytest.fixture
def n8n() -> FakeN8n:
    """An n8n with two workflows and nothing run yet; five rows make a page."""
    n8n = FakeN8n(page_size=5)
    n8n.add_workflow("a")
    n8n.add_workflow("b")
    return n8n


@pytest.fixture
def server(n8n: FakeN8n) -> Iterator[FakeServer]:
    """The n8n on loopback."""
    with FakeServer(n8n) as server:
        yield server


@pytest.fixture
def instance(session: Session, alice: Actor, server: FakeServer) -> Instance:
    """The connected instance."""
    return create_instance(alice, name="Fake", url=server.url, api_key="n8n_api_test")


@pytest.fixture
def sync(app: Flask, session: Session, instance: Instance) -> Sync:
    """Run one sync as a worker would."""
    instance_id = instance.id

    def run() -> Counts:
        try:
            return run_sync(instance_id, JobContext("job", 1))
        finally:
            session.expire_all()

    return run
