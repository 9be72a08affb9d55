"""Over real sockets on loopback."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from hub.egress import EgressError, EgressPolicy, GuardedSession, fetch, open_session

LOOPBACK = EgressPolicy(loopback=True)


@pytest.fixture
def session() -> Iterator[GuardedSession]:
    with open_session(LOOPBACK) as session:
        yield session


def failure(session: GuardedSession, url: str, **options: Any) -> EgressError:
    with pytest.raises(EgressError) as failed:
        fetch(session, "GET", url, **options)
    return failed.value


class RawServer:
    """Accepts one connection and lets the test speak over it."""

    def __init__(self, *parts: bytes, stay: bool = True) -> None:
        self._parts = parts
        self._stay = stay
        self.done = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _peer = self.listener.accept()
        with connection:
            connection.recv(65536)
            for part in self._parts:
                connection.sendall(part)
            if self._stay:
                self.done.wait(10)

    def close(self) -> None:
        self.done.set()
        self._thread.join(10)
        self.listener.close()


@pytest.fixture
def raw_server() -> Iterator[Any]:
    servers: list[RawServer] = []

    def start(*parts: bytes, stay: bool = True) -> RawServer:
        servers.append(RawServer(*parts, stay=stay))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def test_a_request_comes_back_whole(session: GuardedSession, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a", query_string="b=1", headers={"X-Key": "k"}).respond_with_json({"c": 2})
    answer = fetch(session, "GET", httpserver.url_for("/a"), headers={"X-Key": "k"}, params={"b": "1"})
    assert (answer.status, answer.media_type, answer.json()) == (200, "application/json", {"c": 2})
    assert answer.elapsed_ms > 0


def test_a_connection_is_used_again(session: GuardedSession) -> None:
    """The server takes one connection only: a second one would wait for an answer until the deadline."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _peer = listener.accept()
            with connection:
                while connection.recv(65536):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        assert [fetch(session, "GET", url, timeout=5).text() for _time in range(3)] == ["ok"] * 3
        session.close()
        thread.join(10)
        assert not thread.is_alive()


def test_the_address_is_judged_where_the_connection_is_made(httpserver: HTTPServer) -> None:
    """A name that answers differently the second time (rebinding) is judged by the answer that is connected to."""
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    policy = EgressPolicy(resolver=lambda _host, _port: next(answers))
    assert policy.resolve("rebind.test", httpserver.port)
    with open_session(policy) as session:
        assert failure(session, f"http://rebind.test:{httpserver.port}/").code == "address-refused"
    assert httpserver.log == []


def test_a_name_is_resolved_once_per_connection(httpserver: HTTPServer) -> None:
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["127.0.0.1"]

    httpserver.expect_request("/").respond_with_data("ok")
    with open_session(EgressPolicy(loopback=True, resolver=resolve)) as session:
        assert fetch(session, "GET", f"http://n8n.test:{httpserver.port}/").text() == "ok"
    assert asked == [("n8n.test", httpserver.port)]
    assert httpserver.log[0][0].headers["Host"] == f"n8n.test:{httpserver.port}"


def test_the_next_address_is_tried_where_one_refuses(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("ok")
    policy = EgressPolicy(loopback=True, resolver=lambda _host, _port: ["127.0.0.9", "127.0.0.1"])
    with open_session(policy) as session:
        assert fetch(session, "GET", f"http://n8n.test:{httpserver.port}/").status == 200


def test_a_redirect_is_an_answer(session: GuardedSession, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("", status=302, headers={"Location": httpserver.url_for("/secret")})
    httpserver.expect_request("/secret").respond_with_data("inside")
    assert fetch(session, "GET", httpserver.url_for("/")).status == 302
    assert [request.path for request, _answer in httpserver.log] == ["/"]


@pytest.mark.parametrize("status", [200, 302])
def test_a_compressed_bomb_stops_at_the_limit(session: GuardedSession, httpserver: HTTPServer, status: int) -> None:
    bomb = gzip.compress(b"0" * 30_000_000)
    assert len(bomb) < 1_000_000
    headers = {"Content-Encoding": "gzip", "Location": "/next"}
    httpserver.expect_request("/").respond_with_data(bomb, status=status, headers=headers)
    error = failure(session, httpserver.url_for("/"), max_bytes=1_000_000)
    assert (error.code, error.details) == ("too-large", {"limit": 1_000_000})


def test_an_announced_size_above_the_limit_is_not_read(session: GuardedSession, raw_server: Any) -> None:
    server = raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n")
    assert failure(session, f"http://127.0.0.1:{server.port}/", max_bytes=1000).code == "too-large"


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((), id="no answer"),
        pytest.param((b"HTTP/1.1 200 OK\r\nX-Slow: 1\r\n",), id="headers never end"),
        pytest.param((b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",), id="body never ends"),
        pytest.param((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",), id="chunk never ends"),
    ],
)
def test_the_deadline_holds_over_the_whole_answer(session: GuardedSession, raw_server: Any, parts: tuple[bytes, ...]) -> None:
    server = raw_server(*parts)
    error = failure(session, f"http://127.0.0.1:{server.port}/", timeout=0.2)
    assert (error.code, error.details["seconds"]) == ("timeout", 0.2)
    assert not server.done.is_set()


def test_a_cut_answer_is_an_error(session: GuardedSession, raw_server: Any) -> None:
    server = raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", stay=False)
    assert failure(session, f"http://127.0.0.1:{server.port}/").code == "reset"


def test_something_that_is_not_http_is_told_apart(session: GuardedSession, raw_server: Any) -> None:
    server = raw_server(b"220 mail.example.com ESMTP\r\n", stay=False)
    assert failure(session, f"http://127.0.0.1:{server.port}/").code in ("bad-answer", "reset")


def test_a_closed_port_and_plain_http_behind_https_say_so(session: GuardedSession, raw_server: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    error = failure(session, f"http://127.0.0.1:{port}/")
    assert (error.code, error.details["reason"]) == ("connect", "refused")
    server = raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n", stay=False)
    assert failure(session, f"https://127.0.0.1:{server.port}/").code == "tls"


def test_proxies_and_netrc_of_the_environment_are_ignored(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password word\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    httpserver.expect_request("/").respond_with_data("ok", headers={"Set-Cookie": "a=b"})
    with open_session(LOOPBACK) as session:
        fetch(session, "GET", httpserver.url_for("/"))
        fetch(session, "GET", httpserver.url_for("/"))
    for request, _answer in httpserver.log:
        assert "Authorization" not in request.headers
        assert "Cookie" not in request.headers


@pytest.mark.parametrize("value", ["a\r\nX-Other: b", "\u0645\u0631\u062d\u0628\u0627"])
def test_a_header_that_cannot_be_sent_is_told_apart(session: GuardedSession, httpserver: HTTPServer, value: str) -> None:
    assert failure(session, httpserver.url_for("/"), headers={"X-Name": value}).code == "bad-header"
    assert httpserver.log == []


def test_the_callers_headers_and_query_are_sent_as_they_are(session: GuardedSession, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a b").respond_with_data("ok")
    headers = {"user-agent": "mine", "content-type": "application/merge-patch+json"}
    fetch(
        session,
        "POST",
        httpserver.url_for("/a%20b?x=1"),
        headers=headers,
        params={"y": "2 &", "z": "\u0645"},
        json={"c": "\u0645"},
    )
    [(request, _answer)] = httpserver.log
    assert request.headers.getlist("User-Agent") == ["mine"]
    assert request.headers.getlist("Content-Type") == ["application/merge-patch+json"]
    assert request.args.to_dict() == {"x": "1", "y": "2 &", "z": "\u0645"}
    assert request.get_json() == {"c": "\u0645"}


def test_a_bad_url_makes_no_connection(session: GuardedSession) -> None:
    assert failure(session, "http://user@127.0.0.1/").code == "bad-url"
