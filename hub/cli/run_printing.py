"""Runs on a terminal: for people, as JSON, or as the problem document that says why there is no answer."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import click

from hub.http_builder.models import RunState
from hub.http_builder.run_types import full_run_resource, run_resource
from hub.http_builder.running import RunView
from hub.http_builder.running.words import name_state

NO_ANSWER, FAILED_ASSERTION = 1, 3
#: What a terminal would take for a command to itself.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no answer: a code for programs, sentences for people, and what more is known."""

    code: str
    reasons: list[str]
    title: str = "Not sent"
    more: dict[str, Any] = field(default_factory=dict)


def print_run(view: RunView, *, as_json: bool) -> int:
    """Print a run that has ended; answers the exit code: 0, 1 without an answer, 3 where an assertion failed."""
    if view.state != RunState.DONE:
        print_problem(_trouble_of(view), as_json=as_json)
        return NO_ANSWER
    if as_json:
        click.echo(full_run_resource(view).model_dump_json(indent=1))
    else:
        _print_answer(view)
    return FAILED_ASSERTION if view.passed is False else 0


def print_problem(trouble: Trouble, *, as_json: bool) -> None:
    """As a problem document (RFC 9457) on standard output, or as one line on standard error."""
    detail = " ".join(trouble.reasons) or trouble.code
    if not as_json:
        click.echo(f"hub: {trouble.title}. {tidy(detail)} [{trouble.code}]", err=True)
        return
    document = {
        "type": f"urn:problem-type:ai-http-hub:{trouble.code}",
        "title": trouble.title,
        "detail": detail,
        "code": trouble.code,
        **trouble.more,
    }
    click.echo(json.dumps(document, ensure_ascii=False, indent=1))


def tidy(text: str) -> str:
    """The text with control characters written out; line breaks and tabs stay."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text.replace("\r\n", "\n"))


def _trouble_of(view: RunView) -> Trouble:
    error = view.error or {"code": view.state.lower(), "details": {}}
    code, details = error["code"], error["details"]
    if code == "not-ready":
        problems = details["problems"]
        code, details = problems[0]["code"], {"problems": problems}
    # Only what was prepared is masked: before that the URL may hold a password.
    names = {"state", "method", "timing", "hops", *(("url",) if view.sent else ())}
    known = run_resource(view).model_dump(mode="json", by_alias=True, include=names)
    more = {"details": details, "phase": error.get("phase"), **known}
    return Trouble(code, view.reasons, name_state(RunState(view.state)), more)


def _print_answer(view: RunView) -> None:
    for hop in view.hops[:-1]:
        click.echo(f"{hop['status']} {hop['method']} {tidy(hop['url'])}", err=True)
    click.echo(f"{view.status} {tidy(view.reason or '')}  {view.duration_ms or 0:.0f} ms  {view.body_size or 0} bytes")
    for name, value in view.headers:
        click.echo(f"{tidy(name)}: {tidy(value)}")
    click.echo()
    if view.base64 is not None:
        click.echo("(The body is no text; --json prints it as Base64.)", err=True)
    elif view.text:
        click.echo(tidy(view.text))
    if view.truncated:
        click.echo("(The body goes on; the hub reads no more of it.)", err=True)
    for each in view.assertions:
        click.echo("  ".join(filter(None, ("ok  " if each["passed"] else "FAIL", each["says"], tidy(each["because"])))), err=True)
    for each in view.extracted:
        mark, scope = ("ok  ", f"-> {each['scope']}") if each["found"] else ("FAIL", each["because"])
        click.echo(f"{mark}  {each['variable']}  {scope}", err=True)
