"""Sessions: signed-in browsers and programs, by the digest of their token. Programs' own part is ``api_clients``."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hub.accounts.actors import Client, person_of
from hub.accounts.models import Plan, Session, SessionKind, User
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.crypto import digest_token
from hub.errors import NotFound
from hub.extensions import db

IDLE_LIFETIME = dt.timedelta(days=14)
ABSOLUTE_LIFETIME = dt.timedelta(days=30)
#: How often ``last_seen_at`` is written at most.
SEEN_EVERY = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The person behind a session, as every page needs them."""

    actor: Actor
    email: str
    name: str
    plan: Plan
    settings: dict[str, Any]
    email_verified: bool
    #: Whether signing in asks for a second factor.
    has_second_factor: bool


def open_session(user_id: str, client: Client, *, replaces: str | None = None) -> str:
    """A new session for somebody who has proven who they are; answers its token.

    ``replaces`` is the token that the browser had, whosever it was: that session ends.
    """
    if replaces:
        db.session.execute(sa.delete(Session).where(Session.token == digest_token(replaces), Session.kind == SessionKind.BROWSER))
    token = secrets.token_urlsafe(32)
    now = utc_now()
    session = Session(
        user_id=user_id,
        token=digest_token(token),
        # Browsers' sessions are not refreshed: this value is never given out.
        refresh_token=digest_token(secrets.token_urlsafe(32)),
        user_agent=(client.user_agent or "")[:400] or None,
        ip_address=client.ip_address,
        expires_at=now + ABSOLUTE_LIFETIME,
        last_seen_at=now,
        authenticated_at=now,
    )
    db.session.add(session)
    db.session.flush()
    record_event(client.as_actor(user_id, session_id=session.id), "user.login", "session", session.id)
    db.session.commit()
    return token


def load_actor(token: str, *, client: Client) -> SignedIn | None:
    """Who holds this session token; None when it is unknown, was idle for too long, or is over."""
    row = db.session.execute(
        sa.select(Session.id, Session.last_seen_at, User.id.label("user_id"), User.email, User.name, User.role, User.plan)
        .add_columns(User.settings, User.email_verified, User.two_factor_enabled)
        .join(User, User.id == Session.user_id)
        .where(Session.token == digest_token(token), Session.kind == SessionKind.BROWSER, *is_alive())
    ).one_or_none()
    if row is None:
        return None
    if row.last_seen_at is None or utc_now() - row.last_seen_at > SEEN_EVERY:
        db.session.execute(sa.update(Session).where(Session.id == row.id).values(last_seen_at=utc_now()))
        db.session.commit()
    actor = client.as_actor(row.user_id, role=row.role, session_id=row.id)
    return SignedIn(actor, row.email, row.name, row.plan, row.settings, row.email_verified, row.two_factor_enabled)


def is_alive() -> tuple[sa.ColumnElement[bool], ...]:
    """The conditions of a session that is neither over nor was idle for too long."""
    now = utc_now()
    seen = sa.func.coalesce(Session.last_seen_at, Session.created_at, type_=Session.created_at.type)
    return Session.expires_at > now, seen > now - IDLE_LIFETIME


def renew_session(actor: Actor) -> str:
    """A new token for the actor's present session, at every change of privilege; the old one ends. Does not commit."""
    token = secrets.token_urlsafe(32)
    own = sa.update(Session).where(Session.id == actor.session_id, Session.user_id == person_of(actor))
    values = {"token": digest_token(token), "authenticated_at": utc_now()}
    if not db.session.execute(own.values(**values).returning(Session.id)).all():
        raise NotFound
    return token


def end_sessions(actor: Actor, user_id: str, *, but: str | None = None) -> int:
    """End all sessions of a person, or all but the one with the id ``but``: after a change of the password, the second factor
    or the role. Answers how many; records each, and leaves the commit to the caller, whose change goes with it."""
    others = sa.delete(Session).where(Session.user_id == user_id, Session.id != (but or ""))
    ended = db.session.execute(others.returning(Session.id)).scalars().all()
    for session_id in ended:
        record_event(actor, "session.revoke", "session", session_id)
    return len(ended)


def sign_out(actor: Actor) -> None:
    """End the actor's own present session."""
    db.session.execute(sa.delete(Session).where(Session.id == actor.session_id, Session.user_id == person_of(actor)))
    record_event(actor, "user.logout", "session", actor.session_id)
    db.session.commit()


def drop_dead_sessions() -> None:
    """Forget sessions that nobody can use any more."""
    db.session.execute(sa.delete(Session).where(sa.not_(sa.and_(*is_alive()))))
    db.session.commit()
