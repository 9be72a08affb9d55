"""Pages about what models are asked and how much people may ask; for operators."""

from __future__ import annotations

from flask import Blueprint, flash, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.accounts.models import Plan
from hub.accounts.web import current_actor
from hub.analyses import model_limits
from hub.analyses.model_limits import Limit
from hub.errors import Invalid
from hub.htmx import go_to, render

bp = Blueprint("model_use", __name__, url_prefix="/model-use")

_MOST = 10**12


@bp.get("")
def show() -> ResponseReturnValue:
    """The month's use and the limits."""
    return _page()


@bp.post("/plans")
def save_plan() -> ResponseReturnValue:
    """Set what the people of a plan may ask."""
    actor = current_actor()
    page = model_limits.show_usage(actor)
    plan = next((plan for plan in page.plans if plan.value == request.form.get("plan")), None)
    try:
        if plan is None:
            raise Invalid(_("Choose one of the plans."))
        model_limits.set_plan_limit(actor, plan, _read_limit(f"{plan.value}-"))
    except Invalid as error:
        flash(error.message, "error")
    else:
        flash(_("Saved."), "success")
    return go_to("model_use.show")


@bp.post("/people")
def save_person() -> ResponseReturnValue:
    """Set what one person may ask, or give them back their plan's limit."""
    try:
        limit = None if "remove" in request.form else _read_limit("")
        model_limits.set_person_limit(current_actor(), request.form.get("email", ""), limit)
    except Invalid as error:
        return _page(error), error.status
    flash(_("Saved."), "success")
    return go_to("model_use.show")


def _page(error: Invalid | None = None) -> str:
    page = model_limits.show_usage(current_actor())
    return render("analyses/model_use.html", page=page, error=error, typed=request.form if error else {}, plans=Plan)


def _read_limit(prefix: str) -> Limit:
    """The two numbers of a form; empty means no limit."""
    numbers: dict[str, int | None] = {}
    for name in ("questions", "tokens"):
        text = request.form.get(prefix + name, "").strip()
        if text and not (text.isdecimal() and text.isascii() and int(text[:15]) <= _MOST and len(text) <= 15):
            raise Invalid(fields={name: _("Must be a whole number.")})
        numbers[name] = int(text) if text else None
    return Limit(numbers["questions"], numbers["tokens"])
