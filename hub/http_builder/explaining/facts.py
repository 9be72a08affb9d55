"""What the hub knows of a failed run beyond what n8n would: the way, the headers, the clock, its own refusals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from flask_babel import force_locale

from hub.contracts.analysis import ExchangeFacts, LocalizedText
from hub.http_builder.models import RequestRun
from hub.http_builder.running.words import describe_assertion, describe_found, describe_run_error

#: Headers of an answer that say what to do. No other one goes to an analyzer: an answer may set secrets.
TELLING = (
    *("accept-patch", "accept-post", "allow", "content-type", "date", "location", "retry-after", "www-authenticate"),
    *("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
)
_MOST_BODY = 16_000


def facts_of(run: RequestRun, text: str) -> ExchangeFacts:
    """The facts, with the hub's own masks; the evidence redacts them once more. ``text`` is the body of the answer."""
    error = run.error or {}
    headers = {name.lower(): value for name, value in run.response_headers}
    return ExchangeFacts(
        code=error.get("code"),
        details=error.get("details") or {},
        reasons=tuple(_in_both(lambda: describe_run_error(run))),
        phase=error.get("phase"),
        duration_ms=run.duration_ms,
        status=run.status_code,
        media_type=run.media_type,
        headers={name: headers[name] for name in TELLING if name in headers},
        hops=tuple({key: hop[key] for key in ("method", "url", "status")} for hop in run.hops),
        body=text[:_MOST_BODY],
        failed_checks=tuple(reasons_of_checks(run)),
        token_expired_at=_expired(run),
        clock_ahead_seconds=_clock_ahead(headers.get("date"), run.finished_at),
        is_signed=(run.definition.get("auth") or {}).get("type") in ("aws-sigv4", "hmac"),
    )


def reasons_of_checks(run: RequestRun) -> list[str]:
    """Each test that failed, and what was found, in English."""
    with force_locale("en"):
        return [f"{describe_assertion(test)}. {describe_found(test)}".strip() for test in run.assertions if not test["passed"]]


def english_reasons(run: RequestRun) -> list[str]:
    """Why the run has no answer, in English as n8n's errors are."""
    with force_locale("en"):
        return describe_run_error(run)


def _expired(run: RequestRun) -> str | None:
    expires = (run.sent or {}).get("token_expires_at")
    if not expires or run.started_at is None or dt.datetime.fromisoformat(expires) > run.started_at:
        return None
    return str(expires)


def _clock_ahead(date: str | None, received: dt.datetime | None) -> int | None:
    try:
        told = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    if told.tzinfo is None or received is None:
        return None
    return round((received - told).total_seconds())


def _in_both(describe: Callable[[], list[str]]) -> list[LocalizedText]:
    with force_locale("en"):
        english = describe()
    with force_locale("ar"):
        arabic = describe()
    return [LocalizedText(en=en, ar=ar) for en, ar in zip(english, arabic, strict=True)]
