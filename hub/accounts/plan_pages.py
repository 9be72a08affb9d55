"""The page of a person's plan: what it gives and what is used of it."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from hub.accounts import plans
from hub.accounts.billing.services import find_offer
from hub.accounts.plan_limits import LIMITS
from hub.accounts.plan_words import TABLE, name_limit
from hub.accounts.web import current_actor
from hub.htmx import render

bp = Blueprint("plans", __name__)


@bp.get("/account/usage")
def usage() -> ResponseReturnValue:
    """The person's plan, what is used of it, and what the others give."""
    actor = current_actor()
    page = plans.show_usage(actor)
    columns = [{"label": plan.value, "class": "shrink"} for plan in LIMITS]
    return render(
        "plans/usage.html",
        page=page,
        offer=find_offer(actor),
        is_paid="paid" in request.args,
        limits=plans.promised_limits(),
        table=TABLE,
        column_names=columns,
        name_limit=name_limit,
    )
