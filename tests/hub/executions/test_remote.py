from __future__ import annotations

from typing import Any

import pytest

from hub.executions.models import ExecutionStatus
from hub.executions.remote import read_execution


def row(**changes: Any) -> dict[str, Any]:
    return {
        **{"id": "5", "workflowId": "w", "status": "success", "mode": "webhook", "finished": True, "retryOf": None},
        **{
            "startedAt": "2026-11-01T10:00:00.250Z",
            "stoppedAt": "2026-11-01T10:00:01.000Z",
            "retrySuccessId": None,
            "waitTill": None,
        },
        **changes,
    }


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("success", ExecutionStatus.SUCCESS),
        ("error", ExecutionStatus.FAILED),
        ("crashed", ExecutionStatus.FAILED),
        ("canceled", ExecutionStatus.CANCELED),
        ("waiting", ExecutionStatus.WAITING),
        ("running", ExecutionStatus.RUNNING),
        ("new", ExecutionStatus.RUNNING),
    ],
)
def test_every_word_of_n8n_has_a_status(word: str, status: ExecutionStatus) -> None:
    remote = read_execution(row(status=word))
    assert remote is not None
    assert (remote.status, remote.n8n_status) == (status, word)
    assert (remote.finished_at is None) == remote.is_open


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"finished": True}, ExecutionStatus.SUCCESS),
        ({"finished": False}, ExecutionStatus.FAILED),
        ({"finished": False, "stoppedAt": None}, ExecutionStatus.RUNNING),
    ],
)
@pytest.mark.parametrize("word", ["unknown", "hibernating", None])
def test_unknown_words_are_guessed_from_the_rest(changes: dict[str, Any], status: ExecutionStatus, word: str | None) -> None:
    remote = read_execution(row(status=word, **changes))
    assert remote is not None
    assert remote.status is status


@pytest.mark.parametrize(
    ("value", "iso"),
    [
        ("2026-11-01T10:00:00.250Z", "2026-11-01T10:00:00.250000+00:00"),
        ("2026-11-01T13:00:00.250+03:00", "2026-11-01T10:00:00.250000+00:00"),
        ("2026-11-01T10:00:00", "2026-11-01T10:00:00+00:00"),
        (1793527200000, "2026-11-01T10:00:00+00:00"),
        (1793527200, "2026-11-01T10:00:00+00:00"),
        (None, None),
        ("soon", None),
        (True, None),
        (10**30, None),
    ],
)
def test_times_come_in_many_forms(value: object, iso: str | None) -> None:
    remote = read_execution(row(startedAt=value))
    assert remote is not None
    assert (remote.started_at.isoformat() if remote.started_at else None) == iso


def test_ids_are_texts_whatever_n8n_sends() -> None:
    number = read_execution(row(id=9007199254740993, workflowId=12, retryOf=7))
    uuid = read_execution(row(id="0199a9b2-2f0e-7cc3-8bb1-111111111111"))
    assert number is not None
    assert uuid is not None
    assert (number.n8n_id, number.n8n_workflow_id, number.retry_of) == ("9007199254740993", "12", "7")
    assert uuid.n8n_id == "0199a9b2-2f0e-7cc3-8bb1-111111111111"
    assert read_execution(row(id=None)) is None
    assert read_execution(row(workflowId="")) is None


def test_a_clock_that_went_back_makes_no_negative_duration() -> None:
    remote = read_execution(row(stoppedAt="2026-11-01T09:00:00.000Z"))
    assert remote is not None
    assert remote.duration == 0.0
