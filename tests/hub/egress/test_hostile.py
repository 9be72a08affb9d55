"""``send_exchange`` against servers that mean harm: a clear error each, memory bounded, nothing hangs."""

from __future__ import annotations

import gzip
import itertools
import os
import random
import socket
import ssl
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.contracts.exchange import Exchange, ExchangeLimits, WireRequest
from hub.egress import EgressError, EgressPolicy, describe_egress_error, send_exchange
from hub.egress.errors import _SENTENCES
from tests.hub.egress.servers import LOOPBACK, Received, Server, answer, saying

Start = Callable[..., Server]
HEAD = b"HTTP/1.1 200 OK\r\n"


def send(url: str, *, policy: EgressPolicy = LOOPBACK, **limits: Any) -> Exchange:
    return send_exchange(policy, WireRequest("GET", url), ExchangeLimits(**{"seconds": 20, "max_bytes": 1_000_000, **limits}))


def failed(url: str, **options: Any) -> EgressError:
    with pytest.raises(EgressError) as error:
        send(url, **options)
    assert describe_egress_error(error.value.code, error.value.details)
    return error.value


@pytest.fixture(autouse=True)
def _words(app: Flask) -> Iterator[None]:
    """Every failure here must have words."""
    with app.test_request_context():
        yield


@contextmanager
def memory_below(limit: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


def staying(*parts: bytes) -> Callable[[Received, socket.socket], None]:
    """Says this much and keeps the connection."""

    def talk(_request: Received, connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
        connection.recv(1)

    return talk


def dripping(start: bytes, drop: bytes) -> Callable[[Received, socket.socket], None]:
    """A drop every now and then: each read is in time, the whole is not."""

    def talk(_request: Received, connection: socket.socket) -> None:
        connection.sendall(start)
        pause = threading.Event()
        while True:
            connection.sendall(drop)
            pause.wait(0.02)

    return talk


def pouring(start: bytes, pieces: Callable[[], Iterator[bytes]]) -> Callable[[Received, socket.socket], None]:
    """As fast as it goes, without an end."""

    def talk(_request: Received, connection: socket.socket) -> None:
        connection.sendall(start)
        for piece in pieces():
            connection.sendall(piece)

    return talk


@pytest.mark.parametrize(
    ("talk", "phase"),
    [
        pytest.param(staying(), "first_byte", id="no answer"),
        pytest.param(staying(b"HTTP/1.1 200 OK\r\nX-Slow"), "first_byte", id="headers never end"),
        pytest.param(dripping(HEAD + b"X-Slow: ", b"x"), "first_byte", id="headers drip"),
        pytest.param(dripping(HEAD + b"Content-Length: 100000\r\n\r\n", b"x"), "download", id="body drips"),
        pytest.param(dripping(HEAD + b"\r\n", b"x"), "download", id="body without a length drips"),
        pytest.param(dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"), "download", id="chunks drip"),
        pytest.param(dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"), "download", id="trailers drip"),
    ],
)
def test_the_deadline_holds_over_everything(start_server: Start, talk: Any, phase: str) -> None:
    error = failed(start_server(talk).url(), seconds=0.4)
    assert (error.code, error.details["seconds"]) == ("timeout", 0.4)
    assert error.phase in (phase, "first_byte")  # on a busy machine the deadline may come before the headers
    assert error.timing is not None
    assert error.timing.total_ms >= 400


def test_the_deadline_holds_over_the_lookup() -> None:
    ended = threading.Event()
    policy = EgressPolicy(resolver=lambda _host, _port: [str(ended.wait(10))])
    error = failed("http://slow.test/", policy=policy, seconds=0.2)
    ended.set()
    assert (error.code, error.phase) == ("timeout", "dns")


def test_a_lookup_has_a_limit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr("hub.egress.lookup.DNS_SECONDS", 0.2)
    error = failed("http://slow.test/", policy=EgressPolicy(resolver=lambda _host, _port: [str(ended.wait(10))]))
    ended.set()
    assert (error.code, error.phase) == ("dns-timeout", "dns")


def test_the_deadline_holds_over_a_body_that_nobody_takes(start_server: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        request = WireRequest("POST", f"http://one.test:{listener.getsockname()[1]}/", body=b"x" * 9_000_000)
        with pytest.raises(EgressError) as error:
            send_exchange(LOOPBACK, request, ExchangeLimits(seconds=0.3))
    assert (error.value.code, error.value.phase) == ("timeout", "first_byte")


def test_the_deadline_holds_over_a_connection_that_is_not_taken() -> None:
    """A full queue of connections lets every further one wait."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as waiting:
        for _place in range(3):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        error = failed(f"http://one.test:{listener.getsockname()[1]}/", seconds=0.3)
        assert (error.code, error.phase) == ("timeout", "connect")


@pytest.mark.parametrize("seconds", [0.3, 0.0])
def test_the_deadline_holds_over_a_handshake(seconds: float) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        error = failed(f"https://one.test:{listener.getsockname()[1]}/", seconds=seconds)
    assert error.code == "timeout"


def test_the_deadline_is_one_for_all_redirects(start_server: Start) -> None:
    """Each hop takes a part of it."""
    pause = threading.Event()
    count = itertools.count()

    def talk(_request: Received, connection: socket.socket) -> None:
        pause.wait(0.1)
        connection.sendall(answer(302, Location=f"/{next(count)}"))

    error = failed(start_server(talk).url(), seconds=0.5, max_redirects=1000)
    assert error.code == "timeout"
    assert 0 < len(error.hops) < 10
    assert {hop.status for hop in error.hops} == {302}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        pytest.param(b"", "reset", id="nothing"),
        pytest.param(b"<html>hello from 1991</html>", "bad-answer", id="HTTP/0.9"),
        pytest.param(b"\0" * 100, "bad-answer", id="NULs"),
        pytest.param(b"\x16\x03\x01\x02\0", "bad-answer", id="TLS to a plain client"),
        pytest.param(b"220 mail.test ESMTP\r\n", "bad-answer", id="mail server"),
        pytest.param(b"SSH-2.0-OpenSSH_9.9\r\n", "bad-answer", id="SSH"),
        pytest.param(b"HTTP/2 200 OK\r\n\r\n", "bad-answer", id="a version of the future"),
        pytest.param(b"HTTP/1.1 abc OK\r\n\r\n", "bad-answer", id="a status that is none"),
        pytest.param(b"HTTP/1.1 20 OK\r\n\r\n", "bad-answer", id="a short status"),
        pytest.param(b"HTTP/1.1 99999999999999999999 OK\r\n\r\n", "bad-answer", id="a long status"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" * 50, "bad-answer", id="interim answers only"),
        pytest.param(HEAD + b"no colon here\r\n\r\n", "bad-answer", id="a header without a colon"),
        pytest.param(HEAD + b"X Y: a\r\n\r\n", "bad-answer", id="a header with a space in its name"),
        pytest.param(HEAD + b"X-Nul: a\0b\r\n\r\n", "bad-answer", id="NUL in a header"),
        pytest.param(HEAD + b"X-Long: " + b"x" * 70_000 + b"\r\n\r\n", "large-headers", id="a huge header"),
        pytest.param(b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n", "large-headers", id="a huge status line"),
        pytest.param(b"x" * 70_000, "large-headers", id="a huge line of garbage"),
        pytest.param(HEAD + b"".join(b"X-%d: a\r\n" % n for n in range(200)) + b"\r\n", "large-headers", id="many headers"),
        pytest.param(HEAD, "reset", id="no headers and no end"),
        pytest.param(HEAD + b"X-A: b\r\n", "reset", id="headers without an end"),
        pytest.param(HEAD + b"X-A: b", "reset", id="a header without an end"),
        pytest.param(b"HTTP/1.1 103 Hints\r\nX-A: b\r\n", "reset", id="an interim answer without an end"),
        pytest.param(HEAD + b"Content-Length: 9\r\n\r\nabc", "reset", id="cut short"),
        pytest.param(HEAD + b"Content-Length: abc\r\n\r\nabc", "bad-answer", id="a length that is none"),
        pytest.param(HEAD + b"Content-Length: -3\r\n\r\nabc", "bad-answer", id="a negative length"),
        pytest.param(HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "bad-answer", id="two lengths"),
        pytest.param(HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nabcd", "bad-answer", id="an endless length"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc", "bad-answer", id="a chunk without a size"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabc", "bad-answer", id="a chunk of negative size"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", "reset", id="a chunk cut short"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", "reset", id="no last chunk"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 70_000, "bad-answer", id="a chunk's endless size"),
        pytest.param(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "bad-answer", id="gzip in chunks"),
        pytest.param(answer(body=b"not gzip", Content_Encoding="gzip"), "bad-encoding", id="not gzip"),
        pytest.param(answer(body=gzip.compress(b"abc" * 99)[:-9], Content_Encoding="gzip"), "bad-encoding", id="gzip cut"),
        pytest.param(answer(body=b"\x78\x9cabc", Content_Encoding="deflate"), "bad-encoding", id="broken deflate"),
        pytest.param(answer(body=b"x", Content_Encoding=", ".join(["gzip"] * 100)), "many-encodings", id="100 layers"),
    ],
)  # fmt: skip
def test_what_is_not_http_is_told_apart(start_server: Start, said: bytes, code: str) -> None:
    with memory_below(3_000_000):
        error = failed(start_server(saying(said)).url())
    assert error.code == code


def test_plain_http_behind_https_is_told(start_server: Start) -> None:
    server = start_server(saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    error = failed(server.url().replace("http:", "https:"))
    assert (error.code, error.phase, error.details["part"]) == ("tls", "tls", "handshake")


def test_a_closed_port_tells_its_phase() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    error = failed(f"http://one.test:{port}/")
    assert (error.code, error.details["reason"], error.phase) == ("connect", "refused", "connect")
    assert error.timing is not None
    assert error.timing.dns_ms is not None
    assert failed("http://unknown.example/").phase == "dns"


def endless(piece: bytes) -> Callable[[], Iterator[bytes]]:
    return lambda: itertools.repeat(piece)


def endless_zeros() -> Iterator[bytes]:
    engine = zlib.compressobj(wbits=31)
    while True:
        yield engine.compress(b"\0" * 1_000_000) + engine.flush(zlib.Z_SYNC_FLUSH)


def empty_blocks() -> Iterator[bytes]:
    """Deflate that goes on for ever and unfolds to nothing."""
    yield b"\x78\x9c"
    yield from itertools.repeat(b"\x00\x00\x00\xff\xff" * 10_000)


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
ENCODED = b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\n\r\n"


@pytest.mark.parametrize(
    ("start", "pieces", "content"),
    [
        pytest.param(HEAD + b"\r\n", endless(b"x" * 65536), b"x", id="no length"),
        pytest.param(HEAD + b"Content-Length: 999999999999\r\n\r\n", endless(b"x" * 65536), b"x", id="a huge length"),
        pytest.param(CHUNKED, endless(b"8\r\nxxxxxxxx\r\n" * 10_000), b"x", id="small chunks"),
        pytest.param(CHUNKED + b"ffffffffffff\r\n", endless(b"x" * 65536), b"x", id="one huge chunk"),
        pytest.param(ENCODED % b"gzip", endless_zeros, b"\0", id="gzip"),
        pytest.param(ENCODED % b"deflate", empty_blocks, b"", id="nothing in deflate"),
        pytest.param(ENCODED % b"gzip", endless(gzip.compress(b"") * 1000), b"", id="nothing in gzip"),
        pytest.param(ENCODED % b"gzip, gzip", endless(gzip.compress(gzip.compress(b"") * 9999)), b"", id="nothing in layers"),
    ],
)  # fmt: skip
def test_an_endless_body_is_cut_at_the_limit_and_kept(
    start_server: Start, start: bytes, pieces: Callable[[], Iterator[bytes]], content: bytes
) -> None:
    server = start_server(pouring(start, pieces))
    with memory_below(8_000_000):
        exchange = send(server.url(), max_bytes=200_000)
    assert exchange.truncated
    assert exchange.status == 200
    assert exchange.body == content * 200_000
    assert exchange.wire_size < 400_000


def test_an_answer_in_crumbs_is_given_up(start_server: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.egress.answers._MAX_CHUNKS", 1000)
    error = failed(start_server(pouring(CHUNKED, endless(b"1\r\nx\r\n" * 1000))).url())
    assert (error.code, error.details["reason"], error.phase) == ("bad-answer", "chunks", "download")


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_bomb_is_cut_at_the_limit(start_server: Start, layers: int) -> None:
    bomb = b"\0" * 50_000_000
    for _layer in range(layers):
        bomb = gzip.compress(bomb)
    server = start_server(saying(answer(body=bomb, Content_Encoding=", ".join(["gzip"] * layers))))
    with memory_below(8_000_000):
        exchange = send(server.url())
    assert (len(exchange.body), exchange.truncated) == (1_000_000, True)
    assert exchange.wire_size <= len(bomb)


@pytest.mark.parametrize(("size", "truncated"), [(999, False), (1000, False), (1001, True)])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_the_limit_is_exact(start_server: Start, encoding: str, size: int, truncated: bool) -> None:
    text = random.Random(1).randbytes(size)
    body = gzip.compress(text) if encoding == "gzip" else text
    exchange = send(start_server(saying(answer(body=body, Content_Encoding=encoding))).url(), max_bytes=1000)
    assert (exchange.body, exchange.truncated) == (text[:1000], truncated)


def test_a_body_of_any_bytes_comes_back_as_it_is(start_server: Start) -> None:
    body = bytes(range(256)) * 10 + b"\xff\xfe\0\xc3("
    exchange = send(start_server(saying(answer(body=body, Content_Type="application/json; charset=utf-99"))).url())
    assert exchange.body == body


def test_folded_and_foreign_headers_are_read(start_server: Start) -> None:
    said = HEAD + b"X-Folded: a\r\n  b\r\nX-Latin: caf\xe9\r\nContent-Length: 0\r\n\r\n"
    headers = dict(send(start_server(saying(said)).url()).headers)
    assert headers == {"X-Folded": "a b", "X-Latin": "caf\xe9", "Content-Length": "0"}


def test_a_certificate_nobody_can_read_is_no_failure(start_server: Start, tls: ssl.SSLContext, authority_file: Path) -> None:
    from hub.egress.tls import _read_certificate

    assert _read_certificate(b"no certificate") == ("", "", None)
    assert _read_certificate(None) == ("", "", None)


@settings(max_examples=150, deadline=None)
@given(said=st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda tail: HEAD + tail)))
def test_whatever_is_said_ends_in_an_answer_or_a_clear_error(noise: Server, said: bytes) -> None:
    noise.talk = saying(said)
    try:
        outcome: Exchange | EgressError = send(noise.url(), seconds=5)
    except EgressError as error:
        outcome = error
    if isinstance(outcome, EgressError):
        assert outcome.code in _SENTENCES
        assert outcome.code != "timeout"
    else:
        assert "\0" not in "".join(value for pair in outcome.headers for value in pair)
        assert 200 <= outcome.status <= 999 or outcome.status == 101


@pytest.fixture(scope="module")
def noise() -> Iterator[Server]:
    server = Server(saying(os.urandom(1)))
    yield server
    server.close()
