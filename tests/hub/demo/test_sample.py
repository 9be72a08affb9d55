"""The recordings behind the sample instance."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

from hub.sample import move_times, read_sample

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_executions_lie_in_the_days_before_now_in_the_order_of_their_ids() -> None:
    executions = [recording["execution"] for recording in read_sample(NOW)]
    started = [datetime.fromisoformat(execution["startedAt"]) for execution in executions]
    assert started == sorted(started)
    assert [int(execution["id"]) for execution in executions] == list(range(1, len(executions) + 1))
    assert NOW - timedelta(days=8) < started[0]
    assert NOW - timedelta(minutes=10) < started[-1] < NOW


def test_workflow_is_older_than_its_executions_and_the_same_in_each() -> None:
    documents: dict[str, str] = {}
    for recording in read_sample(NOW):
        workflow, execution = recording["workflow"], recording["execution"]
        assert workflow["id"] == execution["workflowId"]
        assert workflow["createdAt"] < execution["startedAt"]
        assert documents.setdefault(workflow["id"], json.dumps(workflow)) == json.dumps(workflow)
    assert len(documents) == 15


def test_failures_and_successes_are_there() -> None:
    statuses = [recording["execution"]["status"] for recording in read_sample(NOW)]
    assert statuses.count("error") >= 15
    assert statuses.count("success") >= 5


def test_nothing_of_the_recording_machine_is_left() -> None:
    text = json.dumps(list(read_sample(NOW)))
    assert not re.search(r"/(root|home|tmp|Users)/|resumeToken|eyJ[\w-]{20}", text)
    assert set(re.findall(r"@([\w-]+\.\w+)", text)) <= {"example.com"}


def test_times_of_every_form_are_moved() -> None:
    moved = move_times(
        {"startedAt": "2026-11-22T10:00:00.500Z", "runs": [{"startTime": 1000, "storedAt": "db"}]}, timedelta(seconds=2)
    )
    assert moved == {"startedAt": "2026-11-22T10:00:02.500Z", "runs": [{"startTime": 3000, "storedAt": "db"}]}
