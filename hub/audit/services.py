"""The audit log: append and read; nothing changes or deletes an event."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app
from flask_babel import gettext as _

from hub.audit.chain import append_event, plain_details
from hub.audit.models import AuditLog
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.errors import NotAllowed
from hub.extensions import DEFERRED, db
from hub.identifiers import new_id
from hub.pagination import Page, clamp_limit, keyset, make_page
from hub.storable import clean_text

#: The chain of what nobody known did: the hub's own jobs, and refused strangers.
HUB_CHAIN = ""
_EXPORTED_AT_A_TIME = 500

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
    chain: str
    sequence: int
    previous_hash: str
    hash: str
    seal: str


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events; what is empty or None does not filter.

    ``action`` is an action or its beginning ("instance."), ``user`` an e-mail address, by which only operators may ask.
    ``since`` is included, ``until`` is not. ``text`` is looked for in action, object, origin and details.
    """

    action: str = ""
    user: str = ""
    resource: str = ""
    success: bool | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    text: str = ""


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
    actor: Actor, wanted: EventFilter = EventFilter(), *, cursor: str | None = None, limit: int | None = None
) -> Page[EventRow]:
    """Events, newest first: a user's own, or for operators everybody's."""
    size = clamp_limit(limit)
    return make_page(_read(_select(actor, wanted), cursor, size), size, "created_at", "id")


def iterate_events(actor: Actor, wanted: EventFilter = EventFilter()) -> Iterator[EventRow]:
    """All events that ``list_events`` would page through; refused at once, not with the first row.

    They are read a part at a time, each in a context of its own: the reader may be slow, and outlive the request.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return _iterate(app, _select(actor, wanted))


def _iterate(app: Flask, statement: sa.Select[Any]) -> Iterator[EventRow]:
    cursor = None
    while True:
        with app.app_context():
            db.session.connection(execution_options=DEFERRED)
            rows = _read(statement, cursor, _EXPORTED_AT_A_TIME)
        page = make_page(rows, _EXPORTED_AT_A_TIME, "created_at", "id")
        yield from page.rows
        cursor = page.next_cursor
        if cursor is None:
            return


def _select(actor: Actor, wanted: EventFilter) -> sa.Select[Any]:
    if wanted.user and not actor.is_operator:
        raise NotAllowed(_("Only operators see other people's events."))
    statement = sa.select(AuditLog, _users.c.email).outerjoin(_users, _users.c.id == AuditLog.user_id)
    if not actor.is_operator:
        statement = statement.where(AuditLog.user_id == actor.user_id)
    if wanted.user:
        statement = statement.where(_users.c.email == wanted.user.strip().lower())
    if wanted.action:
        statement = statement.where(AuditLog.action.startswith(wanted.action.strip(), autoescape=True))
    if wanted.resource:
        statement = statement.where(AuditLog.resource == wanted.resource.strip())
    if wanted.success is not None:
        statement = statement.where(AuditLog.success.is_(wanted.success))
    if wanted.since:
        statement = statement.where(AuditLog.created_at >= wanted.since)
    if wanted.until:
        statement = statement.where(AuditLog.created_at < wanted.until)
    return statement.where(_holds(wanted.text.strip())) if wanted.text.strip() else statement


def _holds(text: str) -> sa.ColumnElement[bool]:
    columns = (AuditLog.action, AuditLog.resource, AuditLog.resource_id, AuditLog.ip_address, AuditLog.user_agent)
    # SQLite keeps JSON as Python writes it, with every other letter than ASCII escaped; PostgreSQL writes letters as they are.
    in_json = json.dumps(text, ensure_ascii=db.session.get_bind().dialect.name == "sqlite")[1:-1]
    details = sa.cast(AuditLog.details, sa.Text).icontains(in_json, autoescape=True)
    return sa.or_(details, *(column.icontains(text, autoescape=True) for column in columns))


def _read(statement: sa.Select[Any], cursor: str | None, size: int) -> list[EventRow]:
    order = [AuditLog.created_at, AuditLog.id]
    found = db.session.execute(keyset(statement, order, [dt.datetime, str], cursor=cursor, limit=size))
    return [_as_row(event, email) for event, email in found]


def _as_row(event: AuditLog, email: str | None) -> EventRow:
    names = [field.name for field in fields(EventRow) if field.name not in ("details", "user_email")]
    return EventRow(**{name: getattr(event, name) for name in names}, details=event.details or {}, user_email=email)
