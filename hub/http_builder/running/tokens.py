"""The one thing that is kept of a token which was sent: when it runs out."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections.abc import Iterable


def read_expiry(headers: Iterable[tuple[str, str]]) -> str | None:
    """When a JSON Web Token in an Authorization header runs out, ISO 8601 in UTC; None where there is none."""
    value = next((value for name, value in headers if name.lower() == "authorization"), "")
    parts = value.rpartition(" ")[2].split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return dt.datetime.fromtimestamp(float(claims["exp"]), dt.UTC).isoformat()
    except (binascii.Error, ValueError, KeyError, TypeError, OverflowError, OSError, RecursionError):
        return None
