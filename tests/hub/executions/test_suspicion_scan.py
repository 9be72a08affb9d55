"""The bounded look at successes: which ones are due, and what is kept of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.executions import suspicion_scan
from hub.executions.models import DetailState, Execution, ExecutionStatus
from hub.executions.suspicion_scan import find_due, scan_successes
from hub.extensions import db
from hub.instances.client import TooLarge
from hub.instances.errors import Unreachable
from hub.instances.models import Instance, InstanceStatus
from hub.workflows.models import Workflow
from tests.hub.executions.test_suspicion import success
from tests.hub.factories import make_execution, make_instance, make_workflow

Json = dict[str, Any]


class Server:
    """Answers each execution with the same suspicious success, or raises."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fault: Exception | None = None

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get_execution(self, execution_id: str, *, with_data: bool, max_bytes: int) -> Json:
        assert with_data
        assert max_bytes == suspicion_scan.MOST_BYTES
        self.asked.append(execution_id)
        if self.fault:
            raise self.fault
        return success("splitOut", {"fieldToSplitOut": "none"}, [[]])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    only = Server()
    monkeypatch.setattr(suspicion_scan, "open_client", lambda _instance: only)
    return only


@pytest.fixture
def instance(alice: Actor) -> Instance:
    return make_instance(alice, status=InstanceStatus.CONNECTED)


def ran(workflow: Workflow, number: int, hours_ago: float, **columns: Any) -> Execution:
    columns = {"status": ExecutionStatus.SUCCESS, "n8n_status": "success", **columns}
    return make_execution(workflow, number, started_at=utc_now() - dt.timedelta(hours=hours_ago), **columns)


def test_the_newest_success_of_active_workflows_is_due(instance: Instance) -> None:
    busy = make_workflow(instance, "Busy", active=True)
    ran(busy, 1, 3)
    ran(busy, 2, 2)
    ran(busy, 3, 1, status=ExecutionStatus.FAILED)
    ran(make_workflow(instance, "Off"), 4, 1)
    ran(make_workflow(instance, "Gone", active=True, vanished_at=utc_now()), 5, 1)
    ran(make_workflow(instance, "Old", active=True), 6, 24 * 30)
    assert find_due(instance.id) == ["2"]


def test_a_workflow_is_looked_at_once_a_day_and_once_a_version(instance: Instance) -> None:
    workflow = make_workflow(instance, "Busy", active=True, active_version_id="v2")
    looked = ran(workflow, 1, 3, suspicions=0, workflow_version_id="v2")
    ran(workflow, 2, 1)
    assert find_due(instance.id) == []
    looked.workflow_version_id = "v1"  # the version that runs now was not looked at
    db.session.flush()
    assert find_due(instance.id) == ["2"]
    looked.workflow_version_id, looked.started_at = "v2", utc_now() - dt.timedelta(days=2)
    db.session.flush()
    assert find_due(instance.id) == ["2"]


def test_a_round_is_bounded(instance: Instance, server: Server) -> None:
    for number in range(suspicion_scan.PER_INSTANCE + 5):
        ran(make_workflow(instance, f"W{number}", active=True), number, 1)
    db.session.commit()
    assert scan_successes() == suspicion_scan.PER_INSTANCE
    assert scan_successes() == 5
    assert scan_successes() == 0
    assert len(server.asked) == len(set(server.asked)) == suspicion_scan.PER_INSTANCE + 5


def test_only_what_was_found_is_kept(instance: Instance, server: Server) -> None:
    row = ran(make_workflow(instance, active=True), 1, 1)
    db.session.commit()
    scan_successes()
    db.session.refresh(row, ["suspicion", "suspicions", "data", "detail_state", "workflow_version_id"])
    assert (row.suspicions, row.data, row.detail_state, row.workflow_version_id) == (1, None, DetailState.NONE, "v1")
    assert [finding["kind"] for finding in row.suspicion or []] == ["field-not-found"]


def test_large_runs_are_left_alone(instance: Instance, server: Server) -> None:
    row = ran(make_workflow(instance, active=True), 1, 1)
    db.session.commit()
    server.fault = TooLarge(suspicion_scan.MOST_BYTES)
    scan_successes()
    db.session.refresh(row)
    assert row.suspicions == -1
    assert scan_successes() == 0


def test_an_n8n_that_does_not_answer_is_asked_next_time(instance: Instance, server: Server) -> None:
    ran(make_workflow(instance, active=True), 1, 1)
    ran(make_workflow(instance, "Other", active=True), 2, 1)
    db.session.commit()
    server.fault = Unreachable("refused")
    assert scan_successes() == 0
    assert len(server.asked) == 1
    server.fault = None
    assert scan_successes() == 2


def test_samples_and_broken_connections_are_not_asked(alice: Actor, server: Server) -> None:
    for name, columns in (("Sample", {"is_sample": True}), ("Broken", {"status": InstanceStatus.ERROR})):
        ran(make_workflow(make_instance(alice, name, **columns), active=True), 1, 1)
    db.session.commit()
    assert scan_successes() == 0
    assert server.asked == []
