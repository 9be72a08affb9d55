"""Where a person is signed in, and the end of any of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from hub.accounts.actors import person_of
from hub.accounts.browsers import describe_browser
from hub.accounts.models import Session, SessionKind
from hub.accounts.places import describe_place
from hub.accounts.sessions import end_sessions, is_alive
from hub.accounts.step_up import require_recent
from hub.audit.services import record_event
from hub.contracts.actor import Actor
from hub.errors import NotFound
from hub.extensions import db


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A signed-in browser or program as its owner sees it. ``place`` is where it is, in words, seen from the present one."""

    id: str
    user_agent: str | None
    ip_address: str | None
    created_at: dt.datetime
    last_seen_at: dt.datetime
    expires_at: dt.datetime
    is_current: bool
    kind: SessionKind
    device: str
    place: str


def list_sessions(actor: Actor) -> list[SessionRow]:
    """The actor's living sessions, most recently seen first."""
    rows = db.session.execute(sa.select(Session).where(Session.user_id == person_of(actor), *is_alive())).scalars()
    sessions = [
        SessionRow(
            row.id,
            row.user_agent,
            row.ip_address,
            row.created_at,
            row.last_seen_at or row.created_at,
            row.expires_at,
            row.id == actor.session_id,
            row.kind,
            describe_browser(row.user_agent),
            describe_place(row.ip_address, actor.ip_address),
        )
        for row in rows
    ]
    return sorted(sessions, key=lambda row: (row.is_current, row.last_seen_at), reverse=True)


def revoke_session(actor: Actor, session_id: str) -> None:
    """End one of the actor's sessions."""
    require_recent(actor)
    owned = sa.delete(Session).where(Session.id == session_id, Session.user_id == person_of(actor))
    if not db.session.execute(owned.returning(Session.id)).all():
        raise NotFound
    record_event(actor, "session.revoke", "session", session_id)
    db.session.commit()


def revoke_other_sessions(actor: Actor) -> int:
    """End all of the actor's sessions but the present one; answers how many."""
    require_recent(actor)
    ended = end_sessions(actor, person_of(actor), but=actor.session_id)
    if ended:
        db.session.commit()
    else:
        db.session.rollback()
    return ended
