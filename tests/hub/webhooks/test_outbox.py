"""What happens is written down with it: for whom, what, and no more than is news."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from hub.analyses.models import AiAnalysis, Verdict
from hub.contracts.actor import Actor
from hub.errors import Unavailable
from hub.executions.details import write_detail
from hub.executions.ingest import ExecutionIngest
from hub.executions.models import DetailState, Execution
from hub.extensions import db
from hub.instances.models import Instance
from hub.instances.services import create_instance, mark_connected
from hub.jobs.models import Job
from hub.jobs.registry import JobContext, RetryLater
from hub.sync.services import run_sync
from hub.webhooks import services
from hub.webhooks.messages import seal
from hub.webhooks.models import EventType, Webhook, WebhookDelivery
from hub.webhooks.outbox import GROUP_INTERVAL, GROUP_WAIT, MAX_OTHERS
from hub.webhooks.sending import send_due
from tests.hub.analyses import conftest as analyses_scene
from tests.hub.analyses.scene import OneAnswer, agree, work
from tests.hub.factories import make_execution, make_instance, make_workflow
from tests.hub.statements import count_statements
from tests.hub.sync import fake_n8n
from tests.hub.sync.fake_n8n import REFUSED, SERVER_ERROR, FakeN8n, FakeServer
from tests.hub.webhooks.conftest import Clock, Fail, Receiver, deliveries, make_webhook

analyzer, n8n = analyses_scene.analyzer, analyses_scene.n8n
analysis, execution = analyses_scene.analysis, analyses_scene.execution


# --- Failed executions --------------------------------------------------------------------------------------------------


def test_a_failure_is_told_once(webhook: Webhook, fail: Fail, clock: Clock) -> None:
    fail(7)
    fail(7)
    (told,) = deliveries()
    assert (told.type, told.data["count"], told.data["execution"]["n8nId"]) == ("execution.failed", 1, "7")
    assert told.data["workflow"]["n8nId"] == "wf"
    assert told.next_attempt_at == clock() + GROUP_WAIT
    (job,) = db.session.scalars(sa.select(Job).where(Job.name == "webhooks.send"))
    assert (job.run_at, job.arguments) == (clock() + GROUP_WAIT, {"webhook_id": webhook.id})


def test_nothing_is_told_of_what_is_rolled_back(webhook: Webhook, instance: Instance, clock: Clock) -> None:
    db.session.commit()
    at = clock().isoformat()
    row = {"id": "1", "workflowId": "wf", "status": "error", "startedAt": at, "stoppedAt": at}
    ExecutionIngest(instance.id, 0).store([row])
    assert len(deliveries()) == 1
    db.session.rollback()
    assert deliveries() == []
    assert db.session.scalars(sa.select(Job)).all() == []


def test_a_success_and_a_sample_are_no_matter(webhook: Webhook, instance: Instance, fail: Fail) -> None:
    fail(1, status="success")
    fail(2, status="running")
    instance.is_sample = True
    fail(3)
    assert deliveries() == []


def test_only_what_happened_since_the_webhook_exists(alice: Actor, receiver: Receiver, fail: Fail, clock: Clock) -> None:
    webhook, _secret = make_webhook(alice, receiver.url)
    webhook.active_since = clock()
    fail(1, minutes_ago=1)
    assert deliveries() == []
    fail(2)
    assert [each.data["execution"]["n8nId"] for each in deliveries()] == ["2"]


@pytest.mark.parametrize(("is_first", "minutes", "is_told"), [(True, 59, 1), (True, 61, 0), (False, 61, 1), (False, 1441, 0)])
def test_a_first_sync_brings_the_past(
    webhook: Webhook, instance: Instance, fail: Fail, clock: Clock, is_first: bool, minutes: int, is_told: int
) -> None:
    webhook.active_since = clock() - dt.timedelta(days=30)
    if is_first:
        instance.last_sync = None
    fail(1, minutes_ago=minutes)
    assert len(deliveries()) == is_told


def test_ten_thousand_old_failures_are_no_message(webhook: Webhook, instance: Instance, fail: Fail) -> None:
    instance.last_sync = None
    fail(*range(1, 1001), minutes_ago=90)
    assert deliveries() == []
    with count_statements() as statements:
        fail(*range(2000, 2250))
    assert len(deliveries()) == 1
    assert len(statements) < 20


def test_a_burst_of_one_workflow_is_one_message(webhook: Webhook, fail: Fail, clock: Clock) -> None:
    fail(*range(1, 4))
    fail(10, 11, workflow="other")
    clock.move(seconds=5)
    fail(*range(20, 320))
    first, other = deliveries()
    assert (first.data["count"], len(first.data["others"])) == (303, MAX_OTHERS)
    assert int(first.data["execution"]["n8nId"]) >= 20, "the newest"
    assert (other.data["count"], len(other.data["others"])) == (2, 1)
    assert {first.data["execution"]["id"], *first.data["others"]} <= set(db.session.scalars(sa.select(Execution.id)))


def test_the_next_message_about_a_workflow_waits(webhook: Webhook, receiver: Receiver, fail: Fail, clock: Clock) -> None:
    fail(1)
    clock.move(seconds=61)  # patience for its details is over, too
    send_due(webhook.id)
    sent_at = clock()
    clock.move(seconds=5)
    fail(2)
    fail(3)
    first, second = deliveries()
    assert (first.state, second.state, second.data["count"]) == ("DELIVERED", "PENDING", 2)
    assert second.next_attempt_at == sent_at + GROUP_INTERVAL
    assert len(receiver.requests) == 1
    clock.move(minutes=9)
    send_due(webhook.id)
    assert [message["data"]["count"] for message in receiver.messages] == [1, 2]
    clock.move(seconds=300)
    fail(4)
    assert deliveries()[-1].next_attempt_at == clock() + GROUP_WAIT


def test_the_error_is_told_in_short_and_without_secrets(webhook: Webhook, instance: Instance, fail: Fail, clock: Clock) -> None:
    fail(5)
    (told,) = deliveries()
    assert not seal(told), "its data was not read yet"
    secret = "sk_live_51H8abcdefghijklmnopqrstu"
    columns = {
        "detail_state": DetailState.STORED,
        "error": {"name": "NodeApiError"},
        "error_message": f"Bad key {secret} " + "x" * 500,
        "error_node": "Charge",
        "error_code": "401",
        "data": {"customer": "never told"},
    }
    write_detail(instance.id, "5", columns)
    assert seal(told)
    message = json.loads(str(told.body))
    assert set(message) == {"version", "type", "timestamp", "data"}
    assert message["version"] == 1
    error = message["data"]["execution"]["error"]
    assert (error["class"], error["code"], error["node"], len(error["message"])) == ("NodeApiError", "401", "Charge", 300)
    assert secret not in str(told.body)
    assert "never told" not in str(told.body)
    assert message["data"]["url"] == f"http://127.0.0.1:8000/executions/{told.data['execution']['id']}"


def test_a_message_does_not_wait_for_ever_for_its_details(webhook: Webhook, fail: Fail, clock: Clock) -> None:
    fail(5)
    (told,) = deliveries()
    clock.move(seconds=61)
    assert seal(told)
    assert json.loads(str(told.body))["data"]["execution"]["error"] is None


# --- For whom -----------------------------------------------------------------------------------------------------------


def test_only_those_who_asked_are_told(alice: Actor, bob: Actor, instance: Instance, fail: Fail, clock: Clock) -> None:
    url, other = "https://127.0.0.1:8080/", make_instance(alice, "Other")
    chosen = make_webhook(alice, url, name="chosen", instance_ids=[instance.id])[0]
    for name, owner, changes in (
        ("other", alice, {"instance_ids": [other.id]}),
        ("sync", alice, {"events": ["sync.failed"]}),
        ("off", alice, {"enabled": False}),
        ("bob", bob, {}),
    ):
        make_webhook(owner, url, name=name, **changes)
    db.session.execute(sa.update(Webhook).values(active_since=clock() - dt.timedelta(hours=1)))
    fail(1)
    assert [each.webhook_id for each in deliveries()] == [chosen.id]


def test_without_webhooks_a_page_costs_one_statement_more(instance: Instance, fail: Fail) -> None:
    fail(1)
    with count_statements() as statements:
        fail(2)
    assert sum("webhooks" in statement for statement in statements) == 1


# --- Instances and syncs ------------------------------------------------------------------------------------------------


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> FakeN8n:
    """An n8n whose executions are of today."""
    monkeypatch.setattr(fake_n8n, "START", clock())
    fake = FakeN8n()
    fake.add_workflow("a")
    return fake


@pytest.fixture
def connected(fake: FakeN8n, alice: Actor) -> Iterator[str]:
    """The id of the instance that leads there."""
    with FakeServer(fake) as server:
        yield create_instance(alice, name="Fake", url=server.url, api_key="n8n_api_test").id


def test_an_n8n_that_goes_and_comes(webhook: Webhook, fake: FakeN8n, connected: str) -> None:
    def sync() -> str:
        try:
            run_sync(connected, JobContext("job", 1))
        except (RetryLater, Unavailable) as error:
            return type(error).__name__
        finally:
            db.session.rollback()
        return "fine"

    def told() -> list[str]:
        return [each.type for each in deliveries()]

    fake.run("a", "error")
    assert sync() == "fine"
    assert told() == ["execution.failed"]
    fake.faults = [SERVER_ERROR] * 3
    assert [sync() for _ in range(3)] == ["RetryLater"] * 3
    assert told() == ["execution.failed"], "it may be a moment's trouble"
    fake.faults = [SERVER_ERROR] * 3
    assert [sync() for _ in range(3)] == ["Unavailable"] * 3
    assert told()[1:] == ["instance.down", "sync.failed"], "each once"
    assert sync() == "fine"
    assert told()[3:] == ["instance.up"]
    down, failed, up = deliveries()[1:]
    assert down.data["error"]["code"] == failed.data["error"]["code"] == "server-fault"
    assert up.data["downSince"] == down.data["downSince"]
    fake.faults = [REFUSED] * 2
    assert [sync(), sync()] == ["Unavailable"] * 2
    assert told()[4:] == ["sync.failed"], "it answers, but takes the key no more"
    assert sync() == "fine"
    assert told()[5:] == []


def test_a_connection_that_works_again_is_up(webhook: Webhook, instance: Instance, clock: Clock) -> None:
    instance.down_since = clock()
    mark_connected(instance)
    mark_connected(instance)
    assert [each.type for each in deliveries()] == ["instance.up"]


# --- Repairs ------------------------------------------------------------------------------------------------------------


def test_a_proven_repair(alice: Actor, webhook: Webhook, analyzer: OneAnswer, analysis: AiAnalysis) -> None:
    db.session.execute(sa.delete(Job))
    for old in deliveries():
        db.session.delete(old)
    repair = work(agree(alice, analysis).id)
    assert repair.verdict is Verdict.VERIFIED
    (told,) = [each for each in deliveries() if each.type == EventType.EXECUTION_REPAIRED]
    assert told.data["repair"]["id"] == repair.id
    assert told.data["execution"]["id"] == analysis.execution_id
    assert seal(told)
    assert json.loads(str(told.body))["data"]["url"] == f"http://127.0.0.1:8000/analyses/{analysis.id}"


def test_every_kind_of_message_can_be_made(alice: Actor, webhook: Webhook, instance: Instance) -> None:
    workflow = make_workflow(instance)
    execution_id = make_execution(workflow, 1).id
    data = {
        "instance": {"id": instance.id},
        "execution": {"id": execution_id},
        "repair": {"analysisId": "a"},
        "webhook": {"id": webhook.id},
    }
    assert {*services.CHOICES, EventType.PING} == set(EventType)
    for event in EventType:
        delivery = WebhookDelivery(type=event.value, data=data, created_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        assert seal(delivery)
        assert json.loads(str(delivery.body))["timestamp"] == "2026-01-01T00:00:00.000Z"
