"""One's own account as JSON: who one is, and where one is signed in. Keys and signing in have modules of their own."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.accounts import session_list, users
from hub.accounts.models import Plan, SessionKind, User
from hub.accounts.web import current_actor
from hub.contracts.actor import Actor, Role
from hub.errors import NotFound
from hub.extensions import db
from hub.json_api import Resource, Time, operation


class MeResource(Resource):
    """The owner of the API key or access token."""

    id: str
    email: str
    name: str
    plan: Plan
    role: Role
    language: str | None
    theme: str | None
    created_at: Time
    permissions: list[str] = Field(description="What this key may do; an access token may read and write everything.")


class MeUpdate(Resource):
    """What people choose for themselves. Fields that are left out stay."""

    name: str | None = None
    language: str | None = None
    theme: str | None = None


class SessionResource(Resource):
    """A signed-in browser or program."""

    id: str
    kind: SessionKind
    device: str = Field(description="In words, as far as the User-Agent header tells.")
    place: str = Field(description="In words; a public address elsewhere as it is.")
    user_agent: str | None
    ip_address: str | None
    created_at: Time
    last_seen_at: Time
    expires_at: Time
    is_current: bool


class SessionList(Resource):
    """All living sessions, the present one first."""

    data: list[SessionResource]


class EndedSessions(Resource):
    """How many sessions were ended."""

    ended: int


@operation("GET", "/me", scope="account:read", answer=MeResource)
def get_me() -> Any:
    """Who this key or token belongs to, and what it may do."""
    return _describe_me(current_actor())


@operation("PATCH", "/me", scope="account:write", answer=MeResource)
def update_me(json: MeUpdate) -> Any:
    """Change your name, language or theme."""
    actor = current_actor()
    present = _load_user(actor)
    chosen = {"language": present.settings.get("language", "en"), "theme": present.settings.get("theme", "system")}
    chosen |= {"name": present.name} | json.model_dump(exclude_none=True)
    users.update_profile(actor, **chosen)
    return _describe_me(actor)


@operation("GET", "/sessions", scope="account:person", answer=SessionList)
def list_sessions() -> Any:
    """Where you are signed in."""
    rows = session_list.list_sessions(current_actor())
    return SessionList(data=[SessionResource.model_validate(row) for row in rows])


@operation("DELETE", "/sessions/<session_id>", scope="account:person", answer=None, errors=(404,))
def revoke_session(session_id: str) -> Any:
    """End one of your sessions; within 20 minutes of signing in."""
    session_list.revoke_session(current_actor(), session_id)


@operation("POST", "/sessions/revoke-others", scope="account:person", answer=EndedSessions)
def revoke_other_sessions() -> Any:
    """End all your sessions but this one; within 20 minutes of signing in."""
    return EndedSessions(ended=session_list.revoke_other_sessions(current_actor()))


def _load_user(actor: Actor) -> User:
    user = db.session.get(User, actor.user_id)  # nosemgrep: sql-in-a-view (one's own row)
    if user is None:
        raise NotFound
    return user


def _describe_me(actor: Actor) -> MeResource:
    user = _load_user(actor)
    return MeResource(
        id=user.id,
        email=user.email,
        name=user.name,
        plan=user.plan,
        role=user.role,
        language=user.settings.get("language"),
        theme=user.settings.get("theme"),
        created_at=user.created_at,
        permissions=sorted({"read", "write"} if actor.permissions is None else actor.permissions),
    )
