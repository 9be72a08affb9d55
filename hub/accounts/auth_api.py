"""Signing in without a browser: access and refresh tokens."""

from __future__ import annotations

import enum
from typing import Any

from pydantic import Field

from hub.accounts import api_clients
from hub.accounts.api_clients import PendingLogin
from hub.accounts.web import request_client
from hub.json_api import Resource, Time, operation


class LoginBody(Resource):
    """Who you are."""

    email: str
    password: str
    code: str | None = Field(None, description="Of the second factor, where one is set up and the code is known already.")


class Way(enum.StrEnum):
    """A second factor that a program can show. Passkeys need a browser."""

    APP = "app"
    RECOVERY_CODE = "recovery-code"


class PendingResource(Resource):
    """The password was right, and a second factor is asked for: send it with ``pendingToken`` to ``/auth/second-factor``."""

    pending_token: str = Field(description="Works for ten minutes.")
    ways: list[Way] = Field(description="Whose code is taken. Without “app” the person has passkeys only, which need a browser.")


class SecondFactorBody(Resource):
    """The second half of signing in."""

    pending_token: str
    code: str = Field(description="Six digits of the authenticator app, or a recovery code.")


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


@operation("POST", "/auth/login", scope="auth:public", answer=TokensResource, others={202: PendingResource})
def log_in(json: LoginBody) -> Any:
    """Sign in with e-mail address and password.

    Where a second factor is set up and no code is sent along, the answer is 202 with what `/auth/second-factor` wants.
    """
    answer = api_clients.log_in(json.email, json.password, code=json.code, client=request_client())
    if isinstance(answer, PendingLogin):
        ways = [Way.APP, Way.RECOVERY_CODE] if answer.has_app else [Way.RECOVERY_CODE]
        return PendingResource(pending_token=answer.token, ways=ways)
    return TokensResource.model_validate(answer)


@operation("POST", "/auth/second-factor", scope="auth:public", answer=TokensResource)
def send_second_factor(json: SecondFactorBody) -> Any:
    """Finish signing in. A wrong code leaves what waits as it is; after ten minutes sign in again."""
    return TokensResource.model_validate(api_clients.finish_log_in(json.pending_token, json.code, client=request_client()))


@operation("POST", "/auth/refresh", scope="auth:public", answer=TokensResource)
def refresh_tokens(json: RefreshBody) -> Any:
    """New tokens. A refresh token that comes a second time ends the session, as it may have been stolen."""
    return TokensResource.model_validate(api_clients.refresh(json.refresh_token, client=request_client()))


@operation("POST", "/auth/logout", scope="auth:public", answer=None)
def log_out(json: RefreshBody) -> Any:
    """End the session of a refresh token."""
    api_clients.log_out(json.refresh_token, client=request_client())
