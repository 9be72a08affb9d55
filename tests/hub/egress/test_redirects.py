"""Redirects: followed by hand, judged anew each time, and no secret crosses an origin."""

from __future__ import annotations

import base64
import dataclasses
import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hub.contracts.exchange import Exchange, ExchangeLimits, WireRequest
from hub.egress import EgressError, EgressPolicy, send_exchange
from hub.egress.redirects import resolve_location
from tests.hub.egress.servers import LOOPBACK, Received, Server, answer, resolve_to_loopback, routed, saying

Start = Callable[..., Server]


def send(url: str, method: str = "GET", *, policy: EgressPolicy = LOOPBACK, limits: Any = None, **request: Any) -> Exchange:
    return send_exchange(policy, WireRequest(method, url, **request), ExchangeLimits(seconds=10, **(limits or {})))


def refused(url: str, method: str = "GET", **options: Any) -> EgressError:
    with pytest.raises(EgressError) as error:
        send(url, method, **options)
    return error.value


@pytest.mark.parametrize(
    ("status", "method", "next_method", "keeps_body"),
    [
        (301, "GET", "GET", True),
        (301, "POST", "GET", False),
        (302, "POST", "GET", False),
        (302, "PUT", "PUT", True),
        (301, "DELETE", "DELETE", True),
        (301, "HEAD", "HEAD", True),
        (303, "POST", "GET", False),
        (303, "PUT", "GET", False),
        (303, "GET", "GET", True),
        (303, "HEAD", "HEAD", True),
        (307, "POST", "POST", True),
        (308, "PATCH", "PATCH", True),
    ],
)
def test_the_method_changes_as_in_browsers_and_curl(
    start_server: Start, status: int, method: str, next_method: str, keeps_body: bool
) -> None:
    server = start_server(routed({"/a": answer(status, Location="/b"), "/b": answer(200, b"" if method == "HEAD" else b"end")}))
    body = None if method in ("GET", "HEAD") else b'{"a":1}'
    headers = (("Content-Type", "application/json"), ("Content-Language", "ar"), ("X-A", "1"))
    exchange = send(server.url("/a"), method, headers=headers, body=body)
    first, second = server.received
    assert (first.method, second.method, exchange.status) == (method, next_method, 200)
    assert second.body == (body or b"" if keeps_body else b"")
    assert second.all("Content-Type") == (["application/json"] if keeps_body else [])
    assert second.all("X-A") == ["1"]
    assert [(hop.method, hop.status, hop.stripped) for hop in exchange.hops] == [(method, status, ()), (next_method, 200, ())]
    assert exchange.timing.total_ms >= sum(hop.timing.total_ms for hop in exchange.hops)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b", "http://one.test/b"),
        ("b?x=1", "http://one.test/a/b?x=1"),
        ("?x=1", "http://one.test/a/c?x=1"),
        ("../b", "http://one.test/b"),
        ("//two.test/b", "http://two.test/b"),
        ("HTTPS://Two.test/b", "HTTPS://Two.test/b"),
        (" /b ", "http://one.test/b"),
        ("/\u0645 \u0645", "http://one.test/%D9%85%20%D9%85"),
        ("/b%20c", "http://one.test/b%20c"),
        ("", "http://one.test/a/c"),
        ("#part", "http://one.test/a/c#part"),
    ],
)
def test_a_location_is_read_against_the_url(location: str, url: str) -> None:
    assert resolve_location("http://one.test/a/c", location) == url


@pytest.mark.parametrize(
    "location",
    [
        "///two.test/",
        "http:two.test",
        "http:/two.test",
        "https:///two.test/",
        "\\\\two.test/",
        "/\\two.test/",
        "/a\tb",
        "/\0",
        "\x01/",
    ],
)
def test_a_location_that_two_parsers_read_differently_is_refused(start_server: Start, location: str) -> None:
    with pytest.raises(EgressError) as error:
        resolve_location("http://one.test/a/c", location)
    assert error.value.code == "bad-url"


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://10.0.0.1/", "address-refused"),
        ("http://private.test/", "address-refused"),
        ("http://169.254.169.254/latest/meta-data/", "address-never"),
        ("http://metadata.google.internal/", "address-never"),
        ("http://[::ffff:10.0.0.1]/", "address-refused"),
        ("http://0x0a000001/", "bad-url"),
        ("http://one.test:22/", "port-refused"),
        ("file:///etc/passwd", "bad-url"),
        ("gopher://127.0.0.1:6379/_x", "bad-url"),
        ("data:text/html,hi", "bad-url"),
        ("javascript:alert(1)", "bad-url"),
        ("http://user:word@one.test/", "bad-url"),
        ("http://nowhere.example/", "dns"),
    ],
)
def test_each_target_is_judged_anew_and_the_way_until_there_is_told(start_server: Start, location: str, code: str) -> None:
    server = start_server(saying(answer(302, Location=location)))

    def resolve(host: str, port: int) -> list[str]:
        return ["10.0.0.1"] if host == "private.test" else resolve_to_loopback(host, port)

    error = refused(server.url("/start"), policy=dataclasses.replace(LOOPBACK, resolver=resolve))
    assert error.code == code
    assert [(hop.url, hop.status) for hop in error.hops] == [(server.url("/start"), 302)]
    assert len(server.received) == 1


def test_a_redirect_from_loopback_does_not_open_loopback(start_server: Start) -> None:
    """What the operator listed is one place, not all that it points to."""
    inside = start_server(saying(answer(body=b"inside")))
    door = start_server(saying(answer(302, Location=inside.url())))
    from hub.egress.allowlist import parse_allowlist

    allowances = tuple(parse_allowlist([f"one.test:{door.port}"])[0])
    error = refused(door.url(), policy=EgressPolicy(allowances, resolver=resolve_to_loopback))
    assert error.code == "address-refused"
    assert inside.received == []


def test_a_name_is_looked_up_once_for_each_hop(start_server: Start) -> None:
    asked = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if asked.count("one.test") < 3 else ["10.0.0.1"]

    server = start_server(lambda request, connection: connection.sendall(answer(302, Location=f"{request.target}x")))
    error = refused(server.url(), policy=dataclasses.replace(LOOPBACK, resolver=resolve))
    assert (error.code, asked, len(server.received)) == ("address-refused", ["one.test"] * 3, 2)


@pytest.mark.parametrize(("limit", "passes"), [(0, False), (4, False), (5, True), (20, True)])
def test_redirects_are_counted(start_server: Start, limit: int, passes: bool) -> None:
    routes = {f"/{n}": answer(302, Location=f"/{n + 1}") for n in range(5)}
    server = start_server(routed({**routes, "/5": answer(body=b"end")}))
    if passes:
        exchange = send(server.url("/0"), limits={"max_redirects": limit})
        assert exchange.body == b"end"
        assert [hop.status for hop in exchange.hops] == [302] * 5 + [200]
    else:
        error = refused(server.url("/0"), limits={"max_redirects": limit})
        assert (error.code, error.details["limit"]) == ("too-many-redirects", limit)
        assert [hop.url for hop in error.hops] == [server.url(f"/{n}") for n in range(limit + 1)]


def test_a_hundred_redirects_end_at_the_limit(start_server: Start) -> None:
    server = start_server(lambda request, connection: connection.sendall(answer(307, Location=f"{request.target}x")))
    assert refused(server.url(), "POST", body=b"a").code == "too-many-redirects"
    assert len(server.received) == 6


@pytest.mark.parametrize("location", ["/", "", "#again"])
def test_a_circle_is_told_at_once(start_server: Start, location: str) -> None:
    server = start_server(saying(answer(302, Location=location)))
    error = refused(server.url())
    assert error.code == "redirect-loop"
    assert [hop.status for hop in error.hops] == [302]
    assert error.phase is None


def test_a_wide_circle_is_told(start_server: Start) -> None:
    server = start_server(routed({"/a": answer(302, Location="/b"), "/b": answer(302, Location="/a")}))
    assert refused(server.url("/a")).code == "redirect-loop"


def test_a_redirect_that_is_not_to_be_followed_is_the_answer(start_server: Start) -> None:
    server = start_server(saying(answer(302, b"look there", Location="/b")))
    exchange = send(server.url(), limits={"follow_redirects": False})
    assert (exchange.status, exchange.body, len(exchange.hops)) == (302, b"look there", 1)


@pytest.mark.parametrize("said", [answer(302, b"no location"), answer(300, b"choose", Location="/b"), answer(304, Location="/b")])
def test_what_only_looks_like_a_redirect_is_the_answer(start_server: Start, said: bytes) -> None:
    server = start_server(saying(said))
    assert len(send(server.url()).hops) == 1


def test_https_does_not_lead_to_http(start_server: Start, tls: ssl.SSLContext, authority_file: Path) -> None:
    plain = start_server(saying(answer(body=b"plain")))
    server = start_server(saying(answer(302, Location=plain.url())), tls)
    error = refused(server.url(), policy=dataclasses.replace(LOOPBACK, ca_file=authority_file))
    assert (error.code, len(error.hops)) == ("redirect-downgrade", 1)
    assert plain.received == []


def test_http_leads_to_https_without_the_secrets(start_server: Start, tls: ssl.SSLContext, authority_file: Path) -> None:
    server = start_server(saying(answer(body=b"safe")), tls)
    plain = start_server(saying(answer(301, Location=server.url())))
    policy = dataclasses.replace(LOOPBACK, ca_file=authority_file)
    exchange = send(plain.url(), policy=policy, headers=(("Authorization", "Bearer x"),))
    assert exchange.body == b"safe"
    assert exchange.hops[1].stripped == ("Authorization",)
    assert exchange.tls is not None
    assert server.received[0].all("Authorization") == []


CREDENTIALS = (
    ("Authorization", "Bearer plain-text-token"),
    ("Cookie", "session=abcdef"),
    ("X-Api-Key", "k-123456"),
    ("apikey", "k-123456"),
    ("X-Auth-Token", "t-123456"),
    ("X-Shopify-Access-Token", "s-123456"),
    ("X-Signature", "s-0123456789"),
)
HARMLESS = (("X-Author", "somebody"), ("Accept-Language", "ar"), ("X-Request-Id", "7"))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_credentials_are_left_behind_at_another_origin(start_server: Start, status: int) -> None:
    """Another name, and another port of the same name."""
    for host in ("two.test", "one.test"):
        other = start_server(saying(answer(body=b"end")))
        server = start_server(saying(answer(status, Location=other.url(host=host))))
        exchange = send(server.url(), headers=(*CREDENTIALS, *HARMLESS))
        [received] = other.received
        assert exchange.hops[1].stripped == tuple(name for name, _value in CREDENTIALS)
        assert [pair for pair in received.headers if pair[0].startswith(("X-", "Acc"))][2:] == list(HARMLESS)
        assert not any(value in received.everything for _name, value in CREDENTIALS)


def test_credentials_stay_at_the_same_origin(start_server: Start) -> None:
    server = start_server(routed({"/a": answer(302, Location="/b"), "/b": answer(body=b"end")}))
    exchange = send(server.url("/a"), headers=CREDENTIALS, secrets=("k-123456",))
    assert exchange.hops[1].stripped == ()
    assert all(server.received[1].all(name) == [value] for name, value in CREDENTIALS)


def test_credentials_do_not_come_back_on_the_way_back(start_server: Start) -> None:
    home = start_server(lambda request, connection: connection.sendall(talk_home(request)))
    other = start_server(lambda _request, connection: connection.sendall(answer(302, Location=home.url("/again"))))

    def talk_home(request: Received) -> bytes:
        return answer(body=b"end") if request.target == "/again" else answer(302, Location=other.url(host="two.test"))

    exchange = send(home.url(), headers=CREDENTIALS)
    assert [hop.stripped for hop in exchange.hops] == [(), tuple(name for name, _value in CREDENTIALS), ()]
    assert home.received[1].all("Authorization") == []


def test_a_host_header_stays_at_home(start_server: Start) -> None:
    other = start_server(saying(answer(body=b"end")))
    server = start_server(saying(answer(307, Location=other.url(host="two.test"))))
    exchange = send(server.url(), headers=(("Host", f"one.test:{server.port}"),))
    assert exchange.hops[1].stripped == ("Host",)
    assert other.received[0].all("Host") == [f"two.test:{other.port}"]


def test_a_parameter_that_comes_back_with_a_secret_is_left_out(start_server: Start) -> None:
    """The first server puts the query it was asked with into its redirect, as many do."""
    other = start_server(saying(answer(body=b"end")))

    def echo(request: Received, connection: Any) -> None:
        connection.sendall(answer(302, Location=other.url(f"/?{request.target.partition('?')[2]}&new=1", "two.test")))

    server = start_server(echo)
    exchange = send(server.url("/?api_key=K-123456&q=word&v=hunter2%21x&b=2"), secrets=("hunter2!x",))
    assert other.received[0].target == "/?q=word&b=2&new=1"
    assert exchange.hops[1].stripped == ("api_key", "v")


def test_a_signed_location_is_left_as_it_is(start_server: Start) -> None:
    """Downloads are handed over with parameters that are credentials of the next server, not ours."""
    other = start_server(saying(answer(body=b"file")))
    signed = "/file?X-Amz-Signature=0123456789abcdef&token=theirs"
    server = start_server(saying(answer(302, Location=other.url(signed, "two.test"))))
    assert send(server.url(), headers=CREDENTIALS).body == b"file"
    assert other.received[0].target == signed


@pytest.mark.parametrize("path", ["/bothunter2!x/next", "/bot%68unter2%21x/", "/aHVudGVyMiF4/", "/a#hunter2!x"])
def test_a_path_with_a_secret_is_not_followed_to_another_origin(start_server: Start, path: str) -> None:
    other = start_server(saying(answer(body=b"end")))
    server = start_server(saying(answer(302, Location=other.url(path, "two.test"))))
    error = refused(server.url("/bothunter2!x/"), secrets=("hunter2!x",))
    assert (error.code, len(error.hops)) == ("redirect-secret", 1)
    assert other.received == []


def test_a_name_with_a_secret_is_not_even_looked_up(start_server: Start) -> None:
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return resolve_to_loopback(host, port)

    server = start_server(saying(answer(302, Location="http://Hunter2x.evil.test/")))
    policy = dataclasses.replace(LOOPBACK, resolver=resolve)
    assert refused(server.url(), policy=policy, secrets=("hunter2X",)).code == "redirect-secret"
    assert asked == ["one.test"]


@pytest.mark.parametrize(("status", "followed"), [(307, False), (308, False), (303, True), (301, True)])
def test_a_body_with_a_secret_is_not_sent_on(start_server: Start, status: int, followed: bool) -> None:
    other = start_server(saying(answer(body=b"end")))
    server = start_server(saying(answer(status, Location=other.url(host="two.test"))))
    request = {"body": b'{"password": "hunter2\\"x"}', "secrets": ('hunter2"x',)}
    if followed:
        assert send(server.url(), "POST", **request).body == b"end"
        assert other.received[0].body == b""
    else:
        assert refused(server.url(), "POST", **request).code == "redirect-body"
        assert other.received == []


def test_a_body_without_a_secret_is_sent_on(start_server: Start) -> None:
    other = start_server(saying(answer(body=b"end")))
    server = start_server(saying(answer(307, Location=other.url(host="two.test"))))
    assert send(server.url(), "POST", body=b"harmless", secrets=("hunter2x",)).body == b"end"
    assert (other.received[0].method, other.received[0].body) == ("POST", b"harmless")


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Server, Server]]:
    """A server that hands everything over to another origin, by whatever status and with whatever it was told itself."""

    def echo(request: Received, connection: Any) -> None:
        path, _question, query = request.target.partition("?")
        status = int(next(iter(request.all("X-Status")), "307"))
        connection.sendall(answer(status, Location=other.url(f"{path}?{query}&z=1", "two.test")))

    other = Server(saying(answer(body=b"end")))
    first = Server(echo)
    yield first, other
    first.close()
    other.close()


FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "quoted": lambda secret: quote(secret, safe=""),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "basic": lambda secret: base64.b64encode(f"me:{secret}".encode()).decode(),
    "basic2": lambda secret: base64.b64encode(f"user:{secret}:x".encode()).decode(),
    "json": lambda secret: json.dumps({"a": secret}),
    "inside": lambda secret: f"Bearer a{secret}b",
}
SECRETS = st.text(st.sampled_from("abcXYZ0189-_.~!+/=&%?#\u0645\u00e9\"' "), min_size=8, max_size=40).map(str.strip)
PLACES = st.sampled_from(["header", "parameter", "path", "body", "header name", "parameter name"])


@settings(max_examples=200, deadline=None)
@given(
    secret=SECRETS, place=PLACES, form=st.sampled_from(sorted(FORMS)), status=st.sampled_from([301, 302, 303, 307, 308])
)  # fmt: skip
def test_no_secret_ever_crosses_an_origin(pair: tuple[Server, Server], secret: str, place: str, form: str, status: int) -> None:
    first, other = pair
    other.received.clear()
    assume(len(secret) >= 8)
    text = FORMS[form](secret)
    headers = [("X-Status", str(status)), ("X-Kept", "kept")]
    url, body = first.url("/a"), b"harmless"
    if place == "header":
        headers.append(("X-Custom", text))
    elif place == "header name":
        assume(text.isascii() and text.replace("-", "").isalnum())
        headers.append((text, "1"))
    elif place == "parameter":
        url = first.url(f"/a?q=1&k={quote(text, safe='')}")
    elif place == "parameter name":
        url = first.url(f"/a?q=1&{quote(text, safe='')}=1")
    elif place == "path":
        url = first.url(f"/a/{quote(text, safe='')}/b")
    else:
        body = f"before {text} after".encode()
    request = WireRequest("POST", url, tuple(headers), body, secrets=(secret,))
    outcome: Exchange | EgressError
    try:
        outcome = send_exchange(LOOPBACK, request, ExchangeLimits(seconds=10))
    except EgressError as error:
        outcome = error
    for received in other.received:
        for shape in (secret, text, quote(secret, safe=""), quote(text, safe="")):
            assert shape.casefold() not in received.everything.casefold()
        assert received.all("X-Kept") == ["kept"]
    if isinstance(outcome, EgressError):
        assert outcome.code == ("redirect-body" if place == "body" else "redirect-secret")
        assert secret not in str(outcome)
        assert place in ("path", "body")
    else:
        assert len(other.received) == 1
        assert place != "path"
