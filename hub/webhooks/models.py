"""Addresses that are told what happens, and what was sent to them."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.columns import Count, Json, JsonList, JsonObject, Key, TextList, Timestamps, UtcDateTime, enum_column, utc_now
from hub.encrypted_columns import encrypted_column
from hub.extensions import Model


class EventType(enum.StrEnum):
    """What a webhook may be told of; ``PING`` is the test's own."""

    EXECUTION_FAILED = "execution.failed"
    EXECUTION_REPAIRED = "execution.repaired"
    INSTANCE_DOWN = "instance.down"
    INSTANCE_UP = "instance.up"
    SYNC_FAILED = "sync.failed"
    PING = "ping"


class DeliveryState(enum.StrEnum):
    """Where a delivery stands."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    #: Given up; it can be sent again by hand.
    FAILED = "FAILED"


class DisabledReason(enum.StrEnum):
    """Why a webhook is off."""

    BY_HAND = "by-hand"
    #: It answered 410.
    GONE = "gone"
    #: It failed for days without a single success.
    FAILING = "failing"


class Webhook(Timestamps, Model):
    """An address of a person's that is told what happens (ours). Both secrets are envelopes of ``hub.crypto``."""

    __tablename__ = "webhooks"
    __table_args__ = (sa.Index("ix_webhooks_user_id", "user_id"),)

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(sa.String(200))
    url: Mapped[str] = mapped_column(sa.String(2000))
    #: Values of ``EventType``.
    events: Mapped[TextList]
    #: Ids of the instances that it is told of; None for all, also those to come.
    instance_ids: Mapped[list[str] | None] = mapped_column(Json)
    secret: Mapped[str] = mapped_column(sa.Text)
    #: The secret before the last change; until then messages are signed with it as well.
    old_secret: Mapped[str | None] = mapped_column(sa.Text)
    old_secret_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    enabled: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    disabled_reason: Mapped[DisabledReason | None] = mapped_column(enum_column(DisabledReason, "webhook_disabled_reason"))
    #: Since when it is enabled: nothing older is told.
    active_since: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=utc_now)
    #: The first failure since the last success; None while all is well.
    failing_since: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


SECRET = encrypted_column(Webhook, "secret")
OLD_SECRET = encrypted_column(Webhook, "old_secret")


class WebhookDelivery(Timestamps, Model):
    """One message to one webhook (ours): written with what it tells, sent by the worker. Its id is the ``webhook-id``."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        sa.Index("ix_webhook_deliveries_page", "webhook_id", sa.column("created_at").desc(), sa.column("id").desc()),
        sa.Index(
            "ix_webhook_deliveries_pending",
            "webhook_id",
            "next_attempt_at",
            "id",
            sqlite_where=sa.text("state = 'PENDING'"),
            postgresql_where=sa.text("state = 'PENDING'"),
        ),
    )

    id: Mapped[Key]
    webhook_id: Mapped[str] = mapped_column(sa.ForeignKey("webhooks.id", ondelete="CASCADE"))
    #: A value of ``EventType``.
    type: Mapped[str] = mapped_column(sa.String(40))
    #: Failures of the same group join a delivery that was not sent yet; None where nothing joins.
    group_key: Mapped[str | None] = mapped_column(sa.String(80))
    #: What is told, as ``data`` of the message.
    data: Mapped[JsonObject]
    #: The message as it is sent, byte for byte; None until the first attempt.
    body: Mapped[str | None] = mapped_column(sa.Text)
    state: Mapped[DeliveryState] = mapped_column(
        enum_column(DeliveryState, "webhook_delivery_state"),
        default=DeliveryState.PENDING,
        server_default=DeliveryState.PENDING,
    )
    #: How far the schedule of retries is; sending it again by hand begins anew.
    attempts: Mapped[Count]
    next_attempt_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    #: The attempts, oldest first: ``[{"at", "status", "error", "details", "ms", "answer"}]``; see ``sending.Attempt``.
    log: Mapped[JsonList]
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    @property
    def last_attempt(self) -> dict[str, Any] | None:
        """The newest entry of ``log``."""
        return self.log[-1] if self.log else None
