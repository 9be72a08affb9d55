"""The signature of Stripe's messages: ``Stripe-Signature: t=SECONDS,v1=HEX[,v1=HEX]``, HMAC-SHA256 over ``t.body``."""

from __future__ import annotations

import hashlib
import hmac
import re

#: Seconds by which the time of a message may differ from ours: what Stripe's own libraries allow.
TOLERANCE = 300
#: Two secrets are alive while one is rolled over; nobody needs more.
_MOST_SIGNATURES = 8


class BadSignature(Exception):
    """The message is not Stripe's, or too old."""


def check_signature(header: str, body: bytes, secret: str, now: float) -> None:
    """``BadSignature`` unless one of the header's signatures fits the body and its time is near ``now`` (Unix seconds)."""
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _sign, value in parts if name == "t"]
    signatures = [value for name, _sign, value in parts if name == "v1"]
    if len(times) != 1 or not re.fullmatch(r"[0-9]{1,12}", times[0]) or not 1 <= len(signatures) <= _MOST_SIGNATURES:
        raise BadSignature("The header Stripe-Signature is missing or not understood.")
    expected = hmac.new(secret.encode(), times[0].encode() + b"." + body, hashlib.sha256).hexdigest().encode()
    # All are compared, so that the time taken tells nothing.
    fits = [hmac.compare_digest(expected, signature.encode("utf-8", "replace")) for signature in signatures]
    if not any(fits):
        raise BadSignature("No signature fits the message.")
    if abs(now - int(times[0])) > TOLERANCE:
        raise BadSignature("The message is too old, or a clock is wrong.")
