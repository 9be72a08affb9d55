"""The main road on the command line, on an n8n in memory: list, explain, apply, verdict."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from hub import create_app
from hub.accounts.actors import Client
from hub.accounts.users import register_user
from hub.analyses import jobs, repair, repair_ledger, services
from hub.analyses.models import Repair, RepairState
from hub.cli import main
from hub.config import load_config
from hub.contracts.actor import Actor
from hub.executions.services import import_execution
from hub.extensions import db
from hub.jobs.registry import RetryLater
from tests.conftest import TEST_KEY
from tests.hub.analyses.fake_n8n import FakeN8n, failed_execution, green_runs, make_workflow, repaired_if_typo_is_gone
from tests.hub.analyses.scene import OneAnswer, quick_steps
from tests.hub.factories import make_instance

pytestmark = pytest.mark.usefixtures("n8n")


@pytest.fixture
def own_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """An app on a database of its own: commands open and close their own sessions."""
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path}/hub.db", "ENCRYPTION_KEY": TEST_KEY, "HUB_INSTANCE_DIR": str(tmp_path)}
    app = create_app(load_config({**environment, "HUB_SAMPLE": "false"}))
    analyzer = OneAnswer()
    monkeypatch.setattr(app.extensions["hub_plugins"].registry, "analyzers", {analyzer.name: analyzer})
    with app.app_context():
        db.create_all()
        user = register_user("rana@example.com", "a long enough password", "Rana", client=Client())
        instance = make_instance(Actor(user_id=user.id))
        import_execution(instance, {**failed_execution(), "workflowData": {**make_workflow(), "id": "wf"}})
    return app


@pytest.fixture
def n8n(monkeypatch: pytest.MonkeyPatch) -> FakeN8n:
    fake = FakeN8n(lambda _: {"status": "success", "runs": green_runs()})
    for module in (services, repair_ledger):
        monkeypatch.setattr(module, "open_client", lambda _instance: fake)
    monkeypatch.setattr(jobs, "run_repair", functools.partial(repair.run_repair, make_steps=quick_steps))
    return fake


def call(app: Flask, *arguments: str, **options: Any) -> Result:
    return app.test_cli_runner().invoke(main, list(arguments), **options)


def analyse(app: Flask) -> str:
    """The analysis's id, as the command that applies it names it."""
    listed = call(app, "execution", "list", "--status", "failed").output
    shown = call(app, "execution", "analyze", listed.split()[0])
    assert shown.exit_code == 0, shown.output
    found = re.search(r"Apply it: hub repair (\w+) 1\n", shown.output)
    assert found, shown.output
    return found[1]


def test_failures_are_listed(own_app: Flask) -> None:
    lines = call(own_app, "execution", "list", "--status", "failed").output.splitlines()
    assert len(lines) == 1
    assert "FAILED" in lines[0]
    assert call(own_app, "execution", "list", "--status", "success").output == ""
    assert call(own_app, "execution", "list", "--instance", "Nobody").exit_code == 1


def test_a_failure_is_explained_with_its_changes(own_app: Flask) -> None:
    execution_id = call(own_app, "execution", "list").output.split()[0]
    shown = call(own_app, "execution", "analyze", execution_id).output
    assert "Cause: timeout" in shown
    assert "--- Fetch › options.timeout" in shown
    assert "+5000" in shown
    assert "--proof webhook|none" in shown  # the change before the failed node
    assert "INLINESECRET" not in shown
    arabic = call(own_app, "execution", "analyze", execution_id, "--language", "ar").output
    assert "السبب: timeout" in arabic
    assert call(own_app, "execution", "analyze", "nothing").exit_code == 1


def test_a_change_is_applied_and_verified_without_a_worker(own_app: Flask, n8n: FakeN8n) -> None:
    done = call(own_app, "repair", analyse(own_app), "--yes")
    assert done.exit_code == 0, done.output
    assert "APPLIED, verified" in done.output
    assert len(re.findall(r"^  \d\d:\d\d:\d\d  ", done.output, re.MULTILINE)) >= 4


def test_a_change_that_does_not_help_is_taken_back(own_app: Flask, n8n: FakeN8n) -> None:
    n8n.outcome = repaired_if_typo_is_gone  # which this change does not touch
    before = n8n.get_workflow("wf")
    done = call(own_app, "repair", analyse(own_app), "--yes")
    assert done.exit_code == 1
    assert "ROLLED_BACK, failed: " in done.output
    assert n8n.get_workflow("wf")["nodes"] == before["nodes"]


def test_nothing_is_applied_without_a_yes(own_app: Flask) -> None:
    analysis_id = analyse(own_app)
    asked = call(own_app, "repair", analysis_id, input="n\n")
    assert asked.exit_code == 1
    assert "Apply this change? [y/N]: n" in asked.output
    with own_app.app_context():
        assert db.session.query(Repair).count() == 0


def test_what_cannot_be_applied_says_why(own_app: Flask) -> None:
    analysis_id = analyse(own_app)
    for number, words in (("3", "ways of proof"), ("4", "hub: "), ("2", "hub: "), ("9", "hub: ")):
        refused = call(own_app, "repair", analysis_id, number, "--yes")
        assert (refused.exit_code, words in refused.output) == (1, True), refused.output
    assert call(own_app, "repair", "nothing", "--yes").exit_code == 1


def test_a_repair_that_has_to_wait_goes_on(own_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """n8n does not answer at first: the job is queued again, and the command takes it up when it is due."""
    runs: list[str] = []
    run = jobs.run_repair

    def late(repair_id: str, **options: Any) -> None:
        runs.append(repair_id)
        if len(runs) == 1:
            raise RetryLater(0.1, "n8n does not answer")
        run(repair_id, **options)

    monkeypatch.setattr(jobs, "run_repair", late)
    done = call(own_app, "repair", analyse(own_app), "--yes")
    assert (done.exit_code, len(runs)) == (0, 2), done.output
    with own_app.app_context():
        assert db.session.scalars(db.select(Repair.state)).all() == [RepairState.APPLIED]
