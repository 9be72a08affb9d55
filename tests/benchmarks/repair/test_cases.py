"""The bench's cases are well-formed, and their recordings show the failures that they promise."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.benchmarks.repair.analyzers import make_reference
from tests.benchmarks.repair.cases import CASES, RECORDED, REFERENCE, Case, find_faults, read_cases, read_recording
from tests.benchmarks.repair.catalogue import NOT_COVERABLE, SEEN
from tests.benchmarks.repair.judge import Outcome, has_wanted_output, passes
from tests.benchmarks.repair.runner import run_offline

ALL = read_cases()
MOST_RECORDED_BYTES = 3_000_000

by_id = pytest.mark.parametrize("case", ALL, ids=lambda case: case.id)


@pytest.mark.parametrize("path", sorted(CASES.glob("*.json")), ids=lambda path: path.stem)
def test_case_is_well_formed(path: Path) -> None:
    assert list(find_faults(json.loads(path.read_text()), path.name)) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"colour": "red"}, "unknown field colour"),
        ({"id": "other"}, "the id is other"),
        ({"trigger": {"path": "elsewhere", "method": "POST"}}, "the workflow needs one webhook, with the path of the trigger"),
        ({"expect": {**ALL[0].expect, "node": "Nobody"}}, "culprit Nobody is no node"),
        ({"expect": {**ALL[0].expect, "causes": ["bad-luck"]}}, "unknown cause bad-luck"),
        ({"expect": {**ALL[0].expect, "patchable": True, "must_not_patch": True}}, "patchable, and must not be patched"),
        ({"server": [{"path": "/orders?state=open"}]}, "route /orders?state=open: a path without query is wanted"),
    ],
)
def test_faults_of_a_case_are_found(change: dict[str, object], fault: str) -> None:
    path = CASES / f"{ALL[0].id}.json"
    document = {**json.loads(path.read_text()), **change}
    assert fault in list(find_faults(document, path.name))


def test_nothing_is_there_twice() -> None:
    """n8n takes each webhook's address once, and all cases run on one n8n."""
    paths = Counter(case.trigger["path"] for case in ALL)
    assert [path for path, count in paths.items() if count > 1] == []
    titles = Counter(case.title for case in ALL)
    assert [title for title, count in titles.items() if count > 1] == []


def test_every_kind_that_was_seen_has_a_case_or_a_reason() -> None:
    covered = {kind for case in ALL for kind in case.kind}
    assert covered & NOT_COVERABLE.keys() == set()
    assert sorted(SEEN - covered - NOT_COVERABLE.keys()) == []


def test_references_belong_to_the_patchable_cases() -> None:
    patchable = {case.id for case in ALL if case.expect["patchable"]}
    assert {path.stem for path in REFERENCE.glob("*.json")} == patchable


def test_recordings_are_small_and_of_no_machine() -> None:
    files = list(RECORDED.glob("*.json"))
    assert {path.stem for path in files} == {case.id for case in ALL}
    assert sum(path.stat().st_size for path in files) < MOST_RECORDED_BYTES
    homes = ("/root/", "/home/", "/tmp/")
    texts = {path.name: (path.read_text(), (CASES / path.name).read_text()) for path in files}
    assert [name for name, (text, case) in texts.items() if any(home in text and home not in case for home in homes)] == []


@by_id
def test_recorded_run_failed_and_does_not_pass_the_check(case: Case) -> None:
    recording = read_recording(case)
    assert recording
    execution = recording["execution"]
    assert execution["status"] in ("error", "canceled")
    assert execution["workflowData"]["name"] == case.workflow["name"]
    assert {node["name"] for node in recording["workflow"]["nodes"]} == {node["name"] for node in case.workflow["nodes"]}
    if case.check is not None:
        assert not passes(case.check, execution, [])
        assert not has_wanted_output(case.check, execution), "the check would pass on a failed run that is shown as green"


def test_every_reference_applies_to_the_recorded_workflow() -> None:
    """That they repair is proven online: ``python -m tests.benchmarks.repair --analyze reference``."""
    rows = [row for _, row, _ in run_offline(ALL, make_reference()) if row is not None]
    assert [row.case.id for row in rows if row.harmful] == []
    assert {row.outcome for row in rows if row.patchable} <= {Outcome.APPLICABLE, Outcome.WITHHELD}
