"""Pages of the OAuth2 sign-in: on the way to the service, and back."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.accounts.web import current_actor
from hub.config import Config
from hub.contracts.exchange import Exchange, ExchangeLimits, WireRequest
from hub.egress import current_policy, send_exchange
from hub.errors import Invalid
from hub.htmx import go_to_path, render
from hub.http_builder.oauth_sign_in import begin_sign_in, finish_sign_in, request_of
from hub.http_builder.rendering import RenderError, TokenError
from hub.http_builder.rendering.words import describe_problem, describe_token_error

bp = Blueprint("oauth", __name__)

_KEPT = "oauth_sign_in"


@bp.get("/requests/oauth/sign-in")
def sign_in() -> ResponseReturnValue:
    """Says where the person will sign in and where the token will go, and leads there.

    A link and not a redirect: forms may lead to this site only (form-action of the content security policy).
    """
    request_id = request.args.get("request_id", "")
    try:
        begun = begin_sign_in(current_actor(), request_id, redirect_uri=_redirect_uri())
    except Invalid as error:
        flash(error.message, "error")
        return go_to_path(_page_of(request_id))
    except RenderError as error:
        for problem in error.problems:
            flash(describe_problem(problem), "error")
        return go_to_path(_page_of(request_id))
    session[_KEPT] = begun.sealed
    return render("requests/sign_in.html", begun=begun, redirect_uri=_redirect_uri(), back=_page_of(request_id))


@bp.get("/requests/oauth/callback")
def callback() -> ResponseReturnValue:
    """Where the service sends the person back to; each sign-in ends here once."""
    actor, sealed, asked = current_actor(), session.pop(_KEPT, None), request.args
    page = _page_of(request_of(actor, sealed))
    try:
        finish_sign_in(
            actor,
            sealed,
            state=asked.get("state", ""),
            code=asked.get("code", ""),
            error=asked.get("error", ""),
            description=asked.get("error_description", ""),
            redirect_uri=_redirect_uri(),
            send=_send,
        )
    except TokenError as error:
        flash(describe_token_error(error.code, error.details), "error")
    except RenderError as error:
        flash(describe_problem(error.problems[0]), "error")
    else:
        flash(_("You are signed in. The request can be sent now."), "success")
    return go_to_path(page)


def _page_of(request_id: str | None) -> str:
    return url_for("requests.show", request_id=request_id) if request_id else url_for("requests.index")


def _redirect_uri() -> str:
    """What the person enters at the service: the public address where one is configured."""
    config: Config = current_app.extensions["hub_config"]
    if config.public_url:
        return config.public_url.rstrip("/") + url_for("oauth.callback")
    return url_for("oauth.callback", _external=True)


def _send(wire: WireRequest, limits: ExchangeLimits) -> Exchange:
    return send_exchange(current_policy(), wire, limits)
