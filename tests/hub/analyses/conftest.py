"""Alice's failed execution on an n8n in memory, and its analysis."""

from __future__ import annotations

import pytest
from flask import Flask

from hub.analyses import repair, repair_ledger, services
from hub.analyses.models import AiAnalysis
from hub.contracts.actor import Actor
from hub.executions.models import Execution
from hub.executions.services import import_execution
from tests.hub.analyses.fake_n8n import FakeN8n, failed_execution, green_runs, make_workflow
from tests.hub.analyses.scene import OneAnswer
from tests.hub.factories import make_instance


@pytest.fixture
def analyzer(app: Flask, monkeypatch: pytest.MonkeyPatch) -> OneAnswer:
    only = OneAnswer()
    monkeypatch.setattr(app.extensions["hub_plugins"].registry, "analyzers", {only.name: only})
    return only


@pytest.fixture
def n8n(monkeypatch: pytest.MonkeyPatch) -> FakeN8n:
    fake = FakeN8n(lambda _: {"status": "success", "runs": green_runs()})
    for module in (services, repair_ledger):
        monkeypatch.setattr(module, "open_client", lambda _instance: fake)
    monkeypatch.setattr(repair, "call_webhook", lambda _url, request: fake.call_webhook(request))
    return fake


@pytest.fixture
def execution(alice: Actor, n8n: FakeN8n) -> Execution:
    instance = make_instance(alice)
    return import_execution(instance, {**failed_execution(), "workflowData": {**make_workflow(), "id": "wf"}})


@pytest.fixture
def analysis(alice: Actor, execution: Execution, analyzer: OneAnswer) -> AiAnalysis:
    return services.analyze_execution(alice, execution.id)
