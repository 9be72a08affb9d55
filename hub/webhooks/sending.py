"""Sends what the outbox holds: one webhook at a time in the order of writing, again and later where it fails."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import sqlalchemy as sa
from blinker import Signal

from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.exchange import ExchangeLimits, WireRequest
from hub.crypto import DecryptionError
from hub.egress import EgressError, current_policy, send_exchange
from hub.extensions import db
from hub.redaction import redact_text
from hub.storable import clean_json, clean_text
from hub.webhooks.messages import seal
from hub.webhooks.models import OLD_SECRET, SECRET, DeliveryState, DisabledReason, EventType, Webhook, WebhookDelivery
from hub.webhooks.signing import signed_headers

log = logging.getLogger(__name__)

#: Seconds between the attempts; after the last one the delivery is given up.
PAUSES = (5, 30, 120, 600, 3600, 3 * 3600, 8 * 3600, 24 * 3600)
#: Each pause is up to this share longer, so that many deliveries do not come back together.
JITTER = 0.2
LONGEST_RETRY_AFTER = 3600
#: For the whole exchange.
ATTEMPT_SECONDS = 10.0
ANSWER_BYTES = 20_000
EXCERPT = 500
MAX_LOG = 20
#: A webhook has its turn for so long while others wait.
TURN_SECONDS = 15.0
#: After a failure the webhook's other deliveries wait.
REST = dt.timedelta(seconds=5)
#: How long a webhook may fail without a single success.
FAILING_LIFE = dt.timedelta(days=5)
#: How soon a message is looked at again that still waits for its details.
_SEAL_PAUSE = dt.timedelta(seconds=10)

#: Sent with the ``Webhook`` in the transaction that disables it, where nobody did so by hand.
webhook_disabled = Signal("A webhook was switched off by the hub.")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. ``error`` is a code of ``EgressError`` or ``secret-lost`` where no answer came; ``answer`` is a masked excerpt."""

    at: str
    status: int | None = None
    error: str | None = None
    details: dict[str, Any] = field(default_factory=dict)
    ms: float | None = None
    answer: str = ""

    @property
    def is_success(self) -> bool:
        """Only 2xx is."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class _Message:
    """All that sending needs, so that no transaction is open meanwhile."""

    id: str
    url: str
    body: bytes
    keys: tuple[str, ...]


def send_due(webhook_id: str, beat: Callable[[], None] = lambda: None) -> dt.datetime | None:
    """Send what is due for one webhook until its turn is over or an attempt fails; when the next one is due. Commits.

    ``beat`` is called before each attempt and may raise to end a run that another worker took over.
    """
    ends = time.monotonic() + TURN_SECONDS
    rest_until = None
    while time.monotonic() < ends:
        beat()
        delivery_id = _find_due(webhook_id)
        if delivery_id is None:
            break
        if not attempt_delivery(delivery_id):
            rest_until = utc_now() + REST
            break
    following: dt.datetime | None = db.session.scalar(_pending(sa.func.min(WebhookDelivery.next_attempt_at), webhook_id))
    db.session.rollback()
    return max(following, rest_until) if following and rest_until else following


def _pending(column: Any, webhook_id: str) -> sa.Select[Any]:
    return (
        sa.select(column)
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(WebhookDelivery.webhook_id == webhook_id, WebhookDelivery.state == sa.text("'PENDING'"), Webhook.enabled)
    )


def _find_due(webhook_id: str) -> str | None:
    due = _pending(WebhookDelivery.id, webhook_id).where(WebhookDelivery.next_attempt_at <= utc_now())
    found: str | None = db.session.scalar(due.order_by(WebhookDelivery.next_attempt_at, WebhookDelivery.id).limit(1))
    db.session.rollback()
    return found


def attempt_delivery(delivery_id: str) -> bool:
    """Try once to deliver; False where it failed. No transaction is open while the other server is waited for. Commits.

    Killed in between, the delivery is still due: it is sent at least once, and its id tells the receiver what it knows already.
    """
    started = utc_now()
    try:
        message = _prepare(delivery_id)
    except DecryptionError:
        db.session.rollback()
        return _record(delivery_id, Attempt(started.isoformat(), error="secret-lost"))
    if message is None:
        return True
    return _record(delivery_id, _send(message, started))


def _prepare(delivery_id: str) -> _Message | None:
    """The message, sealed; None where it is not to be sent, or not yet. Commits."""
    delivery = db.session.get(WebhookDelivery, delivery_id, populate_existing=True, with_for_update=True)
    webhook = db.session.get(Webhook, delivery.webhook_id, populate_existing=True) if delivery else None
    if delivery is None or webhook is None or delivery.state is not DeliveryState.PENDING:
        db.session.rollback()
        return None
    if delivery.body is None and not seal(delivery):
        delivery.next_attempt_at = utc_now() + _SEAL_PAUSE
        db.session.commit()
        return None
    message = _Message(delivery.id, webhook.url, (delivery.body or "").encode(), open_secrets(webhook))
    db.session.commit()
    return message


def open_secrets(webhook: Webhook) -> tuple[str, ...]:
    """The secrets that messages are signed with: the present one, and the one before while it still counts and opens.

    DecryptionError where the present one does not open.
    """
    secrets = [SECRET.decrypt(webhook.secret, webhook.id)]
    if webhook.old_secret and webhook.old_secret_until and webhook.old_secret_until > utc_now():
        with contextlib.suppress(DecryptionError):
            secrets.append(OLD_SECRET.decrypt(webhook.old_secret, webhook.id))
    return tuple(secrets)


def _send(message: _Message, started: dt.datetime) -> Attempt:
    headers = (
        ("Content-Type", "application/json"),
        ("User-Agent", "AI-HTTP-Hub-Webhooks/1"),
        *signed_headers(message.id, int(started.timestamp()), message.body, message.keys),
    )
    request = WireRequest("POST", message.url, headers, message.body)
    limits = ExchangeLimits(seconds=ATTEMPT_SECONDS, max_bytes=ANSWER_BYTES, follow_redirects=False)
    at = started.isoformat()
    try:
        exchange = send_exchange(current_policy(), request, limits)
    except EgressError as error:
        total = error.timing.total_ms if error.timing else None
        return Attempt(at, error=error.code, details=dict(error.details), ms=total)
    later = next((value for name, value in exchange.headers if name.lower() == "retry-after"), "").strip()
    details = {"retry_after": int(later)} if later.isascii() and later.isdigit() and len(later) < 10 else {}
    answer = mask_answer(exchange.body, message.keys)
    return Attempt(at, status=exchange.status, details=details, ms=exchange.timing.total_ms, answer=answer)


def mask_answer(body: bytes, keys: tuple[str, ...]) -> str:
    """The beginning of an answer's text without secrets."""
    text = clean_text(body[: 8 * EXCERPT].decode("utf-8", "replace"))
    return str(redact_text(text, known_secrets=keys).value)[:EXCERPT].strip()


# --- What becomes of it -------------------------------------------------------------------------------------------------


def _record(delivery_id: str, attempt: Attempt) -> bool:
    """Note an attempt, with what follows from it for the delivery and its webhook. Commits."""
    delivery = db.session.get(WebhookDelivery, delivery_id, populate_existing=True, with_for_update=True)
    if delivery is None or delivery.state is not DeliveryState.PENDING:
        db.session.rollback()  # deleted, or delivered by a worker that was taken for dead
        return attempt.is_success
    webhook = db.session.get_one(Webhook, delivery.webhook_id, populate_existing=True)
    delivery.log = [*delivery.log, clean_json(asdict(attempt))][-MAX_LOG:]
    delivery.attempts += 1
    if attempt.is_success:
        delivery.state, delivery.next_attempt_at, delivery.finished_at = DeliveryState.DELIVERED, None, utc_now()
        webhook.failing_since = None
    else:
        _plan_next(delivery, attempt)
        _judge(webhook, delivery, attempt)
    db.session.commit()
    return attempt.is_success


def _plan_next(delivery: WebhookDelivery, attempt: Attempt) -> None:
    """When it is tried again; a test is not, and the last pause ends it."""
    if delivery.type == EventType.PING or delivery.attempts > len(PAUSES):
        give_up(delivery)
        return
    seconds = PAUSES[delivery.attempts - 1] * (1 + random.uniform(0, JITTER))  # noqa: S311 (no secret)
    if attempt.status in (429, 503):
        seconds = max(seconds, min(attempt.details.get("retry_after", 0), LONGEST_RETRY_AFTER))
    delivery.next_attempt_at = utc_now() + dt.timedelta(seconds=seconds)


def give_up(delivery: WebhookDelivery) -> None:
    """Try no more."""
    delivery.state, delivery.next_attempt_at, delivery.finished_at = DeliveryState.FAILED, None, utc_now()


def _judge(webhook: Webhook, delivery: WebhookDelivery, attempt: Attempt) -> None:
    """Disable a webhook that wants no more, or fails for too long."""
    if attempt.status == 410:
        _disable(webhook, DisabledReason.GONE)
    elif delivery.type != EventType.PING:
        webhook.failing_since = webhook.failing_since or utc_now()
        if utc_now() - webhook.failing_since >= FAILING_LIFE:
            _disable(webhook, DisabledReason.FAILING)


def _disable(webhook: Webhook, reason: DisabledReason) -> None:
    if not webhook.enabled:
        return
    switch_off(webhook, reason)
    owner = Actor(user_id=webhook.user_id, via="job")
    record_event(owner, "webhook.disable", "webhook", webhook.id, details={"reason": reason.value})
    webhook_disabled.send(webhook)
    log.info("webhook %s was disabled: %s", webhook.id, reason.value)


def switch_off(webhook: Webhook, reason: DisabledReason) -> None:
    """Disable a webhook and give up what waits for it. The caller commits."""
    webhook.enabled, webhook.disabled_reason = False, reason
    db.session.flush()
    waiting = sa.and_(WebhookDelivery.webhook_id == webhook.id, WebhookDelivery.state == DeliveryState.PENDING)
    given_up = {"state": DeliveryState.FAILED, "next_attempt_at": None, "finished_at": utc_now()}
    db.session.execute(sa.update(WebhookDelivery).where(waiting).values(given_up).execution_options(synchronize_session="fetch"))
