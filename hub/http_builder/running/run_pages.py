"""The list of runs; the pages of one run stand in ``responses.pages``."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from hub.accounts.web import current_actor
from hub.htmx import render
from hub.http_builder.models import RunState
from hub.http_builder.running import runs
from hub.http_builder.running.words import describe_problem_of_check, describe_run_error, name_state

bp = Blueprint("runs", __name__)

bp.add_app_template_global(describe_run_error, "describe_run_error")
bp.add_app_template_global(name_state, "name_run_state")
bp.add_app_template_global(describe_problem_of_check, "name_check_problem")

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
