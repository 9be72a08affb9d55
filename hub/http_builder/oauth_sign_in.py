"""Signing in at a service for a request with an OAuth2 code: sent there with PKCE, back with a code that becomes a token."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.audit.services import record_event
from hub.contracts.actor import Actor
from hub.contracts.http import OAuth2Code, RequestDefinition
from hub.crypto import DecryptionError, current_vault, declare_place, same_text
from hub.egress import check_url
from hub.errors import Invalid, NotFound
from hub.extensions import db
from hub.http_builder.definitions import definition_of
from hub.http_builder.models import Environment, Request
from hub.http_builder.rendering.oauth import Client, TokenError, authorization_address, client_of, code_grant, fetch_token
from hub.http_builder.rendering.sending import Send
from hub.http_builder.rendering.tokens import store_token
from hub.http_builder.running.values import values_for

#: What a browser keeps while its person is at the service.
SIGN_IN = declare_place("requests.sign-in")
#: How long the person may take at the service, in seconds.
MAX_SECONDS = 600


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in that was begun. ``sealed`` stays in the person's browser session and is asked for when they come back."""

    request_name: str
    address: str
    service: str
    #: Where the token will go.
    host: str
    sealed: str = field(repr=False)


def begin_sign_in(actor: Actor, request_id: str, *, redirect_uri: str) -> SignIn:
    """The address to sign in at. ``Invalid`` for a request with another authentication, ``RenderError`` for one not filled in."""
    request = _get_request(actor, request_id)
    definition = definition_of(request)
    if not isinstance(definition.auth, OAuth2Code):
        raise Invalid(_("This request has no OAuth2 sign-in."))
    environment_id = db.session.scalar(sa.select(Environment.id).where(Environment.user_id == actor.user_id, Environment.active))
    client = _client(actor, request_id, environment_id, definition)
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    facts = {
        "state": state,
        "verifier": verifier,
        "request_id": request_id,
        "environment_id": environment_id,
        "fingerprint": client.fingerprint,
        "until": int(time.time()) + MAX_SECONDS,
    }
    return SignIn(
        request_name=request.name,
        address=authorization_address(client, redirect_uri=redirect_uri, state=state, verifier=verifier),
        service=check_url(client.authorization_url).authority,
        host=client.audience_host,
        sealed=current_vault().encrypt(json.dumps(facts), binding=_binding(actor)),
    )


def finish_sign_in(
    actor: Actor, sealed: str | None, *, state: str, code: str, error: str, description: str, redirect_uri: str, send: Send
) -> str:
    """Turn the code that the service sent along into a stored token; the id of the request. Commits.

    ``TokenError`` where the answer belongs to no sign-in of this browser and person, came too late or is a refusal.
    """
    facts = _open(actor, sealed)
    if facts is None or not state or not same_text(state, facts["state"]):
        raise TokenError("state")
    if time.time() > facts["until"]:
        raise TokenError("expired")
    request = _get_request(actor, facts["request_id"])
    if error or not code:
        raise TokenError("refused", error=(error or "no code")[:100], description=description[:300])
    definition = definition_of(request)
    if not isinstance(definition.auth, OAuth2Code):
        raise TokenError("state")
    client = _client(actor, request.id, facts["environment_id"], definition)
    if client.fingerprint != facts["fingerprint"]:
        raise TokenError("state")  # the request was changed meanwhile: the code is not for this client
    request_id = request.id
    db.session.commit()
    token = fetch_token(client, code_grant(code, redirect_uri, facts["verifier"]), send)
    record_event(actor, "request.sign-in", "request", request_id, details={"service": check_url(client.token_url).authority})
    store_token(actor, client, token)
    return request_id


def request_of(actor: Actor, sealed: str | None) -> str | None:
    """The id of the request that a sign-in was begun for; None where there is none."""
    facts = _open(actor, sealed)
    return str(facts["request_id"]) if facts else None


def _client(actor: Actor, request_id: str, environment_id: str | None, definition: RequestDefinition) -> Client:
    return client_of(definition, values_for(actor, request_id, environment_id, definition=definition))


def _get_request(actor: Actor, request_id: str) -> Request:
    own = sa.select(Request).where(Request.id == request_id, Request.user_id == actor.user_id, Request.deleted_at.is_(None))
    request: Request | None = db.session.scalar(own)
    if request is None:
        raise NotFound()
    return request


def _open(actor: Actor, sealed: str | None) -> dict[str, Any] | None:
    try:
        facts: dict[str, Any] = json.loads(current_vault().decrypt(sealed or "", binding=_binding(actor)))
    except DecryptionError:
        return None
    return facts


def _binding(actor: Actor) -> str:
    return f"{SIGN_IN}:{actor.user_id}"
