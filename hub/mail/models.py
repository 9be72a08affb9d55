"""Mails that wait to be sent, and in development those that are kept to be looked at."""

from __future__ import annotations

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.columns import Created, Key, UtcDateTime, enum_column
from hub.encrypted_columns import encrypted_column
from hub.extensions import Model


class MailState(enum.StrEnum):
    """Where a mail stands."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    FAILED = "FAILED"
    #: In development without a mail server: the mailbox page shows it.
    KEPT = "KEPT"


class Mail(Created, Model):
    """A mail of the hub (ours). ``text`` is encrypted, it may hold a link that opens an account; it goes once sent."""

    __tablename__ = "mails"
    __table_args__ = (sa.Index("ix_mails_created_at", "created_at"),)

    id: Mapped[Key]
    recipient: Mapped[str] = mapped_column(sa.String(320))
    subject: Mapped[str] = mapped_column(sa.String(400))
    text: Mapped[str | None] = mapped_column(sa.Text)
    purpose: Mapped[str] = mapped_column(sa.String(40))
    language: Mapped[str] = mapped_column(sa.String(8))
    state: Mapped[MailState] = mapped_column(enum_column(MailState, "mail_state"))
    error: Mapped[str | None] = mapped_column(sa.Text)
    sent_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


TEXT = encrypted_column(Mail, "text")
