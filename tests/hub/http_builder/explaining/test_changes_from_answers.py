"""Each cause with a change: the request fails, is explained, changed, sent again, and succeeds."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from hub.http_builder.explaining.services import find_repeat
from hub.http_builder.models import RequestRun, RunState
from hub.http_builder.running import get_run
from tests.hub.egress.servers import Received, Server, Talk, answer
from tests.hub.http_builder.explaining.conftest import Bench

Start = Callable[[Talk], Server]
Rule = Callable[[Received], bytes]


def replying(reply: Rule) -> Talk:
    def talk(request: Received, connection: socket.socket) -> None:
        connection.sendall(reply(request))

    return talk


def said(status: int, value: Any, **headers: str) -> bytes:
    return answer(status, json.dumps(value).encode(), Content_Type="application/json", **headers)


GOOD = said(200, {"id": 7})


def content_type(request: Received) -> str:
    return next(iter(request.all("content-type")), "").partition(";")[0]


def only_patch(request: Received) -> bytes:
    return GOOD if request.method == "PATCH" else answer(405, b"", Allow="PATCH, OPTIONS")


def posts_say_so(request: Received) -> bytes:
    return GOOD if request.method == "POST" else said(405, {"message": "Method GET is not allowed. Use POST."})


def wants_form(request: Received) -> bytes:
    if content_type(request) != "application/x-www-form-urlencoded":
        words = "Invalid request (check that your POST content type is application/x-www-form-urlencoded)."
        return said(400, {"error": {"message": words}})
    fields = parse_qs(request.body.decode())
    return (
        GOOD
        if fields == {"amount": ["1099"], "metadata[order]": ["A 1"], "items[0]": ["x"]}
        else said(400, {"error": str(fields)})
    )


def wants_json(request: Received) -> bytes:
    if content_type(request) != "application/json":
        return answer(415, b"", Accept_Post="application/json")
    return GOOD if json.loads(request.body) == {"n": 1, "name": "A 1"} else said(400, {"got": request.body.decode()})


def redirects_to_slash(request: Received) -> bytes:
    if request.target.startswith("/orders?") or request.target == "/orders":
        return answer(301, b"", Location=request.target.replace("/orders", "/orders/"))
    if request.method != "POST":
        return said(405, {"error": "no such thing"})
    return GOOD if request.body else said(400, {"error": "empty"})


def parses_json(request: Received) -> bytes:
    try:
        json.loads(request.body)
    except ValueError:
        return said(400, {"error": "Unexpected token } in JSON at position 10"})
    return GOOD


def no_double_slash(request: Received) -> bytes:
    return said(404, {"message": "Not Found"}) if "//" in request.target else GOOD


CASES: dict[str, tuple[Rule, dict[str, Any], str, str]] = {
    "method-in-allow": (only_patch, {"method": "GET", "url": "/orders/7"}, "wrong-method", "method"),
    "method-in-words": (posts_say_so, {"method": "GET", "url": "/orders"}, "wrong-method", "method"),
    "json-for-a-form": (
        wants_form,
        {
            "method": "POST",
            "url": "/charges",
            "body": {"kind": "json", "text": '{"amount": 1099, "metadata": {"order": "A 1"}, "items": ["x"]}'},
        },
        "unsupported-media-type",
        "body",
    ),
    "form-for-json": (
        wants_json,
        {
            "method": "POST",
            "url": "/orders",
            "body": {"kind": "form", "fields": [{"name": "n", "value": "1"}, {"name": "name", "value": "A 1"}]},
        },
        "unsupported-media-type",
        "body",
    ),
    "no-content-type": (
        wants_json,
        {
            "method": "POST",
            "url": "/orders",
            "body": {"kind": "raw", "text": '{"n": 1, "name": "A 1"}', "content_type": "text/plain"},
        },
        "unsupported-media-type",
        "body",
    ),
    "wrong-header": (
        wants_json,
        {
            "method": "POST",
            "url": "/orders",
            "headers": [{"name": "Content-Type", "value": "text/json"}, {"name": "X-Kept", "value": "1"}],
            "body": {"kind": "json", "text": '{"n": 1, "name": "A 1"}'},
        },
        "unsupported-media-type",
        "headers",
    ),
    "slash-redirect": (
        redirects_to_slash,
        {
            "method": "POST",
            "url": "/orders",
            "params": [{"name": "a", "value": "1"}],
            "body": {"kind": "json", "text": '{"n": 1}'},
        },
        "invalid-url",
        "url",
    ),
    "broken-json": (
        parses_json,
        {"method": "POST", "url": "/orders", "body": {"kind": "json", "text": '{"n": 1, "name": "A 1",}'}},
        "invalid-json-body",
        "body",
    ),
    "double-slash": (no_double_slash, {"method": "GET", "url": "/v1//orders"}, "not-found", "url"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_change_makes_the_next_run_good(bench: Bench, start_server: Start, case: str) -> None:
    reply, fields, cause, part = CASES[case]
    server = start_server(replying(reply))
    saved = bench.save(**{**fields, "url": server.url(fields["url"])}, assertions=[{"subject": "status", "expected": "200"}])
    failed = bench.send_saved(saved)
    assert failed.state is RunState.DONE
    assert (failed.status_code or 0) >= 400
    sent_before = len(server.received)
    analysis, diagnosis = bench.explain(failed)
    assert diagnosis.cause == cause, (analysis.source, diagnosis.summary.en)
    offer = next(offer for offer in bench.shown(failed).offers if offer.change is not None)
    assert offer.change is not None
    assert [field.part for field in offer.change.fields] == [part], offer.change.fields
    changed = bench.apply_first(failed)
    assert len(server.received) == sent_before, "applying sends nothing"
    assert [test["subject"] for test in changed.assertions] == ["status"], "what n8n does not know stays"
    again: RequestRun = bench.send_again(failed)
    assert (again.state, again.status_code) == (RunState.DONE, 200)
    repeat = find_repeat(bench.actor, get_run(bench.actor, failed.id))
    assert repeat is not None
    assert (repeat.run_id, repeat.is_over, repeat.is_good) == (again.id, True, True)
