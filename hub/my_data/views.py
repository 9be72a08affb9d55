"""The page of one's own data: take it along, or delete the account."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, request, send_file
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from hub.accounts.step_up import TIME_TO_TYPE, is_recent
from hub.accounts.web import current_actor, end_session
from hub.columns import utc_now
from hub.errors import Conflict, HubError, Invalid
from hub.htmx import go_to, render
from hub.my_data import services
from hub.my_data.deletion import is_last_operator

bp = Blueprint("my_data", __name__, url_prefix="/account/data")

#: Words for what goes with the account, by table.
KINDS: dict[str, Any] = {
    "instances": lazy_gettext("Instances"),
    "workflows": lazy_gettext("Workflows"),
    "executions": lazy_gettext("Executions"),
    "ai_analyses": lazy_gettext("Analyses"),
    "requests": lazy_gettext("Requests"),
    "request_runs": lazy_gettext("Answers"),
    "environments": lazy_gettext("Environments"),
    "variables": lazy_gettext("Variables"),
}


@bp.get("")
def show() -> ResponseReturnValue:
    """The export as it stands, and what would go with the account; the export under way is the part that polls."""
    return _page()


@bp.post("/export")
def export() -> ResponseReturnValue:
    """Queue an export."""
    services.request_export(current_actor())
    return go_to("my_data.show")


@bp.get("/export")
def download() -> ResponseReturnValue:
    """The file, for its owner alone."""
    name = f"ai-http-hub-{utc_now():%Y-%m-%d}.zip"
    file = services.open_export(current_actor())
    response = send_file(file, mimetype="application/zip", as_attachment=True, download_name=name)
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/delete")
def delete() -> ResponseReturnValue:
    """End the account and sign out."""
    try:
        services.request_deletion(current_actor(), request.form.get("email", ""))
    except (Invalid, Conflict) as error:
        return _page(error), error.status
    response = end_session(go_to("accounts.login"))
    flash(_("Your account was deleted. What belonged to it is being removed now."), "success")
    return response


def _page(error: HubError | None = None) -> str:
    actor = current_actor()
    return render(
        "my_data/show.html",
        block="export",
        export=services.find_export(actor),
        counts=services.count_belongings(actor),
        kinds=KINDS,
        may_delete=is_recent(actor, remaining=TIME_TO_TYPE) or error is not None,
        is_last_operator=actor.is_operator and is_last_operator(str(actor.user_id)),
        error=error,
        typed=request.form.get("email", "") if error else "",
    )
