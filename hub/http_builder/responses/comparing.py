"""Two runs beside each other: outcome, headers and bodies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import unified_diff

import sqlalchemy as sa

from hub.contracts.actor import Actor
from hub.extensions import db
from hub.http_builder.models import RequestRun, RunState
from hub.http_builder.responses.changes import Changes, compare_json, same_ends
from hub.http_builder.responses.contents import Kind, make_visible, read_content
from hub.http_builder.responses.values import parse_json
from hub.http_builder.running import get_body

#: What is compared of a text that is no JSON: lines (without equal ones at the ends), and letters of each.
MAX_LINES, MAX_LINE = 1500, 300
MAX_DIFF_LINES = 600
MAX_HEADERS, MAX_HEADER = 100, 300


@dataclass(frozen=True, slots=True)
class HeaderChange:
    """A header that differs; None where it is missing."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs. ``kind`` of the bodies: same, json, text, binary or none (neither has one)."""

    kind: str
    headers: list[HeaderChange]
    more_headers: int
    changes: Changes | None = None
    lines: Sequence[str] = ()
    complete: bool = True


def compare_runs(actor: Actor, before: RequestRun, after: RequestRun) -> Comparison:
    """The differences between two of the actor's runs."""
    headers = list(_header_changes(before.response_headers, after.response_headers))
    shown, more = headers[:MAX_HEADERS], max(len(headers) - MAX_HEADERS, 0)
    old, new = get_body(actor, before.id) or b"", get_body(actor, after.id) or b""
    if old == new:
        return Comparison("same" if old else "none", shown, more)
    contents = (read_content(before, old), read_content(after, new))
    if all(content.kind is Kind.JSON for content in contents):
        try:
            values = [parse_json(content.text or "") for content in contents]
        except ValueError:
            pass
        else:
            return Comparison("json", shown, more, compare_json(*values))
    if any(content.text is None and content.kind is not Kind.EMPTY for content in contents):
        return Comparison("binary", shown, more)
    lines, complete = _text_changes(*(content.text or "" for content in contents))
    return Comparison("text", shown, more, lines=lines, complete=complete)


def find_previous(actor: Actor, run: RequestRun, *, green: bool = False) -> RequestRun | None:
    """The run of the same request before this one that has an answer; ``green``: the last one that was fine."""
    if run.request_id is None:
        return None
    earlier = sa.select(RequestRun).where(
        RequestRun.user_id == actor.user_id,
        RequestRun.request_id == run.request_id,
        RequestRun.created_at < run.created_at,
        RequestRun.state == RunState.DONE,
    )
    if green:
        earlier = earlier.where(RequestRun.status_code < 400, RequestRun.passed.is_not(False))
    return db.session.scalar(earlier.order_by(RequestRun.created_at.desc(), RequestRun.id.desc()).limit(1))


def is_green(run: RequestRun) -> bool:
    """Whether a run was answered well: no error status, no test failed."""
    return run.state is RunState.DONE and (run.status_code or 0) < 400 and run.passed is not False


def _header_changes(before: Iterable[Sequence[str]], after: Iterable[Sequence[str]]) -> Iterable[HeaderChange]:
    old, new = _joined(before), _joined(after)
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            yield HeaderChange(make_visible(name[:MAX_HEADER]), _clip(old.get(name)), _clip(new.get(name)))


def _joined(headers: Iterable[Sequence[str]]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name.lower(), []).append(value)
    return {name: "\n".join(values) for name, values in found.items()}


def _clip(text: str | None) -> str | None:
    if text is None:
        return None
    return make_visible(text[:MAX_HEADER]) + ("…" if len(text) > MAX_HEADER else "")


def _text_changes(before: str, after: str) -> tuple[list[str], bool]:
    """A unified difference, and whether it tells everything."""
    old, new = before.splitlines(), after.splitlines()
    begin, ends = same_ends(old, new)
    first = max(begin - 3, 0)
    # Some equal lines stay at either end for the eye.
    old, new = old[first : len(old) - ends + 3 if ends > 3 else None], new[first : len(new) - ends + 3 if ends > 3 else None]
    complete = max(len(old), len(new)) <= MAX_LINES
    lines = [[make_visible(line[:MAX_LINE]) for line in side[:MAX_LINES]] for side in (old, new)]
    shown = list(unified_diff(lines[0], lines[1], lineterm="", n=3))[2:]
    return shown[:MAX_DIFF_LINES], complete and len(shown) <= MAX_DIFF_LINES
