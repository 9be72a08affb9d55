"""Whether a run failed, and how: by its state, its status, its tests, or by what the answer itself says."""

from __future__ import annotations

import enum
import json
import re
from typing import Any

from hub.http_builder.models import RequestRun, RunState

_LOGIN = re.compile(r"<input[^>]+type=[\"']?password|<form[^>]+action=[\"'][^\"']*(?:login|signin|sign-in|sso)", re.IGNORECASE)
_HTML = re.compile(r"\s*(?:<!doctype html|<html\b)", re.IGNORECASE)


class Failure(enum.StrEnum):
    """How a run failed."""

    #: The hub sent nothing.
    REFUSED = "refused"
    NO_ANSWER = "no-answer"
    #: An error status.
    STATUS = "status"
    #: A good status, and an answer that says that the call failed.
    SAYS_FAILED = "says-failed"
    #: A web page where data was to come.
    WEB_PAGE = "web-page"
    #: Nothing but a test of the request.
    CHECKS = "checks"


def find_failure(run: RequestRun, body: bytes | None) -> Failure | None:
    """How the run failed; None where it did not, or has not ended by itself."""
    if run.state is RunState.REFUSED:
        return Failure.REFUSED
    if run.state is RunState.FAILED:
        return Failure.NO_ANSWER
    if run.state is not RunState.DONE:
        return None
    if (run.status_code or 0) >= 400:
        return Failure.STATUS
    text = text_of(body)
    if is_unwanted_page(run, text):
        return Failure.WEB_PAGE
    if failed_answer(text) is not None:
        return Failure.SAYS_FAILED
    return Failure.CHECKS if run.passed is False else None


def text_of(body: bytes | None) -> str:
    """The body as text; empty where it is none."""
    try:
        return (body or b"").decode()
    except UnicodeDecodeError:
        return ""


def failed_answer(text: str) -> str | None:
    """What an answer says that calls itself failed: ``{"ok": false, "error": ...}``, GraphQL's ``errors``. None for any other."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    says_no = value.get("ok") is False or value.get("success") is False
    errors = value.get("errors")
    if isinstance(errors, list) and errors and (says_no or not value.get("data")):
        return _words(errors[0])
    if not says_no:
        return None
    return _words(next((value[key] for key in ("error", "message", "description", "errors") if value.get(key)), ""))


def is_unwanted_page(run: RequestRun, text: str) -> bool:
    """Whether a web page came where the request asks for data, or a page to sign in."""
    if run.media_type != "text/html" and not _HTML.match(text):
        return False
    return asks_for_json(run) or is_login_page(text)


def asks_for_json(run: RequestRun) -> bool:
    """Whether the request says that it wants JSON: by ``Accept``, by its own body or by its tests."""
    definition = run.definition
    accepts = [row["value"] for row in definition.get("headers") or () if row.get("name", "").lower() == "accept"]
    looks_inside = any(test.get("subject") == "body" and test.get("enabled", True) for test in definition.get("assertions") or ())
    return looks_inside or any("json" in value for value in accepts) or _body_kind(definition) in ("json", "graphql")


def is_login_page(text: str) -> bool:
    """Whether the page has a field for a password or leads to a sign-in."""
    return bool(_LOGIN.search(text))


def _body_kind(definition: dict[str, Any]) -> str:
    return str((definition.get("body") or {}).get("kind", "none"))


def _words(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("message") or value.get("code") or value
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
