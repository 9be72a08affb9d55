"""The limit of calls that the account's plan sets, with the headers that tell programs how they stand.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10: the policy "plan" allows q calls in w seconds; r are left for
the next t seconds.
"""

from __future__ import annotations

from flask import Flask, Response, current_app, g, request

from hub.accounts import api_rates
from hub.accounts.web import PUBLIC_ENDPOINTS, current_actor
from hub.json_api import api


def count_call() -> None:
    """Count the call before anything else is done for it. What is open to anybody has no account to count for."""
    if request.endpoint in PUBLIC_ENDPOINTS or not current_app.config["API_RATE_LIMITS"]:
        return
    user_id = current_actor().user_id
    if user_id is not None:
        g.hub_api_slice = api_rates.count_call(user_id)
        api_rates.require_left(g.hub_api_slice)


def set_headers(response: Response) -> Response:
    """How the account stands after this call."""
    held: api_rates.Slice | None = g.get("hub_api_slice")
    if held is not None:
        window = int(api_rates.WINDOW.total_seconds())
        response.headers["RateLimit-Policy"] = f'"plan";q={held.limit};w={window}'
        response.headers["RateLimit"] = f'"plan";r={max(0, held.remaining)};t={held.seconds}'
    return response


def init_app(app: Flask) -> None:
    """Limits are on unless a test switches them off."""
    app.config.setdefault("API_RATE_LIMITS", True)
    api_rates.init_app(app)


api.before_request(count_call)
api.after_request(set_headers)
