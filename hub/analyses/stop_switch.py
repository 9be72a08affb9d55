"""The stop switch of automation: looked at before each step that changes something, also in jobs that are queued already."""

from __future__ import annotations

import sqlalchemy as sa
from flask import current_app

from hub.analyses.models import AutomationStop
from hub.extensions import db

HUB = "hub"


def user_scope(user_id: str) -> str:
    """The scope of everything that one person owns."""
    return f"user:{user_id}"


def instance_scope(instance_id: str) -> str:
    """The scope of one n8n."""
    return f"instance:{instance_id}"


def find_stops(*scopes: str) -> set[str]:
    """Which of the scopes are stopped; ``hub`` is always looked at, and is stopped too where the configuration says so."""
    found = set(db.session.scalars(sa.select(AutomationStop.scope).where(AutomationStop.scope.in_((HUB, *scopes)))))
    return found if current_app.extensions["hub_config"].automation.enabled else {HUB, *found}


def is_stopped(user_id: str, instance_id: str | None) -> bool:
    """Whether nothing must be done by itself for this person on this n8n."""
    scopes = [user_scope(user_id)] + ([instance_scope(instance_id)] if instance_id else [])
    return bool(find_stops(*scopes))
