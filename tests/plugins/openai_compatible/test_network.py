"""The whole way out, to a server of flesh and blood on this machine: deadline, size, cut connections, refused addresses."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from hub.egress import EgressPolicy
from hub.plugin_api import Evidence, ModelReply
from plugins.analyzers.openai_compatible.analyzer import OpenAiCompatibleAnalyzer
from tests.plugins.openai_compatible.scripted import GOOD, Listener, completion


@pytest.fixture
def ask(
    app: Flask,
    analyzer: OpenAiCompatibleAnalyzer,
    evidence: Evidence,
    values: dict[str, Any],
    httpserver: HTTPServer,
    pauses: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., ModelReply]]:
    def run(policy: EgressPolicy | None = None) -> ModelReply:
        monkeypatch.setitem(app.extensions, "hub_egress", policy or EgressPolicy(loopback=True))
        values.setdefault("base_url", "")
        return analyzer.ask(analyzer.prepare(evidence), Listener())

    values["base_url"] = httpserver.url_for("/v1")
    with app.app_context():
        yield run


def test_a_real_answer_comes_through(ask: Callable[..., ModelReply], httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v1/chat/completions", method="POST").respond_with_data(
        completion(GOOD).body, content_type="application/json"
    )
    reply = ask()
    assert (reply.failure, reply.tokens_in) == (None, 1000)
    request = httpserver.log[0][0]
    assert request.headers["Authorization"] == "Bearer sk-operators-own-key"
    assert not any(name.lower().startswith("x-stainless") for name, _value in request.headers)


def test_a_slow_server_meets_the_deadline(ask: Callable[..., ModelReply], httpserver: HTTPServer, values: dict[str, Any]) -> None:
    """It drips a byte at a time, so that no single read is slow."""
    done = threading.Event()

    def drip(_request: Request) -> Response:
        def body() -> Iterator[bytes]:
            while not done.wait(0.05):
                yield b" "

        return Response(body(), content_type="application/json")

    httpserver.expect_request("/v1/chat/completions").respond_with_handler(drip)
    values["timeout"] = 0.5
    started = time.monotonic()
    failure = ask().failure
    done.set()
    assert failure is not None
    assert failure.code == "timeout"
    assert time.monotonic() - started < 60


def test_a_huge_answer_is_not_read(ask: Callable[..., ModelReply], httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_data(b" " * 2_100_000, content_type="application/json")
    failure = ask().failure
    assert failure is not None
    assert failure.code == "too-large"


def test_a_redirect_leads_nowhere(ask: Callable[..., ModelReply], httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_data("", 307, {"Location": httpserver.url_for("/else")})
    failure = ask().failure
    assert failure is not None
    assert failure.code == "redirect"
    assert len(httpserver.log) == 1


def test_a_private_address_needs_the_operators_word(ask: Callable[..., ModelReply], httpserver: HTTPServer) -> None:
    failure = ask(EgressPolicy()).failure
    assert failure is not None
    assert failure.code == "address-refused"
    assert f"add {httpserver.host}:{httpserver.port} to HUB_ALLOWED_ADDRESSES" in failure.words.en
    assert httpserver.log == []


def test_a_cut_connection_is_tried_once_more(ask: Callable[..., ModelReply], values: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        values["base_url"] = f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        met: list[int] = []

        def hang_up() -> None:
            for _connection in range(2):
                connection, _ = server.accept()
                met.append(len(connection.recv(100)))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\nContent-Type: application/json\r\n\r\n{")
                connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        failure = ask().failure
        thread.join(10)
    assert failure is not None
    assert (failure.code, len(met)) == ("reset", 2)
