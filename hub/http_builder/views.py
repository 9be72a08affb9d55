"""Pages of saved requests: the list, and what is done from it. The builder's own pages stand in ``builder_pages``."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.accounts.web import current_actor
from hub.contracts.catalog import HttpMethod
from hub.errors import Invalid
from hub.htmx import filtered_url, go_to, go_to_path, own_path, read_filters, render
from hub.http_builder import services
from hub.http_builder.services import Order

bp = Blueprint("requests", __name__)

FILTERS = ("search", "method", "folder", "tag", "favorite", "service", "order")


@bp.get("/requests")
def index() -> ResponseReturnValue:
    """The saved requests with folders and tags beside them."""
    actor = current_actor()
    chosen = read_filters(FILTERS)
    order = Order.USED if chosen["order"] == Order.USED else Order.CHANGED
    page = services.list_requests(actor, **filters_of(chosen), order=order, cursor=request.args.get("cursor") or None)
    here = url_for("requests.index")
    return render(
        "requests/index.html",
        block="list",
        page=page,
        chosen=chosen,
        order=order,
        folders=services.list_folders(actor),
        tags=services.list_tags(actor),
        deleted=_deleted(),
        here=filtered_url(here, chosen),
        url_with=lambda **changes: filtered_url(here, {**chosen, **changes}),
        next_url=filtered_url(here, chosen, page.next_cursor) if page.next_cursor else None,
        first_url=filtered_url(here, chosen) if request.args.get("cursor") else None,
        is_filtered=any(chosen[name] for name in FILTERS if name != "order"),
    )


def filters_of(chosen: dict[str, str]) -> dict[str, Any]:
    """The filters of the address as the services take them."""
    return {
        "search": chosen["search"] or None,
        "method": HttpMethod(chosen["method"]) if chosen["method"] in set(HttpMethod) else None,
        "folder": chosen["folder"] or None,
        "tag": chosen["tag"] or None,
        "favorite": True if chosen["favorite"] else None,
        "service": chosen["service"] or None,
    }


@bp.post("/requests/<request_id>/arrange")
def arrange(request_id: str) -> ResponseReturnValue:
    """Mark or unmark a favourite, move to a folder, tag: whichever the form has."""
    sent = request.form
    favorite = sent.get("favorite")
    tags = sent.get("tags")
    try:
        services.arrange_request(
            current_actor(),
            request_id,
            favorite=None if favorite is None else favorite == "1",
            folder=sent.get("folder"),
            tags=None if tags is None else tags.split(","),
        )
    except Invalid as error:
        flash(error.message, "error")
    return _back()


@bp.post("/requests/<request_id>/duplicate")
def duplicate(request_id: str) -> ResponseReturnValue:
    """Make a copy and open it."""
    copy = services.duplicate_request(current_actor(), request_id)
    flash(_("This is the copy."), "success")
    return go_to("requests.show", request_id=copy.id)


@bp.post("/requests/<request_id>/delete")
def delete(request_id: str) -> ResponseReturnValue:
    """Delete, and offer to undo it."""
    services.delete_request(current_actor(), request_id)
    path = own_path(request.form.get("next") or url_for("requests.index"))
    return go_to_path(f"{path}{'&' if '?' in path else '?'}deleted={request_id}")


@bp.post("/requests/<request_id>/restore")
def restore(request_id: str) -> ResponseReturnValue:
    """Undo a delete."""
    services.restore_request(current_actor(), request_id)
    flash(_("The request is back."), "success")
    return _back()


def _deleted() -> str | None:
    """The id of the request that was deleted just now, while it can still be had back."""
    request_id = request.args.get("deleted")
    return request_id if request_id and services.is_deleted(current_actor(), request_id) else None


def _back() -> ResponseReturnValue:
    return go_to_path(own_path(request.form.get("next") or url_for("requests.index")))
