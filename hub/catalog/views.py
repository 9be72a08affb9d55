"""The page that lists services. What belongs to one service is in ``hub.http_builder.pack_views``."""

from __future__ import annotations

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext

from hub.accounts.web import current_actor
from hub.catalog import services
from hub.htmx import filtered_url, read_filters, render

bp = Blueprint("catalog", __name__)

#: Words for the categories of the hub's own packs; others are shown as the pack names them.
CATEGORIES = {
    "ai": lazy_gettext("Artificial intelligence"),
    "commerce": lazy_gettext("Commerce"),
    "crm": lazy_gettext("Customers"),
    "development": lazy_gettext("Development"),
    "email": lazy_gettext("E-mail"),
    "messaging": lazy_gettext("Messaging"),
    "payments": lazy_gettext("Payments"),
    "productivity": lazy_gettext("Productivity"),
}


@bp.get("/templates")
def index() -> ResponseReturnValue:
    """The services of every enabled pack by category, and the requests that match a search."""
    actor = current_actor()
    filters = read_filters(("category", "search"))
    cards = services.list_services(actor, category=filters["category"], search=filters["search"])
    return render(
        "catalog/index.html",
        block="templates",
        cards=cards,
        found=services.find_endpoints(actor, filters["search"], filters["category"]) if filters["search"] else (),
        endpoint_of=services.endpoint_of,
        categories=[(name, CATEGORIES.get(name, name)) for name in services.list_categories(actor)],
        category_words=CATEGORIES,
        filters=filters,
        here=filtered_url(url_for("catalog.index"), filters),
        is_filtered=any(filters.values()),
    )
