"""The pages of one service: its requests, the form of each, and the test of its key."""

from __future__ import annotations

from typing import Any

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.accounts.web import current_actor
from hub.catalog.services import endpoint_of
from hub.catalog.views import CATEGORIES, bp
from hub.errors import Invalid, NotFound
from hub.htmx import given, go_to, go_to_path, render
from hub.http_builder import pack_use
from hub.http_builder.key_verdict import KeyVerdict, judge_key
from hub.http_builder.pack_use import FillPage
from hub.http_builder.rendering import Preview
from hub.http_builder.running import get_run

__all__ = ["bp"]


@bp.get("/templates/<service_id>")
def service(service_id: str) -> ResponseReturnValue:
    """The requests of a service, what it asks for, and what came of the last test of the key; that part polls."""
    return _service_page(service_id)


@bp.post("/templates/<service_id>")
def try_key(service_id: str) -> ResponseReturnValue:
    """Keep the key and try it out."""
    choice = request.form.get("auth", "")
    try:
        run = pack_use.try_key(current_actor(), service_id, request.form, choice)
    except Invalid as error:
        return _service_page(service_id, error), error.status
    return go_to("catalog.service", service_id=service_id, auth=choice or None, run=run.id, _anchor="key")


@bp.get("/templates/<service_id>/<endpoint_id>")
def fill(service_id: str, endpoint_id: str) -> ResponseReturnValue:
    """The form of one request."""
    return _fill_page(pack_use.show_endpoint(current_actor(), service_id, endpoint_id, request.args.get("auth", "")))


@bp.post("/templates/<service_id>/<endpoint_id>")
def use(service_id: str, endpoint_id: str) -> ResponseReturnValue:
    """Show what would be sent, or save the request and open it in the builder."""
    actor = current_actor()
    page = pack_use.show_endpoint(actor, service_id, endpoint_id, request.form.get("auth", ""))
    try:
        if "preview" in request.form:
            return _fill_page(page, preview=pack_use.preview_template(actor, page, request.form))
        saved = pack_use.use_template(actor, page, request.form)
    except Invalid as error:
        return _fill_page(page, error), error.status
    flash(_("Saved. Send it from here, or change it first."), "success")
    return go_to_path(url_for("requests.show", request_id=saved.id))


def _service_page(service_id: str, error: Invalid | None = None) -> str:
    choice = given("auth")
    page = pack_use.show_service(current_actor(), service_id, choice)
    return render(
        "catalog/service.html",
        block="verdict",
        page=page,
        endpoint_of=endpoint_of,
        category_words=CATEGORIES,
        choice=choice,
        verdict=_verdict(),
        error=error,
        typed=_typed() if error else {},
    )


def _verdict() -> KeyVerdict | None:
    run_id = request.args.get("run")
    try:
        return judge_key(get_run(current_actor(), run_id)) if run_id else None
    except NotFound:
        return None


def _fill_page(page: FillPage, error: Invalid | None = None, *, preview: Preview | None = None) -> str:
    return render(
        "catalog/fill.html",
        page=page,
        error=error,
        preview=preview,
        choice=page.choice,
        typed=_typed() if error or preview else {},
    )


def _typed() -> dict[str, Any]:
    return dict(request.form)
