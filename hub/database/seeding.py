"""What a database needs to begin with: templates always, a person to sign in as in development."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from flask import current_app

from hub.accounts.demo import DEMO_EMAIL, DEMO_PASSWORD
from hub.accounts.models import Plan, User
from hub.accounts.passwords import hash_password
from hub.audit.services import record_event
from hub.catalog.services import load_packs
from hub.config import Config
from hub.contracts.actor import Actor, Role
from hub.extensions import db
from hub.sample.services import create_sample


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a seeding changed. ``demo`` is None in production, else whether the demo user was made now."""

    templates: int
    demo: bool | None


def seed_database() -> Seeded:
    """Load the templates of the enabled packs; in development make the demo user with the sample. May run any number of times."""
    config: Config = current_app.extensions["hub_config"]
    templates = load_packs()
    if not config.is_development:
        return Seeded(templates, demo=None)
    user = db.session.scalar(sa.select(User).where(User.email == DEMO_EMAIL))
    is_new = user is None
    if user is None:
        user = _create_demo_user()
    if config.sample:
        create_sample(user.id)
    return Seeded(templates, demo=is_new)


def _create_demo_user() -> User:
    """As the seed has it; an operator, so that one sign-in shows everything."""
    user = User(
        email=DEMO_EMAIL,
        password=hash_password(DEMO_PASSWORD),
        name="Demo User",
        plan=Plan.PRO,
        email_verified=True,
        role=Role.OPERATOR,
    )
    db.session.add(user)
    db.session.flush()
    record_event(Actor(user_id=user.id, via="cli"), "user.seed", "user", user.id)
    db.session.commit()
    return user
