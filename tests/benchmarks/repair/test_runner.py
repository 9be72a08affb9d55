"""What becomes of an answer before n8n is asked, and what a run writes down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.contracts.analysis import Evidence
from tests.benchmarks.repair import report
from tests.benchmarks.repair.analyzers import Ask, make_silent, make_swallow
from tests.benchmarks.repair.cases import CLOSED_PORT, PORT, TLS_PORT, Case, read_cases
from tests.benchmarks.repair.fault_server import FaultServer
from tests.benchmarks.repair.judge import Answer, Outcome, Row
from tests.benchmarks.repair.runner import run_offline

CASES = {case.id: case for case in read_cases()}
PATCHABLE = CASES["shipping-label-503"]
NOT_TO_BE_PATCHED = CASES["accounting-token-expired"]
MISSING_PLACE = {"op": "replace", "path": "/nodes/77/retryOnFail", "value": True}


def settle(case: Case, ask: Ask) -> Row:
    [(_, row, _)] = run_offline([case], ask)
    assert row is not None
    return row


def answering(*patch: dict[str, Any], cause: str = "transient-upstream") -> Ask:
    def ask(_case: Case, evidence: Evidence) -> Answer:
        return Answer(cause, evidence.failing_node, 0.9, patch)

    return ask


RETRY = {"op": "add", "path": "/nodes/2/retryOnFail", "value": True}


@pytest.mark.parametrize(
    ("case", "ask", "outcome"),
    [
        (PATCHABLE, make_silent(), Outcome.NO_PATCH),
        (PATCHABLE, answering(RETRY), Outcome.APPLICABLE),
        (PATCHABLE, answering(MISSING_PLACE), Outcome.REFUSED),
        (PATCHABLE, make_swallow(), Outcome.WITHHELD),
        (PATCHABLE, answering(RETRY, cause="bad-credentials"), Outcome.WITHHELD),
        (NOT_TO_BE_PATCHED, answering(RETRY), Outcome.UNWANTED),
    ],
)
def test_outcome_before_n8n_is_asked(case: Case, ask: Ask, outcome: Outcome) -> None:
    row = settle(case, ask)
    assert row.outcome is outcome
    assert row.harmful is (outcome in (Outcome.REFUSED, Outcome.UNWANTED))


def test_a_case_is_placed_on_the_ports_of_its_server() -> None:
    with FaultServer() as faults:
        for case in (CASES["printer-https-on-plain-port"], CASES["mail-server-offline"], CASES["hospital-own-certificate"]):
            text = str(case.placed(faults).__dict__)
            assert not any(str(fixed) in text for fixed in (CLOSED_PORT, PORT, TLS_PORT))
            assert any(str(port) in text for port in (faults.closed_port, faults.port, faults.tls_port))


def test_the_page_gets_the_measured_numbers_and_what_is_not_solved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    monkeypatch.setattr(report, "PAGE", page)
    report.write_report([settle(PATCHABLE, make_silent()), settle(PATCHABLE, answering(RETRY))], 0)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "cause 1/2  node 2/2  repaired 1/2" in text
    assert text.count("| shipping-label-503 |") == 1
