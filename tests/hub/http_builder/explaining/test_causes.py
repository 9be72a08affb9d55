"""Causes that only the hub can see, from real runs against a server that fails so."""

from __future__ import annotations

import base64
import datetime as dt
import json
import socket
from collections.abc import Callable
from email.utils import format_datetime
from typing import Any

import pytest

from hub.contracts.actor import Actor
from hub.contracts.analysis import Cause, Evidence
from hub.egress import EgressPolicy
from hub.errors import Conflict
from hub.http_builder.models import RunState
from tests.hub.egress.servers import Received, Server, Talk, answer, resolve_to_loopback, saying
from tests.hub.http_builder.explaining.conftest import Bench

Start = Callable[[Talk], Server]


def jwt(expires: dt.datetime) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'HS256'})}.{part({'exp': int(expires.timestamp())})}.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"


def test_an_unresolved_variable(bench: Bench) -> None:
    run = bench.send(url="https://api.example.com/{{missing_id}}")
    _analysis, diagnosis = bench.explain(run)
    assert (run.state, diagnosis.cause) == (RunState.REFUSED, Cause.UNDEFINED_VALUE)
    assert "missing_id" in diagnosis.summary.en
    assert "missing_id" in diagnosis.summary.ar


def test_a_refused_address_comes_with_the_line_to_add(bench: Bench, app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, "hub_egress", EgressPolicy(resolver=resolve_to_loopback))
    run = bench.send(url="http://one.test:8080/")
    _analysis, diagnosis = bench.explain(run)
    assert (run.state, diagnosis.cause) == (RunState.REFUSED, Cause.FORBIDDEN)
    assert "HUB_ALLOWED_ADDRESSES=one.test:8080" in diagnosis.suggestions[0].explanation.en


def test_a_secret_for_another_host(bench: Bench, start_server: Start) -> None:
    server = start_server(saying(answer()))
    saved = bench.save(
        method="GET",
        url="https://api.example.com/",
        auth={"type": "bearer", "token": "{{TOKEN}}"},
        secrets={"TOKEN": "s3cret-value-of-a-token"},
    )
    run = bench.send(name="Elsewhere", request_id=saved.id, url=server.url("/"), auth={"type": "bearer", "token": "{{TOKEN}}"})
    analysis, diagnosis = bench.explain(run)
    assert (run.state, diagnosis.cause) == (RunState.REFUSED, Cause.FORBIDDEN)
    assert "api.example.com" in diagnosis.summary.en
    assert server.received == []
    assert "s3cret-value" not in json.dumps([analysis.error_data, analysis.analysis])


def test_an_expired_token_is_known_by_its_date_alone(bench: Bench, start_server: Start) -> None:
    server = start_server(saying(answer(401, b'{"message": "Unauthorized"}', Content_Type="application/json")))
    token = jwt(dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC))
    auth = {"type": "bearer", "token": "{{TOKEN}}"}
    saved = bench.save(method="GET", url=server.url("/"), auth=auth, secrets={"TOKEN": token})
    run = bench.send_saved(saved)
    analysis, diagnosis = bench.explain(run)
    assert (diagnosis.source, diagnosis.cause) == ("request-token-expired", Cause.BAD_CREDENTIALS)
    assert "2024-05-01 12:00:00" in diagnosis.summary.en
    kept = json.dumps([run.sent, analysis.error_data, analysis.analysis])
    assert not any(part in kept for part in token.split("."))


def test_a_token_that_holds_is_not_blamed(bench: Bench, start_server: Start) -> None:
    server = start_server(saying(answer(401, b"no")))
    auth = {"type": "bearer", "token": "{{TOKEN}}"}
    tomorrow = jwt(dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
    run = bench.send_saved(bench.save(method="GET", url=server.url("/"), auth=auth, secrets={"TOKEN": tomorrow}))
    _analysis, diagnosis = bench.explain(run)
    assert (diagnosis.source, diagnosis.cause) == ("request-sign-in-refused", Cause.BAD_CREDENTIALS)


def test_a_request_without_a_sign_in_is_told_to_have_one(bench: Bench, start_server: Start) -> None:
    server = start_server(saying(answer(401, b"no")))
    run = bench.send_saved(bench.save(method="GET", url=server.url("/")))
    _analysis, diagnosis = bench.explain(run)
    assert (diagnosis.source, diagnosis.cause) == ("request-sign-in-missing", Cause.BAD_CREDENTIALS)


def test_a_clock_that_is_off(bench: Bench, start_server: Start) -> None:
    date = format_datetime(dt.datetime.now(dt.UTC) - dt.timedelta(hours=2), usegmt=True)
    server = start_server(saying(answer(403, b"<Error><Code>RequestTimeTooSkewed</Code></Error>", Date=date)))
    auth = {
        "type": "aws-sigv4",
        "access_key_id": "AKIDEXAMPLE",
        "secret_access_key": "{{KEY}}",
        "region": "us-east-1",
        "service": "s3",
    }
    run = bench.send_saved(bench.save(method="GET", url=server.url("/"), auth=auth, secrets={"KEY": "wJalrXUtnFEMI/K7MDENG"}))
    analysis, diagnosis = bench.explain(run)
    ahead = Evidence.model_validate(analysis.error_data).exchange
    assert ahead is not None
    assert (diagnosis.source, abs((ahead.clock_ahead_seconds or 0) - 7200) < 120) == ("request-clock", True)


TEXT = {"Content_Type": "application/json"}
ANSWERS: dict[str, tuple[bytes, dict[str, Any], str, Cause]] = {
    "slack": (answer(200, b'{"ok": false, "error": "invalid_auth"}', **TEXT), {}, "request-says-failed", Cause.BAD_CREDENTIALS),
    "slack-channel": (
        answer(200, b'{"ok":false,"error":"channel_not_found"}', **TEXT),
        {},
        "request-says-failed",
        Cause.NOT_FOUND,
    ),
    "graphql": (
        answer(200, b'{"errors": [{"message": "Cannot query field \\"x\\" on type \\"Shop\\"."}]}', **TEXT),
        {"method": "POST", "body": {"kind": "graphql", "query": "{ x }"}},
        "request-says-failed",
        Cause.BAD_REQUEST,
    ),
    "login-page": (
        answer(200, b"<!doctype html><form action='/login'><input type='password'></form>", Content_Type="text/html"),
        {},
        "request-web-page",
        Cause.BAD_CREDENTIALS,
    ),
    "page-for-json": (
        answer(200, b"<html><h1>Welcome</h1></html>", Content_Type="text/html"),
        {"headers": [{"name": "Accept", "value": "application/json"}]},
        "request-web-page",
        Cause.BAD_RESPONSE_FORMAT,
    ),
    "test": (
        answer(200, b'{"total": 3}', **TEXT),
        {"assertions": [{"subject": "body", "path": "$.total", "expected": "4"}]},
        "request-checks",
        Cause.BAD_RESPONSE_FORMAT,
    ),
    "retry-after": (answer(429, b"{}", Retry_After="17"), {}, "request-retry-after", Cause.RATE_LIMITED),
    "retry-date": (
        answer(503, b"", Date="Mon, 04 May 2026 10:00:00 GMT", Retry_After="Mon, 04 May 2026 10:02:00 GMT"),
        {},
        "request-retry-after",
        Cause.TRANSIENT_UPSTREAM,
    ),
    "not-acceptable": (
        answer(406, b'{"message": "Only application/json is available"}', **TEXT),
        {"headers": [{"name": "Accept", "value": "application/xml"}]},
        "http-not-acceptable",
        Cause.UNSUPPORTED_MEDIA_TYPE,
    ),
    "outage": (answer(502, b"<h1>Bad Gateway</h1>", Content_Type="text/html"), {}, "http-outage", Cause.TRANSIENT_UPSTREAM),
    "unfilled": (answer(404, b"{}", **TEXT), {"path": "/users/{id}/orders"}, "request-unfilled", Cause.UNDEFINED_VALUE),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_what_an_answer_tells(bench: Bench, start_server: Start, case: str) -> None:
    said, fields, source, cause = ANSWERS[case]
    path = fields.get("path", "/")
    server = start_server(saying(said))
    run = bench.send(url=server.url(path), **{name: value for name, value in fields.items() if name != "path"})
    _analysis, diagnosis = bench.explain(run)
    assert (diagnosis.source, diagnosis.cause) == (source, cause)
    if case == "retry-after":
        assert "17" in diagnosis.suggestions[0].title.en
    if case == "retry-date":
        assert "120" in diagnosis.suggestions[0].title.en


def test_a_timeout_says_which_step(bench: Bench, start_server: Start) -> None:
    def silent(_request: Received, connection: socket.socket) -> None:
        connection.recv(1)

    server = start_server(silent)
    saved = bench.save(method="GET", url=server.url("/"), settings={"timeout_seconds": 1})
    run = bench.send_saved(saved)
    _analysis, diagnosis = bench.explain(run)
    assert (run.state, diagnosis.cause) == (RunState.FAILED, Cause.TIMEOUT)
    assert "waited for the answer to begin" in diagnosis.summary.en
    assert bench.apply_first(run).settings["timeout_seconds"] == 30


def test_names_connections_and_certificates_go_to_the_rules(bench: Bench, start_server: Start) -> None:
    server = start_server(saying(answer()))
    server.close()
    refused = bench.explain(bench.send(url=server.url("/")))[1]
    plain = start_server(saying(answer()))
    wrong = bench.explain(bench.send(url=plain.url("/").replace("http://", "https://")))[1]
    unknown = bench.explain(bench.send(url="http://nowhere.invalid/"))[1]
    bare = bench.explain(bench.send(url="htp://api.example.com/orders"))[1]
    causes = [refused.cause, wrong.cause, unknown.cause, bare.cause]
    assert causes == [Cause.CONNECTION_REFUSED, Cause.TLS_PROTOCOL, Cause.DNS, Cause.INVALID_URL]


def test_the_last_success_is_compared(bench: Bench, start_server: Start) -> None:
    def talk(request: Received, connection: socket.socket) -> None:
        good = request.target == "/v1/orders"
        connection.sendall(answer(200 if good else 404, b"{}", Content_Type="application/json"))

    server = start_server(talk)
    saved = bench.save(method="GET", url=server.url("/v1/orders"))
    worked = bench.send_saved(saved)
    failed = bench.send(name=saved.name, request_id=saved.id, url=server.url("/v2/orders"))
    analysis, _diagnosis = bench.explain(failed)
    last = Evidence.model_validate(analysis.error_data).last_success
    assert last is not None
    assert last.execution_id == worked.id
    assert [(change.kind, change.place) for change in last.workflow_changes] == [("parameter", "url")]


def test_what_did_not_fail_is_not_explained(bench: Bench, start_server: Start, bob: Actor) -> None:
    run = bench.send(url=start_server(saying(answer(200, b'{"ok": true}', **TEXT))).url("/"))
    with pytest.raises(Conflict):
        bench.explain(run)
