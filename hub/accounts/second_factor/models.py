"""What proves a person beside their password, and sign-ins that wait for it."""

from __future__ import annotations

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.columns import Created, Flag, Key, TextList, UtcDateTime, enum_column
from hub.extensions import Model


class RecoveryCode(Created, Model):
    """One of ten codes for when the other factors are lost: a keyed hash (``users.recovery_key``); kept once used."""

    __tablename__ = "recovery_codes"
    __table_args__ = (sa.UniqueConstraint("user_id", "digest", name="uq_recovery_codes_user_id_digest"),)

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(sa.String(64))
    used_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class Passkey(Created, Model):
    """A WebAuthn credential. ``credential_id`` is base64url; ``public_key`` is COSE and no secret."""

    __tablename__ = "passkeys"
    __table_args__ = (sa.Index("ix_passkeys_user_id", "user_id"),)

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(sa.String(80))
    credential_id: Mapped[str] = mapped_column(sa.String(1400), unique=True)
    public_key: Mapped[bytes] = mapped_column(sa.LargeBinary)
    sign_count: Mapped[int] = mapped_column(sa.BigInteger)
    transports: Mapped[TextList]
    backup_eligible: Mapped[Flag]
    backed_up: Mapped[Flag]
    last_used_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    #: When it came with a sign count that had been seen before, which a copy of it does.
    suspected_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class Purpose(enum.StrEnum):
    """What a pending row may be used for, and for nothing else."""

    SECOND_FACTOR = "second-factor"
    PASSKEY = "passkey"
    REGISTRATION = "registration"
    CONFIRMATION = "confirmation"


class PendingSignIn(Created, Model):
    """Something that waits for its second half: the factor after a password, or the answer to a challenge.

    ``token`` holds the SHA-256 digest of what the browser has. ``user_id`` is None while nobody is known.
    """

    __tablename__ = "pending_sign_ins"
    __table_args__ = (sa.Index("ix_pending_sign_ins_user_id", "user_id"),)

    id: Mapped[Key]
    user_id: Mapped[str | None] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[Purpose] = mapped_column(enum_column(Purpose, "pending_purpose"))
    token: Mapped[str] = mapped_column(sa.String(64), unique=True)
    challenge: Mapped[str | None] = mapped_column(sa.String(100))
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    ip_address: Mapped[str | None] = mapped_column(sa.String(45))
    user_agent: Mapped[str | None] = mapped_column(sa.String(400))
