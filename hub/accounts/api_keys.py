"""API keys: ``hub_<8 public characters>_<43 random ones><checksum>``, made and shown once, looked up by their public part.

What is stored is a keyed hash: who can write into the database cannot make a key that works. Keys from before that have no
checksum and were hashed without a key (their 256 random bits need none); they go on working,
and get a keyed hash when they are used.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
import string
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import InstrumentedAttribute

from hub.accounts.actors import Client, person_of
from hub.accounts.hash_keys import find_hash_key, keyed_digest, newest_hash_key
from hub.accounts.models import ApiKey, User
from hub.accounts.step_up import require_recent
from hub.accounts.token_texts import has_checksum, random_secret, with_checksum
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.crypto import digest_token, same_text
from hub.errors import Invalid, NotFound, Unauthenticated, Unavailable
from hub.extensions import db

#: How often the use of a key, or its refusal after its end, is written at most.
NOTED_EVERY = dt.timedelta(minutes=5)
_TEXT = re.compile(r"(hub_[0-9A-Za-z]{8})_(?:[0-9A-Za-z]{49}|[0-9A-Za-z_-]{43})")
_Row = sa.Row[*tuple[Any, ...]]
_OLD_LENGTH = len("hub_12345678_") + 43
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
    """A new key and its text, which is never seen again. The person must have shown who they are a short time ago."""
    require_recent(actor)
    user_id, name = person_of(actor), name.strip()
    chosen = sorted(set(permissions))
    fields = {}
    if not 1 <= len(name) <= 200 or not name.isprintable():
        fields["name"] = _("Enter a name of at most 200 characters.")
    if not chosen or not set(chosen) <= set(PERMISSIONS):
        fields["permissions"] = _("Choose what the key may do.")
    if expires_at is not None and expires_at <= utc_now():
        fields["expires_at"] = _("Choose a time to come.")
    if fields:
        raise Invalid(fields=fields)
    prefix = "hub_" + "".join(secrets.choice(_ALPHANUMERIC) for _position in range(8))
    secret = with_checksum(f"{prefix}_{random_secret()}")
    hashed = _keyed_hash(secret)
    key = ApiKey(user_id=user_id, name=name, key_prefix=prefix, permissions=chosen, expires_at=expires_at, **hashed)
    db.session.add(key)
    db.session.flush()
    record_event(actor, "api_key.create", "api_key", key.id, details={"name": name, "permissions": chosen})
    db.session.commit()
    return key, secret


def authenticate_api_key(text: str, *, client: Client | None = None) -> Actor:
    """The actor of an API key; ``Unauthenticated`` when it is unknown, revoked or over.

    A text that was not copied whole is refused before the database is asked. ``Unavailable`` where the key's hash cannot be made,
    because it needs an ENCRYPTION_KEY that the hub does not have now.
    """
    client = client or Client(via="api")
    row = _find(text)
    now = utc_now()
    if row is None or row.is_revoked or (row.expires_at is not None and row.expires_at <= now):
        if row is not None:
            _note_refusal(row, client, now)
        raise Unauthenticated(_("The API key is unknown, revoked or expired."))
    if row.last_used_at is None or now - row.last_used_at > NOTED_EVERY:
        noted = {"last_used_address": client.ip_address, **({} if row.hash_key_id else _keyed_hash(text))}
        db.session.execute(_unless_noted(row.id, ApiKey.last_used_at, now).values(noted))
        db.session.commit()
    return Actor(
        user_id=row.user_id,
        role=row.role,
        via="api",
        ip_address=client.ip_address,
        user_agent=client.user_agent,
        permissions=frozenset(row.permissions),
    )


def _find(text: str) -> _Row | None:
    """The key with this text. The public part leads to it, the hash is compared in constant time."""
    shape = _TEXT.fullmatch(text)
    if shape is None or (len(text) > _OLD_LENGTH and not has_checksum(text)):
        raise Unauthenticated(_("This is no API key: it was not copied whole."))
    columns = (ApiKey.id, ApiKey.key, ApiKey.hash_key_id, ApiKey.permissions, ApiKey.last_used_at, ApiKey.expires_at)
    statement = sa.select(*columns, ApiKey.is_revoked, User.id.label("user_id"), User.role)
    rows = db.session.execute(statement.join(User, User.id == ApiKey.user_id).where(ApiKey.key_prefix == shape[1])).all()
    return next((row for row in rows if same_text(_hash_like(row.hash_key_id, text), row.key)), None)


def _hash_like(hash_key_id: str | None, text: str) -> str:
    """The hash of ``text`` as it was made for a row."""
    if hash_key_id is None:
        return digest_token(text)
    hash_key = find_hash_key(hash_key_id)
    if hash_key is None:
        raise Unavailable(_("The hub cannot check API keys now: its own key is another than when they were made."))
    return _hash(text, hash_key)


def _keyed_hash(text: str) -> dict[str, str]:
    """The columns of a key's hash, made with the newest hash key. Commits where that has to be made first."""
    hash_key_id, hash_key = newest_hash_key()
    return {"key": _hash(text, hash_key), "hash_key_id": hash_key_id}


def _hash(text: str, hash_key: bytes) -> str:
    return keyed_digest(text, hash_key, purpose="hub.api-keys")


def _note_refusal(row: _Row, client: Client, now: dt.datetime) -> None:
    """Somebody has a key that is over: an event, but not for each call of a program that goes on and on."""
    if db.session.execute(_unless_noted(row.id, ApiKey.refused_at, now).returning(ApiKey.id)).all():
        details = {"reason": "revoked" if row.is_revoked else "expired"}
        record_event(client.as_actor(row.user_id), "api_key.use", "api_key", row.id, success=False, details=details)
    db.session.commit()


def _unless_noted(key_id: str, column: InstrumentedAttribute[dt.datetime | None], now: dt.datetime) -> sa.Update:
    """Sets the time ``column`` of a key to now, unless that was done a short time ago."""
    due = sa.or_(column.is_(None), column <= now - NOTED_EVERY)
    return sa.update(ApiKey).where(ApiKey.id == key_id, due).values({column: now})


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
