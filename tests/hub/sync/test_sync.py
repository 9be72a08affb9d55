from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.contracts.actor import Actor
from hub.contracts.events import FailureEvent
from hub.errors import NotFound, ReadOnly, Unavailable
from hub.executions.models import DetailState, Execution, ExecutionStatus
from hub.instances.models import Instance, InstanceStatus
from hub.jobs.models import Job, JobState
from hub.jobs.registry import JobContext, LeaseLost, RetryLater
from hub.sync import services
from hub.sync.engine import SyncRun, claim_run
from hub.workflows.models import Workflow
from tests.hub.factories import make_instance
from tests.hub.statements import count_statements
from tests.hub.sync import fake_n8n
from tests.hub.sync.conftest import Session, Sync
from tests.hub.sync.fake_n8n import FakeN8n


def stored(session: Session) -> dict[str, Execution]:
    return {row.n8n_execution_id: row for row in session.scalars(sa.select(Execution))}


def statuses(session: Session) -> dict[str, str]:
    return {key: row.n8n_status for key, row in stored(session).items()}


def workflow(session: Session, n8n_id: str) -> Workflow:
    return session.scalars(sa.select(Workflow).where(Workflow.n8n_id == n8n_id)).one()


# --- What comes in -----------------------------------------------------------------------------------------------------


def test_the_first_sync_brings_everything(session: Session, n8n: FakeN8n, instance: Instance, sync: Sync) -> None:
    for number in range(12):
        n8n.run("ab"[number % 2], "error" if number % 4 == 0 else "success")
    n8n.start("a")
    n8n.start("b", status="new")
    waiting = n8n.start("a")
    n8n.wait(waiting["id"])
    counts = sync()
    assert (counts.workflows, counts.created) == (2, 15)
    rows = stored(session)
    assert {key: row.n8n_status for key, row in rows.items()} == {key: row["status"] for key, row in n8n.executions.items()}
    failed = rows["1"]
    assert (failed.status, failed.detail_state, failed.error_node) == (ExecutionStatus.FAILED, DetailState.STORED, "Start")
    assert failed.error_message == "It broke in 1"
    assert failed.data is not None
    assert failed.data["data"]["resultData"]["lastNodeExecuted"] == "Start"
    assert failed.duration == 1.0
    assert rows["2"].detail_state is DetailState.NONE
    assert rows["15"].finished_at is None
    assert rows["15"].wait_till is not None
    flow = workflow(session, "a")
    assert (flow.total_executions, flow.successful_executions) == (8, 3)
    assert flow.last_execution_at == rows["15"].started_at
    assert instance.status is InstanceStatus.CONNECTED
    assert instance.last_sync is not None
    assert instance.version == "2.36+"


def test_a_second_sync_writes_only_the_instance(session: Session, n8n: FakeN8n, sync: Sync) -> None:
    for number in range(12):
        n8n.run("a", "error" if number % 4 == 0 else "success")
    n8n.start("a")
    sync()
    with count_statements() as statements:
        counts = sync()
    assert (counts.created, counts.updated) == (0, 0)
    writes = [statement for statement in statements if not statement.startswith("SELECT")]
    assert writes
    assert all(statement.startswith("UPDATE instances") for statement in writes)


def test_a_quiet_sync_asks_little(n8n: FakeN8n, sync: Sync) -> None:
    for _ in range(300):
        n8n.run("a")
    sync()
    n8n.run("a")
    n8n.requests.clear()
    sync()
    # What lies up to 100 ids below the last bound is read again.
    assert len([target for target in n8n.requests if "/executions" in target and "status=" not in target]) <= 22
    n8n.page_size = 250
    n8n.requests.clear()
    sync()
    assert [target.partition("?")[0] for target in n8n.requests] == ["/api/v1/workflows", *["/api/v1/executions"] * 4]


def test_a_page_takes_at_most_four_statements(
    session: Session, n8n: FakeN8n, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    n8n.page_size = 250
    for number in range(1000):
        n8n.run("ab"[number % 2], "canceled" if number % 5 == 0 else "success")
    seen: list[int] = []
    original = SyncRun._store

    def counted(self: SyncRun, read: Any, *rest: Any) -> Any:
        with count_statements() as statements:
            result = original(self, read, *rest)
        seen.append(len(statements))
        return result

    monkeypatch.setattr(SyncRun, "_store", counted)
    sync()
    assert len(stored(session)) == 1000
    assert max(seen) <= 4
    assert seen.count(4) >= 3


def test_new_failures_are_told_once(app: Flask, n8n: FakeN8n, sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[FailureEvent] = []
    monkeypatch.setattr(app.extensions["hub_plugins"], "notify", lambda _hook, event: told.append(event))
    n8n.run("a", "error")
    sync()
    running = n8n.start("b")
    sync()
    n8n.finish(running["id"], "crashed")
    sync()
    sync()
    assert [(event.initial, [failure.n8n_execution_id for failure in event.failures]) for event in told] == [
        (True, ["1"]),
        (False, ["2"]),
    ]
    assert told[1].failures[0].workflow_name == "Flow b"


# --- What changes afterwards -------------------------------------------------------------------------------------------


def test_late_finishers_are_found_below_the_newest_id(session: Session, n8n: FakeN8n, sync: Sync) -> None:
    late = n8n.start("a")
    for _ in range(20):
        n8n.run("b")
    sync()
    assert statuses(session)[late["id"]] == "running"
    n8n.finish(late["id"], "error")
    for _ in range(20):
        n8n.run("b")
    sync()
    row = stored(session)[late["id"]]
    assert (row.n8n_status, row.detail_state) == ("error", DetailState.STORED)
    assert workflow(session, "a").total_executions == 1


def test_an_execution_that_ran_unseen_during_the_scan_is_found_later(session: Session, n8n: FakeN8n, sync: Sync) -> None:
    for _ in range(8):
        n8n.run("b")
    hidden: list[str] = []

    def begin_while_listing(_path: str) -> None:
        # After the open ones were asked for and before the list is read: it is hidden from both.
        if len(n8n.requests) > 1 and "status=waiting" in n8n.requests[-2] and not hidden:
            hidden.append(n8n.start("a")["id"])
            for _ in range(150):
                n8n.run("b")

    n8n.before_answer = begin_while_listing
    sync()
    assert hidden[0] not in stored(session)
    n8n.finish(hidden[0], "error")
    sync()
    assert statuses(session)[hidden[0]] == "error"


def test_old_versions_without_a_filter_for_running_ones_lose_none(session: Session, n8n: FakeN8n, sync: Sync) -> None:
    n8n.status_filters = ("error", "success", "waiting")
    hidden = n8n.start("a")
    for _ in range(12):
        n8n.run("b")
    sync()
    assert hidden["id"] not in stored(session)
    for _ in range(150):
        n8n.run("b")
    sync()
    n8n.finish(hidden["id"])
    sync()
    assert statuses(session)[hidden["id"]] == "success"


def test_open_executions_that_are_gone_have_vanished_and_ended_ones_stay(session: Session, n8n: FakeN8n, sync: Sync) -> None:
    ended = n8n.run("a")["id"]
    running, waiting = n8n.start("a")["id"], n8n.start("a")["id"]
    n8n.wait(waiting)
    sync()
    for key in (ended, running, waiting):
        n8n.prune(key)
    n8n.run("b")
    sync()
    rows = stored(session)
    assert [rows[key].vanished_at is None for key in (ended, running, waiting)] == [True, False, False]
    n8n.executions[waiting] = {**n8n.run("a"), "id": waiting}
    sync()
    assert stored(session)[waiting].vanished_at is None


def test_a_queued_execution_gets_its_start_later(session: Session, n8n: FakeN8n, sync: Sync) -> None:
    queued = n8n.start("a", status="new")["id"]
    sync()
    first_seen = stored(session)[queued].started_at
    sync()
    assert stored(session)[queued].started_at == first_seen
    n8n.finish(queued)
    sync()
    row = stored(session)[queued]
    assert row.started_at.isoformat() == n8n.executions[queued]["startedAt"].replace("Z", "+00:00").replace(".000", "")
    assert row.status is ExecutionStatus.SUCCESS


def test_a_successful_retry_refreshes_the_original(session: Session, n8n: FakeN8n, sync: Sync) -> None:
    failed = n8n.run("a", "error")["id"]
    for _ in range(150):
        n8n.run("b")
    sync()
    retry = n8n.retry(failed)["id"]
    sync()
    assert stored(session)[failed].retry_success_id is None
    n8n.finish(retry)
    n8n.requests.clear()
    sync()
    assert stored(session)[failed].retry_success_id == retry
    assert f"/api/v1/executions/{failed}" in n8n.requests


def test_an_ended_execution_never_runs_again(session: Session, n8n: FakeN8n, sync: Sync) -> None:
    execution = n8n.run("a")
    sync()
    # A page that was made before the end arrives after it.
    n8n.executions[execution["id"]] = {**execution, "status": "running", "stoppedAt": None, "finished": False}
    sync()
    assert statuses(session)[execution["id"]] == "success"
    assert workflow(session, "a").successful_executions == 1


def test_failures_are_read_newest_first_and_the_rest_next_time(
    session: Session, n8n: FakeN8n, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.sync.incremental.strategy.DETAILS_A_RUN", 3)
    for _ in range(8):
        n8n.run("a", "error")

    def read() -> list[int]:
        return sorted(int(key) for key, row in stored(session).items() if row.detail_state is DetailState.STORED)

    sync()
    assert read() == [6, 7, 8]
    sync()
    assert read() == [3, 4, 5, 6, 7, 8]
    sync()
    assert read() == list(range(1, 9))


def test_data_that_is_too_large_or_gone_is_not_asked_for_again(session: Session, n8n: FakeN8n, sync: Sync, app: Flask) -> None:
    large, gone = n8n.run("a", "error")["id"], n8n.run("a", "error")["id"]
    n8n.data[large]["filler"] = "x" * (app.extensions["hub_config"].execution_max_bytes + 1)
    n8n.data[gone] = {}
    sync()
    rows = stored(session)
    assert (rows[large].detail_state, rows[gone].detail_state) == (DetailState.TRUNCATED, DetailState.UNAVAILABLE)
    n8n.requests.clear()
    sync()
    assert not [target for target in n8n.requests if "includeData" in target]


# --- Workflows that go, and ids that come again --------------------------------------------------------------------------


def test_a_deleted_workflow_becomes_a_tombstone(session: Session, n8n: FakeN8n, sync: Sync) -> None:
    n8n.run("a")
    sync()
    del n8n.workflows["a"]
    sync()
    assert workflow(session, "a").vanished_at is not None
    assert workflow(session, "b").vanished_at is None
    assert len(stored(session)) == 1


def test_an_empty_or_partial_list_sweeps_nothing(session: Session, n8n: FakeN8n, sync: Sync) -> None:
    for number in range(12):
        n8n.add_workflow(f"c{number:02}")
    sync()
    kept, n8n.workflows = n8n.workflows, {}
    sync()
    n8n.workflows = kept
    n8n.faults = [None, fake_n8n.SERVER_ERROR]
    with pytest.raises(RetryLater):
        sync()
    assert session.scalar(sa.select(sa.func.count()).where(Workflow.vanished_at.is_not(None))) == 0


def test_a_workflow_that_paging_skipped_is_asked_for_by_id(session: Session, n8n: FakeN8n, sync: Sync) -> None:
    for number in range(12):
        n8n.add_workflow(f"c{number:02}")
    sync()

    def delete_first(_path: str) -> None:
        if "cursor" in n8n.requests[-1]:
            n8n.workflows.pop("a", None)

    n8n.before_answer = delete_first
    sync()
    vanished = session.scalars(sa.select(Workflow.n8n_id).where(Workflow.vanished_at.is_not(None))).all()
    assert list(vanished) in ([], ["a"])
    assert len([target for target in n8n.requests if "/workflows/" in target]) >= 1


def test_an_execution_of_an_unknown_workflow_gets_a_placeholder(session: Session, n8n: FakeN8n, sync: Sync) -> None:
    n8n.run("ghost")
    sync()
    assert workflow(session, "ghost").name == "ghost"
    n8n.add_workflow("ghost")
    sync()
    assert workflow(session, "ghost").name == "Flow ghost"
    assert workflow(session, "ghost").total_executions == 1


def test_a_restored_database_starts_a_new_epoch(session: Session, n8n: FakeN8n, instance: Instance, sync: Sync) -> None:
    for _ in range(20):
        n8n.run("a")
    n8n.start("a")
    sync()
    before = {key: row.id for key, row in stored(session).items()}
    for key in range(13, 22):
        n8n.prune(str(key))
    n8n.restart_numbering(13)
    for _ in range(4):
        n8n.run("b", "error")
    sync()
    rows = stored(session)
    assert instance.epoch == 1
    assert {rows[str(key)].id for key in range(1, 13)} == {before[str(key)] for key in range(1, 13)}
    assert {rows[f"0:{key}"].id for key in range(13, 22)} == {before[str(key)] for key in range(13, 22)}
    assert all(rows[f"0:{key}"].vanished_at is not None for key in range(13, 22))
    assert [rows[str(key)].n8n_status for key in range(13, 17)] == ["error"] * 4
    assert len(rows) == 25
    n8n.run("b")
    sync()
    assert len(stored(session)) == 26
    assert instance.epoch == 1


def test_another_server_behind_the_same_address_is_read_whole(session: Session, n8n: FakeN8n, sync: Sync) -> None:
    n8n.restart_numbering(500)
    for _ in range(20):
        n8n.run("a")
    sync()
    n8n.executions.clear()
    n8n.workflows.clear()
    n8n.add_workflow("z")
    n8n.restart_numbering(1)
    for _ in range(12):
        n8n.run("z")
    sync()
    assert workflow(session, "z").total_executions == 12


# --- What goes wrong -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "raised", "code"),
    [
        (fake_n8n.rate_limited(17), RetryLater, "rate-limited"),
        (fake_n8n.SERVER_ERROR, RetryLater, "server-fault"),
        (fake_n8n.BAD_GATEWAY, RetryLater, "server-fault"),
        (fake_n8n.CUT_SHORT, RetryLater, "broken-answer"),
        (fake_n8n.STARTING, RetryLater, "starting"),
        (fake_n8n.WEB_PAGE, Unavailable, "not-n8n"),
        (fake_n8n.REFUSED, Unavailable, "unauthorized"),
    ],
)
def test_errors_are_kept_and_the_next_sync_goes_on(
    session: Session, n8n: FakeN8n, instance: Instance, sync: Sync, fault: fake_n8n.Reply, raised: type[Exception], code: str
) -> None:
    for _ in range(12):
        n8n.run("a")
    sync()
    for _ in range(12):
        n8n.run("b")
    n8n.faults = [None, None, None, None, None, fault]
    with pytest.raises(raised) as caught:
        sync()
    assert (instance.status, instance.error_code) == (InstanceStatus.ERROR, code)
    assert instance.last_error
    if code == "rate-limited":
        assert isinstance(caught.value, RetryLater)
        assert caught.value.seconds == 17
        assert instance.sync_state.get("failures") == 0
    else:
        assert instance.sync_state["failures"] == 1
    sync()
    assert len(stored(session)) == 24
    assert (instance.status, instance.last_error, instance.sync_state["failures"]) == (InstanceStatus.CONNECTED, None, 0)


def test_a_hanging_n8n_times_out(n8n: FakeN8n, instance: Instance, sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr("hub.instances.client.CALL_SECONDS", 0.1)
    n8n.before_answer = lambda path: release.wait(10) and None if "executions" in path else None
    try:
        with pytest.raises(RetryLater):
            sync()
    finally:
        release.set()
    assert instance.error_code == "timeout"


def test_repeated_failures_end_the_job_and_lengthen_the_schedule(n8n: FakeN8n, instance: Instance, sync: Sync) -> None:
    for _ in range(services._QUICK_RETRIES):
        n8n.faults = [fake_n8n.SERVER_ERROR, fake_n8n.SERVER_ERROR]
        with pytest.raises(RetryLater):
            sync()
    n8n.faults = [fake_n8n.SERVER_ERROR, fake_n8n.SERVER_ERROR]
    with pytest.raises(Unavailable):
        sync()
    assert instance.sync_state["failures"] == 4
    pauses = [services.pause(instance.id, 5, failures).total_seconds() for failures in (0, 3, 4, 5, 60)]
    assert pauses[0] == pauses[1]
    assert 300 <= pauses[0] < 330
    assert [round(longer - pauses[0]) for longer in pauses[2:]] == [300, 900, 6 * 3600 - 300]


def test_one_broken_record_does_not_stop_the_others(session: Session, n8n: FakeN8n, sync: Sync) -> None:
    for _ in range(5):
        n8n.run("a", "error")

    def break_third(reply: fake_n8n.Reply) -> fake_n8n.Reply:
        return fake_n8n.SERVER_ERROR if "executions/3?" in n8n.requests[-1] else reply

    n8n.faults = [break_third] * 100
    sync()
    states = {key: row.detail_state for key, row in stored(session).items()}
    assert [key for key, state in states.items() if state is DetailState.NONE] == ["3"]


def test_a_page_that_comes_twice_and_a_circling_cursor_do_no_harm(session: Session, n8n: FakeN8n, sync: Sync) -> None:
    for _ in range(20):
        n8n.run("a")
    pages: list[fake_n8n.Reply] = []

    def same_page(reply: fake_n8n.Reply) -> fake_n8n.Reply:
        if "executions?" not in n8n.requests[-1] or "status" in n8n.requests[-1]:
            return reply
        pages.append(reply)
        return pages[0]

    n8n.faults = [same_page] * 100
    sync()
    assert len(n8n.requests) < 20
    n8n.faults = []
    sync()
    assert len(stored(session)) == 20


def test_a_newer_run_fences_off_an_older_one(
    session: Session, n8n: FakeN8n, instance: Instance, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(12):
        n8n.run("a")
    overtaken: list[bool] = []

    def overtake(context: JobContext, *_: Any) -> None:
        if context.job_id == "old" and not overtaken:
            overtaken.append(True)
            claim_run(instance)

    monkeypatch.setattr(services, "_report", overtake)
    with pytest.raises(LeaseLost):
        services.run_sync(instance.id, JobContext("old", 1))
    sync()
    assert len(stored(session)) == 12


# --- Asking for it ---------------------------------------------------------------------------------------------------------


def test_a_request_queues_one_job_and_progress_can_be_read(
    session: Session, alice: Actor, bob: Actor, instance: Instance
) -> None:
    assert services.get_progress(alice, instance.id).state is None
    job = services.request_sync(alice, instance.id)
    assert services.request_sync(alice, instance.id).id == job.id
    progress = services.get_progress(alice, instance.id)
    assert (progress.state, progress.is_active) == (JobState.QUEUED, True)
    job.note, job.state, job.done, job.total = "executions 2 250 0", JobState.RUNNING, 250, 1000
    session.flush()
    progress = services.get_progress(alice, instance.id)
    assert (progress.executions, progress.done, progress.total) == (250, 250, 1000)
    assert progress.sentence == "Reading executions: 250"
    with pytest.raises(NotFound):
        services.request_sync(bob, instance.id)
    with pytest.raises(NotFound):
        services.get_progress(bob, instance.id)


def test_a_sample_is_not_synced(session: Session, alice: Actor) -> None:
    sample = make_instance(alice, "Sample", is_sample=True)
    with pytest.raises(ReadOnly):
        services.request_sync(alice, sample.id)
    assert services.schedule_syncs() == 0


def test_the_clock_queues_what_is_due(session: Session, n8n: FakeN8n, instance: Instance, sync: Sync) -> None:
    assert services.schedule_syncs() == 1
    assert session.scalars(sa.select(Job.arguments)).all() == [{"instance_id": instance.id}]
    sync()
    session.execute(sa.delete(Job))
    assert services.schedule_syncs() == 0
    instance.sync_state = {**instance.sync_state, "tried_at": "2026-01-01T00:00:00+00:00"}
    session.flush()
    assert services.schedule_syncs() == 1
