"""Signing in: the password, and what stands in the way of guessing it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.accounts import passwords, rate_limits
from hub.accounts.actors import Client
from hub.accounts.models import Session, User
from hub.accounts.second_factor import pending
from hub.accounts.sessions import open_session
from hub.accounts.users import normal_email
from hub.audit.services import record_event
from hub.crypto import digest_token
from hub.errors import Invalid
from hub.extensions import db

ATTEMPTS_PER_ACCOUNT = 10
ATTEMPTS_PER_ADDRESS = 30


@dataclass(frozen=True, slots=True)
class SignInResult:
    """What a right password leads to: the ``token`` of a session, or the one of a sign-in ``pending`` its second factor."""

    token: str | None = None
    pending: str | None = None


def sign_in(email: str, password: str, *, client: Client, replaces: str | None = None) -> SignInResult:
    """A new session; only the digest of its token is stored. ``replaces`` is the browser's old token, which ends.

    Who has a second factor gets no session yet: ``second_factor.services.finish`` makes it.

    Attempts are counted and committed before the slow hash. Unknown address and wrong password cannot be told apart, by
    words or by time.
    """
    email = normal_email(email)
    limits = _sign_in_limits(email, client)
    rate_limits.count_attempt(limits)
    found = db.session.execute(
        sa.select(User.id, User.password, User.two_factor_enabled).where(User.email == email)
    ).one_or_none()
    db.session.rollback()  # no transaction is held while hashing
    too_long = len(password) > passwords.MAX_LENGTH
    if not passwords.check_password("" if too_long else password, found.password if found else None) or found is None:
        record_event(client.as_actor(found.id if found else None), "user.login", "user", found and found.id, success=False)
        db.session.commit()
        raise Invalid(_("The e-mail address or the password is wrong."))
    rate_limits.give_back(limits)
    if found.two_factor_enabled:
        return SignInResult(pending=pending.begin_sign_in(found.id, client))
    if replaces:
        db.session.execute(sa.delete(Session).where(Session.token == digest_token(replaces)))
    return SignInResult(token=open_session(found.id, client))


def _sign_in_limits(email: str, client: Client) -> dict[str, int]:
    return {
        f"login:email:{hashlib.sha256(email.encode()).hexdigest()}": ATTEMPTS_PER_ACCOUNT,
        f"login:address:{rate_limits.address_block(client.ip_address)}": ATTEMPTS_PER_ADDRESS,
    }
