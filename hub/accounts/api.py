"""Who the key belongs to, as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.accounts.models import Plan, User
from hub.accounts.web import current_actor
from hub.contracts.actor import Role
from hub.errors import NotFound
from hub.extensions import db
from hub.json_api import Resource, Time, operation


class MeResource(Resource):
    """The owner of the API key."""

    id: str
    email: str
    name: str
    plan: Plan
    role: Role
    created_at: Time
    permissions: list[str] = Field(description="What this key may do.")


@operation("GET", "/me", scope="account:read", answer=MeResource)
def get_me() -> Any:
    """Who this key belongs to, and what it may do."""
    actor = current_actor()
    user = db.session.get(User, actor.user_id)
    if user is None:
        raise NotFound()
    permissions = sorted(actor.permissions or ())
    return MeResource(
        id=user.id,
        email=user.email,
        name=user.name,
        plan=user.plan,
        role=user.role,
        created_at=user.created_at,
        permissions=permissions,
    )
