"""Everybody with an account, and their plans; for operators."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.accounts import plans
from hub.accounts.models import Plan
from hub.accounts.web import current_actor
from hub.errors import Invalid
from hub.htmx import given, go_to, render

bp = Blueprint("people", __name__, url_prefix="/people")


@bp.get("")
def index() -> ResponseReturnValue:
    """Everybody with an account and their plan; for operators."""
    return _people_page()


@bp.post("/plan")
def change() -> ResponseReturnValue:
    """Give somebody another plan."""
    form = request.form
    plan = next((plan for plan in Plan if plan.value == form.get("plan")), None)
    try:
        if plan is None:
            raise Invalid(_("Choose one of the plans."))
        email = form.get("email", "")
        if plans.change_plan(current_actor(), email, plan):
            flash(_("%(email)s has the plan %(plan)s now.", email=email, plan=plan.value), "success")
    except Invalid as error:
        return _people_page(error), error.status
    return go_to("people.index", search=form.get("search") or None, wanted=form.get("wanted") or None)


def _people_page(error: Invalid | None = None) -> str:
    search, cursor = given("search"), request.args.get("cursor")
    wanted = next((plan for plan in Plan if plan.value == given("wanted")), None)
    page = plans.list_people(current_actor(), search=search, plan=wanted, cursor=cursor)
    here: dict[str, Any] = {"search": search or None, "wanted": wanted.value if wanted else None}
    return render(
        "people/index.html",
        block="rows",
        page=page,
        error=error,
        search=search,
        wanted=wanted,
        plans=list(Plan),
        plan_choices=[("", _("Any")), *((plan.value, plan.value) for plan in Plan)],
        next_url=url_for("people.index", **here, cursor=page.next_cursor) if page.next_cursor else None,
        first_url=url_for("people.index", **here) if cursor else None,
    )
