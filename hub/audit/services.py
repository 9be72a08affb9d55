"""The audit log: append and read; nothing changes or deletes an event."""

from __future__ import annotations

from typing import Any

from hub.audit.models import AuditLog
from hub.contracts.actor import Actor
from hub.extensions import db


def record_event(
    actor: Actor,
    action: str,
    resource: str,
    resource_id: str | None = None,
    *,
    success: bool = True,
    details: dict[str, Any] | None = None,
) -> AuditLog:
    """Add an event to the present transaction, so that it is there exactly when the change is. Never pass a secret."""
    event = AuditLog(
        user_id=actor.user_id,
        action=action,
        resource=resource,
        resource_id=resource_id,
        ip_address=actor.ip_address,
        user_agent=(actor.user_agent or "")[:400] or None,
        success=success,
        details={**(details or {}), "via": actor.via},
    )
    db.session.add(event)
    return event
