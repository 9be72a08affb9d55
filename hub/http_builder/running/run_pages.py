"""The list of runs."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.accounts.web import current_actor
from hub.htmx import go_to, render
from hub.http_builder.models import RunState
from hub.http_builder.running import runs
from hub.http_builder.running.words import describe_run_error, name_state

bp = Blueprint("runs", __name__)

bp.add_app_template_global(describe_run_error, "describe_run_error")
bp.add_app_template_global(name_state, "name_run_state")

STATUSES = ("2xx", "3xx", "4xx", "5xx")


@bp.get("/runs")
def index() -> ResponseReturnValue:
    """What was sent, newest first; ``request`` shows the runs of one request."""
    asked = {name: request.args.get(name, "").strip() for name in ("request", "state", "status")}
    state = RunState(asked["state"]) if asked["state"] in set(RunState) else None
    cursor = request.args.get("cursor") or None
    page = runs.list_runs(
        current_actor(), request_id=asked["request"] or None, state=state, status=asked["status"] or None, cursor=cursor
    )
    chosen: dict[str, Any] = {name: value for name, value in asked.items() if value}
    return render(
        "runs/index.html",
        block="list",
        page=page,
        asked=asked,
        chosen=chosen,
        states=tuple(RunState),
        statuses=STATUSES,
        first_url=url_for("runs.index", **chosen) if cursor else None,
        next_url=url_for("runs.index", **chosen, cursor=page.next_cursor) if page.next_cursor else None,
    )


@bp.post("/runs/<request_run_id>/cancel")
def cancel(request_run_id: str) -> ResponseReturnValue:
    """Give up a request that waits or is under way."""
    runs.cancel_run(current_actor(), request_run_id)
    flash(_("The request was cancelled."), "success")
    return go_to("runs.index")
