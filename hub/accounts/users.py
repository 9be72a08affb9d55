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
from hub.accounts.password_strength import password_problem
from hub.accounts.plans import new_plan
from hub.audit.services import record_event
from hub.contracts.actor import Actor, Role
from hub.errors import Invalid, NotFound
from hub.extensions import db
from hub.i18n import LANGUAGES
from hub.preferences import THEMES

REGISTRATIONS_PER_ADDRESS = 30

#: One address to which a mail can be written: words between single dots, and none that a header would read as encoded.
_WORD, _LABEL = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+", r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
_EMAIL = re.compile(rf"(?!.*=\?){_WORD}(\.{_WORD})*@{_LABEL}(\.{_LABEL})*", re.ASCII)

#: Sent with the new ``User`` after a registration was committed; rooms above this one prepare the account.
user_registered = Signal("Somebody registered.")


def register_user(
    email: str, password: str, name: str, *, client: Client, role: Role = Role.USER, verified: bool = False
) -> User:
    """Make an account at once: for operators, who vouch for the address (``verified``), and for development without mail.

    ``Invalid`` names each wrong field; ``TooMany`` when one address registers without end. Everybody else registers with a
    mail (``verification``).
    """
    email, name = normal_email(email), name.strip()
    check_new_user(email, password, name)
    rate_limits.count_attempt({f"register:{rate_limits.address_block(client.ip_address)}": REGISTRATIONS_PER_ADDRESS})
    hashed = passwords.hash_password(password, stranger=True)
    user = User(email=email, password=hashed, name=name, role=role, plan=new_plan(), settings={}, email_verified=verified)
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


def check_new_user(email: str, password: str, name: str) -> None:
    """``Invalid`` with every field that is wrong."""
    fields = {}
    if not _is_email(email):
        fields["email"] = _("Enter an e-mail address.")
    if not 1 <= len(name) <= 200:
        fields["name"] = _("Enter a name of at most 200 characters.")
    if problem := password_problem(password, (email, name)):
        fields["password"] = problem
    if fields:
        raise Invalid(fields=fields)


def check_email(email: str) -> None:
    """``Invalid`` unless it is an e-mail address."""
    if not _is_email(email):
        raise Invalid(fields={"email": _("Enter an e-mail address.")})


def _is_email(email: str) -> bool:
    return len(email) <= 254 and _EMAIL.fullmatch(email) is not None


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
