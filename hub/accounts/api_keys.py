"""API keys: made once, shown once, looked up by digest."""

from __future__ import annotations

import datetime as dt
import secrets
import string
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.accounts.actors import Client, person_of
from hub.accounts.models import ApiKey, User
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.crypto import digest_token
from hub.errors import Invalid, NotFound, Unauthenticated
from hub.extensions import db

#: How often ``last_used_at`` is written at most.
USED_EVERY = dt.timedelta(minutes=5)
_ALPHANUMERIC = string.ascii_letters + string.digits

#: What API keys may be allowed: all reading, all writing, or either in one area. A person in a browser may do all of it.
AREAS = (
    *("account", "instances", "workflows", "executions", "analyses", "repairs", "automation", "audit"),
    *("requests", "runs", "environments", "templates", "webhooks"),
)
PERMISSIONS = ("read", "write", *(f"{area}:{verb}" for area in AREAS for verb in ("read", "write")))


def create_api_key(
    actor: Actor, name: str, permissions: Iterable[str], expires_at: dt.datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key and its text, ``hub_<8 public characters>_<43 random>``, which is never seen again."""
    user_id, name = person_of(actor), name.strip()
    chosen = sorted(set(permissions))
    fields = {}
    if not 1 <= len(name) <= 200:
        fields["name"] = _("Enter a name of at most 200 characters.")
    if not chosen or not set(chosen) <= set(PERMISSIONS):
        fields["permissions"] = _("Choose what the key may do.")
    if expires_at is not None and expires_at <= utc_now():
        fields["expires_at"] = _("Choose a time to come.")
    if fields:
        raise Invalid(fields=fields)
    prefix = "hub_" + "".join(secrets.choice(_ALPHANUMERIC) for _position in range(8))
    secret = f"{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey(
        user_id=user_id, name=name, key=digest_token(secret), key_prefix=prefix, permissions=chosen, expires_at=expires_at
    )
    db.session.add(key)
    db.session.flush()
    record_event(actor, "api_key.create", "api_key", key.id, details={"name": name, "permissions": chosen})
    db.session.commit()
    return key, secret


def authenticate_api_key(text: str, *, client: Client | None = None) -> Actor:
    """The actor of an API key; ``Unauthenticated`` when it is unknown, revoked or over."""
    now = utc_now()
    row = db.session.execute(
        sa.select(ApiKey.id, ApiKey.permissions, ApiKey.last_used_at, User.id.label("user_id"), User.role)
        .join(User, User.id == ApiKey.user_id)
        .where(ApiKey.key == digest_token(text), ApiKey.is_revoked.is_(False))
        .where(sa.or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now))
    ).one_or_none()
    if row is None:
        raise Unauthenticated(_("The API key is unknown, revoked or expired."))
    if row.last_used_at is None or now - row.last_used_at > USED_EVERY:
        db.session.execute(sa.update(ApiKey).where(ApiKey.id == row.id).values(last_used_at=now))
        db.session.commit()
    client = client or Client()
    return Actor(
        user_id=row.user_id,
        role=row.role,
        via="api",
        ip_address=client.ip_address,
        user_agent=client.user_agent,
        permissions=frozenset(row.permissions),
    )


def list_api_keys(actor: Actor) -> Sequence[ApiKey]:
    """The actor's keys that are not revoked, newest first."""
    own = sa.select(ApiKey).where(ApiKey.user_id == person_of(actor), ApiKey.is_revoked.is_(False))
    return db.session.execute(own.order_by(ApiKey.created_at.desc(), ApiKey.id.desc())).scalars().all()


def revoke_api_key(actor: Actor, key_id: str) -> None:
    """Make one of the actor's keys useless at once."""
    owned = sa.update(ApiKey).where(ApiKey.id == key_id, ApiKey.user_id == person_of(actor), ApiKey.is_revoked.is_(False))
    if not db.session.execute(owned.values(is_revoked=True).returning(ApiKey.id)).all():
        raise NotFound
    record_event(actor, "api_key.revoke", "api_key", key_id)
    db.session.commit()
