"""The audit log: append and read; nothing changes or deletes an event."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.audit.chain import append_event, plain_details
from hub.audit.models import AuditLog
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.errors import NotAllowed
from hub.extensions import db
from hub.identifiers import new_id
from hub.pagination import Page, clamp_limit, keyset, make_page
from hub.storable import clean_text

#: The chain of what nobody known did: the hub's own jobs, and refused strangers.
HUB_CHAIN = ""
#: Accounts are a room above this one, so what is needed of their table is named here.
_users = sa.table("users", sa.column("id", sa.String), sa.column("email", sa.String))


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event as it is shown. ``user_email`` is None where the user is gone or nobody was known."""

    id: str
    created_at: dt.datetime
    action: str
    resource: str
    resource_id: str | None
    success: bool
    ip_address: str | None
    user_agent: str | None
    details: dict[str, Any]
    user_id: str | None
    user_email: str | None


def record_event(
    actor: Actor,
    action: str,
    resource: str,
    resource_id: str | None = None,
    *,
    success: bool = True,
    details: dict[str, Any] | None = None,
) -> AuditLog:
    """Add an event to the present transaction, so that it is there exactly when the change is. Never pass a secret.

    It is written when the transaction commits, as the next of the actor's chain.
    """
    event = AuditLog(
        id=new_id(),
        created_at=utc_now(),
        chain=actor.user_id or HUB_CHAIN,
        user_id=actor.user_id,
        action=action,
        resource=resource,
        resource_id=resource_id,
        ip_address=actor.ip_address,
        user_agent=clean_text(actor.user_agent or "", 400) or None,
        success=success,
        details=plain_details({**(details or {}), "via": actor.via}),
    )
    append_event(db.session(), event)
    return event


def list_events(
    actor: Actor,
    *,
    action: str | None = None,
    user: str | None = None,
    success: bool | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Page[EventRow]:
    """Events, newest first: a user's own, or for operators everybody's.

    ``action`` is an action or its beginning ("instance."). ``user`` is an e-mail address; only operators may ask by it.
    """
    if user and not actor.is_operator:
        raise NotAllowed(_("Only operators see other people's events."))
    statement = sa.select(AuditLog, _users.c.email).outerjoin(_users, _users.c.id == AuditLog.user_id)
    if not actor.is_operator:
        statement = statement.where(AuditLog.user_id == actor.user_id)
    if user:
        statement = statement.where(_users.c.email == user.strip().lower())
    if action:
        statement = statement.where(AuditLog.action.startswith(action.strip(), autoescape=True))
    if success is not None:
        statement = statement.where(AuditLog.success.is_(success))
    size = clamp_limit(limit)
    order = [AuditLog.created_at, AuditLog.id]
    found = db.session.execute(keyset(statement, order, [dt.datetime, str], cursor=cursor, limit=size))
    return make_page([_as_row(event, email) for event, email in found], size, "created_at", "id")


def _as_row(event: AuditLog, email: str | None) -> EventRow:
    return EventRow(
        id=event.id,
        created_at=event.created_at,
        action=event.action,
        resource=event.resource,
        resource_id=event.resource_id,
        success=event.success,
        ip_address=event.ip_address,
        user_agent=event.user_agent,
        details=event.details or {},
        user_id=event.user_id,
        user_email=email,
    )
