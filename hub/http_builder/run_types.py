"""Runs as they cross the JSON API, and as the command line prints them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.contracts.catalog import HttpMethod
from hub.http_builder.models import RunState
from hub.http_builder.running import RunRow, RunView
from hub.json_api import ListOf, Resource, Time
from hub.pagination import Page


class HeaderResource(Resource):
    """One header; they stand in the order of the message and may repeat."""

    name: str
    value: str


class TimingResource(Resource):
    """Where the time went, in milliseconds; null for a step that did not happen."""

    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None
    download_ms: float | None = None
    total_ms: float


class HopResource(Resource):
    """One answer on the way: a redirect, or the last one."""

    method: str
    url: str
    status: int
    reason: str
    address: str
    timing: TimingResource
    stripped: list[str] = Field(description="Headers and parameters that were left out because the origin changed.")


class TlsResource(Resource):
    """What was agreed with the server."""

    version: str
    cipher: str
    subject: str
    issuer: str
    valid_until: str | None
    verified: bool


class SentResource(Resource):
    """The request as it went out, secrets masked."""

    method: str
    url: str
    headers: list[HeaderResource]
    body: str | None = Field(description="Null where there is none, or where it is no text.")
    body_size: int
    body_cut: bool
    token_expires_at: str | None = Field(None, description="Of the OAuth2 token that was sent.")


class AssertionOutcome(Resource):
    """One assertion with what was found."""

    subject: str
    path: str
    comparison: str
    expected: str
    passed: bool
    found: str | None
    problem: str | None
    says: str = Field(description="What it demands, in words.")
    because: str = Field(description="Why it failed, in words; empty where it holds.")


class ExtractionOutcome(Resource):
    """One extraction with whether it found a value."""

    variable: str
    source: str
    path: str
    scope: str
    secret: bool
    found: bool
    problem: str | None
    because: str


class RunRowResource(Resource):
    """A run in a list."""

    id: str
    request_id: str | None
    chain_run_id: str | None
    name: str
    method: HttpMethod
    url: str
    state: RunState
    status: int | None
    passed: bool | None
    duration_ms: float | None
    body_size: int | None
    created_at: Time


class RunList(ListOf[RunRowResource]):
    """A page of runs, newest first."""


class RunResource(Resource):
    """One sending of a request: what was asked, sent and answered. Secrets are masked. Sizes are in bytes."""

    id: str
    request_id: str | None
    environment_id: str | None
    chain_run_id: str | None
    name: str
    state: RunState = Field(description="DONE: there is an answer. REFUSED: it was not sent. INTERRUPTED: the worker was lost.")
    method: HttpMethod
    url: str
    sent: SentResource | None
    status: int | None
    reason: str | None
    headers: list[HeaderResource]
    media_type: str | None
    wire_size: int | None = Field(description="Of the body as it came over the network.")
    body_size: int | None = Field(description="Of the body after decompression.")
    truncated: bool
    timing: TimingResource | None
    hops: list[HopResource]
    tls: TlsResource | None
    duration_ms: float | None
    error: dict[str, Any] | None = Field(description="Why there is no answer: code, details and, where it was sent, phase.")
    reasons: list[str] = Field(description="The same in words.")
    assertions: list[AssertionOutcome]
    passed: bool | None
    extracted: list[ExtractionOutcome]
    created_at: str
    started_at: str | None
    finished_at: str | None


class RunBodyResource(Resource):
    """The body of an answer, secrets masked: ``body`` where it is UTF-8, else ``bodyBase64``; both null where there is none."""

    media_type: str | None
    body_size: int | None
    truncated: bool
    body: str | None
    body_base64: str | None


class FullRunResource(RunResource):
    """A run with its body."""

    body: str | None
    body_base64: str | None


_ROW = [name for name in RunRowResource.model_fields if name != "status"]


def run_list(page: Page[RunRow]) -> RunList:
    """A page of runs."""
    rows = [RunRowResource(status=row.status_code, **{name: getattr(row, name) for name in _ROW}) for row in page.rows]
    return RunList(data=rows, next_cursor=page.next_cursor)


def run_resource(view: RunView) -> RunResource:
    """A run without its body."""
    return RunResource.model_validate(_facts(view))


def full_run_resource(view: RunView) -> FullRunResource:
    """A run with its body."""
    return FullRunResource.model_validate({**_facts(view), "body": view.text, "body_base64": view.base64})


def _facts(view: RunView) -> dict[str, Any]:
    facts = view.as_json()
    facts["headers"] = _headers(view.headers)
    if view.sent is not None:
        facts["sent"] = {**view.sent, "headers": _headers(view.sent["headers"])}
    return {name: facts[name] for name in RunResource.model_fields}


def _headers(rows: list[list[str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in rows]
