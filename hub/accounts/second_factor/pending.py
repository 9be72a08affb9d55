"""What waits for its second half: a sign-in for its factor, a ceremony with a passkey for its answer. Ten minutes, used once."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.accounts.actors import Client
from hub.accounts.second_factor.models import PendingSignIn, Purpose
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.crypto import digest_token
from hub.errors import Invalid
from hub.extensions import db

LIFETIME = dt.timedelta(minutes=10)


class Expired(Invalid):
    """What was begun is over: too old, finished already, or begun for something else."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The first half. ``user_id`` is None while nobody is known; ``challenge`` is base64url."""

    user_id: str | None
    challenge: str | None


def begin_sign_in(user_id: str, client: Client) -> str:
    """The token of a sign-in whose password was right and that waits for the second factor."""
    record_event(client.as_actor(user_id), "second_factor.ask", "user", user_id)
    return begin(Purpose.SECOND_FACTOR, client, user_id=user_id)


def begin(
    purpose: Purpose, client: Client, *, user_id: str | None = None, challenge: str | None = None, browser: str = ""
) -> str:
    """The token of something new that waits; only its digest is stored. ``browser`` is a secret of the one that begins."""
    token = secrets.token_urlsafe(32)
    db.session.add(
        PendingSignIn(
            user_id=user_id,
            purpose=purpose,
            token=_digest(token, browser),
            challenge=challenge,
            expires_at=utc_now() + LIFETIME,
            ip_address=client.ip_address,
            user_agent=(client.user_agent or "")[:400] or None,
        )
    )
    db.session.commit()
    return token


def find_sign_in(token: str | None) -> str:
    """Who waits for the second factor with this token; ``Expired`` when nobody does."""
    user_id = db.session.scalar(sa.select(PendingSignIn.user_id).where(*_alive(token, Purpose.SECOND_FACTOR)))
    if user_id is None:
        raise _expired()
    return user_id


def set_challenge(token: str, challenge: str) -> None:
    """Give a waiting sign-in the challenge for a passkey; an earlier one counts no more."""
    waiting = sa.update(PendingSignIn).where(*_alive(token, Purpose.SECOND_FACTOR)).values(challenge=challenge)
    if not db.session.execute(waiting.returning(PendingSignIn.id)).all():
        raise _expired()
    db.session.commit()


def take_challenge(token: str) -> str:
    """The challenge of a waiting sign-in, which is used up by asking: a second answer to it is refused."""
    alive = sa.and_(*_alive(token, Purpose.SECOND_FACTOR))
    challenge = db.session.scalar(sa.select(PendingSignIn.challenge).where(alive))
    taken = sa.update(PendingSignIn).where(alive, PendingSignIn.challenge == challenge).values(challenge=None)
    if challenge is None or not db.session.execute(taken.returning(PendingSignIn.id)).all():
        raise _expired()
    db.session.commit()
    return challenge


def take(token: str, purpose: Purpose, *, user_id: str | None = None, browser: str = "") -> Waiting:
    """End what waits, in the present transaction, and answer it; of several at once one gets it.

    ``user_id`` is whose it must be, where somebody is signed in already; ``browser`` the secret with which it was begun.
    """
    owned = [PendingSignIn.user_id == user_id] if user_id else []
    taken = sa.delete(PendingSignIn).where(*_alive(token, purpose, browser), *owned)
    row = db.session.execute(taken.returning(PendingSignIn.user_id, PendingSignIn.challenge)).one_or_none()
    if row is None:
        raise _expired()
    return Waiting(row.user_id, row.challenge)


def forget_pending(user_id: str) -> None:
    """End all that waits for a person, in the present transaction: their password or factors have changed."""
    db.session.execute(sa.delete(PendingSignIn).where(PendingSignIn.user_id == user_id))


def drop_expired() -> None:
    """Forget what nobody finished."""
    db.session.execute(sa.delete(PendingSignIn).where(PendingSignIn.expires_at <= utc_now()))
    db.session.commit()


def _digest(token: str, browser: str) -> str:
    return digest_token(f"{token}:{browser}" if browser else token)


def _alive(token: str | None, purpose: Purpose, browser: str = "") -> tuple[sa.ColumnElement[bool], ...]:
    return (
        PendingSignIn.token == _digest(token or "", browser),
        PendingSignIn.purpose == purpose,
        PendingSignIn.expires_at > utc_now(),
    )


def _expired() -> Expired:
    db.session.rollback()
    return Expired(_("That took too long, or was done already. Begin again."))
