"""An analyzer with known suggestions, and what a person and a worker do with them."""

from __future__ import annotations

from typing import Any

from hub.analyses.models import AiAnalysis, Repair
from hub.analyses.repair import preview_repair, request_repair, run_repair
from hub.analyses.repair_run import ProofKind
from hub.analyses.repair_steps import RepairSteps
from hub.contracts.actor import Actor
from hub.contracts.analysis import Cause, Diagnosis, LocalizedText, Suggestion
from hub.extensions import db

Json = dict[str, Any]

TEXT = LocalizedText(en="Text", ar="نص")
PATCH = ({"op": "add", "path": "/nodes/1/parameters/options/timeout", "value": 5000},)
UPSTREAM = ({"op": "add", "path": "/nodes/0/parameters/responseMode", "value": "lastNode"},)
HOSTILE = ({"op": "replace", "path": "/nodes/1/parameters/url", "value": "https://evil.example"},)


def suggestion(patch: tuple[Json, ...] | None) -> Suggestion:
    return Suggestion(title=TEXT, explanation=TEXT, kind="patch" if patch else "manual", patch=patch, confidence=0.9)


class OneAnswer:
    """An analyzer that always says the same."""

    name = "one-answer"

    def __init__(self, cause: Cause = Cause.TIMEOUT) -> None:
        self.suggestions = tuple(suggestion(patch) for patch in (PATCH, None, UPSTREAM, HOSTILE))
        self.cause = cause
        self.asked = 0

    def diagnose(self, _evidence: object) -> Diagnosis:
        self.asked += 1
        return Diagnosis(cause=self.cause, node="Fetch", confidence=0.9, summary=TEXT, suggestions=self.suggestions)


def quick_steps(*arguments: Any, **options: Any) -> RepairSteps:
    return RepairSteps(*arguments, **options, sleep=lambda _seconds: None, clock=iter(range(0, 10**9, 10)).__next__)


def work(repair_id: str) -> Repair:
    run_repair(repair_id, beat=lambda: None, make_steps=quick_steps)
    return db.session.get_one(Repair, repair_id, populate_existing=True)


def agree(actor: Actor, analysis: AiAnalysis, index: int = 0, proof: ProofKind | None = None) -> Repair:
    digest = preview_repair(actor, analysis.id, index).digest
    assert digest
    return request_repair(actor, analysis.id, index, digest, proof)
