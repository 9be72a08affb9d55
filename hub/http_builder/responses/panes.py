"""The pane of an answer: one of its parts at a time, with what the head always tells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.http_builder.models import RequestRun, RunState
from hub.http_builder.responses.bodies import Asked, BodyView, show_body
from hub.http_builder.responses.contents import make_visible
from hub.http_builder.responses.cookies import Cookie, read_cookies
from hub.http_builder.responses.timings import Bar, draw_timing
from hub.http_builder.responses.tree import clip
from hub.http_builder.running import get_body
from hub.http_builder.running.runs import ACTIVE
from hub.http_builder.running.words import describe_assertion, describe_found, describe_problem_of_check, describe_run_error

PARTS = ("body", "headers", "checks", "connection", "sent")
#: Headers that are shown, and letters of all of them together.
MAX_HEADERS, MAX_LETTERS = 200, 30_000
MAX_SENT = 20_000
MAX_HOPS = 25


@dataclass(frozen=True, slots=True)
class Rows:
    """Names and values, and how many more there are."""

    rows: list[tuple[str, str]]
    more: int


@dataclass(frozen=True, slots=True)
class Pane:
    """One part of an answer. Only the fields of that part are filled; ``checks`` have failed ones first."""

    run: RequestRun
    part: str
    waits: bool
    reasons: list[str]
    failed_step: Bar | None
    checks: list[dict[str, Any]]
    extracted: list[dict[str, Any]]
    seconds: float | None
    body: BodyView | None = None
    headers: Rows | None = None
    cookies: Sequence[Cookie] = ()
    bars: Sequence[Bar] = ()
    hops: Sequence[Mapping[str, Any]] = ()
    expired: bool = False
    unverified: bool = False
    sent: Rows | None = None
    sent_body: tuple[str, bool] | None = None


def show_pane(actor: Actor, run: RequestRun, part: str, asked: Asked) -> Pane:
    """A part of one of the actor's runs; one that is not known is the body, or where there was no answer, the connection."""
    has_answer = run.state is RunState.DONE
    if part not in PARTS:
        part = "body" if has_answer else ("connection" if run.timing else "sent")
    phase = str((run.error or {}).get("phase") or "")
    bars = draw_timing(run.timing, phase)
    checks = [{**each, "says": describe_assertion(each), "because": describe_found(each)} for each in run.assertions]
    sent = run.sent or {}
    tls = run.tls or {}
    return Pane(
        run=run,
        part=part,
        waits=run.state in ACTIVE,
        reasons=describe_run_error(run),
        failed_step=next((bar for bar in bars if bar.failed), None),
        checks=sorted(checks, key=lambda check: bool(check["passed"])),
        extracted=[{**each, "because": _why_not(each)} for each in run.extracted],
        seconds=(utc_now() - run.started_at).total_seconds() if run.started_at else None,
        body=show_body(run, get_body(actor, run.id) or b"", asked) if part == "body" and has_answer else None,
        headers=clip_rows(run.response_headers) if part == "headers" else None,
        cookies=read_cookies(run.response_headers) if part == "headers" else (),
        bars=bars,
        hops=run.hops[:MAX_HOPS],
        expired=_is_past(tls.get("valid_until")),
        unverified=bool(tls) and not tls.get("verified"),
        sent=clip_rows(sent.get("headers") or ()) if part == "sent" else None,
        sent_body=clip(sent["body"], MAX_SENT) if part == "sent" and sent.get("body") else None,
    )


def clip_rows(pairs: Iterable[Sequence[str]]) -> Rows:
    """Names and values, harmless, as many as a page can take."""
    pairs = list(pairs)
    rows: list[tuple[str, str]] = []
    letters = MAX_LETTERS
    for name, value in pairs[:MAX_HEADERS]:
        if letters <= 0:
            break
        shown_value, is_cut = clip(value, min(letters, 4000))
        shown_name = clip(name, 200)[0]
        letters -= len(shown_name) + len(shown_value)
        rows.append((shown_name, shown_value + ("…" if is_cut else "")))
    return Rows(rows, len(pairs) - len(rows))


def describe_problem(code: str) -> str:
    """What is odd about a body, and what that means for the reader."""
    words = {
        "is-picture": _("The headers say otherwise, but this is a picture."),
        "is-text": _("The headers promise a picture or recording, but this is text."),
        "unknown-charset": _("The character set in the headers is not known; this is read as UTF-8."),
        "broken-charset": _("Some bytes do not fit the character set; � stands in their place. The download has them all."),
        "cut-json": _("The JSON ends too early, because the body was cut off. Here is the text."),
        "no-json": _("The headers or the look say JSON, but it cannot be read as JSON. Here is the text."),
    }
    return words.get(code, code)


def show_text(text: str | None, most: int = 300) -> str:
    """A text of the other server for a page: harmless and not too long."""
    shown, is_cut = clip(text or "", most)
    return shown + "…" if is_cut else shown


def show_all(text: str | None) -> str:
    """The same at full length, for what is short by its nature."""
    return make_visible(text or "")


def format_size(size: int | None) -> str:
    """Bytes for people; always left to right."""
    if size is None:
        return ""
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.1f} kB" if size < 1_000_000 else f"{size / 1_000_000:.2f} MB"


def format_ms(milliseconds: float | None) -> str:
    """A short duration for people; always left to right."""
    if milliseconds is None:
        return ""
    if milliseconds < 1000:
        return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.2f} s"


def _why_not(extracted: Mapping[str, Any]) -> str:
    return describe_problem_of_check(extracted["problem"]) if extracted["problem"] else ""


def _is_past(moment: str | None) -> bool:
    try:
        until = dt.datetime.fromisoformat(moment or "")
    except ValueError:
        return False
    return until.replace(tzinfo=until.tzinfo or dt.UTC) < utc_now()
