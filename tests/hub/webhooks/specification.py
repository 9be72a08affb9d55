"""A verifier written from the Standard Webhooks specification alone, as a receiver would: it shares no code with the hub.

"The signature scheme": the content is ``{id}.{timestamp}.{payload}``; the signature is the HMAC-SHA256 of it, base64, with the
prefix ``v1,``; the header is a list with spaces between; the secret is base64 after the prefix ``whsec_`` and has 24 to 64
bytes; messages whose timestamp is more than five minutes off are refused.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

BLOCK = 64


class Refused(Exception):
    """The message is not to be trusted."""


def verify(secret: str, headers: Mapping[str, str], payload: bytes, *, now: int, tolerance: int = 300) -> None:
    """``Refused`` unless one of the signatures is right and the timestamp is near."""
    given = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp = given["webhook-id"], given["webhook-timestamp"]
    if not timestamp.isdecimal() or abs(now - int(timestamp)) > tolerance:
        raise Refused("timestamp")
    if not secret.startswith("whsec_"):
        raise Refused("secret")
    key = base64.b64decode(secret[6:], validate=True)
    if not 24 <= len(key) <= 64:
        raise Refused("length of the key")
    expected = b"v1," + base64.b64encode(hmac_sha256(key, b".".join([message_id.encode(), timestamp.encode(), payload])))
    if expected not in given["webhook-signature"].encode().split(b" "):
        raise Refused("signature")


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """RFC 2104, from its definition."""
    padded = key.ljust(BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in padded) + inner).digest()
