"""What becomes of deliveries in time: those that wait are not forgotten, old ones are."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import SYSTEM
from hub.extensions import db
from hub.webhooks.models import Webhook, WebhookDelivery
from hub.webhooks.outbox import wake

KEPT_DAYS = 30
KEPT_DELIVERIES = 1000
#: A transaction holds the one write lock of SQLite no longer than deleting so many takes.
_BATCH = 500
_IS_PENDING = WebhookDelivery.state == sa.text("'PENDING'")


def wake_waiting() -> int:
    """Queue the webhooks for which something is due; how many. Commits."""
    due = (
        sa.select(WebhookDelivery.webhook_id)
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(_IS_PENDING, WebhookDelivery.next_attempt_at <= utc_now(), Webhook.enabled)
        .distinct()
    )
    found = db.session.scalars(due).all()
    for webhook_id in found:
        wake(webhook_id, utc_now())
    db.session.commit()
    return len(found)


def prune_deliveries() -> int:
    """Forget deliveries that are too old, and of each webhook those beyond its newest; how many. Commits.

    What still waits is no exception: an address that has not answered for so long is not told a thousand old things.
    """
    before = utc_now() - dt.timedelta(days=KEPT_DAYS)
    old = sa.select(WebhookDelivery.id).where(WebhookDelivery.created_at < before).limit(_BATCH)
    order = (WebhookDelivery.created_at.desc(), WebhookDelivery.id.desc())
    rank = sa.func.row_number().over(partition_by=WebhookDelivery.webhook_id, order_by=order)
    ranked = sa.select(WebhookDelivery.id, rank.label("place")).subquery()
    surplus = sa.select(ranked.c.id).where(ranked.c.place > KEPT_DELIVERIES).limit(_BATCH)
    deleted = _delete_all(old) + _delete_all(surplus)
    expired = sa.update(Webhook).where(Webhook.old_secret_until < utc_now()).values(old_secret=None, old_secret_until=None)
    forgotten = db.session.scalars(expired.returning(Webhook.id).execution_options(synchronize_session=False)).all()
    if deleted or forgotten:
        record_event(SYSTEM, "webhook.prune", "webhook", details={"deliveries": deleted, "old_secrets": len(forgotten)})
    db.session.commit()
    return deleted


def _delete_all(batch: sa.Select[str]) -> int:
    count = 0
    while ids := db.session.scalars(batch).all():
        db.session.execute(
            sa.delete(WebhookDelivery).where(WebhookDelivery.id.in_(ids)).execution_options(synchronize_session=False)
        )
        db.session.commit()
        count += len(ids)
    return count
