"""Access tokens of people's requests: kept encrypted, renewed before they run out, fetched by one at a time."""

from __future__ import annotations

import datetime as dt
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from flask import current_app

from hub.columns import utc_now
from hub.config import Config
from hub.contracts.actor import Actor
from hub.contracts.http import RequestDefinition
from hub.crypto import DecryptionError
from hub.extensions import db
from hub.http_builder.models import ACCESS_TOKEN, REFRESH_TOKEN, OAuthToken
from hub.http_builder.rendering.oauth import (
    Client,
    Token,
    TokenError,
    client_credentials_grant,
    client_of,
    fetch_token,
    refresh_grant,
)
from hub.http_builder.rendering.sending import Send
from hub.http_builder.rendering.values import Values
from hub.identifiers import new_id

#: A token is renewed this long before it runs out, so that it outlives the request that carries it.
MARGIN = dt.timedelta(seconds=60)


def token_for(actor: Actor, definition: RequestDefinition, values: Values, send: Send, *, refused: str | None = None) -> str:
    """An access token for a request with OAuth2: the stored one, or a new one.

    ``refused`` is a token that the service answered with 401: it is not given again. Commits, and holds no transaction while
    the token endpoint is asked. ``RenderError`` for a client that is not filled in, ``TokenError`` where there is no token.
    """
    client = client_of(definition, values)
    token = _usable(_load(actor, client), refused)
    if token is None:
        with _one_at_a_time(client):
            stored = _load(actor, client)
            token = _usable(stored, refused) or _renew(actor, client, stored, send)
    return token


def store_token(actor: Actor, client: Client, token: Token) -> None:
    """Keep a token in the place of the one before; a service that gives no new refresh token means the old one. Commits."""
    row = _row(actor, client)
    if row is None:
        assert actor.user_id is not None  # noqa: S101 (the hub itself sends nothing)
        row = OAuthToken(id=new_id(), user_id=actor.user_id, fingerprint=client.fingerprint, access_token="")
        db.session.add(row)
    row.access_token = ACCESS_TOKEN.encrypt(token.access_token, row.id)
    if token.refresh_token:
        row.refresh_token = REFRESH_TOKEN.encrypt(token.refresh_token, row.id)
    row.expires_at = token.expires_at
    db.session.commit()


def has_token(actor: Actor, definition: RequestDefinition, values: Values) -> bool:
    """Whether a token is stored for the request (it may have run out). ``RenderError`` as in ``token_for``."""
    return _row(actor, client_of(definition, values)) is not None


def _renew(actor: Actor, client: Client, stored: Token | None, send: Send) -> str:
    if stored is not None and stored.refresh_token:
        try:
            return _fetch(actor, client, refresh_grant(stored.refresh_token), send)
        except TokenError as error:
            if error.code != "refused" or error.details.get("error") != "invalid_grant":
                raise
            _forget(actor, client)  # the person or the service ended it: only a new sign-in helps
    if client.kind == "oauth2-code":
        raise TokenError("sign-in-needed")
    return _fetch(actor, client, client_credentials_grant(client), send)


def _fetch(actor: Actor, client: Client, grant: dict[str, str], send: Send) -> str:
    token = fetch_token(client, grant, send)
    store_token(actor, client, token)
    return token.access_token


def _usable(stored: Token | None, refused: str | None) -> str | None:
    if stored is None or stored.access_token == refused:
        return None
    return stored.access_token if stored.expires_at is None or stored.expires_at - MARGIN > utc_now() else None


def _row(actor: Actor, client: Client) -> OAuthToken | None:
    own = sa.select(OAuthToken).where(OAuthToken.user_id == actor.user_id, OAuthToken.fingerprint == client.fingerprint)
    row: OAuthToken | None = db.session.scalar(own.execution_options(populate_existing=True))
    return row


def _load(actor: Actor, client: Client) -> Token | None:
    """The stored token, with the transaction ended. One that does not open counts as none: it can be fetched again."""
    row = _row(actor, client)
    token = None
    if row is not None:
        try:
            access = ACCESS_TOKEN.decrypt(row.access_token, row.id)
            sealed = row.refresh_token
            refresh = REFRESH_TOKEN.decrypt(sealed, row.id) if sealed else None
            token = Token(access, refresh, row.expires_at)
        except DecryptionError:
            token = None
    db.session.commit()
    return token


def _forget(actor: Actor, client: Client) -> None:
    row = _row(actor, client)
    if row is not None:
        db.session.delete(row)
    db.session.commit()


@contextmanager
def _one_at_a_time(client: Client) -> Iterator[None]:
    """A lock over threads and processes of this machine: a refresh token often works once."""
    config: Config = current_app.extensions["hub_config"]
    folder = config.instance_dir / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    # Few files for all: two clients that share one only wait for each other.
    with (folder / f"token-{client.fingerprint[:2]}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
