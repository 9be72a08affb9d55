"""A person's webhooks and what was sent to them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import defer

from hub.accounts.rate_limits import count_attempt
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.crypto import DecryptionError
from hub.egress import EgressError, check_url, current_policy, describe_egress_error
from hub.errors import Conflict, Invalid, NotFound
from hub.extensions import db
from hub.identifiers import new_id
from hub.instances.models import Instance
from hub.pagination import Page, clamp_limit, keyset, make_page
from hub.webhooks.models import OLD_SECRET, SECRET, DeliveryState, DisabledReason, EventType, Webhook, WebhookDelivery
from hub.webhooks.outbox import wake
from hub.webhooks.sending import ATTEMPT_SECONDS, attempt_delivery, open_secrets, switch_off
from hub.webhooks.signing import make_secret

MAX_WEBHOOKS = 10
#: What a webhook may be told of; a test can always be sent.
CHOICES = tuple(event for event in EventType if event is not EventType.PING)
#: How long messages are signed with the old secret too, after a new one was made.
OLD_SECRET_LIFE = dt.timedelta(hours=24)
TESTS_PER_PERSON = 20


@dataclass(frozen=True, slots=True)
class WebhookDraft:
    """What a person says of a webhook. ``instance_ids`` is None for all instances, also those to come."""

    name: str
    url: str
    events: Sequence[str]
    instance_ids: Sequence[str] | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """A webhook with its newest delivery, for lists."""

    webhook: Webhook
    last_state: DeliveryState | None
    last_type: str | None
    last_at: dt.datetime | None


# --- Reading ------------------------------------------------------------------------------------------------------------


def list_webhooks(actor: Actor) -> list[WebhookRow]:
    """The actor's webhooks by name; there are at most ``MAX_WEBHOOKS``. One query."""
    newest = (
        sa.select(WebhookDelivery.id)
        .where(WebhookDelivery.webhook_id == Webhook.id)
        .order_by(WebhookDelivery.created_at.desc(), WebhookDelivery.id.desc())
        .limit(1)
        .correlate(Webhook)
        .scalar_subquery()
    )
    statement = (
        sa.select(Webhook, WebhookDelivery.state, WebhookDelivery.type, WebhookDelivery.created_at)
        .outerjoin(WebhookDelivery, WebhookDelivery.id == newest)
        .where(Webhook.user_id == actor.user_id)
        .order_by(Webhook.name, Webhook.id)
    )
    return [WebhookRow(*row) for row in db.session.execute(statement)]


def get_webhook(actor: Actor, webhook_id: str) -> Webhook:
    """One of the actor's webhooks; a stranger's is ``NotFound``."""
    found = db.session.scalar(sa.select(Webhook).where(Webhook.id == webhook_id, Webhook.user_id == actor.user_id))
    if found is None:
        raise NotFound()
    return found


def list_deliveries(
    actor: Actor,
    webhook_id: str,
    *,
    state: DeliveryState | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Page[WebhookDelivery]:
    """What was sent to one of the actor's webhooks, newest first, without the messages themselves. Two queries."""
    get_webhook(actor, webhook_id)
    limit = clamp_limit(limit)
    statement = sa.select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id).options(defer(WebhookDelivery.body))
    if state is not None:
        statement = statement.where(WebhookDelivery.state == state)
    keys = (WebhookDelivery.created_at, WebhookDelivery.id)
    statement = keyset(statement, keys, (dt.datetime, str), cursor=cursor, limit=limit)
    return make_page(db.session.scalars(statement).all(), limit, "created_at", "id")


def get_delivery(actor: Actor, webhook_id: str, delivery_id: str) -> WebhookDelivery:
    """One message to one of the actor's webhooks."""
    own = sa.select(WebhookDelivery).join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
    own = own.where(WebhookDelivery.id == delivery_id, Webhook.id == webhook_id, Webhook.user_id == actor.user_id)
    found = db.session.scalar(own.execution_options(populate_existing=True))
    if found is None:
        raise NotFound()
    return found


def list_choices(actor: Actor) -> list[tuple[str, str]]:
    """The instances that a webhook may be told of, as (id, name)."""
    own = sa.select(Instance.id, Instance.name).where(Instance.user_id == actor.user_id, Instance.is_sample.is_(False))
    return [(key, name) for key, name in db.session.execute(own.order_by(Instance.name, Instance.id))]


# --- Changing -----------------------------------------------------------------------------------------------------------


def create_webhook(actor: Actor, draft: WebhookDraft) -> tuple[Webhook, str]:
    """A new webhook and its secret, which is never shown again. ``Invalid`` names each wrong field. Commits."""
    values = _check(actor, draft)
    count = db.session.scalar(sa.select(sa.func.count()).select_from(Webhook).where(Webhook.user_id == actor.user_id))
    if (count or 0) >= MAX_WEBHOOKS:
        raise Conflict(_("You have %(count)s webhooks, which is the most. Delete one first.", count=MAX_WEBHOOKS))
    assert actor.user_id is not None  # noqa: S101 (the hub itself makes none)
    secret = make_secret()
    webhook = Webhook(id=new_id(), user_id=actor.user_id, enabled=True, **values)
    webhook.secret = SECRET.encrypt(secret, webhook.id)
    db.session.add(webhook)
    if not draft.enabled:
        switch_off(webhook, DisabledReason.BY_HAND)
    record_event(actor, "webhook.create", "webhook", webhook.id, details=_facts(webhook))
    db.session.commit()
    return webhook, secret


def update_webhook(actor: Actor, webhook_id: str, draft: WebhookDraft) -> Webhook:
    """Change a webhook; disabling gives up what waits, enabling begins anew with what happens from now on. Commits."""
    webhook = get_webhook(actor, webhook_id)
    values = _check(actor, draft)
    changed = sorted(name for name, value in values.items() if getattr(webhook, name) != value)
    changed += ["enabled"] if webhook.enabled != draft.enabled else []
    for name, value in values.items():
        setattr(webhook, name, value)
    if draft.enabled and not webhook.enabled:
        webhook.enabled, webhook.disabled_reason = True, None
        webhook.active_since, webhook.failing_since = utc_now(), None
    elif not draft.enabled and webhook.enabled:
        switch_off(webhook, DisabledReason.BY_HAND)
    record_event(actor, "webhook.update", "webhook", webhook.id, details={"changed": changed, **_facts(webhook)})
    db.session.commit()
    return webhook


def delete_webhook(actor: Actor, webhook_id: str) -> None:
    """Forget a webhook and all that was sent to it. Commits."""
    webhook = get_webhook(actor, webhook_id)
    record_event(actor, "webhook.delete", "webhook", webhook.id, details=_facts(webhook))
    db.session.execute(sa.delete(Webhook).where(Webhook.id == webhook.id))
    db.session.commit()


def renew_secret(actor: Actor, webhook_id: str) -> tuple[Webhook, str]:
    """A new secret, never shown again. For a day messages carry a signature by the old one too, so that none is refused while
    the receiver is changed; one whose encryption key is lost just goes. Commits."""
    webhook = get_webhook(actor, webhook_id)
    secret = make_secret()
    try:
        webhook.old_secret = OLD_SECRET.encrypt(open_secrets(webhook)[0], webhook.id)
        webhook.old_secret_until = utc_now() + OLD_SECRET_LIFE
    except DecryptionError:
        webhook.old_secret = webhook.old_secret_until = None
    webhook.secret = SECRET.encrypt(secret, webhook.id)
    record_event(actor, "webhook.renew_secret", "webhook", webhook.id)
    db.session.commit()
    return webhook, secret


def test_webhook(actor: Actor, webhook_id: str) -> WebhookDelivery:
    """Send a ``ping`` now and answer what came of it; it is not tried again. ``TooMany`` beyond 20 in five minutes. Commits."""
    webhook = get_webhook(actor, webhook_id)
    count_attempt({f"webhook.test:{actor.user_id}": TESTS_PER_PERSON})
    # Should this process die, the worker sends it later.
    later = utc_now() + dt.timedelta(seconds=6 * ATTEMPT_SECONDS)
    data = {"webhook": {"id": webhook.id, "name": webhook.name}}
    delivery = WebhookDelivery(id=new_id(), webhook_id=webhook.id, type=EventType.PING.value, data=data, next_attempt_at=later)
    db.session.add(delivery)
    record_event(actor, "webhook.test", "webhook", webhook.id)
    delivery_id = delivery.id
    db.session.commit()
    attempt_delivery(delivery_id)
    return get_delivery(actor, webhook_id, delivery_id)


def redeliver(actor: Actor, webhook_id: str, delivery_id: str) -> WebhookDelivery:
    """Send a message once more, under the same id; ``Conflict`` while it waits anyway, or the webhook is off. Commits."""
    webhook, delivery = get_webhook(actor, webhook_id), get_delivery(actor, webhook_id, delivery_id)
    if not webhook.enabled:
        raise Conflict(_("The webhook is disabled. Enable it first."))
    if delivery.state is DeliveryState.PENDING:
        raise Conflict(_("This delivery is still waiting to be sent."))
    delivery.state, delivery.attempts, delivery.finished_at = DeliveryState.PENDING, 0, None
    delivery.next_attempt_at = utc_now()
    wake(webhook.id, delivery.next_attempt_at)
    record_event(actor, "webhook.redeliver", "webhook", webhook.id, details={"delivery_id": delivery.id})
    db.session.commit()
    return delivery


# --- Parts --------------------------------------------------------------------------------------------------------------


def _facts(webhook: Webhook) -> dict[str, Any]:
    """What the audit log says: the address without its path, which may hold a secret."""
    return {"name": webhook.name, "origin": check_url(webhook.url).origin, "events": webhook.events}


def _check(actor: Actor, draft: WebhookDraft) -> dict[str, Any]:
    """The columns of a draft; ``Invalid`` with all that is wrong, ``NotFound`` for an instance of somebody else's."""
    problems = {}
    name, url, events = draft.name.strip(), draft.url.strip(), [event for event in CHOICES if event in draft.events]
    if not 1 <= len(name) <= 200 or not name.isprintable():
        problems["name"] = _("Enter a name of at most 200 characters.")
    if problem := _url_problem(url):
        problems["url"] = problem
    if not events or not set(draft.events) <= set(CHOICES):
        problems["events"] = _("Choose what it is told of.")
    chosen = None if draft.instance_ids is None else sorted(set(draft.instance_ids))
    if chosen is not None:
        if not chosen:
            problems["instance_ids"] = _("Choose at least one instance, or all.")
        elif not set(chosen) <= {key for key, _name in list_choices(actor)}:
            raise NotFound()
    if problems:
        raise Invalid(fields=problems)
    return {"name": name, "url": url, "events": [event.value for event in events], "instance_ids": chosen}


def _url_problem(url: str) -> str | None:
    """What is wrong with an address; a name that does not resolve is no matter yet: the test says so."""
    if not url or len(url) > 2000:
        return _("Enter the address that is called, at most 2000 characters.")
    db.session.commit()  # no transaction is open while a name is looked up
    is_private = False
    try:
        target = check_url(url)
        is_private = all(address.is_private for address in current_policy().resolve(target.host, target.port))
    except EgressError as error:
        if error.code not in ("dns", "dns-timeout"):
            return describe_egress_error(error.code, error.details) or str(error)
    if url.lower().startswith("http:") and not is_private:
        return _("Use https: what is sent names your workflows. Plain http is for addresses in your own network.")
    return None
