"""Refused requests as audit events: one place for pages and API, bounded so that nobody floods the log.

What counts is the answer: 402 (no room in the plan), 403 (not allowed, another site), 404 under an id (not there, or somebody
else's: the log tells it no more than the answer), 429, a form without its token, and an API key that is not valid. Wrong
passwords have their own events.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from flask_login import current_user

from hub.accounts.rate_limits import address_block
from hub.accounts.web import API_PREFIX, request_client
from hub.audit.services import record_event
from hub.contracts.actor import SYSTEM, Actor
from hub.extensions import db
from hub.security import SAFE_METHODS

log = logging.getLogger(__name__)

ACTION = "access.refused"
WINDOW_SECONDS = 60.0
#: Events of one person or address, and of all of them, in one window of one process; what is more is only counted.
PER_SOURCE = 10
PER_PROCESS = 300


class Meter:
    """Counts refusals by their source in fixed windows, and says which are written down."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._seen: Counter[str] = Counter()
        self._written = 0
        self._dropped = 0

    def admit(self, source: str) -> bool:
        """Whether this refusal is to be written down."""
        with self._lock:
            admitted = self._written < PER_PROCESS and self._seen[source] < PER_SOURCE
            if admitted:
                self._seen[source] += 1
                self._written += 1
            else:
                self._dropped += 1
            return admitted

    def take_dropped(self) -> int:
        """Once a window is over and another begins: how many refusals of it were only counted. Else 0."""
        if time.monotonic() - self._began < WINDOW_SECONDS:
            return 0
        with self._lock:
            dropped, self._dropped, self._written = self._dropped, 0, 0
            self._seen.clear()
            self._began = time.monotonic()
            return dropped


def note_refusal(response: Response) -> Response:
    """Record a refused request in a transaction of its own. A log that cannot be written refuses no less."""
    meter: Meter = current_app.extensions["hub_refusals"]
    try:
        if dropped := meter.take_dropped():
            db.session.rollback()
            details = {"reason": "too_many_to_list", "count": dropped, "seconds": int(WINDOW_SECONDS)}
            record_event(SYSTEM, ACTION, "request", success=False, details=details)
            db.session.commit()
        reason = _reason(response.status_code)
        if reason is None:
            return response
        actor = _actor()
        if meter.admit(actor.user_id or address_block(actor.ip_address)):
            db.session.rollback()  # what the refused request began is not kept with the event
            record_event(actor, ACTION, _resource(), _object(), success=False, details=_details(reason, response.status_code))
            db.session.commit()
    except Exception:
        db.session.rollback()
        log.exception("a refused request could not be recorded")
    return response


def _reason(status: int) -> str | None:
    if status == 403:
        return "cross_site" if _is_cross_site() else "not_allowed"
    if status == 402:
        return "plan_limit"
    if status == 404:
        return "not_found" if request.view_args and request.endpoint != "static" else None
    if status == 429:
        return "too_many"
    if status == 401:
        return "bad_key" if request.path.startswith(API_PREFIX) and "Authorization" in request.headers else None
    is_form = request.method not in SAFE_METHODS and not request.path.startswith(API_PREFIX)
    checked = current_app.config["WTF_CSRF_ENABLED"] and not g.get("csrf_valid")
    return "bad_token" if status == 400 and is_form and checked else None


def _is_cross_site() -> bool:
    origin = request.headers.get("Origin")
    is_foreign = origin is not None and urlsplit(origin).netloc != request.host
    return request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") or is_foreign


def _actor() -> Actor:
    """The person or key where one is known, else whoever is at that address."""
    known: Actor | None = g.get("hub_api_actor")
    if known is None and not request.path.startswith(API_PREFIX) and current_user.is_authenticated:
        known = current_user.actor
    return known or request_client().as_actor(None)


def _resource() -> str:
    return (request.endpoint or "request")[:80]


def _object() -> str | None:
    """The id that was asked for; a path of any length is cut."""
    return str(list(request.view_args.values())[-1])[:80] if request.view_args else None


def _details(reason: str, status: int) -> dict[str, object]:
    details: dict[str, object] = {"reason": reason, "status": status, "method": request.method}
    if reason == "cross_site":
        details["origin"] = request.headers.get("Origin", "")[:200]
    return details


def init_app(app: Flask) -> None:
    """Watch the answers of every route."""
    app.extensions["hub_refusals"] = Meter()
    app.after_request(note_refusal)
