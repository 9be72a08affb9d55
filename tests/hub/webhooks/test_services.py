"""Webhooks of a person: made, changed, tested, and nobody else's."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from hub.accounts.models import User
from hub.audit.models import AuditLog
from hub.contracts.actor import Actor
from hub.errors import Conflict, Invalid, NotFound, TooMany
from hub.extensions import db
from hub.instances.models import Instance
from hub.webhooks import services
from hub.webhooks.models import DeliveryState, DisabledReason, Webhook, WebhookDelivery
from hub.webhooks.sending import open_secrets
from hub.webhooks.services import WebhookDraft
from tests.hub.factories import make_instance
from tests.hub.webhooks.conftest import Clock, Receiver, deliveries, make_webhook

URL = "https://127.0.0.1:8443/hook/secret-path"


def wrong(actor: Actor, **changes: Any) -> set[str]:
    with pytest.raises(Invalid) as error:
        make_webhook(actor, changes.pop("url", URL), **changes)
    return set(error.value.fields)


def test_a_new_webhook(alice: Actor) -> None:
    webhook, secret = make_webhook(alice, f" {URL} ", name=" Chat ", events=["sync.failed", "execution.failed"])
    assert (webhook.name, webhook.url, webhook.enabled, webhook.instance_ids) == ("Chat", URL, True, None)
    assert webhook.events == ["execution.failed", "sync.failed"]
    assert secret.startswith("whsec_")
    assert secret not in webhook.secret
    assert open_secrets(webhook) == (secret,)
    (event,) = db.session.scalars(sa.select(AuditLog).where(AuditLog.action == "webhook.create"))
    assert "secret-path" not in repr(event.details), "the path may be what opens the receiver"
    assert secret not in repr(event.details)


def test_what_is_wrong_is_named(alice: Actor) -> None:
    assert wrong(alice, name=" ", url="", events=[]) == {"name", "url", "events"}
    assert wrong(alice, name="x" * 201, events=["ping"], instance_ids=[]) == {"name", "events", "instance_ids"}
    assert wrong(alice, events=["execution.failed", "made.up"]) == {"events"}


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "https://user:word@example.com/",
        "http://169.254.169.254/latest/meta-data",
        "https://10.0.0.8/hook",
        "https://127.0.0.1:6379/",
        "https://[::ffff:10.0.0.1]/",
        "http://93.184.216.34/hook",
        "https://example.com/" + "x" * 2000,
    ],
)
def test_addresses_that_are_refused(alice: Actor, url: str) -> None:
    assert wrong(alice, url=url) == {"url"}


def test_plain_http_is_for_the_own_network(alice: Actor) -> None:
    assert make_webhook(alice, "http://127.0.0.1:8080/")[0].url == "http://127.0.0.1:8080/"
    with pytest.raises(Invalid, match="https"):
        make_webhook(alice, "http://93.184.216.34/hook")


def test_instances_are_ones_own(alice: Actor, bob: Actor) -> None:
    mine, other = make_instance(alice), make_instance(bob)
    assert make_webhook(alice, URL, instance_ids=[mine.id])[0].instance_ids == [mine.id]
    with pytest.raises(NotFound):
        make_webhook(alice, URL, instance_ids=[mine.id, other.id])


def test_there_is_a_most(alice: Actor, bob: Actor) -> None:
    for number in range(services.MAX_WEBHOOKS):
        make_webhook(alice, URL, name=str(number))
    with pytest.raises(Conflict):
        make_webhook(alice, URL)
    make_webhook(bob, URL)


def test_changing(alice: Actor, webhook: Webhook, clock: Clock, instance: Instance) -> None:
    secret, before = webhook.secret, webhook.active_since
    draft = WebhookDraft("Pager", webhook.url, ["instance.down"], [instance.id])
    services.update_webhook(alice, webhook.id, draft)
    assert (webhook.name, webhook.events, webhook.instance_ids) == ("Pager", ["instance.down"], [instance.id])
    assert (webhook.secret, webhook.active_since) == (secret, before)
    (event,) = db.session.scalars(sa.select(AuditLog).where(AuditLog.action == "webhook.update"))
    assert event.details["changed"] == ["events", "instance_ids", "name"]


def test_off_and_on_again(alice: Actor, webhook: Webhook, clock: Clock) -> None:
    waiting = WebhookDelivery(webhook_id=webhook.id, type="instance.up", data={}, next_attempt_at=clock())
    db.session.add(waiting)
    webhook.failing_since = clock()
    db.session.commit()
    off = WebhookDraft(webhook.name, webhook.url, webhook.events, enabled=False)
    services.update_webhook(alice, webhook.id, off)
    assert (webhook.enabled, webhook.disabled_reason) == (False, DisabledReason.BY_HAND)
    assert deliveries()[0].state is DeliveryState.FAILED
    with pytest.raises(Conflict):
        services.redeliver(alice, webhook.id, waiting.id)
    clock.move(days=1)
    services.update_webhook(alice, webhook.id, WebhookDraft(webhook.name, webhook.url, webhook.events))
    assert (webhook.enabled, webhook.disabled_reason, webhook.failing_since) == (True, None, None)
    assert webhook.active_since == clock(), "what happened meanwhile is not told"


def test_a_test_is_sent_at_once_and_once(alice: Actor, webhook: Webhook, receiver: Receiver) -> None:
    delivery = services.test_webhook(alice, webhook.id)
    assert (delivery.state, delivery.type, len(delivery.log)) == (DeliveryState.DELIVERED, "ping", 1)
    assert receiver.messages[0]["data"]["webhook"]["id"] == webhook.id
    receiver.check(*open_secrets(webhook))
    receiver.answers[0].status_code = 500
    failed = services.test_webhook(alice, webhook.id)
    assert (failed.state, failed.next_attempt_at, webhook.failing_since) == (DeliveryState.FAILED, None, None)


def test_tests_are_limited(alice: Actor, webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "TESTS_PER_PERSON", 2)
    services.test_webhook(alice, webhook.id)
    services.test_webhook(alice, webhook.id)
    with pytest.raises(TooMany):
        services.test_webhook(alice, webhook.id)


def test_sending_again(alice: Actor, webhook: Webhook, receiver: Receiver, clock: Clock) -> None:
    from hub.webhooks.sending import send_due

    first = services.test_webhook(alice, webhook.id)
    services.redeliver(alice, webhook.id, first.id)
    with pytest.raises(Conflict):
        services.redeliver(alice, webhook.id, first.id)
    assert send_due(webhook.id) is None
    again = services.get_delivery(alice, webhook.id, first.id)
    assert (again.state, len(again.log)) == (DeliveryState.DELIVERED, 2)
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    assert len({request.get_data() for request in receiver.requests}) == 1


def test_a_stranger_finds_nothing(alice: Actor, bob: Actor, webhook: Webhook) -> None:
    delivery = services.test_webhook(alice, webhook.id)
    bobs, _secret = make_webhook(bob, URL)
    draft = WebhookDraft("Mine", URL, ["execution.failed"])
    for attempt in (
        lambda: services.get_webhook(bob, webhook.id),
        lambda: services.update_webhook(bob, webhook.id, draft),
        lambda: services.delete_webhook(bob, webhook.id),
        lambda: services.renew_secret(bob, webhook.id),
        lambda: services.test_webhook(bob, webhook.id),
        lambda: services.list_deliveries(bob, webhook.id),
        lambda: services.get_delivery(bob, webhook.id, delivery.id),
        lambda: services.get_delivery(bob, bobs.id, delivery.id),
        lambda: services.redeliver(bob, webhook.id, delivery.id),
        lambda: services.redeliver(bob, bobs.id, delivery.id),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert [row.webhook.id for row in services.list_webhooks(bob)] == [bobs.id]


def test_the_list_shows_the_newest_delivery(alice: Actor, webhook: Webhook, clock: Clock) -> None:
    make_webhook(alice, URL, name="A quiet one")
    for number, state in enumerate((DeliveryState.FAILED, DeliveryState.DELIVERED)):
        delivery = WebhookDelivery(webhook_id=webhook.id, type="instance.up", data={}, state=state)
        delivery.created_at = clock() + dt.timedelta(seconds=number)
        db.session.add(delivery)
    db.session.commit()
    quiet, told = services.list_webhooks(alice)
    assert (quiet.webhook.name, quiet.last_at) == ("A quiet one", None)
    assert told.last_state is DeliveryState.DELIVERED


def test_webhooks_go_with_their_owner(alice: Actor, webhook: Webhook) -> None:
    services.test_webhook(alice, webhook.id)
    db.session.execute(sa.delete(User).where(User.id == alice.user_id))
    assert db.session.scalars(sa.select(Webhook.id)).all() == []
    assert db.session.scalars(sa.select(WebhookDelivery.id)).all() == []
