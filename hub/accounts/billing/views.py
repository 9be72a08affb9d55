"""Paying for a plan, and the address to which billing providers send their messages."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import RequestEntityTooLarge

from hub.accounts.billing import services
from hub.accounts.models import Plan
from hub.accounts.web import current_actor
from hub.errors import Invalid
from hub.extensions import csrf
from hub.htmx import render

bp = Blueprint("billing", __name__)

#: A message is small; what is larger is none.
MAX_BODY = 256 * 1024


@bp.post("/account/plan/checkout")
def checkout() -> ResponseReturnValue:
    """The way to the provider's page for the chosen plan."""
    plan = next((plan for plan in Plan if plan.value == request.form.get("plan")), None)
    if plan is None:
        raise Invalid(_("Choose one of the plans."))
    back = _address("plans.usage")
    url = services.begin_checkout(current_actor(), plan, success_url=f"{back}?paid=1", cancel_url=back)
    return render("plans/leave.html", url=url, host=urlsplit(url).netloc, plan=plan)


@bp.post("/account/plan/portal")
def portal() -> ResponseReturnValue:
    """The way to where one changes what one pays for."""
    url = services.open_portal(current_actor(), return_url=_address("plans.usage"))
    return render("plans/leave.html", url=url, host=urlsplit(url).netloc, plan=None)


@bp.post("/billing/<billing_provider>/events")
def hear(billing_provider: str) -> ResponseReturnValue:
    """A message of a provider: public, because what it says is believed only with the provider's signature."""
    request.max_content_length = MAX_BODY
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        return Response("too large\n", 413, mimetype="text/plain")
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        services.hear(billing_provider, headers, body)
    except services.MessageRefused as error:
        return Response(f"{error.message}\n", error.status, mimetype="text/plain")
    return Response("heard\n", mimetype="text/plain")


csrf.exempt(hear)


def _address(endpoint: str) -> str:
    """A page of this hub as others find it."""
    base: str = current_app.extensions["hub_config"].base_url
    return base + url_for(endpoint)
