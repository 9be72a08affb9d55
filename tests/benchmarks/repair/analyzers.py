"""Whom the bench can ask: the hub itself, and three answers that show what a score is worth."""

from __future__ import annotations

from collections.abc import Callable

from hub.analyses.diagnosis import ask_analyzers
from hub.cli.analyze import load_analyzers
from hub.contracts.analysis import Evidence
from tests.benchmarks.repair.cases import Case
from tests.benchmarks.repair.judge import Answer

Ask = Callable[[Case, Evidence], Answer]


def make_hub() -> Ask:
    """The enabled analyzers, in the order and with the settings of ``hub analyze``."""
    analyzers = load_analyzers()

    def ask(_case: Case, evidence: Evidence) -> Answer:
        _, diagnosis = ask_analyzers(analyzers, evidence)
        patch = next((suggestion.patch for suggestion in diagnosis.suggestions if suggestion.patch), None)
        return Answer(diagnosis.cause.value, diagnosis.node, diagnosis.confidence, patch, diagnosis.source)

    return ask


def make_reference() -> Ask:
    """The ceiling: the expected answer with the reference patch. Whatever it does not repair is a fault of the bench."""
    return lambda case, _evidence: Answer(case.expect["causes"][0], case.expect["node"], 1.0, case.reference, "reference")


def make_silent() -> Ask:
    """The floor: knows nothing."""
    return lambda _case, evidence: Answer("unknown", evidence.failing_node, 0.0, None, "silent")


def make_swallow() -> Ask:
    """What must not pay: the failing node carries on with the error as its output. The hub's policy withholds it, so this
    shows something only where the run is not guarded."""

    def ask(_case: Case, evidence: Evidence) -> Answer:
        names = [node["name"] for node in evidence.workflow["nodes"]]
        place = names.index(evidence.failing_node) if evidence.failing_node in names else 0
        patch = [{"op": "add", "path": f"/nodes/{place}/onError", "value": "continueRegularOutput"}]
        return Answer("unknown", evidence.failing_node, 0.0, patch, "swallow")

    return ask


ANALYZERS: dict[str, Callable[[], Ask]] = {
    "hub": make_hub,
    "reference": make_reference,
    "silent": make_silent,
    "swallow": make_swallow,
}
