"""Keys of keyed hashes. They are random, stored encrypted, and outlive any change of ENCRYPTION_KEY, because what they hashed
cannot be hashed again: nobody but its holder knows an API key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

import sqlalchemy as sa
from flask import current_app

from hub.accounts.models import HASH_KEY, HashKey
from hub.audit.services import record_event
from hub.contracts.actor import SYSTEM
from hub.crypto import DecryptionError, derive_key
from hub.extensions import db
from hub.identifiers import new_id


def find_hash_key(key_id: str) -> bytes | None:
    """The key with this id; None where it is unknown or was encrypted with a key that the hub does not have now."""
    opened = _opened()
    if key_id not in opened:
        sealed = db.session.scalar(sa.select(HashKey.sealed).where(HashKey.id == key_id))
        if sealed is None:
            return None
        try:
            opened[key_id] = base64.b64decode(HASH_KEY.decrypt(sealed, key_id))
        except DecryptionError:
            return None
    return opened[key_id]


def newest_hash_key() -> tuple[str, bytes]:
    """The key for new hashes and its id. Where there is none that opens, one is made and committed: call it before any change.

    Two that are made at the same time both stay and are both good.
    """
    for key_id in db.session.scalars(sa.select(HashKey.id).order_by(HashKey.created_at.desc(), HashKey.id.desc())).all():
        key = find_hash_key(key_id)
        if key is not None:
            return key_id, key
    key_id, key = new_id(), secrets.token_bytes(32)
    db.session.add(HashKey(id=key_id, sealed=HASH_KEY.encrypt(base64.b64encode(key).decode(), key_id)))
    record_event(SYSTEM, "hash_key.create", "hash_key", key_id)
    db.session.commit()
    return key_id, key


def keyed_digest(text: str, key: bytes, *, purpose: str) -> str:
    """Hex HMAC-SHA256 of ``text``, under a key for this purpose only."""
    return hmac.digest(derive_key(key, purpose), text.encode(), hashlib.sha256).hex()


def _opened() -> dict[str, bytes]:
    """What this process has opened. Ids are never used again, so it cannot become wrong."""
    opened: dict[str, bytes] = current_app.extensions.setdefault("hub_hash_keys", {})
    return opened
