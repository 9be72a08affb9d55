"""Programs that sign in as a person: a short access token, and a refresh token that is changed at each use.

A session is the family of its refresh tokens. Each is ``hubr_<session>_<secret>_<mark>``; the mark is a keyed hash, so that every
token that this hub ever gave out is known again without storing it. One that was used before and comes back was stolen, from the
person or by them (RFC 9700, 4.14.2): the session ends for both.

A program may lose the answer, or refresh twice at once. So the next tokens are made out of the one that was sent and a random
salt in the database: whoever sends the same one again within ``GRACE``, from the same place, gets the same answer again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.accounts import signing_in
from hub.accounts.actors import Client
from hub.accounts.hash_keys import find_hash_key, keyed_digest, newest_hash_key
from hub.accounts.models import HashKey, Session, SessionKind, User
from hub.accounts.notices import Notice, notify
from hub.accounts.second_factor.pending import Expired
from hub.accounts.second_factor.proofs import CodeProof
from hub.accounts.second_factor.services import finish, has_app, is_required
from hub.accounts.sessions import SEEN_EVERY, is_alive, load_actor, sign_out
from hub.accounts.token_texts import encode_base62, has_checksum, random_secret, secret_text, with_checksum
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.crypto import digest_token, same_text
from hub.errors import Invalid, NotAllowed, Unauthenticated
from hub.extensions import db

ACCESS_LIFETIME = dt.timedelta(minutes=15)
#: How long a refresh token that was just used may be sent again by who used it.
GRACE = dt.timedelta(seconds=10)
ACCESS_PREFIX = "huba_"
_ACCESS = re.compile(r"huba_[0-9A-Za-z]{49}")
_REFRESH = re.compile(r"hubr_([0-9a-z]{1,32})_[0-9A-Za-z]{43}_([0-9A-Za-z]{22})")


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a program gets when it signs in and at each refresh. ``refresh_expires_at`` is the end that no refresh moves."""

    access_token: str
    refresh_token: str
    session_id: str
    access_expires_at: dt.datetime
    refresh_expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """A sign-in whose password was right and that waits for a code; without ``has_app`` only for a recovery code."""

    token: str
    has_app: bool


def log_in(email: str, password: str, *, code: str | None = None, client: Client) -> Tokens | PendingLogin:
    """Sign in as a page would, with the same limits. ``Unauthenticated`` where address or password are wrong.

    Who has a second factor gets tokens only with a ``code`` of it; without one the sign-in waits for ``finish_log_in``.
    ``NotAllowed`` for who must have a second factor and has none: it is set up in a browser.
    """
    try:
        result = signing_in.sign_in(email, password, client=client)
    except Invalid as error:
        raise Unauthenticated(error.message) from error
    if result.pending is None:
        return _admit(str(result.token), client)
    if code:
        return finish_log_in(result.pending, code, client=client)
    return PendingLogin(result.pending, has_app(result.pending))


def finish_log_in(pending_token: str, code: str, *, client: Client) -> Tokens:
    """Complete a sign-in with a code of the second factor. ``Unauthenticated`` where nothing waits, ``Invalid`` if wrong."""
    try:
        token = finish(pending_token, CodeProof(code), client)
    except Expired as error:
        raise Unauthenticated(error.message) from error
    return become_program(token)


def _admit(token: str, client: Client) -> Tokens:
    """A program's tokens for a session that the password alone opened; ``NotAllowed`` where that is not enough."""
    signed_in = load_actor(token, client=client)
    if signed_in and is_required(signed_in.actor.role, signed_in.plan):
        sign_out(signed_in.actor)
        raise _without_factor()
    return become_program(token)


def become_program(token: str) -> Tokens:
    """Make the new session with this token a program's, which refreshes it."""
    _key_id, key = newest_hash_key()
    row = db.session.execute(sa.select(Session).where(Session.token == digest_token(token))).scalar_one()
    row.kind = SessionKind.API
    answer = _give_tokens(row, random_secret(), key)
    db.session.commit()
    return answer


def refresh(refresh_token: str, *, client: Client) -> Tokens:
    """New tokens for a refresh token, which that uses up. ``Unauthenticated`` where it is wrong, over or was used before."""
    key = _find_marking_key(refresh_token)
    row = _lock_session(refresh_token) if key else None
    if key is None or row is None:
        db.session.rollback()
        raise Unauthenticated(_("The refresh token is unknown or over. Sign in again."))
    digest = digest_token(refresh_token)
    if same_text(digest, row.refresh_token):
        row.ip_address, row.user_agent = client.ip_address, (client.user_agent or "")[:400] or None
        answer = _give_tokens(row, refresh_token, key)
        db.session.commit()
        return answer
    if _is_sent_again(row, digest, client):
        answer = _derive_tokens(row, refresh_token, key)
        db.session.rollback()
        return answer
    _end_family(row, client)
    raise Unauthenticated(
        _("This refresh token was used before, so somebody else may have it. The session was ended: sign in again.")
    )


def log_out(refresh_token: str, *, client: Client) -> None:
    """End the session of a refresh token, be it the present one or an earlier one. What is unknown is ended already."""
    row = _lock_session(refresh_token) if _find_marking_key(refresh_token) else None
    if row is not None:
        record_event(client.as_actor(row.user_id, session_id=row.id), "user.logout", "session", row.id)
        db.session.delete(row)
    db.session.commit()


def authenticate_access_token(text: str, *, client: Client) -> Actor:
    """The person whose program sent this access token; ``Unauthenticated`` when it is wrong or over.

    ``NotAllowed`` for who must have a second factor by now and has none.
    """
    if not _ACCESS.fullmatch(text) or not has_checksum(text):
        raise Unauthenticated(_("This is no access token: it was not copied whole."))
    now = utc_now()
    row = db.session.execute(
        sa.select(Session.id, Session.last_seen_at, User.id.label("user_id"), User.role, User.plan, User.two_factor_enabled)
        .join(User, User.id == Session.user_id)
        .where(Session.token == digest_token(text), Session.kind == SessionKind.API, Session.access_expires_at > now, *is_alive())
    ).one_or_none()
    if row is None:
        raise Unauthenticated(_("The access token is unknown or over. Refresh it, or sign in again."))
    if not row.two_factor_enabled and is_required(row.role, row.plan):
        raise _without_factor()
    if row.last_seen_at is None or now - row.last_seen_at > SEEN_EVERY:
        db.session.execute(sa.update(Session).where(Session.id == row.id).values(last_seen_at=now))
        db.session.commit()
    return client.as_actor(row.user_id, role=row.role, session_id=row.id)


def _without_factor() -> NotAllowed:
    return NotAllowed(_("Set up a second factor in the browser first."))


def _give_tokens(row: Session, origin: str, key: bytes) -> Tokens:
    """The next tokens of a session, made out of ``origin``: the refresh token that was sent, or at first a random text."""
    now = utc_now()
    row.refresh_salt = secrets.token_hex(32)
    row.refreshed_at = row.last_seen_at = now
    row.access_expires_at = min(now + ACCESS_LIFETIME, row.expires_at)
    row.previous_refresh_token = digest_token(origin)
    answer = _derive_tokens(row, origin, key)
    row.token, row.refresh_token = digest_token(answer.access_token), digest_token(answer.refresh_token)
    return answer


def _derive_tokens(row: Session, origin: str, key: bytes) -> Tokens:
    """The tokens that belong to the row's salt. Nobody makes them without ``origin``, of which the database has a digest only."""

    def derive(purpose: str) -> str:
        return secret_text(hmac.digest(bytes.fromhex(row.refresh_salt or ""), f"{purpose}:{origin}".encode(), hashlib.sha256))

    unmarked = f"hubr_{row.id}_{derive('refresh')}"
    return Tokens(
        access_token=with_checksum(f"{ACCESS_PREFIX}{derive('access')}"),
        refresh_token=f"{unmarked}_{_mark(unmarked, key)}",
        session_id=row.id,
        access_expires_at=row.access_expires_at or row.expires_at,
        refresh_expires_at=row.expires_at,
    )


def _mark(unmarked: str, key: bytes) -> str:
    """128 bits of a keyed hash."""
    return encode_base62(int(keyed_digest(unmarked, key, purpose="hub.refresh-tokens")[:32], 16), 22)


def _find_marking_key(refresh_token: str) -> bytes | None:
    """The hash key with which this hub made the token; None where it did not make it."""
    found = _REFRESH.fullmatch(refresh_token)
    if found is None:
        return None
    unmarked = refresh_token.rpartition("_")[0]
    for key_id in db.session.scalars(sa.select(HashKey.id).order_by(HashKey.created_at.desc())).all():
        key = find_hash_key(key_id)
        if key is not None and same_text(_mark(unmarked, key), found[2]):
            return key
    return None


def _lock_session(refresh_token: str) -> Session | None:
    """The living session that the token names, locked until the transaction ends."""
    named = Session.id == refresh_token.split("_")[1]
    own = sa.select(Session).where(named, Session.kind == SessionKind.API, *is_alive()).with_for_update()
    return db.session.execute(own, execution_options={"populate_existing": True}).scalar_one_or_none()


def _is_sent_again(row: Session, digest: str, client: Client) -> bool:
    """Whether this is the token that was used a moment ago, from where it was used."""
    same_place = (row.ip_address, row.user_agent) == (client.ip_address, (client.user_agent or "")[:400] or None)
    moment_ago = row.refreshed_at is not None and utc_now() - row.refreshed_at <= GRACE
    return same_place and moment_ago and same_text(digest, row.previous_refresh_token or "")


def _end_family(row: Session, client: Client) -> None:
    """A refresh token came twice: nobody knows which of the two was the thief."""
    actor = client.as_actor(row.user_id, session_id=row.id)
    record_event(actor, "session.reuse", "session", row.id, success=False, details={"ended": True})
    notify(db.session.get_one(User, row.user_id), Notice.TOKEN_REUSED, client)
    db.session.delete(row)
    db.session.commit()
