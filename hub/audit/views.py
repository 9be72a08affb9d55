"""The page of the audit log."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from hub.audit import services
from hub.htmx import render

bp = Blueprint("audit", __name__)

OUTCOMES = {"yes": True, "no": False}


@bp.get("/audit")
def index() -> ResponseReturnValue:
    """What was done in the person's name; operators see all."""
    filters = {name: request.args.get(name, "").strip() for name in ("action", "user", "success")}
    actor = current_user.actor
    page = services.list_events(
        actor,
        action=filters["action"],
        user=filters["user"] if actor.is_operator else None,
        success=OUTCOMES.get(filters["success"]),
        cursor=request.args.get("cursor"),
    )
    chosen: dict[str, Any] = {name: value for name, value in filters.items() if value}
    return render(
        "audit/index.html",
        block="events",
        events=page.rows,
        filters=filters,
        is_filtered=bool(chosen),
        first_url=url_for("audit.index", **chosen) if request.args.get("cursor") else None,
        next_url=url_for("audit.index", **chosen, cursor=page.next_cursor) if page.next_cursor else None,
    )
