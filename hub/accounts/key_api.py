"""API keys as JSON, for signed-in people: no key sees or makes another one."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.accounts import api_keys
from hub.accounts.web import current_actor
from hub.json_api import Resource, Time, TimeIn, operation


class KeyResource(Resource):
    """An API key, without its text."""

    id: str
    name: str
    key_prefix: str = Field(description="How the key begins.")
    permissions: list[str]
    created_at: Time
    expires_at: Time | None
    last_used_at: Time | None = Field(description="To within five minutes.")
    last_used_address: str | None


class KeyList(Resource):
    """All keys that are not revoked, newest first."""

    data: list[KeyResource]


class NewKey(Resource):
    """A key to make."""

    name: str
    permissions: list[str] = Field(description="read, write, or an area and one of both, as instances:read.")
    expires_at: TimeIn | None = Field(None, description="Left out: never.")


class NewKeyResource(Resource):
    """The new key; ``text`` is shown this once."""

    key: KeyResource
    text: str


@operation("GET", "/api-keys", scope="account:person", answer=KeyList)
def list_api_keys() -> Any:
    """Your API keys."""
    return KeyList(data=[KeyResource.model_validate(key) for key in api_keys.list_api_keys(current_actor())])


@operation("POST", "/api-keys", scope="account:person", answer=NewKeyResource, status=201)
def create_api_key(json: NewKey) -> Any:
    """Make an API key; within 20 minutes of signing in."""
    key, text = api_keys.create_api_key(current_actor(), json.name, json.permissions, json.expires_at)
    return NewKeyResource(key=KeyResource.model_validate(key), text=text)


@operation("DELETE", "/api-keys/<key_id>", scope="account:person", answer=None, errors=(404,))
def revoke_api_key(key_id: str) -> Any:
    """Make a key useless at once."""
    api_keys.revoke_api_key(current_actor(), key_id)
