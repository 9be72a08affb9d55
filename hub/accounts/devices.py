"""Browsers that a person has signed in with before: guessing strangers do not lock them out (docs/accounts.md).

The cookie of a known browser opens nothing. It only says that attempts come from somebody who was let in already, so that they
are counted apart from everybody else's.
"""

from __future__ import annotations

import datetime as dt
import secrets

import sqlalchemy as sa

from hub.accounts.actors import Client
from hub.accounts.models import KnownDevice, Session, User
from hub.accounts.notices import Notice, notify
from hub.columns import utc_now
from hub.crypto import digest_token
from hub.extensions import db

LIFETIME = dt.timedelta(days=180)
#: How many browsers of one person are known.
MOST = 20


def is_known_device(email: str, client: Client) -> bool:
    """Whether the account of this address was signed in to from the client's browser, since its password is what it is."""
    if not client.device:
        return False
    known = (
        sa.select(KnownDevice.id)
        .join(User, User.id == KnownDevice.user_id)
        .where(User.email == email, KnownDevice.token == digest_token(client.device))
        .where(KnownDevice.last_used_at > utc_now() - LIFETIME)
    )
    return db.session.scalar(known) is not None


def remember_device(user: User, client: Client) -> str:
    """Know the client's browser as ``user``'s from now on, in the present transaction: answers its new token.

    The token changes each time, for all who sign in with that browser, so that an old copy is worth nothing. Whoever has signed
    in elsewhere before is told of a new browser by mail.
    """
    token = secrets.token_urlsafe(32)
    renewed = (
        sa.update(KnownDevice)
        .where(KnownDevice.token == digest_token(client.device or ""))
        .values(token=digest_token(token))
        .returning(KnownDevice.user_id)
        .execution_options(synchronize_session=False)
    )
    own = sa.update(KnownDevice).where(KnownDevice.user_id == user.id, KnownDevice.token == digest_token(token))
    if user.id in db.session.scalars(renewed).all():
        db.session.execute(own.values(last_used_at=utc_now()).execution_options(synchronize_session=False))
        return token
    if db.session.scalar(sa.select(KnownDevice.id).where(KnownDevice.user_id == user.id).limit(1)):
        notify(user, Notice.NEW_DEVICE, client)
    db.session.add(KnownDevice(user_id=user.id, token=digest_token(token), last_used_at=utc_now()))
    _keep_newest(user.id)
    return token


def _keep_newest(user_id: str) -> None:
    db.session.flush()
    newest = (
        sa.select(KnownDevice.id)
        .where(KnownDevice.user_id == user_id)
        .order_by(KnownDevice.last_used_at.desc(), KnownDevice.id.desc())
        .limit(MOST)
    )
    db.session.execute(sa.delete(KnownDevice).where(KnownDevice.user_id == user_id, KnownDevice.id.not_in(newest)))


def remember_device_of(session_token: str, client: Client) -> str:
    """``remember_device`` for the person of a new session. Commits."""
    signed_in = sa.select(User).join(Session, Session.user_id == User.id).where(Session.token == digest_token(session_token))
    token = remember_device(db.session.scalars(signed_in).one(), client)
    db.session.commit()
    return token


def forget_devices(user_id: str) -> None:
    """Know none of a person's browsers any more, in the present transaction: their password is another one."""
    db.session.execute(sa.delete(KnownDevice).where(KnownDevice.user_id == user_id))


def drop_old_devices() -> None:
    """Forget browsers that were not seen for long."""
    db.session.execute(sa.delete(KnownDevice).where(KnownDevice.last_used_at < utc_now() - LIFETIME))
    db.session.commit()
