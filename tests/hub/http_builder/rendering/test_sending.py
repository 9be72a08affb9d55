"""Prepared requests over a real connection to a server on loopback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from werkzeug import Request as Asked
from werkzeug import Response
from werkzeug.http import parse_dict_header

from hub.contracts.exchange import Exchange, ExchangeLimits, WireRequest
from hub.contracts.http import BasicAuth, DigestAuth, FormBody, JsonBody, Pair, RequestDefinition
from hub.egress import current_policy, send_exchange
from hub.http_builder.rendering import Value, Values, authenticate, prepare, preview
from hub.http_builder.rendering.digest import Challenge, answer


@pytest.fixture
def send(app: Flask) -> Callable[[WireRequest, ExchangeLimits], Exchange]:
    with app.app_context():
        policy = current_policy()
    return lambda wire, limits: send_exchange(policy, wire, limits)


def test_a_digest_over_the_wire(httpserver: HTTPServer, send: Any) -> None:
    """The server knows the password and nothing of the client, and works out the response by itself."""
    bodies = []

    def check(asked: Asked) -> Response:
        bodies.append(asked.get_data())
        scheme, _space, rest = asked.headers.get("Authorization", "").partition(" ")
        if scheme != "Digest":
            headers = [
                ("WWW-Authenticate", 'Digest realm="r", nonce="n1", qop="auth,auth-int", algorithm=SHA-256, opaque="o"'),
                ("WWW-Authenticate", 'Digest realm="r", nonce="n1", qop="auth", algorithm=MD5'),
                ("WWW-Authenticate", 'Basic realm="r"'),
            ]
            return Response("", 401, headers)
        given = parse_dict_header(rest)
        challenge = Challenge("r", "n1", "auth", "SHA-256", "o")
        _header, response = answer(
            challenge, "POST", "/sign?x=1", "Mufasa", "Circle of Life", client_nonce=str(given["cnonce"])
        )  # fmt: skip
        right = (given["response"], given["uri"], given["opaque"], given["nc"]) == (response, "/sign?x=1", "o", "00000001")
        return Response("welcome" if right else "wrong", 200 if right else 403)

    httpserver.expect_request("/sign").respond_with_handler(check)
    definition = RequestDefinition(
        method="POST",
        url=httpserver.url_for("/sign?x=1"),
        body=JsonBody(text="{}"),
        auth=DigestAuth(username="Mufasa", password="{{PASSWORD}}"),
    )
    values = Values([Value("PASSWORD", "Circle of Life", True, ("localhost",))])
    wire, exchange = authenticate(definition.auth, prepare(definition, values, files={}), send)
    assert (exchange.status, exchange.body) == (200, b"welcome")
    assert bodies == [b"{}", b"{}"]
    assert dict(wire.headers)["Authorization"].startswith("Digest ")


def test_the_preview_is_what_arrives(httpserver: HTTPServer, send: Any) -> None:
    arrived: list[tuple[str, list[tuple[str, str]], bytes]] = []

    def note(asked: Asked) -> Response:
        raw = asked.environ.get("RAW_URI") or asked.environ["REQUEST_URI"]
        arrived.append((f"{asked.method} {raw}", list(asked.headers.items()), asked.get_data()))
        return Response("")

    httpserver.expect_request("/p/a b").respond_with_handler(note)
    definition = RequestDefinition(
        method="PUT",
        url=httpserver.url_for("/p/{{SEGMENT}}?own=%2F"),
        params=(Pair(name="q", value="é &"),),
        headers=(Pair(name="X-Name", value="{{NAME}}"), Pair(name="X-Other", value="2")),
        body=FormBody(fields=(Pair(name="a", value="{{NAME}}"),)),
        auth=BasicAuth(username="u", password="p"),
    )
    values = Values([Value("SEGMENT", "a b"), Value("NAME", "محمد")])
    prepared = prepare(definition, values, files={})
    send(prepared.wire, prepared.limits)
    [(line, headers, body)] = arrived
    shown = preview(prepared)
    assert line == "PUT /p/a%20b?own=%2F&q=%C3%A9+%26"
    assert shown.url.endswith(line.removeprefix("PUT "))
    # WSGI reads header values as Latin-1; on the wire they are UTF-8.
    assert {name.lower(): value.encode("latin-1").decode() for name, value in headers if name != "Authorization"} == {
        name.lower(): value for name, value in shown.headers if name != "Authorization"
    }
    assert body == b"a=%D9%85%D8%AD%D9%85%D8%AF" == (shown.body or "").encode()
