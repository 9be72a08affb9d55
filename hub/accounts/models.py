"""Users, their sessions and API keys."""

from __future__ import annotations

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.columns import Count, Created, Flag, JsonObject, Key, TextList, Timestamps, UtcDateTime, enum_column, utc_now
from hub.contracts.actor import Role
from hub.encrypted_columns import encrypted_column
from hub.extensions import Model


class Plan(enum.StrEnum):
    """Subscription plan."""

    FREE = "FREE"
    PRO = "PRO"
    TEAM = "TEAM"
    ENTERPRISE = "ENTERPRISE"


class SessionKind(enum.StrEnum):
    """Who holds a session: a browser in its cookie, or a program that refreshes its token."""

    BROWSER = "BROWSER"
    API = "API"


class User(Timestamps, Model):
    """A person with an account. ``password`` is a hash, the tokens are digests; they and the two-factor secret are never shown.

    ``new_email`` is an address that takes the place of ``email`` once its owner confirms it with ``verify_token``.
    """

    __tablename__ = "users"
    __table_args__ = (sa.Index("idx_users_email", "email"),)

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(sa.String(320), unique=True)
    password: Mapped[str] = mapped_column(sa.String(255))
    name: Mapped[str] = mapped_column(sa.String(200))
    avatar: Mapped[str | None] = mapped_column(sa.Text)
    plan: Mapped[Plan] = mapped_column(enum_column(Plan, "plan"), default=Plan.FREE, server_default=Plan.FREE)
    settings: Mapped[JsonObject]
    email_verified: Mapped[Flag]
    verify_token: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    reset_token: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    reset_token_exp: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    two_factor_enabled: Mapped[Flag]
    two_factor_secret: Mapped[str | None] = mapped_column(sa.Text)
    # Ours: see docs/data-model.md.
    two_factor_step: Mapped[Count]
    recovery_key: Mapped[str | None] = mapped_column(sa.Text)
    verify_token_exp: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    new_email: Mapped[str | None] = mapped_column(sa.String(320))
    role: Mapped[Role] = mapped_column(enum_column(Role, "role"), default=Role.USER, server_default=Role.USER)
    plan_changed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    #: The plan that still holds for what is kept, for a while after a smaller one was chosen.
    previous_plan: Mapped[Plan | None] = mapped_column(enum_column(Plan, "previous_plan"))


TWO_FACTOR_SECRET = encrypted_column(User, "two_factor_secret")
RECOVERY_KEY = encrypted_column(User, "recovery_key")


class Session(Created, Model):
    """A signed-in browser or program. ``token`` and the refresh tokens hold SHA-256 digests; the values are only with the client.

    ``authenticated_at`` is when the person last showed who they are. Of a program, ``token`` ends at ``access_expires_at``
    already; ``refresh_salt`` is what its present tokens were made with, out of the one that ``previous_refresh_token`` digests.
    """

    __tablename__ = "sessions"
    __table_args__ = (sa.Index("ix_sessions_user_id", "user_id"), sa.Index("ix_sessions_token", "token"))

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    token: Mapped[str] = mapped_column(sa.String(64), unique=True)
    refresh_token: Mapped[str] = mapped_column(sa.String(64), unique=True)
    user_agent: Mapped[str | None] = mapped_column(sa.String(400))
    ip_address: Mapped[str | None] = mapped_column(sa.String(45))
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    # Ours.
    last_seen_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    authenticated_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=utc_now)
    kind: Mapped[SessionKind] = mapped_column(
        enum_column(SessionKind, "session_kind"), default=SessionKind.BROWSER, server_default=SessionKind.BROWSER
    )
    access_expires_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    previous_refresh_token: Mapped[str | None] = mapped_column(sa.String(64))
    refresh_salt: Mapped[str | None] = mapped_column(sa.String(64))
    refreshed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class HashKey(Created, Model):
    """A random key of keyed hashes (ours). ``sealed`` holds it encrypted, so that a change of ENCRYPTION_KEY touches no hash."""

    __tablename__ = "hash_keys"

    id: Mapped[Key]
    sealed: Mapped[str] = mapped_column(sa.Text)


HASH_KEY = encrypted_column(HashKey, "sealed")


class ApiKey(Created, Model):
    """A key to the JSON API, shown once. ``key`` holds its hash under ``hash_key_id``; of keys from before that, the SHA-256."""

    __tablename__ = "api_keys"
    __table_args__ = (
        sa.Index("ix_api_keys_user_id", "user_id"),
        sa.Index("ix_api_keys_key", "key"),
        sa.Index("ix_api_keys_key_prefix", "key_prefix"),
    )

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(sa.String(200))
    key: Mapped[str] = mapped_column(sa.String(64), unique=True)
    key_prefix: Mapped[str] = mapped_column(sa.String(16))
    permissions: Mapped[TextList]
    last_used_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    is_revoked: Mapped[Flag]
    # Ours.
    hash_key_id: Mapped[str | None] = mapped_column(sa.ForeignKey("hash_keys.id"))
    last_used_address: Mapped[str | None] = mapped_column(sa.String(45))
    refused_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class Registration(Created, Model):
    """Somebody who says that an e-mail address is theirs (ours): an account once the mail's link and the password prove it."""

    __tablename__ = "registrations"
    __table_args__ = (sa.Index("ix_registrations_email", "email"),)

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(sa.String(320))
    name: Mapped[str] = mapped_column(sa.String(200))
    password: Mapped[str] = mapped_column(sa.String(255))
    language: Mapped[str] = mapped_column(sa.String(8))
    token: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class KnownDevice(Created, Model):
    """A browser in which a person has signed in (ours), by the digest of its cookie. It opens nothing (docs/accounts.md)."""

    __tablename__ = "known_devices"
    __table_args__ = (sa.UniqueConstraint("user_id", "token"), sa.Index("ix_known_devices_token", "token"))

    id: Mapped[Key]
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    token: Mapped[str] = mapped_column(sa.String(64))
    last_used_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class RateBucket(Model):
    """Attempts counted per key and window (ours): sign-in limits hold over all workers because they live here."""

    __tablename__ = "rate_buckets"

    key: Mapped[str] = mapped_column(sa.String(120), primary_key=True)
    window_start: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    count: Mapped[Count]
