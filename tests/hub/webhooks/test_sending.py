"""Delivering: signed, at least once, again and later, and never where it may not go."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
import sqlalchemy as sa
from flask import Flask
from pytest_httpserver import HTTPServer
from werkzeug import Response

from hub.accounts.models import User
from hub.audit.models import AuditLog
from hub.contracts.actor import Actor
from hub.egress import EgressPolicy
from hub.extensions import db
from hub.jobs.models import Job
from hub.jobs.registry import LANES, Lane
from hub.jobs.services import JobContext, claim_job
from hub.webhooks import notices, sending, services
from hub.webhooks.jobs import send_messages
from hub.webhooks.models import DeliveryState, DisabledReason, Webhook, WebhookDelivery
from hub.webhooks.outbox import JOB, wake
from hub.webhooks.retention import KEPT_DELIVERIES, prune_deliveries, wake_waiting
from hub.webhooks.sending import PAUSES, open_secrets, send_due
from tests.hub.webhooks.conftest import Clock, Receiver, deliveries, make_webhook

DOWN = Response("out of order", status=500)
FINE = Response(status=204)


def write(webhook: Webhook, clock: Clock, *, number: int = 0) -> WebhookDelivery:
    """Something for the webhook, due now."""
    data = {"instance": {"id": f"instance-{number}", "name": "Main"}}
    delivery = WebhookDelivery(webhook_id=webhook.id, type="instance.down", data=data, next_attempt_at=clock())
    delivery.created_at = clock() + dt.timedelta(microseconds=number)
    db.session.add(delivery)
    db.session.commit()
    return delivery


def state_of(delivery: WebhookDelivery) -> DeliveryState:
    db.session.refresh(delivery)
    return delivery.state


def test_a_message_is_signed_and_thin(alice: Actor, receiver: Receiver, clock: Clock) -> None:
    webhook, secret = make_webhook(alice, receiver.url)
    delivery = write(webhook, clock)
    assert send_due(webhook.id) is None
    assert state_of(delivery) is DeliveryState.DELIVERED
    (request,) = receiver.requests
    receiver.check(secret)
    assert request.headers["webhook-id"] == delivery.id
    assert request.headers["webhook-timestamp"] == str(int(clock().timestamp()))
    assert request.headers["content-type"] == "application/json"
    assert receiver.messages[0]["data"] == {**delivery.data, "url": "http://127.0.0.1:8000/instances/instance-0"}
    assert receiver.messages[0]["type"] == "instance.down"
    (attempt,) = delivery.log
    assert (attempt["status"], attempt["error"]) == (204, None)
    assert attempt["ms"] > 0


def test_both_secrets_sign_for_a_day(alice: Actor, receiver: Receiver, clock: Clock) -> None:
    webhook, old = make_webhook(alice, receiver.url)
    _webhook, new = services.renew_secret(alice, webhook.id)
    assert old != new
    write(webhook, clock)
    send_due(webhook.id)
    receiver.check(old, new)
    clock.move(hours=25)
    write(webhook, clock)
    send_due(webhook.id)
    assert receiver.requests[1].headers["webhook-signature"].count("v1,") == 1
    prune_deliveries()
    db.session.refresh(webhook)
    assert webhook.old_secret is None


def test_the_schedule_of_retries(webhook: Webhook, receiver: Receiver, clock: Clock) -> None:
    receiver.answers = [DOWN]
    delivery = write(webhook, clock)
    for number, pause in enumerate(PAUSES, 1):
        following = send_due(webhook.id)
        db.session.refresh(delivery)
        assert len(receiver.requests) == delivery.attempts == number
        assert following == delivery.next_attempt_at == clock() + dt.timedelta(seconds=pause)
        clock.move(seconds=pause - 0.5)
        send_due(webhook.id)
        assert len(receiver.requests) == number, "not before its time"
        clock.move(seconds=0.5)
    assert send_due(webhook.id) is None
    assert state_of(delivery) is DeliveryState.FAILED
    assert len(delivery.log) == len(PAUSES) + 1
    first, *others = receiver.requests
    assert {request.get_data() for request in others} == {first.get_data()}, "byte for byte the same"
    assert {request.headers["webhook-id"] for request in receiver.requests} == {delivery.id}
    assert len({request.headers["webhook-timestamp"] for request in receiver.requests}) == len(PAUSES) + 1


def test_a_retry_that_succeeds(webhook: Webhook, receiver: Receiver, clock: Clock) -> None:
    receiver.answers = [DOWN, FINE]
    delivery = write(webhook, clock)
    send_due(webhook.id)
    assert webhook.failing_since == clock()
    clock.move(seconds=5)
    assert send_due(webhook.id) is None
    assert state_of(delivery) is DeliveryState.DELIVERED
    assert webhook.failing_since is None
    assert [attempt["status"] for attempt in delivery.log] == [500, 204]


def test_jitter_only_makes_it_later(webhook: Webhook, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending.random, "uniform", lambda _low, high: high)
    receiver.answers = [DOWN]
    write(webhook, clock)
    assert send_due(webhook.id) == clock() + dt.timedelta(seconds=PAUSES[0] * 1.2)


@pytest.mark.parametrize(
    ("status", "later", "seconds"), [(503, "90", 90), (429, "999999", 3600), (503, "soon", 5), (500, "90", 5)]
)
def test_a_receiver_may_ask_to_wait(
    webhook: Webhook, receiver: Receiver, clock: Clock, status: int, later: str, seconds: int
) -> None:
    receiver.answers = [Response(status=status, headers={"Retry-After": later})]
    write(webhook, clock)
    assert send_due(webhook.id) == clock() + dt.timedelta(seconds=seconds)


def test_in_the_order_of_writing(webhook: Webhook, receiver: Receiver, clock: Clock) -> None:
    for number in range(5):
        write(webhook, clock, number=number)
    assert send_due(webhook.id) is None
    assert [message["data"]["instance"]["id"] for message in receiver.messages] == [f"instance-{number}" for number in range(5)]


def test_a_failure_lets_the_others_wait(webhook: Webhook, receiver: Receiver, clock: Clock) -> None:
    """What is down is not hammered; afterwards the one that failed comes after those that were written later."""
    receiver.answers = [DOWN, FINE]
    for number in range(3):
        write(webhook, clock, number=number)
    assert send_due(webhook.id) == clock() + dt.timedelta(seconds=5)
    assert len(receiver.requests) == 1
    clock.move(seconds=5)
    assert send_due(webhook.id) is None
    order = [message["data"]["instance"]["id"][-1] for message in receiver.messages]
    assert order == ["0", "1", "2", "0"]


def test_a_long_queue_lets_others_have_their_turn(
    webhook: Webhook, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "TURN_SECONDS", 0.0)
    write(webhook, clock)
    assert send_due(webhook.id) == clock(), "more is due: the job goes to the end of the queue"
    assert receiver.requests == []


# --- Who answers what ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_success(webhook: Webhook, receiver: Receiver, clock: Clock, status: int) -> None:
    receiver.answers = [Response(status=status)]
    delivery = write(webhook, clock)
    send_due(webhook.id)
    assert state_of(delivery) is DeliveryState.DELIVERED


@pytest.mark.parametrize("status", [301, 302, 307, 304, 400, 404, 500])
def test_nothing_else_is(webhook: Webhook, receiver: Receiver, httpserver: HTTPServer, clock: Clock, status: int) -> None:
    receiver.answers = [Response(status=status, headers={"Location": httpserver.url_for("/elsewhere")})]
    delivery = write(webhook, clock)
    send_due(webhook.id)
    assert state_of(delivery) is DeliveryState.PENDING
    assert delivery.log[0]["status"] == status
    assert len(httpserver.log) == 1, "no redirect is followed"


def test_410_disables(webhook: Webhook, receiver: Receiver, clock: Clock) -> None:
    receiver.answers = [Response(status=410)]
    told: list[str] = []

    def listen(disabled: Webhook) -> None:
        told.append(disabled.id)

    with sending.webhook_disabled.connected_to(listen):
        first, second = write(webhook, clock), write(webhook, clock, number=1)
        assert send_due(webhook.id) is None
    assert told == [webhook.id]
    db.session.refresh(webhook)
    assert (webhook.enabled, webhook.disabled_reason) == (False, DisabledReason.GONE)
    assert (state_of(first), state_of(second)) == (DeliveryState.FAILED, DeliveryState.FAILED)
    assert db.session.scalars(sa.select(AuditLog.details).where(AuditLog.action == "webhook.disable")).one()["reason"] == "gone"


def test_five_days_of_failures_disable(webhook: Webhook, receiver: Receiver, clock: Clock) -> None:
    receiver.answers = [DOWN]
    for day in range(5):
        write(webhook, clock, number=day)
        send_due(webhook.id)
        assert webhook.enabled, day
        clock.move(days=1)
    write(webhook, clock)
    send_due(webhook.id)
    db.session.refresh(webhook)
    assert (webhook.enabled, webhook.disabled_reason) == (False, DisabledReason.FAILING)
    assert {each.state for each in deliveries()} == {DeliveryState.FAILED}


@pytest.mark.parametrize("is_verified", [True, False])
def test_the_owner_is_told_by_mail(
    alice: Actor,
    webhook: Webhook,
    receiver: Receiver,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    is_verified: bool,
) -> None:
    mails: list[tuple[str, str, dict[str, str]]] = []
    monkeypatch.setattr(notices, "send_mail", lambda to, _subject, text, **options: mails.append((to, text, options)))
    owner = db.session.get_one(User, alice.user_id)
    owner.email_verified, owner.settings = is_verified, {"language": "ar"}
    receiver.answers = [Response(status=410)]
    write(webhook, clock)
    send_due(webhook.id)
    assert len(mails) == is_verified
    for to, text, options in mails:
        assert (to, options) == (owner.email, {"purpose": "webhook.disabled", "language": "ar"})
        assert webhook.name in text
        assert text.endswith(f"/webhooks/{webhook.id}")


def test_a_long_answer_is_no_failure_and_is_cut(webhook: Webhook, receiver: Receiver, clock: Clock) -> None:
    receiver.answers = [Response("x" * 300_000)]
    delivery = write(webhook, clock)
    send_due(webhook.id)
    assert state_of(delivery) is DeliveryState.DELIVERED
    assert len(delivery.log[0]["answer"]) == 500


def test_answers_are_masked(alice: Actor, receiver: Receiver, clock: Clock) -> None:
    webhook, secret = make_webhook(alice, receiver.url)
    receiver.answers = [Response(f'{{"api_key": "abcd1234efgh5678", "echo": "{secret}", "nul": "\0"}}', status=400)]
    delivery = write(webhook, clock)
    send_due(webhook.id)
    db.session.refresh(delivery)
    answer = delivery.log[0]["answer"]
    assert "echo" in answer
    assert "abcd1234efgh5678" not in answer
    assert secret not in answer
    assert "\0" not in answer


def test_no_answer_at_all(webhook: Webhook, httpserver: HTTPServer, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "ATTEMPT_SECONDS", 0.2)
    release = threading.Event()

    def hang(_request: object) -> Response:
        release.wait(10)
        return Response(status=204)

    httpserver.expect_request("/hang").respond_with_handler(hang)
    webhook.url = httpserver.url_for("/hang")
    delivery = write(webhook, clock)
    send_due(webhook.id)
    release.set()
    db.session.refresh(delivery)
    assert (delivery.log[0]["status"], delivery.log[0]["error"]) == (None, "timeout")
    webhook.url = "http://127.0.0.1:1/"
    clock.move(seconds=5)
    db.session.commit()
    send_due(webhook.id)
    db.session.refresh(delivery)
    assert delivery.log[1]["error"] == "port-refused"


def test_the_egress_guard_stands_in_the_way(app: Flask, webhook: Webhook, receiver: Receiver, clock: Clock) -> None:
    """The policy is asked when it is sent, not only when it was saved: a name may lead elsewhere by then."""
    delivery = write(webhook, clock)
    kept = app.extensions.get("hub_egress")
    app.extensions["hub_egress"] = EgressPolicy()
    try:
        send_due(webhook.id)
    finally:
        app.extensions["hub_egress"] = kept
    assert state_of(delivery) is DeliveryState.PENDING
    assert delivery.log[0]["error"] == "address-refused"
    assert receiver.requests == []


def test_a_secret_that_does_not_open(webhook: Webhook, receiver: Receiver, clock: Clock) -> None:
    webhook.secret = "v1.00000000.aaaa.bbbb"
    delivery = write(webhook, clock)
    send_due(webhook.id)
    db.session.refresh(delivery)
    assert delivery.log[0]["error"] == "secret-lost"
    assert receiver.requests == []


def test_a_lost_secret_is_replaced_and_an_old_one_stops_nothing(
    alice: Actor, webhook: Webhook, receiver: Receiver, clock: Clock
) -> None:
    webhook.secret = "v1.00000000.aaaa.bbbb"
    db.session.commit()
    _webhook, secret = services.renew_secret(alice, webhook.id)
    assert open_secrets(webhook) == (secret,)
    services.renew_secret(alice, webhook.id)
    assert len(open_secrets(webhook)) == 2
    webhook.old_secret = "v1.00000000.aaaa.bbbb"
    db.session.commit()
    write(webhook, clock)
    send_due(webhook.id)
    assert len(receiver.requests) == 1


def test_what_is_disabled_meanwhile_is_not_sent(alice: Actor, webhook: Webhook, receiver: Receiver, clock: Clock) -> None:
    write(webhook, clock)
    draft = services.WebhookDraft(webhook.name, webhook.url, webhook.events, enabled=False)
    services.update_webhook(alice, webhook.id, draft)
    assert send_due(webhook.id) is None
    assert receiver.requests == []


# --- The job ------------------------------------------------------------------------------------------------------------


def test_it_has_a_lane_of_its_own(webhook: Webhook) -> None:
    assert LANES[JOB] is Lane.WEBHOOKS


def test_the_job_comes_back_when_more_is_due(webhook: Webhook, receiver: Receiver, clock: Clock) -> None:
    receiver.answers = [DOWN, FINE]
    write(webhook, clock)
    wake(webhook.id, clock())
    db.session.commit()
    job = claim_job(lane=Lane.WEBHOOKS)
    assert job is not None
    send_messages(JobContext(job.id, job.attempts), **job.arguments)
    following = db.session.scalars(sa.select(Job).where(Job.name == JOB, Job.id != job.id)).one()
    assert (following.run_at, following.attempts, following.state) == (clock() + dt.timedelta(seconds=5), 0, "QUEUED")
    db.session.refresh(job)
    assert job.state == "DONE"


def test_news_brings_the_job_forward(webhook: Webhook, clock: Clock) -> None:
    wake(webhook.id, clock() + dt.timedelta(hours=8))
    wake(webhook.id, clock())
    wake(webhook.id, clock() + dt.timedelta(hours=1))
    db.session.commit()
    assert db.session.scalars(sa.select(Job.run_at)).one() == clock()


def test_what_waits_without_a_job_is_found(webhook: Webhook, clock: Clock) -> None:
    write(webhook, clock)
    assert wake_waiting() == 1
    assert db.session.scalars(sa.select(Job.name)).one() == JOB
    webhook.enabled = False
    db.session.commit()
    assert wake_waiting() == 0


def test_old_deliveries_are_forgotten(alice: Actor, webhook: Webhook, clock: Clock) -> None:
    other, _secret = make_webhook(alice, webhook.url, name="Other")
    old = write(webhook, clock)
    old.created_at = clock() - dt.timedelta(days=31)
    row = {"type": "ping", "data": {}, "state": "DELIVERED", "log": []}
    many = [
        {**row, "id": f"d{number:05}", "webhook_id": webhook.id, "created_at": clock() + dt.timedelta(seconds=number)}
        for number in range(KEPT_DELIVERIES + 7)
    ]
    db.session.execute(sa.insert(WebhookDelivery), many)
    kept = write(other, clock)
    assert prune_deliveries() == 8
    left = deliveries(webhook)
    assert (len(left), left[0].id) == (KEPT_DELIVERIES, "d00007")
    assert [each.id for each in deliveries(other)] == [kept.id]
