"""Signatures of messages, as the Standard Webhooks specification (1.0) has them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
_KEY_BYTES = 32


def make_secret() -> str:
    """A new secret: ``whsec_`` and 256 random bits in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def signed_headers(message_id: str, timestamp: int, body: bytes, keys: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The headers of a message, signed with each of ``keys`` (``whsec_...``). ``timestamp`` is in Unix seconds."""
    content = f"{message_id}.{timestamp}.".encode() + body
    return (
        ("webhook-id", message_id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", " ".join(_sign(content, key) for key in keys)),
    )


def _sign(content: bytes, key: str) -> str:
    digest = hmac.new(base64.b64decode(key.removeprefix(PREFIX)), content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
