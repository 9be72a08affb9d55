"""The analyzer on executions of a real n8n. The bounds lie well below what it reaches: nothing here is tuned to a case."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonpatch
import pytest

from hub.analyses.evidence import build_evidence
from hub.plugin_api import Cause, Diagnosis
from plugins.analyzers.rules.analyzer import RulesAnalyzer

NEVER_PATCHED = {
    Cause.BAD_CREDENTIALS, Cause.FORBIDDEN, Cause.INTENTIONAL_STOP, Cause.DNS, Cause.CONNECTION_REFUSED, Cause.TLS_UNTRUSTED,
    Cause.MODULE_NOT_ALLOWED, Cause.RUNNER_UNAVAILABLE, Cause.ENV_ACCESS_DENIED, Cause.FILE_ACCESS_DENIED,
    Cause.MISSING_SUBWORKFLOW, Cause.UNKNOWN_NODE_TYPE, Cause.UNKNOWN,
}  # fmt: skip


def first_patch(diagnosis: Diagnosis) -> list[dict[str, Any]] | None:
    return next((list(entry.patch) for entry in diagnosis.suggestions if entry.patch), None)


def diagnose(execution: dict[str, Any], workflow: dict[str, Any] | None = None) -> Diagnosis:
    diagnosis = RulesAnalyzer().diagnose(build_evidence(execution, workflow))
    assert diagnosis is not None
    return diagnosis


def test_the_repair_bench(shared: Path) -> None:
    folder = shared / "repair-bench"
    right = applied = harmful = 0
    for file in sorted((folder / "cases").glob("*.json")):
        expected = json.loads(file.read_text())["expect"]
        recorded = json.loads((folder / "recorded" / file.name).read_text())
        diagnosis = diagnose(recorded["execution"], recorded["workflow"])
        right += diagnosis.cause.value in expected["causes"]
        patch = first_patch(diagnosis)
        if patch:
            document = {key: recorded["workflow"][key] for key in ("name", "nodes", "connections", "settings")}
            jsonpatch.apply_patch(document, patch)
            applied += expected["patchable"]
            harmful += expected["must_not_patch"]
    assert right >= 20
    assert applied >= 12
    assert harmful == 0


def test_every_real_execution_is_judged(shared: Path) -> None:
    unknown = []
    for file in sorted((shared / "n8n-samples").glob("[0-9]*.json")):
        payload = json.loads(file.read_text())
        execution = payload.get("execution", payload)
        diagnosis = diagnose(execution)
        patch = first_patch(diagnosis)
        if patch:
            assert diagnosis.cause not in NEVER_PATCHED, file.name
            jsonpatch.apply_patch(execution["workflowData"], patch)
        if execution["status"] == "error" and diagnosis.cause is Cause.UNKNOWN:
            unknown.append(file.name)
    assert len(unknown) <= 12


@pytest.mark.parametrize("given", [{}, {"status": "error"}, {"status": "error", "data": {"resultData": {"error": {}}}}])
def test_almost_nothing_is_judged_too(given: dict[str, Any]) -> None:
    assert diagnose(given).cause is Cause.UNKNOWN
