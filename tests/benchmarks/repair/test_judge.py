"""The judge believes outputs and calls, not colours."""

from __future__ import annotations

from typing import Any

import pytest

from tests.benchmarks.repair.cases import Case, make_case
from tests.benchmarks.repair.fault_server import Served
from tests.benchmarks.repair.judge import Answer, Outcome, Row, passes, score

CHECK = {
    "status": "success",
    "output_node": "Total",
    "items": 2,
    "assert": [{"path": "*.json.sum", "all": [3, 4]}],
    "served": [{"method": "GET", "path": "/prices", "times": 2}],
}
SERVED = [Served("GET", "/prices")] * 2


def run(items: list[dict[str, Any]], status: str = "success") -> dict[str, Any]:
    outputs = {"main": [[{"json": item} for item in items]]}
    return {"status": status, "data": {"resultData": {"runData": {"Total": [{"data": {"main": [None]}}, {"data": outputs}]}}}}


def test_a_run_with_the_wanted_output_passes() -> None:
    assert passes(CHECK, run([{"sum": 3}, {"sum": 4}]), SERVED)


@pytest.mark.parametrize(
    ("execution", "served"),
    [
        (None, SERVED),
        (run([{"sum": 3}, {"sum": 4}], "error"), SERVED),
        (run([{"sum": 3}]), SERVED),
        (run([{"sum": 3}, {"error": "429"}]), SERVED),
        (run([{"sum": 3}, {"sum": 4}]), SERVED[:1]),
        (run([{"sum": 3}, {"sum": 4}]), [Served("POST", "/prices")] * 2),
        ({"status": "success", "data": {"resultData": {"runData": {}}}}, SERVED),
    ],
)
def test_a_run_that_only_looks_right_does_not_pass(execution: dict[str, Any] | None, served: list[Served]) -> None:
    assert not passes(CHECK, execution, served)


@pytest.mark.parametrize(
    ("assertion", "holds"),
    [
        ({"path": "0.json.name", "equals": "Amal"}, True),
        ({"path": "1.json.name", "equals": "Amal"}, False),
        ({"path": "*.json.tags.*", "all": ["a", "b"]}, True),
        ({"path": "0.json.tags", "contains": '"b"'}, True),
        ({"path": "0.json.name", "matches": "^A.*l$"}, True),
        ({"path": "0.json.name", "matches": "^B"}, False),
        ({"path": "0.json.missing", "matches": ""}, False),
    ],
)
def test_assertions(assertion: dict[str, Any], holds: bool) -> None:
    check = {"status": "success", "output_node": "Total", "assert": [assertion]}
    assert passes(check, run([{"name": "Amal", "tags": ["a", "b"]}]), []) is holds


def row(outcome: Outcome, *, cause: str = "dns", confidence: float = 1.0, patchable: bool = True) -> Row:
    expect = {"causes": ["dns"], "node": "Call", "patchable": patchable, "must_not_patch": not patchable}
    document = {"id": "x", "title": "", "kind": [], "workflow": {}, "trigger": {}, "server": [], "expect": expect}
    case: Case = make_case(document)
    return Row(case, Answer(cause, "Call", confidence, None), outcome)


def test_score_counts_repairs_harm_and_honesty() -> None:
    rows = [
        row(Outcome.REPAIRED),
        row(Outcome.STILL_FAILING, cause="timeout", confidence=0.5),
        row(Outcome.SWALLOWED),
        row(Outcome.WITHHELD),
        row(Outcome.UNWANTED, patchable=False),
    ]
    assert score(rows, 1) == "cause 4/5  node 5/5  repaired 1/4  harmful 2/5  brier 0.050  withheld 1  not reproduced 1"
    assert [each.solved for each in rows] == [True, False, False, False, False]
    assert "HARMFUL" in str(rows[2])
