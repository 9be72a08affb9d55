"""Signing in without a browser: access and refresh tokens."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.accounts import api_clients
from hub.accounts.web import request_client
from hub.json_api import Resource, Time, operation


class LoginBody(Resource):
    """Who you are."""

    email: str
    password: str
    code: str | None = Field(None, description="Of the second factor, where one is set up.")


class RefreshBody(Resource):
    """The refresh token of the last answer."""

    refresh_token: str


class TokensResource(Resource):
    """Send ``accessToken`` as a Bearer token. Keep ``refreshToken`` for when it is over; each works once."""

    access_token: str
    refresh_token: str
    session_id: str
    access_expires_at: Time
    refresh_expires_at: Time = Field(description="The end of the session, which no refresh moves.")


@operation("POST", "/auth/login", scope="auth:public", answer=TokensResource)
def log_in(json: LoginBody) -> Any:
    """Sign in with e-mail address and password."""
    tokens = api_clients.log_in(json.email, json.password, code=json.code, client=request_client())
    return TokensResource.model_validate(tokens)


@operation("POST", "/auth/refresh", scope="auth:public", answer=TokensResource)
def refresh_tokens(json: RefreshBody) -> Any:
    """New tokens. A refresh token that comes a second time ends the session, as it may have been stolen."""
    return TokensResource.model_validate(api_clients.refresh(json.refresh_token, client=request_client()))


@operation("POST", "/auth/logout", scope="auth:public", answer=None)
def log_out(json: RefreshBody) -> Any:
    """End the session of a refresh token."""
    api_clients.log_out(json.refresh_token, client=request_client())
