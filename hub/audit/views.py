"""The page of the audit log."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from hub.audit import keeping, services
from hub.audit.exporting import FORMATS
from hub.audit.services import EventFilter
from hub.audit.words import describe_break, list_details, short_id
from hub.columns import utc_now
from hub.errors import Invalid
from hub.htmx import filtered_url, go_to, is_fragment_request, read_filters, render

bp = Blueprint("audit", __name__)

OUTCOMES = {"yes": True, "no": False}
FILTERS = ("search", "action", "resource", "user", "success", "since", "until")


@bp.get("/audit")
def index() -> ResponseReturnValue:
    """What was done in the person's name; operators see all."""
    chosen = read_filters(FILTERS)
    actor = current_user.actor
    error = ""
    try:
        page = services.list_events(actor, _as_filter(chosen), cursor=request.args.get("cursor"))
        events, next_cursor = page.rows, page.next_cursor
    except Invalid as refused:
        error, events, next_cursor = refused.message, [], None
    path = url_for("audit.index")
    return render(
        "audit/index.html",
        block="events",
        events=events,
        filters=chosen,
        error=error,
        is_filtered=any(chosen.values()),
        first_url=filtered_url(path, chosen) if request.args.get("cursor") else None,
        next_url=filtered_url(path, chosen, next_cursor) if next_cursor else None,
        export_urls={kind: filtered_url(url_for("audit.export"), {"format": kind, **chosen}) for kind in FORMATS},
        state=None if is_fragment_request() else keeping.read_state(actor),
        describe_break=describe_break,
        list_details=list_details,
        short_id=short_id,
    ), (422 if error else 200)


@bp.get("/audit/export")
def export() -> ResponseReturnValue:
    """The same events as a file, however many. ``format`` is csv or jsonl."""
    chosen, kind = read_filters(FILTERS), request.args.get("format", "csv")
    if kind not in FORMATS:
        raise Invalid(_("Choose csv or jsonl as the format."))
    actor = current_user.actor
    events = services.iterate_events(actor, _as_filter(chosen))
    write, media_type = FORMATS[kind]
    used = {name: value for name, value in chosen.items() if value}
    keeping.note_export(actor, kind, used)
    answer = Response(write(events), content_type=media_type)
    answer.headers.set("Content-Disposition", "attachment", filename=f"audit-{utc_now():%Y%m%d-%H%M%S}.{kind}")
    return answer


@bp.post("/audit/verification")
def verify() -> ResponseReturnValue:
    """Verify all chains now, in the worker."""
    keeping.ask_for_verification(current_user.actor)
    flash(_("The log is being verified; open this page again in a moment."), "success")
    return go_to("audit.index")


def _as_filter(chosen: dict[str, str]) -> EventFilter:
    until = _day(chosen["until"])
    return EventFilter(
        action=chosen["action"],
        user=chosen["user"],
        resource=chosen["resource"],
        success=OUTCOMES.get(chosen["success"]),
        since=_day(chosen["since"]),
        until=until + dt.timedelta(days=1) if until else None,
        text=chosen["search"],
    )


def _day(text: str) -> dt.datetime | None:
    """The beginning of a day in UTC, in which the page shows times."""
    if not text:
        return None
    try:
        day = dt.date.fromisoformat(text)
        return dt.datetime.combine(min(day, dt.date.max - dt.timedelta(days=1)), dt.time(), dt.UTC)
    except ValueError as error:
        raise Invalid(_("“%(text)s” is no date; write it as 2026-11-23.", text=text)) from error
