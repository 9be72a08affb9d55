"""The page of the service templates."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from hub.accounts.web import current_actor
from hub.catalog import services
from hub.htmx import render

bp = Blueprint("catalog", __name__)


@bp.get("/templates")
def index() -> ResponseReturnValue:
    """Ready requests of every enabled pack."""
    actor = current_actor()
    filters = {name: request.args.get(name, "").strip() for name in ("service", "category", "search")}
    page = services.list_templates(
        actor,
        service=filters["service"],
        category=filters["category"],
        search=filters["search"],
        cursor=request.args.get("cursor"),
    )
    chosen: dict[str, Any] = {name: value for name, value in filters.items() if value}
    known = services.list_services(actor)
    return render(
        "catalog/index.html",
        block="templates",
        templates=page.rows,
        services=[(service_id, name) for service_id, name, _category in known],
        categories=[(name, name) for name in sorted({category for _service_id, _name, category in known})],
        filters=filters,
        is_filtered=bool(chosen),
        first_url=url_for("catalog.index", **chosen) if request.args.get("cursor") else None,
        next_url=url_for("catalog.index", **chosen, cursor=page.next_cursor) if page.next_cursor else None,
    )
