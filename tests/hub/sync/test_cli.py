from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from hub import create_app
from hub.cli import main
from hub.config import Config, as_database
from hub.contracts.actor import Actor
from hub.extensions import db
from hub.instances.services import create_instance
from tests.conftest import make_user
from tests.hub.factories import make_instance
from tests.hub.sync import fake_n8n
from tests.hub.sync.fake_n8n import FakeN8n, FakeServer


@pytest.fixture
def own_app(config: Config, tmp_path: Path) -> Flask:
    """A hub with a file of its own, because the command commits in several sessions."""
    app = create_app(dataclasses.replace(config, database=as_database(f"sqlite:///{tmp_path / 'cli.db'}")))
    with app.app_context():
        db.create_all()
    return app


@pytest.fixture
def two_n8n(own_app: Flask) -> Iterator[tuple[FakeN8n, FakeN8n]]:
    """Two connected n8n, and a sample that must be left alone."""
    first, second = FakeN8n(), FakeN8n()
    with FakeServer(first) as one, FakeServer(second) as two, own_app.app_context():
        actor = Actor(user_id=make_user("alice").id)
        for name, server in (("One", one), ("Two", two)):
            create_instance(actor, name=name, url=server.url, api_key="n8n_api_test")
        make_instance(actor, "Sample", is_sample=True)
        db.session.commit()
        yield first, second


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(main, ["sync", *arguments])


def test_one_instance_is_synced_in_the_foreground(own_app: Flask, two_n8n: tuple[FakeN8n, FakeN8n]) -> None:
    two_n8n[0].add_workflow("a")
    two_n8n[0].run("a", "error")
    result = run(own_app, "One")
    assert (result.exit_code, result.output) == (0, "One: [####################] 1 workflows, 2 executions, 1 details\n")
    assert not two_n8n[1].requests


def test_all_are_synced_and_one_that_fails_is_told(own_app: Flask, two_n8n: tuple[FakeN8n, FakeN8n]) -> None:
    two_n8n[0].add_workflow("a")
    two_n8n[1].faults = [fake_n8n.REFUSED] * 9
    result = run(own_app, "--all")
    assert result.exit_code == 1
    first, second = result.output.splitlines()
    assert first == "One: 1 workflows, 0 executions, 0 details"
    assert second.startswith("Two: n8n does not accept the API key.")


def test_a_target_has_to_be_named(own_app: Flask, two_n8n: tuple[FakeN8n, FakeN8n]) -> None:
    assert run(own_app).exit_code == 2
    assert run(own_app, "One", "--all").exit_code == 2
