"""Signing in: the password, and what stands in the way of guessing it."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.accounts import passwords, rate_limits
from hub.accounts.actors import Client
from hub.accounts.devices import is_known_device
from hub.accounts.models import User
from hub.accounts.second_factor import pending
from hub.accounts.sessions import open_session
from hub.accounts.users import normal_email
from hub.audit.services import record_event
from hub.crypto import digest_token
from hub.errors import Invalid, TooMany
from hub.extensions import db

#: Of a browser that was signed in to the account before; nothing else limits it.
ATTEMPTS_PER_DEVICE = 20
#: Of everybody else, in five minutes: from one address to one account, and to all accounts.
ATTEMPTS_PER_ADDRESS_AND_ACCOUNT = 10
ATTEMPTS_PER_ADDRESS = 30
#: Of everybody else, to one account from all addresses: the wait grows with the guessing.
ATTEMPTS_PER_ACCOUNT = ((30, dt.timedelta(minutes=15)), (100, dt.timedelta(days=1)))

#: Attempts by key in each window.
_Limits = list[tuple[dict[str, int], dt.timedelta]]


@dataclass(frozen=True, slots=True)
class SignInResult:
    """What a right password leads to: the ``token`` of a session, or the one of a sign-in ``pending`` its second factor."""

    token: str | None = None
    pending: str | None = None


def sign_in(email: str, password: str, *, client: Client, replaces: str | None = None) -> SignInResult:
    """A new session; only the digest of its token is stored. ``replaces`` is the browser's old token, which ends.

    Who has a second factor gets no session yet: ``second_factor.services.finish`` makes it.

    Attempts are counted and committed before the slow hash; in a flood most are turned away before either. Unknown address and
    wrong password cannot be told apart, by words or by time.
    """
    email = normal_email(email)
    known_device = is_known_device(email, client)
    passwords.require_room(stranger=not known_device)
    limits = _limits(email, client, known_device)
    _count(limits, email, client)
    known = sa.select(User.id, User.password, User.two_factor_enabled).where(User.email == email)
    found = db.session.execute(known).one_or_none()
    db.session.rollback()  # no transaction is held while hashing
    typed = "" if len(password) > passwords.MAX_LENGTH else password
    try:
        fits = passwords.check_password(typed, found.password if found else None, stranger=not known_device)
    except TooMany:  # too busy to look: that was no attempt
        _give_back(limits)
        db.session.commit()
        raise
    if not fits or found is None:
        record_event(client.as_actor(found.id if found else None), "user.login", "user", found and found.id, success=False)
        db.session.commit()
        raise Invalid(_("The e-mail address or the password is wrong."))
    _give_back(limits)
    if found.two_factor_enabled:
        return SignInResult(pending=pending.begin_sign_in(found.id, client))
    return SignInResult(token=open_session(found.id, client, replaces=replaces))


def _limits(email: str, client: Client, known_device: bool) -> _Limits:
    """What an attempt counts against, one after the other, so that a flood from one address makes no rows for made-up accounts.

    A known browser is counted for itself, so that nobody else uses up its attempts.
    """
    if known_device:
        return [({f"login:device:{digest_token(client.device or '')}": ATTEMPTS_PER_DEVICE}, rate_limits.WINDOW)]
    account = hashlib.sha256(email.encode()).hexdigest()
    address = rate_limits.address_block(client.ip_address)
    from_here: _Limits = [
        ({f"login:address:{address}": ATTEMPTS_PER_ADDRESS}, rate_limits.WINDOW),
        ({f"login:{address}:{account}": ATTEMPTS_PER_ADDRESS_AND_ACCOUNT}, rate_limits.WINDOW),
    ]
    everywhere: _Limits = [
        ({f"login:account:{number}:{account}": attempts}, window)
        for number, (attempts, window) in enumerate(ATTEMPTS_PER_ACCOUNT)
    ]
    return from_here + everywhere


def _count(limits: _Limits, email: str, client: Client) -> None:
    """Count an attempt. A refused one is recorded once in each window: a flood of them shall not flood the log."""
    try:
        for keys, window in limits:
            rate_limits.count_attempt(keys, window=window)
    except TooMany as error:
        if error.is_first:
            user_id = db.session.scalar(sa.select(User.id).where(User.email == email))
            record_event(client.as_actor(user_id), "user.login", "user", user_id, success=False, details={"reason": "throttled"})
            db.session.commit()
        raise


def _give_back(limits: _Limits) -> None:
    for keys, _window in limits:
        rate_limits.give_back(keys)
