"""Whose an e-mail address is: registering with a mail, and confirming the address of an account or a new one.

What a visitor is answered never depends on whether an address has an account: the request stores what was typed and queues a
job, and the job, which looks, writes one mail or another.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from hub.accounts import mailings, passwords, rate_limits
from hub.accounts.actors import Client, person_of
from hub.accounts.devices import is_known_device
from hub.accounts.models import Registration, User
from hub.accounts.notices import Notice, language_of, notify
from hub.accounts.plans import new_plan
from hub.accounts.sessions import end_sessions, renew_session
from hub.accounts.step_up import require_recent
from hub.accounts.users import REGISTRATIONS_PER_ADDRESS, check_email, check_new_user, normal_email, user_registered
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.crypto import digest_token
from hub.errors import Invalid, NotAllowed, NotFound
from hub.extensions import db
from hub.i18n import current_language
from hub.jobs.services import enqueue

REGISTRATION_JOB = "accounts.mail_registration"
CONFIRMATION_JOB = "accounts.mail_confirmation"

LIFETIME = dt.timedelta(hours=24)
HOUR = dt.timedelta(hours=1)
#: Mails that one recipient gets in an hour because somebody asked for them: from one address, and from all.
MAILS_PER_ADDRESS = 5
MAILS_PER_HOUR = 20
#: New addresses that one person names in an hour: nobody makes the hub write to the whole world.
CHANGES_PER_HOUR = 5
#: Wrong passwords that may be typed to one link in five minutes.
ATTEMPTS_PER_LINK = 5


def begin_registration(email: str, password: str, name: str, *, client: Client) -> None:
    """Keep what a visitor typed and queue the mail. ``Invalid`` names each wrong field; it never says who has an account."""
    email, name = normal_email(email), name.strip()
    check_new_user(email, password, name)
    address = rate_limits.address_block(client.ip_address)
    rate_limits.count_attempt({f"register:{address}": REGISTRATIONS_PER_ADDRESS})
    limit_mails(email, client)
    hashed = passwords.hash_password(password, stranger=True)
    registration = Registration(
        email=email, name=name, password=hashed, language=current_language(), expires_at=utc_now() + LIFETIME
    )
    db.session.add(registration)
    db.session.flush()
    enqueue(REGISTRATION_JOB, registration_id=registration.id)
    record_event(client.as_actor(None), "registration.begin", "registration", registration.id)
    db.session.commit()


def limit_mails(recipient: str, client: Client) -> None:
    """Count a mail that somebody asked for; ``TooMany`` when the recipient would get too many. Commits.

    A browser in which the recipient has signed in before is counted for itself: strangers who ask again and again keep no owner
    from the mail that they need. One address uses up a quarter of what all others may ask for, and no more.
    """
    digest = hashlib.sha256(recipient.encode()).hexdigest()
    if is_known_device(recipient, client):
        rate_limits.count_attempt({f"mail:device:{digest_token(client.device or '')}": MAILS_PER_ADDRESS}, window=HOUR)
        return
    rate_limits.count_attempt({f"mail:{rate_limits.address_block(client.ip_address)}:{digest}": MAILS_PER_ADDRESS}, window=HOUR)
    rate_limits.count_attempt({f"mail:{digest}": MAILS_PER_HOUR}, window=HOUR)


def mail_registration(registration_id: str) -> None:
    """Write to whoever registered: the link, or that the address has an account. Run again it writes again, with a new link."""
    registration = db.session.get(Registration, registration_id)
    if registration is None:
        return
    if db.session.scalar(sa.select(User.id).where(User.email == registration.email)):
        mailings.mail_already_registered(registration.email, registration.language)
        db.session.delete(registration)
    else:
        token = secrets.token_urlsafe(32)
        registration.token = digest_token(token)
        mailings.mail_registration(registration.email, token, registration.language)
    db.session.commit()


def find_registration(token: str) -> Registration | None:
    """The registration that a link stands for; None when it is unknown, used or over."""
    alive = Registration.token == digest_token(token), Registration.expires_at > utc_now()
    return db.session.scalar(sa.select(Registration).where(*alive))


def finish_registration(token: str, password: str, *, client: Client) -> User:
    """Make the account: the link shows whose the address is, the password that it is the same person who registered.

    Without the password somebody could register with another's address and have its owner confirm an account that is not theirs.
    """
    registration = find_registration(token)
    if registration is None:
        raise NotFound(_("This link is over or was used. Sign in, or register again."))
    rate_limits.count_attempt({f"registration:{registration.id}": ATTEMPTS_PER_LINK})
    row = {name: getattr(registration, name) for name in ("id", "email", "name", "password", "language")}
    db.session.rollback()  # no transaction is held while hashing
    typed = "" if len(password) > passwords.MAX_LENGTH else password
    if not passwords.check_password(typed, row["password"], stranger=True):
        record_event(client.as_actor(None), "user.register", "registration", row["id"], success=False)
        db.session.commit()
        raise Invalid(fields={"password": _("This is not the password that you chose when you registered.")})
    user = User(email=row["email"], name=row["name"], password=row["password"], plan=new_plan(), email_verified=True)
    user.settings = {"language": row["language"]}
    db.session.execute(sa.delete(Registration).where(Registration.email == user.email))
    db.session.add(user)
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise NotFound(_("This link is over or was used. Sign in, or register again.")) from error
    record_event(client.as_actor(user.id), "user.register", "user", user.id)
    db.session.commit()
    user_registered.send(user)
    return user


def require_verified(actor: Actor) -> None:
    """``NotAllowed`` unless the person's address was confirmed: what sends something to others asks for it."""
    if not db.session.scalar(sa.select(User.email_verified).where(User.id == actor.user_id)):
        raise NotAllowed(_("Confirm your e-mail address first: the link is in the mail that we sent."))


def ask_to_confirm(actor: Actor) -> None:
    """Queue a mail to the actor's address that confirms it, or again the one to their new address; an earlier link ends."""
    user = _load(actor)
    if user.email_verified and user.new_email is None:
        return
    limit_mails(user.new_email or user.email, _client_of(actor))
    enqueue(CONFIRMATION_JOB, user_id=user.id, language=current_language())
    record_event(actor, "user.email_confirmation", "user", user.id)
    db.session.commit()


def ask_to_change_email(actor: Actor, email: str) -> None:
    """Note a new address and queue the mail that confirms it; the old one stays until then, and is told.

    ``NeedsReauthentication`` unless the person showed lately who they are. Whether the address has an account is not said.
    """
    require_recent(actor)
    email = normal_email(email)
    check_email(email)
    user = _load(actor)
    if email == user.email:
        raise Invalid(fields={"email": _("This is your address already.")})
    rate_limits.count_attempt({f"email.change:{user.id}": CHANGES_PER_HOUR}, window=HOUR)
    limit_mails(email, _client_of(actor))
    user = _load(actor)
    user.new_email, user.verify_token, user.verify_token_exp = email, None, None
    enqueue(CONFIRMATION_JOB, user_id=user.id, language=current_language())
    notify(user, Notice.EMAIL_CHANGE_ASKED, _client_of(actor), email=email)
    record_event(actor, "user.email_change", "user", user.id, details={"asked": True})
    db.session.commit()


def forget_new_email(actor: Actor) -> None:
    """Keep the present address after all."""
    user = _load(actor)
    user.new_email = user.verify_token = user.verify_token_exp = None
    record_event(actor, "user.email_change", "user", user.id, details={"withdrawn": True})
    db.session.commit()


def pending_email(actor: Actor) -> str | None:
    """The new address that waits to be confirmed."""
    return _load(actor).new_email


def mail_confirmation(user_id: str, language: str) -> None:
    """Write the link to the address that has to be confirmed, or that it has an account already."""
    user = db.session.get(User, user_id)
    if user is None or (user.email_verified and user.new_email is None):
        return
    if user.new_email and db.session.scalar(sa.select(User.id).where(User.email == user.new_email)):
        mailings.mail_address_taken(user.new_email, language_of(user, language))
    else:
        token = secrets.token_urlsafe(32)
        user.verify_token, user.verify_token_exp = digest_token(token), utc_now() + LIFETIME
        mailings.mail_confirmation(user.new_email or user.email, token, language_of(user, language))
    db.session.commit()


def find_confirmation(actor: Actor, token: str) -> str:
    """The address that a link of the actor's confirms; ``NotFound`` when it is unknown, used, over or another's.

    ``NeedsReauthentication`` where it is a new address and the person showed who they are too long ago.
    """
    user = db.session.scalar(sa.select(User).where(*_own_link(actor, token)))
    if user is None:
        raise NotFound(_("This link is over, was used, or belongs to another account. Ask for a new one under your account."))
    if user.new_email is not None:
        require_recent(actor)
    return user.new_email or user.email


def confirm_email(actor: Actor, token: str) -> str | None:
    """Take the link's address for the actor's. After a change all other sessions end; answers the new token of this one then.

    The actor has to be signed in: a link that went to a mistyped address gives nobody else the account.
    """
    email = find_confirmation(actor, token)
    user = _load(actor)
    changed = user.new_email is not None
    told = user.email if user.email_verified else None
    values = {"email": email, "email_verified": True, "new_email": None, "verify_token": None, "verify_token_exp": None}
    void = {"reset_token": None, "reset_token_exp": None} if changed else {}
    try:
        taken = db.session.execute(
            sa.update(User).where(*_own_link(actor, token)).values(**values, **void).returning(User.id)
        ).all()
    except IntegrityError as error:
        db.session.rollback()
        raise NotFound(_("This address has an account by now, so nothing was changed.")) from error
    if not taken:
        raise NotFound(_("This link is over or was used."))
    record_event(actor, "user.email_change" if changed else "user.email_verify", "user", user.id)
    session_token = None
    if changed:
        if told:
            notify(user, Notice.EMAIL_CHANGED, _client_of(actor), to=told, email=email)
        end_sessions(actor, user.id, but=actor.session_id)
        session_token = renew_session(actor)
    db.session.commit()
    return session_token


def drop_old_registrations() -> None:
    """Forget registrations that were never confirmed."""
    db.session.execute(sa.delete(Registration).where(Registration.expires_at < utc_now()))
    db.session.commit()


def _own_link(actor: Actor, token: str) -> tuple[sa.ColumnElement[bool], ...]:
    return User.id == person_of(actor), User.verify_token == digest_token(token), User.verify_token_exp > utc_now()


def _load(actor: Actor) -> User:
    user = db.session.get(User, person_of(actor))
    if user is None:
        raise NotFound
    return user


def _client_of(actor: Actor) -> Client:
    return Client(ip_address=actor.ip_address, user_agent=actor.user_agent, via=actor.via)
