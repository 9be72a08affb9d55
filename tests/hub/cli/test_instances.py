from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from hub import create_app
from hub.accounts.services import Client, register_user
from hub.cli import main
from hub.config import load_config
from hub.extensions import db
from tests.hub.instances.conftest import fake_n8n  # noqa: F401 (a fixture)


@pytest.fixture
def own_app(tmp_path: Path) -> Flask:
    """An app on a database of its own: commands open and close their own sessions."""
    key = base64.b64encode(bytes(range(1, 33))).decode()
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path}/hub.db", "ENCRYPTION_KEY": key, "HUB_INSTANCE_DIR": str(tmp_path)}
    app = create_app(load_config({**environment, "HUB_SAMPLE": "false"}))
    with app.app_context():
        db.create_all()
        register_user("rana@example.com", "a long enough password", "Rana", client=Client())
    return app


def test_add_list_and_test(own_app: Flask, fake_n8n: Callable[..., str]) -> None:  # noqa: F811
    runner = own_app.test_cli_runner()
    added = runner.invoke(main, ["instance", "add", "Shop", fake_n8n()], input="key-1\n")
    assert added.exit_code == 0, added.output
    assert "ok    API key: n8n accepts the key." in added.output
    assert "key-1" not in added.output
    listed = runner.invoke(main, ["instance", "list"])
    assert "CONNECTED" in listed.output
    assert runner.invoke(main, ["instance", "test", "Shop"]).exit_code == 0


def test_what_does_not_work_ends_with_one_line_and_exit_code_1(own_app: Flask) -> None:
    runner = own_app.test_cli_runner()
    refused = runner.invoke(main, ["instance", "add", "Shop", "http://169.254.169.254"], input="key-1\n")
    assert refused.exit_code == 1
    assert "Traceback" not in refused.output
    unreachable = runner.invoke(main, ["instance", "add", "Shop", "http://127.0.0.1:1025"], input="key-1\n")
    assert unreachable.exit_code == 1
    assert "FAIL  Reachable: Nothing listens at 127.0.0.1:1025" in unreachable.output
    assert runner.invoke(main, ["instance", "test", "Nobody"]).exit_code == 1
