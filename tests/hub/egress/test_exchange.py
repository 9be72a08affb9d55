"""``send_exchange`` against servers that behave."""

from __future__ import annotations

import dataclasses
import gzip
import socket
import ssl
import threading
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from hub.contracts.exchange import Exchange, ExchangeLimits, WireRequest
from hub.egress import EgressError, EgressPolicy, outgoing_headers, send_exchange
from hub.egress.allowlist import parse_allowlist
from tests.hub.egress.servers import LOOPBACK, Received, Server, answer, saying

Start = Callable[..., Server]
LIMITS = ExchangeLimits(seconds=10)


def send(url: str, method: str = "GET", *, policy: EgressPolicy = LOOPBACK, **request: Any) -> Exchange:
    return send_exchange(policy, WireRequest(method, url, **request), LIMITS)


def refused(url: str, method: str = "GET", *, policy: EgressPolicy = LOOPBACK, **request: Any) -> EgressError:
    with pytest.raises(EgressError) as error:
        send(url, method, policy=policy, **request)
    return error.value


def test_headers_keep_their_order_and_repeat_both_ways(start_server: Start) -> None:
    rows = (b"Set-Cookie: a=1", b"X-Other: 1", b"Set-Cookie: b=2", b"X-Arabic: \xd9\x85", b"Content-Length: 2")
    said = b"\r\n".join((b"HTTP/1.1 201 Made", *rows, b"", b"ok"))
    server = start_server(saying(said))
    headers = (("X-B", "1"), ("X-A", ""), ("X-B", "\u0645"), ("x-b", " 3"))
    exchange = send(server.url("/a%2fb/../c?x=1&x=2#part"), "POST", headers=headers, body=b"{}")
    [received] = server.received
    assert received.line == "POST /a%2fb/../c?x=1&x=2 HTTP/1.1"
    assert received.headers == (
        ("Host", f"one.test:{server.port}"),
        ("User-Agent", "AI-HTTP-Hub"),
        ("Accept", "*/*"),
        ("Accept-Encoding", "gzip, deflate"),
        *headers,
        ("Content-Length", "2"),
    )
    assert exchange.headers == (
        ("Set-Cookie", "a=1"),
        ("X-Other", "1"),
        ("Set-Cookie", "b=2"),
        ("X-Arabic", "\u0645"),
        ("Content-Length", "2"),
    )
    assert (exchange.status, exchange.reason, exchange.http_version) == (201, "Made", "HTTP/1.1")
    assert (exchange.body, exchange.wire_size, exchange.truncated, exchange.tls) == (b"ok", 2, False, None)


def test_the_preview_of_headers_is_what_is_sent(start_server: Start) -> None:
    server = start_server(saying(answer()))
    request = WireRequest("PUT", server.url(), (("accept", "text/plain"), ("X-A", "1")))
    send_exchange(LOOPBACK, request, LIMITS)
    assert server.received[0].headers == outgoing_headers(request)
    assert server.received[0].all("accept") == ["text/plain"]
    assert server.received[0].all("content-length") == ["0"]


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("", "/"),
        ("?", "/?"),
        ("?a=b", "/?a=b"),
        ("/a?b#c", "/a?b"),
        ("/\u0645 \u0645".replace(" ", "+"), "/%D9%85+%D9%85"),
        ('/{a}|"<>`^', '/{a}|"<>`^'),
        ("//two.test/", "//two.test/"),
    ],
)
def test_the_path_is_sent_as_it_was_written(start_server: Start, url: str, target: str) -> None:
    server = start_server(saying(answer()))
    send(server.url(url))
    assert server.received[0].target == target


def test_each_step_is_timed(start_server: Start) -> None:
    server = start_server(saying(answer(body=b"ok")))
    exchange = send(server.url())
    [hop] = exchange.hops
    assert (hop.method, hop.url, hop.status, hop.reason, hop.address) == ("GET", server.url(), 200, "Said", "127.0.0.1")
    steps = (hop.timing.dns_ms, hop.timing.connect_ms, hop.timing.first_byte_ms, hop.timing.download_ms)
    assert all(step is not None and step > 0 for step in steps)
    assert sum(step or 0 for step in steps) <= hop.timing.total_ms <= exchange.timing.total_ms
    assert hop.timing.tls_ms is None
    assert send(f"http://127.0.0.1:{server.port}/").timing.dns_ms is None


def test_what_was_agreed_in_tls_is_told(start_server: Start, tls: ssl.SSLContext, authority_file: Path) -> None:
    server = start_server(saying(answer(body=b"ok")), tls)
    exchange = send(server.url(), policy=dataclasses.replace(LOOPBACK, ca_file=authority_file))
    facts = exchange.tls
    assert facts is not None
    assert (facts.version, facts.verified) == ("TLSv1.3", True)
    assert "CN=one.test" in facts.subject
    assert "trustme" in facts.issuer
    assert facts.cipher.startswith("TLS_")
    assert facts.valid_until is not None
    assert facts.valid_until.endswith("+00:00")
    assert exchange.timing.tls_ms is not None
    assert exchange.timing.tls_ms > 0


def test_a_certificate_is_verified_unless_the_request_says_no(start_server: Start, tls: ssl.SSLContext) -> None:
    server = start_server(saying(answer(body=b"ok")), tls)
    error = refused(server.url())
    assert (error.code, error.phase, error.details["part"]) == ("tls", "tls", "certificate")
    assert server.received == []
    request = WireRequest("GET", server.url(host="stranger.test"))
    exchange = send_exchange(LOOPBACK, request, dataclasses.replace(LIMITS, verify_tls=False))
    assert exchange.body == b"ok"
    assert exchange.tls is not None
    assert not exchange.tls.verified
    assert "CN=one.test" in exchange.tls.subject


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("GZIP", lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:])),
        ("gzip", lambda data: gzip.compress(data) + b"\0\0\0"),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data, wbits=-15)),
        ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
        ("identity", lambda data: data),
        ("compress", lambda data: data),
    ],
)
def test_a_compressed_body_is_unfolded_and_its_wire_size_told(
    start_server: Start, encoding: str, encode: Callable[[bytes], bytes]
) -> None:
    text = b"line\n" * 100_000
    wire = encode(text)
    server = start_server(saying(answer(body=wire, Content_Encoding=encoding)))
    exchange = send(server.url())
    assert exchange.body == text
    assert exchange.wire_size == len(wire)


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body_end_at_once(start_server: Start, status: int) -> None:
    head = f"HTTP/1.1 {status} None\r\nContent-Encoding: gzip\r\n\r\n".encode()
    assert send(start_server(saying(head)).url()).body == b""


def test_head_reads_no_body(start_server: Start) -> None:
    server = start_server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Encoding: gzip\r\n\r\n"))
    assert send(server.url(), "HEAD").body == b""


def test_early_hints_are_passed_over(start_server: Start) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 3
    exchange = send(start_server(saying(b"HTTP/1.1 100 Continue\r\n\r\n", hints, answer(body=b"ok"))).url())
    assert (exchange.status, exchange.body) == (200, b"ok")
    assert "Link" not in dict(exchange.headers)


def test_an_old_server_ends_its_body_with_the_connection(start_server: Start) -> None:
    exchange = send(start_server(saying(b"HTTP/1.0 200 OK\r\n\r\nall of it")).url())
    assert (exchange.body, exchange.http_version) == (b"all of it", "HTTP/1.0")


def test_a_server_that_refuses_a_body_unread_is_still_heard() -> None:
    """It answers and closes for reading while most of the body is on the way."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _peer = listener.accept()
            with connection:
                connection.recv(100)
                connection.sendall(answer(413, b"too much"))
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1_000_000):
                    pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        exchange = send(f"http://one.test:{listener.getsockname()[1]}/", "POST", body=b"x" * 9_000_000)
        thread.join(10)
    assert (exchange.status, exchange.body) == (413, b"too much")


@pytest.mark.parametrize("size", [10_000_000, 10_000_001])
def test_the_body_of_a_request_has_a_limit(start_server: Start, size: int) -> None:
    server = start_server(saying(answer()))
    if size > 10_000_000:
        error = refused(server.url(), "POST", body=b"x" * size)
        assert (error.code, error.details) == ("request-too-large", {"limit": 10_000_000})
        assert server.received == []
    else:
        assert send(server.url(), "POST", body=b"x" * size).status == 200
        assert len(server.received[0].body) == size


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("Content-Length", "5", "framing"),
        ("content-length", "0", "framing"),
        ("Transfer-Encoding", "chunked", "framing"),
        ("Connection", "close", "framing"),
        ("Upgrade", "websocket", "framing"),
        ("TE", "trailers", "framing"),
        ("Trailer", "X-A", "framing"),
        ("Expect", "100-continue", "framing"),
        ("Proxy-Authorization", "Basic eA==", "proxy"),
        ("Proxy-Connection", "close", "proxy"),
        ("Metadata-Flavor", "Google", "metadata"),
        ("metadata", "True", "metadata"),
        ("X-aws-ec2-metadata-token", "x", "metadata"),
        ("X-AWS-EC2-Metadata-Token-TTL-Seconds", "60", "metadata"),
        ("X-Google-Metadata-Request", "True", "metadata"),
        ("Host", "other.test", "host"),
    ],
)
def test_headers_that_frame_or_open_something_else_are_refused(start_server: Start, name: str, value: str, reason: str) -> None:
    server = start_server(saying(answer()))
    error = refused(server.url(), headers=((name, value),))
    assert (error.code, error.details) == ("header-refused", {"name": name, "reason": reason})
    assert server.received == []


def test_headers_that_only_look_like_those_are_sent(start_server: Start) -> None:
    server = start_server(saying(answer()))
    headers = (("Metadata", "a note"), ("X-Content-Length", "1"), ("Host", f"One.test:{server.port}"))
    assert send(server.url(), headers=headers).status == 200
    assert server.received[0].all("host") == [f"One.test:{server.port}"]


def test_the_host_may_differ_where_the_operator_lists_the_target(start_server: Start) -> None:
    server = start_server(saying(answer()))
    for entry, url in [("one.test", server.url()), ("127.0.0.0/8:" + str(server.port), f"http://127.0.0.1:{server.port}/")]:
        listing = dataclasses.replace(LOOPBACK, allowances=tuple(parse_allowlist([entry])[0]))
        assert send(url, policy=listing, headers=(("Host", "shop.internal"),)).status == 200
        assert refused(url, policy=listing, headers=(("Host", "a"), ("Host", "b"))).code == "header-refused"
    assert [received.all("host") for received in server.received] == [["shop.internal"]] * 2


@pytest.mark.parametrize("break_", ["\r\nX-Evil: 1", "\n", "\r", "\0", "\x7f", "\ud800"])
def test_line_breaks_are_refused_everywhere(start_server: Start, break_: str) -> None:
    server = start_server(saying(answer()))
    assert refused(server.url(), headers=(("X-A", f"a{break_}b"),)).code == "bad-header"
    assert refused(server.url(), headers=((f"X-A{break_}", "a"),)).code == "bad-header"
    assert refused(server.url(), f"GET{break_}").code == "bad-method"
    if break_ != "\ud800":
        assert refused(server.url(f"/{break_}")).code == "bad-url"
        assert refused(server.url(f"/?a={break_}")).code == "bad-url"
    assert server.received == []


@pytest.mark.parametrize("name", ["", "X A", "X:A", "X(A)", "\u0645"])
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    assert refused("http://one.test/", headers=((name, "a"),)).code == "bad-header"


@pytest.mark.parametrize("method", ["", "GET /x HTTP/1.1\r\n", "G T", "CONNECT", "trace"])
def test_a_method_that_is_none_is_refused(method: str) -> None:
    assert refused("http://one.test/", method).code == "bad-method"


@pytest.mark.parametrize(
    ("hosts", "sent"),
    [
        (("one.test",), True),
        (("two.test", "ONE.test"), True),
        (("*.test",), True),
        ((), False),
        (("two.test",), False),
        (("*.one.test",), False),
        (("test",), False),
        (("*",), False),
    ],
)
def test_a_secret_goes_only_to_the_hosts_it_is_bound_to(start_server: Start, hosts: tuple[str, ...], sent: bool) -> None:
    server = start_server(saying(answer()))
    request = {"headers": (("Authorization", "Bearer hunter2hunter2"),), "secret_hosts": (("hunter2hunter2", hosts),)}
    if sent:
        assert send(server.url(), **request).status == 200
        return
    error = refused(server.url(), **request)
    assert (error.code, error.details) == ("secret-host", {"host": "one.test", "hosts": ", ".join(hosts)})
    assert "hunter2" not in str(error)
    assert error.phase is None
    assert server.received == []


def test_a_request_can_be_cancelled_while_it_waits(start_server: Start) -> None:
    cancelled = threading.Event()

    def wait(_request: Received, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        cancelled.set()
        server.ended.wait(10)

    server = start_server(wait)
    with pytest.raises(EgressError) as error:
        send_exchange(LOOPBACK, WireRequest("GET", server.url()), ExchangeLimits(seconds=60), cancelled=cancelled)
    assert error.value.code == "cancelled"
    assert error.value.phase in ("first_byte", "download")


def test_a_cancelled_answer_without_a_length_is_not_taken_for_complete(start_server: Start) -> None:
    cancelled = threading.Event()

    def wait(_request: Received, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nabc")
        cancelled.set()
        server.ended.wait(10)

    server = start_server(wait)
    with pytest.raises(EgressError) as error:
        send_exchange(LOOPBACK, WireRequest("GET", server.url()), ExchangeLimits(seconds=60), cancelled=cancelled)
    assert error.value.code == "cancelled"


def test_a_handshake_can_be_cancelled() -> None:
    cancelled = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _peer = listener.accept()
            with connection:
                connection.recv(1)
                cancelled.set()
                while connection.recv(65536):
                    pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"https://one.test:{listener.getsockname()[1]}/"
        with pytest.raises(EgressError) as error:
            send_exchange(LOOPBACK, WireRequest("GET", url), ExchangeLimits(seconds=60), cancelled=cancelled)
        thread.join(10)
    assert (error.value.code, error.value.phase) == ("cancelled", "tls")


def test_a_lookup_can_be_cancelled() -> None:
    cancelled, ended = threading.Event(), threading.Event()

    def resolve(_host: str, _port: int) -> list[str]:
        cancelled.set()
        ended.wait(10)
        return []

    request = WireRequest("GET", "http://slow.test/")
    with pytest.raises(EgressError) as error:
        send_exchange(EgressPolicy(resolver=resolve), request, ExchangeLimits(seconds=60), cancelled=cancelled)
    ended.set()
    assert (error.value.code, error.value.phase) == ("cancelled", "dns")


def test_a_connection_that_is_not_taken_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.egress.session.CONNECT_SECONDS", 60.0)
    cancelled = threading.Event()

    def resolve(_host: str, _port: int) -> list[str]:
        threading.Timer(0.2, cancelled.set).start()
        return ["127.0.0.1"]

    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as waiting:
        for _place in range(3):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        request = WireRequest("GET", f"http://one.test:{listener.getsockname()[1]}/")
        policy = dataclasses.replace(LOOPBACK, resolver=resolve)
        with pytest.raises(EgressError) as error:
            send_exchange(policy, request, ExchangeLimits(seconds=60), cancelled=cancelled)
    assert (error.value.code, error.value.phase) == ("cancelled", "connect")


def test_a_request_that_was_cancelled_before_is_not_sent(start_server: Start) -> None:
    server = start_server(saying(answer()))
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(EgressError) as error:
        send_exchange(LOOPBACK, WireRequest("GET", server.url()), LIMITS, cancelled=cancelled)
    assert error.value.code == "cancelled"
    assert server.received == []


def test_no_handle_is_left_open(start_server: Start) -> None:
    import psutil

    server = start_server(saying(answer(body=b"ok")))
    request = WireRequest("GET", server.url())
    send_exchange(LOOPBACK, request, LIMITS, cancelled=threading.Event())

    def mine() -> int:
        connections = psutil.Process().net_connections("tcp")
        return sum(bool(found.raddr) and found.raddr.port == server.port for found in connections)

    assert mine() == 0
    with pytest.raises(EgressError):
        send_exchange(LOOPBACK, request, dataclasses.replace(LIMITS, seconds=0.0), cancelled=threading.Event())
    assert mine() == 0
