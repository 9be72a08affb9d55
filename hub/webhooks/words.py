"""Webhooks in words, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from hub.egress import describe_egress_error
from hub.webhooks.models import DisabledReason, EventType

#: What each event means, in a few words.
EVENTS = {
    EventType.EXECUTION_FAILED: lazy_gettext("An execution failed"),
    EventType.EXECUTION_REPAIRED: lazy_gettext("A repair was proven"),
    EventType.INSTANCE_DOWN: lazy_gettext("An n8n does not answer"),
    EventType.INSTANCE_UP: lazy_gettext("An n8n answers again"),
    EventType.SYNC_FAILED: lazy_gettext("A sync was given up"),
    EventType.PING: lazy_gettext("Test"),
}


def describe_event(event: str) -> str:
    """What happened, in a few words."""
    return str(EVENTS[EventType(event)])


def describe_attempt(attempt: Mapping[str, Any]) -> str:
    """What came of one attempt (an entry of ``WebhookDelivery.log``)."""
    status = attempt.get("status")
    if status is not None:
        if 300 <= status < 400:
            return _("Answered %(status)s. Redirects are not followed: enter the address that it leads to.", status=status)
        if status == 410:
            return _("Answered 410: it wants no more messages.")
        return _("Answered %(status)s", status=status)
    code = str(attempt.get("error"))
    if code == "secret-lost":
        return _("The secret does not open with the present ENCRYPTION_KEY. Make a new one.")
    return describe_egress_error(code, attempt.get("details") or {}) or _("The connection failed (%(code)s).", code=code)


def describe_disabled(reason: DisabledReason | None) -> str:
    """Why a webhook is off, and what to do."""
    if reason is DisabledReason.GONE:
        return _("The address answered 410, so the hub sends nothing there any more. Enable it again when it is back.")
    if reason is DisabledReason.FAILING:
        return _("It failed for five days without a single success. Put the receiver right, test it, and enable it again.")
    return _("It is disabled. What happens meanwhile is not sent later.")
