"""People: making an account, and what they chose for themselves."""

from __future__ import annotations

import re

import sqlalchemy as sa
from blinker import Signal
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from hub.accounts import passwords, rate_limits
from hub.accounts.actors import Client
from hub.accounts.models import User
from hub.audit.services import record_event
from hub.contracts.actor import Actor, Role
from hub.errors import Invalid, NotFound
from hub.extensions import db
from hub.i18n import LANGUAGES
from hub.preferences import THEMES

REGISTRATIONS_PER_ADDRESS = 30

_PASSWORD_LENGTH = {"minimum": passwords.MIN_LENGTH, "maximum": passwords.MAX_LENGTH}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")

#: Sent with the new ``User`` after a registration was committed; rooms above this one prepare the account.
user_registered = Signal("Somebody registered.")


def register_user(email: str, password: str, name: str, *, client: Client, role: Role = Role.USER) -> User:
    """Make an account. ``Invalid`` names each wrong field; ``TooMany`` when one address registers without end."""
    email, name = normal_email(email), name.strip()
    _check_new_user(email, password, name)
    rate_limits.count_attempt({f"register:{rate_limits.address_block(client.ip_address)}": REGISTRATIONS_PER_ADDRESS})
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
    user = db.session.get(User, actor.user_id)
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


def has_user(email: str) -> bool:
    """Whether somebody has this address. For the hub's own use: an answer to a visitor would tell who has an account."""
    return db.session.scalar(sa.select(User.id).where(User.email == email)) is not None
