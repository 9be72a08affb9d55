from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from hub.cli import main
from tests.hub.instances.conftest import fake_n8n  # noqa: F401 (a fixture)


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
