"""Showing again who one is, before what would let a stranger at an open browser take the account over.

``require_recent`` stands at the beginning of such a service. Ways to confirm are added by the rooms that know them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.accounts import passwords, rate_limits
from hub.accounts.actors import person_of
from hub.accounts.models import Session, User
from hub.accounts.sessions import renew_session
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.errors import HubError, Invalid, NeedsReauthentication, TooMany
from hub.extensions import db

#: How long a proof counts.
RECENT = dt.timedelta(minutes=20)
#: How long a page that offers a form wants it to count still, so that nothing is typed in vain.
TIME_TO_TYPE = dt.timedelta(minutes=5)
ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class ConfirmationWay:
    """One way to show who one is.

    ``template`` is a part of a form with this way's fields, included in the page. ``is_set_up`` says whether the person has it;
    ``check`` raises ``Invalid`` unless what was sent proves them; it may write, and does not commit.
    """

    name: str
    template: str
    is_set_up: Callable[[str], bool]
    check: Callable[[str, Mapping[str, str]], None]


def _check_password(user_id: str, form: Mapping[str, str]) -> None:
    password = form.get("password", "")
    stored = db.session.scalar(sa.select(User.password).where(User.id == user_id))
    db.session.rollback()  # no transaction is held while hashing
    if len(password) > passwords.MAX_LENGTH or not passwords.check_password(password, stored):
        raise Invalid(fields={"password": _("The password is wrong.")})


PASSWORD = ConfirmationWay("password", "accounts/_confirm_password.html", lambda _user_id: True, _check_password)
_stronger_ways: list[ConfirmationWay] = []


def add_way(way: ConfirmationWay) -> None:
    """Offer a way that is stronger than the password: who has set it up is asked for it, and the password is not enough."""
    _stronger_ways.append(way)


def list_ways(actor: Actor) -> list[ConfirmationWay]:
    """How this person may confirm: by any stronger way that they have set up, else by their password."""
    user_id = person_of(actor)
    return [way for way in _stronger_ways if way.is_set_up(user_id)] or [PASSWORD]


def require_recent(actor: Actor) -> None:
    """Raise ``NeedsReauthentication`` unless the person showed who they are within the last 20 minutes.

    An API key is never enough (``NotAllowed``). The command line is: who runs it holds the database already.
    """
    person_of(actor)
    if not is_recent(actor):
        raise NeedsReauthentication(_("Confirm that it is you, then do this again."))


def is_recent(actor: Actor, *, remaining: dt.timedelta = dt.timedelta(0)) -> bool:
    """Whether ``require_recent`` lets this person pass, and will for the time ``remaining``."""
    if actor.via == "cli":
        return True
    own = sa.select(Session.authenticated_at).where(Session.id == actor.session_id, Session.user_id == actor.user_id)
    proven = db.session.scalar(own)
    return proven is not None and utc_now() + remaining < proven + RECENT


def confirm_identity(actor: Actor, way_name: str, form: Mapping[str, str]) -> str:
    """Take a proof of who the person is: answers the new token of their session, whose old one ends.

    ``Invalid`` where the proof is wrong or of a kind that they may not use; ``TooMany`` after ten wrong ones in five minutes.
    """
    user_id = person_of(actor)
    limits = {f"confirm:{user_id}": ATTEMPTS}
    way = next((way for way in list_ways(actor) if way.name == way_name), None)
    try:
        rate_limits.count_attempt(limits)
        if way is None:
            raise Invalid(_("Choose one of the offered ways."))
        way.check(user_id, form)
    except HubError as error:
        db.session.rollback()
        if not isinstance(error, TooMany) or error.is_first:  # a flood of them shall not flood the log
            details = {"way": way and way.name}
            record_event(actor, "session.confirm", "session", actor.session_id, success=False, details=details)
            db.session.commit()
        raise
    rate_limits.give_back(limits)
    token = renew_session(actor)
    record_event(actor, "session.confirm", "session", actor.session_id, details={"way": way.name})
    db.session.commit()
    return token
