"""New passwords: changed by their owner, or set by a link that was mailed."""

from __future__ import annotations

import datetime as dt
import secrets

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.accounts import mailings, passwords, rate_limits
from hub.accounts.actors import Client, person_of
from hub.accounts.devices import forget_devices, remember_device
from hub.accounts.models import User
from hub.accounts.notices import Notice, language_of, notify
from hub.accounts.password_strength import password_problem
from hub.accounts.second_factor.pending import forget_pending
from hub.accounts.sessions import end_sessions, renew_session
from hub.accounts.step_up import require_recent
from hub.accounts.users import check_email, normal_email
from hub.accounts.verification import limit_mails
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.crypto import digest_token
from hub.errors import Invalid, NotFound
from hub.extensions import db
from hub.i18n import current_language
from hub.jobs.services import enqueue

RESET_JOB = "accounts.mail_reset"
RESET_LIFETIME = dt.timedelta(minutes=60)
#: Asked for, and tried, from one address in five minutes.
RESETS_PER_ADDRESS = 20


def change_password(actor: Actor, password: str) -> tuple[str, str]:
    """Give the actor another password: answers the new tokens of their session and of their browser. All other sessions end.

    ``NeedsReauthentication`` unless the person showed lately who they are; ``Invalid`` when it is too easy to guess.
    """
    require_recent(actor)
    user = _load(person_of(actor))
    _check_new_password(password, user)
    db.session.rollback()  # no transaction is held while hashing
    hashed = passwords.hash_password(password)
    user = _load(person_of(actor))
    client = Client(ip_address=actor.ip_address, user_agent=actor.user_agent, via=actor.via)
    _store_password(user, hashed, client, actor, keep_session=actor.session_id)
    tokens = renew_session(actor), remember_device(user, client)
    record_event(actor, "user.password_change", "user", user.id)
    db.session.commit()
    return tokens


def replace_password(user_id: str, password: str, *, client: Client) -> None:
    """Give somebody another password on an operator's word. All their sessions end."""
    user = _load(user_id)
    _check_new_password(password, user)
    db.session.rollback()
    hashed = passwords.hash_password(password)
    user = _load(user_id)
    actor = client.as_actor(user.id)
    _store_password(user, hashed, client, actor)
    record_event(actor, "user.password_change", "user", user.id, details={"by": "operator"})
    db.session.commit()


def ask_for_reset(email: str, *, client: Client) -> None:
    """Queue the mail with a link. Only the job looks whether the address has an account, so that the work here is the same."""
    email = normal_email(email)
    check_email(email)
    rate_limits.count_attempt({f"reset:{rate_limits.address_block(client.ip_address)}": RESETS_PER_ADDRESS})
    limit_mails(email, client)
    enqueue(RESET_JOB, email=email, language=current_language(), ip_address=client.ip_address)
    db.session.commit()


def mail_reset(email: str, language: str, ip_address: str | None) -> None:
    """Make a link and mail it; an earlier one is void. For an unknown address nothing happens."""
    user = db.session.scalar(sa.select(User).where(User.email == email))
    actor = Client(ip_address=ip_address).as_actor(user.id if user else None)
    if user is not None:
        token = secrets.token_urlsafe(32)
        user.reset_token, user.reset_token_exp = digest_token(token), utc_now() + RESET_LIFETIME
        mailings.mail_reset(user.email, token, language_of(user, language))
    record_event(actor, "user.password_reset_ask", "user", user.id if user else None, success=user is not None)
    db.session.commit()


def find_reset(token: str) -> str | None:
    """The address whose password a link sets; None when it is unknown, used or over."""
    return db.session.scalar(sa.select(User.email).where(*_link(token)))


def reset_password(token: str, password: str, *, client: Client) -> str:
    """Set a new password by a mailed link, once: answers the new token of the browser. Nobody is signed in by it.

    All sessions end, and a second factor is asked for as always. The link shows whose the address is, so the address counts as
    confirmed and the browser as known: whoever was locked out by guessing strangers can sign in at once.
    ``NotFound`` when the link is over; ``Invalid`` when the password is too easy to guess.
    """
    rate_limits.count_attempt({f"reset.use:{rate_limits.address_block(client.ip_address)}": RESETS_PER_ADDRESS})
    user = db.session.scalar(sa.select(User).where(*_link(token)))
    if user is None:
        raise _over()
    _check_new_password(password, user)
    db.session.rollback()
    hashed = passwords.hash_password(password)  # the link shows that it is no stranger, whom a flood would keep out
    used = sa.update(User).where(*_link(token)).values(reset_token=None, reset_token_exp=None, email_verified=True)
    user_id = db.session.scalar(used.returning(User.id))
    if user_id is None:  # somebody else used it meanwhile
        raise _over()
    user = db.session.get_one(User, user_id, populate_existing=True)
    actor = client.as_actor(user.id)
    _store_password(user, hashed, client, actor)
    device = remember_device(user, client)
    record_event(actor, "user.password_reset", "user", user.id)
    db.session.commit()
    return device


def _link(token: str) -> tuple[sa.ColumnElement[bool], ...]:
    return User.reset_token == digest_token(token), User.reset_token_exp > utc_now()


def _over() -> NotFound:
    return NotFound(_("This link is over or was used. Ask for a new one."))


def _store_password(user: User, hashed: str, client: Client, actor: Actor, *, keep_session: str | None = None) -> None:
    """What every new password brings with it, in the present transaction."""
    user.password = hashed
    user.reset_token = user.reset_token_exp = None
    forget_devices(user.id)
    forget_pending(user.id)
    end_sessions(actor, user.id, but=keep_session)
    notify(user, Notice.PASSWORD_CHANGED, client)


def _check_new_password(password: str, user: User) -> None:
    if problem := password_problem(password, (user.email, user.name)):
        raise Invalid(fields={"password": problem})


def _load(user_id: str) -> User:
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound
    return user
