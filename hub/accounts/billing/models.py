"""What accounts have bought, and which messages of billing providers were heard."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.accounts.models import Plan
from hub.columns import Created, Flag, Key, Timestamps, UtcDateTime, enum_column
from hub.extensions import Model


class BillingAccount(Timestamps, Model):
    """An account as a billing provider (a plugin) knows it (ours). ``plan`` is what is paid for; None once that ended."""

    __tablename__ = "billing_accounts"
    __table_args__ = (sa.Index("ix_billing_accounts_customer", "provider", "customer"),)

    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    provider: Mapped[str] = mapped_column(sa.String(80))
    customer: Mapped[str] = mapped_column(sa.String(255))
    subscription: Mapped[str] = mapped_column(sa.String(255))
    plan: Mapped[Plan | None] = mapped_column(enum_column(Plan, "billing_plan"))
    #: The provider's own word for how the subscription stands.
    status: Mapped[str] = mapped_column(sa.String(40))
    #: When the reading began that this is from: an earlier one never takes its place.
    read_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class BillingEvent(Created, Model):
    """A message of a billing provider (ours). Its own id is kept for a while, so that one that comes again changes nothing."""

    __tablename__ = "billing_events"
    __table_args__ = (sa.UniqueConstraint("provider", "event_id"), sa.Index("ix_billing_events_created_at", "created_at"))

    id: Mapped[Key]
    provider: Mapped[str] = mapped_column(sa.String(80))
    event_id: Mapped[str] = mapped_column(sa.String(255))
    kind: Mapped[str] = mapped_column(sa.String(80))
    #: What is read anew from the provider; None where nothing follows.
    subscription: Mapped[str | None] = mapped_column(sa.String(255))
    payment_failed: Mapped[Flag]
    handled_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
