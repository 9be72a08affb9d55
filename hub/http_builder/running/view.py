"""A run as plain data: for the JSON API, the command line and plugins."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from hub.contracts.actor import Actor
from hub.http_builder.models import RequestRun
from hub.http_builder.running.runs import get_body
from hub.http_builder.running.words import describe_assertion, describe_found, describe_problem_of_check, describe_run_error


@dataclass(frozen=True, slots=True)
class RunView:
    """Everything that is kept of a run, masked. Times are ISO 8601 in UTC, durations milliseconds, sizes bytes.

    ``reasons`` say in words why there is no answer. Of the body ``text`` is there where it is UTF-8, else ``base64``.
    """

    id: str
    request_id: str | None
    environment_id: str | None
    chain_run_id: str | None
    name: str
    state: str
    method: str
    url: str
    sent: dict[str, Any] | None
    status: int | None
    reason: str | None
    headers: list[list[str]]
    media_type: str | None
    wire_size: int | None
    body_size: int | None
    truncated: bool
    text: str | None
    base64: str | None
    timing: dict[str, Any] | None
    hops: list[dict[str, Any]]
    tls: dict[str, Any] | None
    duration_ms: float | None
    error: dict[str, Any] | None
    reasons: list[str]
    assertions: list[dict[str, Any]]
    passed: bool | None
    extracted: list[dict[str, Any]]
    created_at: str
    started_at: str | None
    finished_at: str | None

    def as_json(self) -> dict[str, Any]:
        """Plain values only."""
        return asdict(self)


def view_run(actor: Actor, run: RequestRun) -> RunView:
    """One of the actor's runs with its body."""
    return show_run(run, get_body(actor, run.id))


def show_run(run: RequestRun, body: bytes | None) -> RunView:
    """A run, stored or not, with this body."""
    text = _as_text(body)
    return RunView(
        id=run.id,
        request_id=run.request_id,
        environment_id=run.environment_id,
        chain_run_id=run.chain_run_id,
        name=run.name,
        state=run.state.value,
        method=run.method.value,
        url=run.url,
        sent=run.sent,
        status=run.status_code,
        reason=run.reason,
        headers=run.response_headers,
        media_type=run.media_type,
        wire_size=run.wire_size,
        body_size=run.body_size,
        truncated=run.truncated,
        text=text,
        base64=base64.b64encode(body).decode() if body is not None and text is None else None,
        timing=run.timing,
        hops=run.hops,
        tls=run.tls,
        duration_ms=run.duration_ms,
        error=run.error,
        reasons=describe_run_error(run),
        assertions=[{**each, "says": describe_assertion(each), "because": describe_found(each)} for each in run.assertions],
        passed=run.passed,
        extracted=[{**each, "because": _why_not(each)} for each in run.extracted],
        created_at=run.created_at.isoformat(),
        started_at=_iso(run.started_at),
        finished_at=_iso(run.finished_at),
    )


def _why_not(extracted: dict[str, Any]) -> str:
    return describe_problem_of_check(extracted["problem"]) if extracted["problem"] else ""


def _as_text(body: bytes | None) -> str | None:
    try:
        return body.decode() if body is not None else None
    except UnicodeDecodeError:
        return None


def _iso(moment: dt.datetime | None) -> str | None:
    return moment.isoformat() if moment else None
