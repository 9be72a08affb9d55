"""Whom a command acts for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click
import sqlalchemy as sa
from flask.cli import with_appcontext

from hub.accounts.models import User
from hub.audit.services import record_event
from hub.contracts.actor import Actor, Role
from hub.errors import Invalid, NotAllowed, NotFound
from hub.extensions import db


def choose_user(email: str | None) -> User:
    """The named user; without a name the only one, else the operator who was there first."""
    if email:
        user = db.session.scalar(sa.select(User).where(User.email == email.strip().lower()))
        if user is None:
            raise NotFound(f"There is no user {email}.")
        return user
    users = db.session.scalars(sa.select(User).order_by(User.created_at).limit(2)).all()
    if len(users) == 1:
        return users[0]
    operator = db.session.scalar(sa.select(User).where(User.role == Role.OPERATOR).order_by(User.created_at).limit(1))
    if operator is None:
        raise Invalid(
            "Say whom to act for: --user EMAIL or HUB_USER." if users else "There is no user yet: hub user create EMAIL"
        )
    return operator


def _record_refusal(actor: Actor) -> None:
    db.session.rollback()
    path = click.get_current_context().command_path.partition(" ")[2]
    record_event(actor, "access.refused", path[:80], success=False, details={"reason": "not_allowed"})
    db.session.commit()


def as_user(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command an app context, the option ``--user`` and, as its first argument, the ``Actor`` to act for."""

    @click.option("--user", "user_email", envvar="HUB_USER", metavar="EMAIL", help="Whom to act for (or HUB_USER).")
    @with_appcontext
    @functools.wraps(command)
    def wrapper(*args: Any, user_email: str | None, **options: Any) -> Any:
        user = choose_user(user_email)
        actor = Actor(user_id=user.id, role=user.role, via="cli")
        try:
            return command(actor, *args, **options)
        except NotAllowed:
            _record_refusal(actor)
            raise

    return wrapper
