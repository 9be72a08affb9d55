"""Alice's workflow on an n8n in memory, and a rule that knows a change for each of its failures."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.analyses.models import Repair
from hub.automation import services
from hub.automation.models import AutomationLevel, AutomationRun, WorkflowAutomation
from hub.automation.runner import queue_failures, run_automation
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.analysis import Diagnosis
from hub.executions.models import Execution
from hub.executions.services import import_execution
from hub.extensions import db
from hub.instances.models import Instance
from hub.jobs.models import Job
from hub.jobs.services import JobContext
from tests.hub.analyses.conftest import execution, n8n
from tests.hub.analyses.fake_n8n import FakeN8n, failed_execution, make_workflow
from tests.hub.analyses.scene import OneAnswer, quick_steps, work

Json = dict[str, Any]


class Rule(OneAnswer):
    """A rule of the bundled analyzer, as far as its name goes."""

    name = "rules"

    def diagnose(self, evidence: object) -> Diagnosis:
        return super().diagnose(evidence).model_copy(update={"source": "http-timeout"})


class Shop:
    """Alice's workflow, which fails again and again."""

    def __init__(self, actor: Actor, first: Execution, n8n: FakeN8n) -> None:
        self.actor, self.n8n, self.workflow_id = actor, n8n, first.workflow_id
        self.instance = db.session.get_one(Instance, first.instance_id)

    def set_level(self, level: AutomationLevel) -> None:
        services.set_level(self.actor, self.workflow_id, level)
        # The past: what began before a level was set is left alone.
        automation = db.session.get_one(WorkflowAutomation, self.workflow_id)
        automation.set_at -= dt.timedelta(minutes=5)
        db.session.commit()

    def fail(self, **columns: Any) -> Execution:
        """A new failure, as a sync stores it."""
        number = str(max(map(int, self.n8n.executions)) + 1)
        began = (utc_now() - dt.timedelta(seconds=30)).isoformat().replace("+00:00", "Z")
        failure = {**failed_execution(), "id": number, "startedAt": began, "stoppedAt": began, **columns}
        self.n8n.executions[failure["id"]] = failure
        return import_execution(self.instance, {**failure, "workflowData": {**make_workflow(), "id": "wf"}})

    def run(self, failed: Execution, *, attempt: int = 1) -> AutomationRun:
        """What the worker does about a failure, without the repair that this may queue."""
        run_automation(failed.id, JobContext("job", attempt))
        return self.find(failed)

    def find(self, failed: Execution) -> AutomationRun:
        statement = sa.select(AutomationRun).where(AutomationRun.execution_id == failed.id)
        return db.session.scalars(statement.execution_options(populate_existing=True)).one()

    def repair(self, run: AutomationRun) -> Repair:
        """The queued repair, worked to its end."""
        assert run.repair_id, (run.outcome, run.reason, run.details)
        done = work(run.repair_id)
        db.session.execute(sa.delete(Job))
        return done

    def repairs(self) -> list[Repair]:
        return list(db.session.scalars(sa.select(Repair).order_by(Repair.created_at)))


@pytest.fixture
def rule(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Rule:
    only = Rule()
    monkeypatch.setattr(app.extensions["hub_plugins"].registry, "analyzers", {only.name: only})
    return only


@pytest.fixture
def shop(alice: Actor, execution: Execution, n8n: FakeN8n, rule: Rule) -> Shop:
    return Shop(alice, execution, n8n)


__all__ = ["Shop", "execution", "n8n", "queue_failures", "quick_steps", "rule", "shop"]
