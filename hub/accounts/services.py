"""Users, sessions and API keys: who somebody is."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from blinker import Signal
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from hub.accounts import passwords, rate_limits
from hub.accounts.models import ApiKey, Plan, Session, User
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor, Role
from hub.crypto import digest_token
from hub.errors import Invalid, NotAllowed, NotFound, Unauthenticated
from hub.extensions import db
from hub.i18n import LANGUAGES
from hub.preferences import THEMES

IDLE_LIFETIME = dt.timedelta(days=14)
ABSOLUTE_LIFETIME = dt.timedelta(days=30)
#: How often ``last_seen_at`` and ``last_used_at`` are written at most.
SEEN_EVERY = dt.timedelta(minutes=5)
ATTEMPTS_PER_ACCOUNT = 10
ATTEMPTS_PER_ADDRESS = 30


_PASSWORD_LENGTH = {"minimum": passwords.MIN_LENGTH, "maximum": passwords.MAX_LENGTH}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_ALPHANUMERIC = string.ascii_letters + string.digits

#: Sent with the new ``User`` after a registration was committed; rooms above this one prepare the account.
user_registered = Signal("Somebody registered.")


#: What API keys may be allowed: all reading, all writing, or either in one area. A person in a browser may do all of it.
AREAS = (
    *("account", "instances", "workflows", "executions", "analyses", "repairs", "automation", "audit"),
    *("requests", "runs", "environments", "templates"),
)
PERMISSIONS = ("read", "write", *(f"{area}:{verb}" for area in AREAS for verb in ("read", "write")))


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from, before it is known whose it is."""

    ip_address: str | None = None
    user_agent: str | None = None
    via: str = "web"

    def as_actor(self, user_id: str | None, **more: Any) -> Actor:
        """An actor at this client."""
        return Actor(user_id=user_id, ip_address=self.ip_address, user_agent=self.user_agent, via=self.via, **more)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The person behind a session, as every page needs them."""

    actor: Actor
    email: str
    name: str
    plan: Plan
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A signed-in browser as its owner sees it."""

    id: str
    user_agent: str | None
    ip_address: str | None
    created_at: dt.datetime
    last_seen_at: dt.datetime
    expires_at: dt.datetime
    is_current: bool


# --- Users ---------------------------------------------------------------------------------------------------------


def register_user(email: str, password: str, name: str, *, client: Client, role: Role = Role.USER) -> User:
    """Make an account. ``Invalid`` names each wrong field; ``TooMany`` when one address registers without end."""
    email, name = normal_email(email), name.strip()
    _check_new_user(email, password, name)
    rate_limits.count_attempt({f"register:{rate_limits.address_block(client.ip_address)}": ATTEMPTS_PER_ADDRESS})
    user = User(email=email, password=passwords.hash_password(password), name=name, role=role, settings={})
    db.session.add(user)
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise Invalid(fields={"email": _("This e-mail address has an account already.")}) from error
    record_event(client.as_actor(user.id), "user.register", "user", user.id)
    db.session.commit()
    user_registered.send(user)
    return user


def normal_email(email: str) -> str:
    """The form in which e-mail addresses are stored and compared."""
    return email.strip().lower()


def _check_new_user(email: str, password: str, name: str) -> None:
    fields = {}
    if not _EMAIL.fullmatch(email) or len(email) > 254:
        fields["email"] = _("Enter an e-mail address.")
    if not 1 <= len(name) <= 200:
        fields["name"] = _("Enter a name of at most 200 characters.")
    if not passwords.MIN_LENGTH <= len(password) <= passwords.MAX_LENGTH:
        fields["password"] = _("Use at least %(minimum)s and at most %(maximum)s characters.", **_PASSWORD_LENGTH)
    if fields:
        raise Invalid(fields=fields)


def update_profile(actor: Actor, *, name: str, language: str, theme: str) -> User:
    """Change what a person chose for themselves."""
    user = db.session.get(User, _person(actor))
    if user is None:
        raise NotFound
    name = name.strip()
    if not 1 <= len(name) <= 200:
        raise Invalid(fields={"name": _("Enter a name of at most 200 characters.")})
    if language not in LANGUAGES or theme not in THEMES:
        raise Invalid(_("Choose one of the offered values."))
    user.name = name
    user.settings = {**user.settings, "language": language, "theme": theme}
    record_event(actor, "user.update", "user", user.id)
    db.session.commit()
    return user


def _person(actor: Actor) -> str:
    """The user id of a person who is there themselves: an API key manages neither sessions nor keys."""
    if actor.user_id is None or actor.permissions is not None:
        raise NotAllowed(_("Sign in to do this; an API key may not."))
    return actor.user_id


# --- Signing in ----------------------------------------------------------------------------------------------------


def has_user(email: str) -> bool:
    """Whether somebody has this address. For the hub's own use: an answer to a visitor would tell who has an account."""
    return db.session.scalar(sa.select(User.id).where(User.email == email)) is not None


def sign_in(email: str, password: str, *, client: Client, replaces: str | None = None) -> str:
    """The token of a new session; only its digest is stored. ``replaces`` is the browser's old token, which ends.

    Attempts are counted and committed before the slow hash. Unknown address and wrong password cannot be told apart, by
    words or by time.
    """
    email = normal_email(email)
    limits = _sign_in_limits(email, client)
    rate_limits.count_attempt(limits)
    found = db.session.execute(sa.select(User.id, User.password).where(User.email == email)).one_or_none()
    db.session.rollback()  # no transaction is held while hashing
    too_long = len(password) > passwords.MAX_LENGTH
    if not passwords.check_password("" if too_long else password, found.password if found else None) or found is None:
        record_event(client.as_actor(found.id if found else None), "user.login", "user", found and found.id, success=False)
        db.session.commit()
        raise Invalid(_("The e-mail address or the password is wrong."))
    rate_limits.give_back(limits)
    if replaces:
        db.session.execute(sa.delete(Session).where(Session.token == digest_token(replaces)))
    return open_session(found.id, client)


def _sign_in_limits(email: str, client: Client) -> dict[str, int]:
    return {
        f"login:email:{hashlib.sha256(email.encode()).hexdigest()}": ATTEMPTS_PER_ACCOUNT,
        f"login:address:{rate_limits.address_block(client.ip_address)}": ATTEMPTS_PER_ADDRESS,
    }


def open_session(user_id: str, client: Client) -> str:
    """A new session for somebody who has proven who they are; answers its token."""
    token = secrets.token_urlsafe(32)
    now = utc_now()
    session = Session(
        user_id=user_id,
        token=digest_token(token),
        # The seed's column. Sessions are not refreshed, so this value is never given out.
        refresh_token=digest_token(secrets.token_urlsafe(32)),
        user_agent=(client.user_agent or "")[:400] or None,
        ip_address=client.ip_address,
        expires_at=now + ABSOLUTE_LIFETIME,
        last_seen_at=now,
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
        .add_columns(User.settings)
        .join(User, User.id == Session.user_id)
        .where(Session.token == digest_token(token), *_alive())
    ).one_or_none()
    if row is None:
        return None
    if row.last_seen_at is None or utc_now() - row.last_seen_at > SEEN_EVERY:
        db.session.execute(sa.update(Session).where(Session.id == row.id).values(last_seen_at=utc_now()))
        db.session.commit()
    actor = client.as_actor(row.user_id, role=row.role, session_id=row.id)
    return SignedIn(actor, row.email, row.name, row.plan, row.settings)


def _alive() -> tuple[sa.ColumnElement[bool], ...]:
    now = utc_now()
    seen = sa.func.coalesce(Session.last_seen_at, Session.created_at, type_=Session.created_at.type)
    return Session.expires_at > now, seen > now - IDLE_LIFETIME


def sign_out(actor: Actor) -> None:
    """End the actor's own present session."""
    db.session.execute(sa.delete(Session).where(Session.id == actor.session_id, Session.user_id == _person(actor)))
    record_event(actor, "user.logout", "session", actor.session_id)
    db.session.commit()


def list_sessions(actor: Actor) -> list[SessionRow]:
    """The actor's living sessions, most recently seen first."""
    rows = db.session.execute(sa.select(Session).where(Session.user_id == _person(actor), *_alive())).scalars()
    sessions = [
        SessionRow(
            row.id,
            row.user_agent,
            row.ip_address,
            row.created_at,
            row.last_seen_at or row.created_at,
            row.expires_at,
            row.id == actor.session_id,
        )
        for row in rows
    ]
    return sorted(sessions, key=lambda row: (row.is_current, row.last_seen_at), reverse=True)


def revoke_session(actor: Actor, session_id: str) -> None:
    """End one of the actor's sessions."""
    owned = sa.delete(Session).where(Session.id == session_id, Session.user_id == _person(actor))
    if not db.session.execute(owned.returning(Session.id)).all():
        raise NotFound
    record_event(actor, "session.revoke", "session", session_id)
    db.session.commit()


def revoke_other_sessions(actor: Actor) -> int:
    """End all of the actor's sessions but the present one; answers how many."""
    others = sa.delete(Session).where(Session.user_id == _person(actor), Session.id != (actor.session_id or ""))
    ended = db.session.execute(others.returning(Session.id)).scalars().all()
    for session_id in ended:
        record_event(actor, "session.revoke", "session", session_id)
    db.session.commit()
    return len(ended)


def drop_dead_sessions() -> None:
    """Forget sessions that nobody can use any more."""
    db.session.execute(sa.delete(Session).where(sa.not_(sa.and_(*_alive()))))
    db.session.commit()


# --- API keys ------------------------------------------------------------------------------------------------------


def create_api_key(
    actor: Actor, name: str, permissions: Iterable[str], expires_at: dt.datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key and its text, ``hub_<8 public characters>_<43 random>``, which is never seen again."""
    user_id, name = _person(actor), name.strip()
    chosen = sorted(set(permissions))
    fields = {}
    if not 1 <= len(name) <= 200:
        fields["name"] = _("Enter a name of at most 200 characters.")
    if not chosen or not set(chosen) <= set(PERMISSIONS):
        fields["permissions"] = _("Choose what the key may do.")
    if expires_at is not None and expires_at <= utc_now():
        fields["expires_at"] = _("Choose a time to come.")
    if fields:
        raise Invalid(fields=fields)
    prefix = "hub_" + "".join(secrets.choice(_ALPHANUMERIC) for _position in range(8))
    secret = f"{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey(
        user_id=user_id, name=name, key=digest_token(secret), key_prefix=prefix, permissions=chosen, expires_at=expires_at
    )
    db.session.add(key)
    db.session.flush()
    record_event(actor, "api_key.create", "api_key", key.id, details={"name": name, "permissions": chosen})
    db.session.commit()
    return key, secret


def authenticate_api_key(text: str, *, client: Client | None = None) -> Actor:
    """The actor of an API key; ``Unauthenticated`` when it is unknown, revoked or over."""
    now = utc_now()
    row = db.session.execute(
        sa.select(ApiKey.id, ApiKey.permissions, ApiKey.last_used_at, User.id.label("user_id"), User.role)
        .join(User, User.id == ApiKey.user_id)
        .where(ApiKey.key == digest_token(text), ApiKey.is_revoked.is_(False))
        .where(sa.or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now))
    ).one_or_none()
    if row is None:
        raise Unauthenticated(_("The API key is unknown, revoked or expired."))
    if row.last_used_at is None or now - row.last_used_at > SEEN_EVERY:
        db.session.execute(sa.update(ApiKey).where(ApiKey.id == row.id).values(last_used_at=now))
        db.session.commit()
    client = client or Client()
    return Actor(
        user_id=row.user_id,
        role=row.role,
        via="api",
        ip_address=client.ip_address,
        user_agent=client.user_agent,
        permissions=frozenset(row.permissions),
    )


def list_api_keys(actor: Actor) -> Sequence[ApiKey]:
    """The actor's keys that are not revoked, newest first."""
    own = sa.select(ApiKey).where(ApiKey.user_id == _person(actor), ApiKey.is_revoked.is_(False))
    return db.session.execute(own.order_by(ApiKey.created_at.desc(), ApiKey.id.desc())).scalars().all()


def revoke_api_key(actor: Actor, key_id: str) -> None:
    """Make one of the actor's keys useless at once."""
    owned = sa.update(ApiKey).where(ApiKey.id == key_id, ApiKey.user_id == _person(actor), ApiKey.is_revoked.is_(False))
    if not db.session.execute(owned.values(is_revoked=True).returning(ApiKey.id)).all():
        raise NotFound
    record_event(actor, "api_key.revoke", "api_key", key_id)
    db.session.commit()
