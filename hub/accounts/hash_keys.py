"""Keys of keyed hashes. They are random, stored encrypted, and outlive any change of ENCRYPTION_KEY, because what they hashed
cannot be hashed again: nobody but its holder knows an API key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

import sqlalchemy as sa
from flask import current_app

from hub.accounts.models import HashKey
from hub.crypto import DecryptionError, current_vault, derive_key
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
            opened[key_id] = base64.b64decode(current_vault().decrypt(sealed, binding=_binding(key_id)))
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
    sealed = current_vault().encrypt(base64.b64encode(key).decode(), binding=_binding(key_id))
    db.session.add(HashKey(id=key_id, sealed=sealed))
    db.session.commit()
    return key_id, key


def keyed_digest(text: str, key: bytes, *, purpose: str) -> str:
    """Hex HMAC-SHA256 of ``text``, under a key for this purpose only."""
    return hmac.digest(derive_key(key, purpose), text.encode(), hashlib.sha256).hex()


def _binding(key_id: str) -> str:
    return f"hash_keys.sealed:{key_id}"


def _opened() -> dict[str, bytes]:
    """What this process has opened. Ids are never used again, so it cannot become wrong."""
    opened: dict[str, bytes] = current_app.extensions.setdefault("hub_hash_keys", {})
    return opened
