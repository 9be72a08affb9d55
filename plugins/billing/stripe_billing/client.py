"""The few calls of Stripe's API that are needed, over the hub's guarded way to the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from hub.plugin_api import BillingUnavailable, LocalizedText, NetworkError, fetch

API = "https://api.stripe.com"
#: The version whose fields are read here; without it an account's own default would say what they are.
VERSION = "2025-03-31.basil"
_SECONDS = 20.0
_MOST_BYTES = 1_000_000

Json = dict[str, Any]


def call(secret_key: str, method: str, path: str, form: Mapping[str, str] | None = None, *, attempt: str | None = None) -> Json:
    """One call; the object that Stripe answers. ``BillingUnavailable`` for everything else.

    ``attempt`` is the Idempotency-Key: the same twice is done once.
    """
    headers = {"Authorization": f"Bearer {secret_key}", "Stripe-Version": VERSION, "Accept": "application/json"}
    content = None
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        content = urlencode(form).encode()
    if attempt is not None:
        headers["Idempotency-Key"] = attempt
    try:
        answer = fetch(method, API + path, headers=headers, content=content, timeout=_SECONDS, max_bytes=_MOST_BYTES)
    except NetworkError as error:
        raise BillingUnavailable(error.words) from error
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _strange(answer.status)
    if answer.status >= 400:
        raise _refusal(answer.status, found.get("error"))
    if answer.status != 200:
        raise _strange(answer.status)
    return found


def _refusal(status: int, said: object) -> BillingUnavailable:
    error = said if isinstance(said, dict) else {}
    code = str(error.get("code") or error.get("type") or "error")[:80]
    message = str(error.get("message", ""))[:300]
    return BillingUnavailable(
        LocalizedText(en=f"Stripe refused ({status} {code}): {message}", ar=f"رفض Stripe الطلب ({status} {code}): {message}")
    )


def _strange(status: int) -> BillingUnavailable:
    return BillingUnavailable(
        LocalizedText(
            en=f"Stripe answered something that is not understood (status {status}).",
            ar=f"أجاب Stripe بما لا يُفهم (الحالة {status}).",
        )
    )
