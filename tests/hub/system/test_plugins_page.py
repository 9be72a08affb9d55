from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hub.cli import main
from hub.contracts.actor import Actor


def test_operators_see_every_plugin_and_its_problem(
    app: Flask, operator: Actor, browser_of: Callable[[Actor], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    stripe = app.extensions["hub_plugins"].plugins["stripe"]
    monkeypatch.setattr(stripe, "problem", "RuntimeError: <b>out of paper</b>")
    monkeypatch.setattr(stripe, "traceback", "Traceback: line 7")
    page = browser_of(operator).get("/plugins").text
    assert "RuntimeError: &lt;b&gt;out of paper" in page
    assert "Traceback: line 7" in page
    assert "hub_failures_ingested" in page


def test_others_do_not(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    browser = browser_of(alice)
    assert browser.get("/plugins").status_code == 403
    assert 'href="/plugins"' not in browser.get("/account").text


def test_the_command_lists_them(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = app.test_cli_runner()
    plain = runner.invoke(main, ["plugin", "list"])
    assert plain.exit_code == 0
    assert plain.output.startswith("stripe             enabled   bundled   Stripe: payments, customers, refunds.\n")
    monkeypatch.setattr(app.extensions["hub_plugins"].plugins["rules"], "problem", "is broken")
    broken = runner.invoke(main, ["plugin", "list", "--json"])
    assert broken.exit_code == 1
    states = {entry["name"]: (entry["state"], entry["problem"]) for entry in json.loads(broken.output)}
    assert states["rules"] == ("error", "is broken")
    assert states["stripe"] == ("enabled", None)
