"""Every known way to talk a client into a private address: what would ``send_exchange`` connect to?"""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from hub.contracts.exchange import ExchangeLimits, WireRequest
from hub.egress import EgressError, EgressPolicy, send_exchange, session
from hub.egress.allowlist import parse_allowlist

NAMES = {
    "ok.test": "93.184.215.14",
    "localhost": "127.0.0.1",
    "foo.localhost": "127.0.0.1",
    "localhost.localdomain": "127.0.0.1",
    "ip6-localhost": "::1",
    "localtest.me": "127.0.0.1",
    "127.0.0.1.nip.io": "127.0.0.1",
    "metadata": "169.254.169.254",
    "metadata.google.internal": "8.8.8.8",
    "instance-data": "8.8.8.8",
    "private.test": "10.0.0.5",
    "six.test": "fd00::5",
}

REFUSED = """
# decimal, octal, hex, short forms
http://127.0.0.1/            http://127.1/                 http://127.0.1/
http://2130706433/           http://0x7f000001/            http://0x7f.0x0.0x0.0x1/
http://0177.0.0.1/           http://0177.1/                http://00000177.0.0.1/
http://017700000001/         http://0/                     http://0.0.0.0/
http://127.127.127.127/      http://127.0.0.1./            http://425.510.425.510/
http://0x7f.1/               http://127.0.0.1.:80/         http://0x/                http://1.1.1.1.0x7f/
# names
http://localhost/  http://LOCALHOST/  http://localhost./  http://foo.localhost/  http://localhost.localdomain/
http://ip6-localhost/   http://localtest.me/   http://127.0.0.1.nip.io/   http://private.test/   http://six.test/
# IPv6 and embeddings
http://[::1]/  http://[0:0:0:0:0:0:0:1]/  http://[::]/  http://[::ffff:127.0.0.1]/  http://[::ffff:7f00:1]/
http://[0:0:0:0:0:ffff:127.0.0.1]/  http://[::ffff:a9fe:a9fe]/  http://[::ffff:0:127.0.0.1]/  http://[::127.0.0.1]/
http://[::7f00:1]/  http://[64:ff9b::127.0.0.1]/  http://[64:ff9b::a9fe:a9fe]/  http://[64:ff9b:1::a9fe:a9fe]/
http://[2002:7f00:1::]/  http://[2002:a9fe:a9fe::]/  http://[2001:0:7f00:1::]/  http://[2001::80ff:fffe]/
http://[fe80::1]/  http://[fe80::1%25eth0]/  http://[fc00::1]/  http://[fec0::1]/  http://[ff02::1]/
http://[5f00::1]/  http://[3fff::1]/  http://[100::1]/  http://[::1/  http://[127.0.0.1]/  http://[v1.127.0.0.1]/
http://[::1%25lo]/  http://[fe80::1%eth0]/  http://[]/  http://[::1]x/  http://[::1]:/
# metadata
http://169.254.169.254/latest/meta-data/   http://2852039166/   http://0xA9FEA9FE/   http://0251.0376.0251.0376/
http://169.16689662/   http://169.254.170.2/v2/credentials   http://169.254.170.23/   http://[fd00:ec2::254]/
http://[fd20:ce::254]/   http://100.100.100.200/latest/meta-data/   http://192.0.0.192/   http://168.63.129.16/
http://metadata.google.internal/   http://metadata/   http://instance-data/   http://METADATA.google.internal/
# private and special ranges
http://10.0.0.1/ http://172.16.0.1/ http://172.31.255.255/ http://192.168.1.1/ http://100.64.0.1/ http://198.18.0.1/
http://192.0.2.1/ http://192.88.99.1/ http://224.0.0.1/ http://240.0.0.1/ http://255.255.255.255/
# parser tricks
http://ok.test@127.0.0.1/   http://127.0.0.1@ok.test/   http://ok.test:80@127.0.0.1:80/   http://@127.0.0.1/   http://@ok.test/
http://127.0.0.1#@ok.test/  http://ok.test\\@127.0.0.1/  http://127.0.0.1\\@ok.test/  http://127.0.0.1:80\\@ok.test/
http://127.0.0.1:80?@ok.test/
http://127.0.0.1%23@ok.test/  http://127.0.0.1%2f@ok.test/  http://127%2e0%2e0%2e1/  http://%31%32%37.0.0.1/
http://127.0.0.1%00.ok.test/  http://127.0.0.1%09/  http:\\\\127.0.0.1\\  http:///127.0.0.1/  http:/127.0.0.1/
http:127.0.0.1/  //127.0.0.1/  HTTP://127.0.0.1/  hTTp://127.0.0.1/
http://ok.test;127.0.0.1/  http://ok.test,127.0.0.1/  http://ok.test&127.0.0.1/
# unicode
http://①②⑦.⓪.⓪.①/  http://１２７.０.０.１/  http://127。0。0。1/  http://127．0．0．1/  http://127｡0｡0｡1/  http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/
http://loc\u00adalhost/  http://ok.test\u2028/  http://ｌｏｃａｌｈｏｓｔ/  http://localhoſt/  http://127.0.0.1\u200b/
# ports and schemes
http://ok.test:22/  http://ok.test:6379/  http://ok.test:0/  http://ok.test:99999/  http://ok.test:-1/  http://ok.test:80:80/
http://ok.test:25/  http://ok.test:11211/  http://ok.test:6667/  http://ok.test:10080/  http://ok.test:8０/  http://ok.test:+80/
http://ok.test:8_0/
file:///etc/passwd  gopher://127.0.0.1:6379/_x  dict://127.0.0.1:11211/  ftp://127.0.0.1/  data:text/plain,hi
jar:http://127.0.0.1!/  http+unix://%2Fvar%2Frun%2Fdocker.sock/info  ldap://127.0.0.1/  ws://ok.test/  javascript:alert(1)
"""
WITH_SPACES = [
    "http://127.0.0.1\t/",
    "http://127\t.0.0.1/",
    " http://127.0.0.1/",
    "http://127.0.0.1 .ok.test/",
    "http://ok.test/ ",
]
ALLOWED = {
    "http://172.15.255.255/": "172.15.255.255",
    "http://172.32.0.1/": "172.32.0.1",
    "http://100.63.255.255/": "100.63.255.255",
    "http://100.128.0.1/": "100.128.0.1",
    "http://11.0.0.1/": "11.0.0.1",
    "http://169.253.0.1/": "169.253.0.1",
    "http://198.20.0.1/": "198.20.0.1",
    "http://[2606:4700::1111]/": "2606:4700::1111",
    "http://ok.test#@127.0.0.1/": NAMES["ok.test"],
    "http://ok.test/@127.0.0.1/": NAMES["ok.test"],
    "http://ok.test/?next=http://127.0.0.1/": NAMES["ok.test"],
    "https://OK.test:8443/": NAMES["ok.test"],
    "http://ok.test:443/": NAMES["ok.test"],
    "http://ok.test:3000/": NAMES["ok.test"],
}


def strings() -> list[str]:
    rows = [row for row in REFUSED.split("\n") if not row.startswith("#")]
    return [text for row in rows for text in row.split(" ") if text] + WITH_SPACES


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that a connection was tried to; nothing is connected."""
    tried: list[str] = []

    def connect(_socket: socket.socket, place: tuple[str, int]) -> None:
        tried.append(place[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(session._PlainSocket, "connect", connect)
    return tried


def attempt(url: str, policy: EgressPolicy) -> EgressError:
    with pytest.raises(EgressError) as error:
        send_exchange(policy, WireRequest("GET", url), ExchangeLimits(seconds=5))
    return error.value


def production(*allowed: str) -> EgressPolicy:
    return EgressPolicy(tuple(parse_allowlist(allowed)[0]), resolver=lambda host, _port: [NAMES[host]] if host in NAMES else [])


def test_the_list_is_as_long_as_the_one_it_comes_from() -> None:
    assert len(strings()) > 125
    assert len(set(strings())) == len(strings())


@pytest.mark.parametrize("url", strings())
def test_no_string_leads_to_a_connection(url: str, reached: list[str]) -> None:
    assert attempt(url, production()).code in ("bad-url", "address-refused", "address-never", "port-refused", "dns")
    assert reached == []


@pytest.mark.parametrize(("url", "address"), ALLOWED.items())
def test_nothing_legitimate_is_refused(url: str, address: str, reached: list[str]) -> None:
    assert attempt(url, production()).code == "connect"
    assert reached == [address]


@pytest.mark.parametrize("url", [url for url in strings() if "169" in url or "metadata" in url or "100.100" in url])
def test_metadata_is_not_reached_from_the_widest_allowlist_either(url: str, reached: list[str]) -> None:
    policy = production("0.0.0.0/0", "::/0", "*.internal", "metadata", "metadata.google.internal")
    assert attempt(url, policy).code in ("bad-url", "address-never")
    assert reached == []


def test_a_listed_host_that_starts_to_resolve_to_metadata_is_refused(reached: list[str]) -> None:
    answers = iter([["10.0.0.5"], ["169.254.169.254"]])
    allowances = tuple(parse_allowlist(["n8n.lan", "*.lan", "0.0.0.0/0"])[0])
    policy = EgressPolicy(allowances, resolver=lambda _host, _port: next(answers))
    assert attempt("http://n8n.lan/", policy).code == "connect"
    assert attempt("http://n8n.lan/", policy).code == "address-never"
    assert reached == ["10.0.0.5"]


def test_a_rebinding_name_is_asked_once_and_connected_as_it_was_judged(reached: list[str]) -> None:
    asked = []

    def rebind(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["8.8.8.8"] if len(asked) == 1 else ["127.0.0.1"]

    assert attempt("http://rebind.test/", EgressPolicy(resolver=rebind)).code == "connect"
    assert (asked, reached) == (["rebind.test"], ["8.8.8.8"])


@pytest.mark.parametrize(
    "answers",
    [
        ["8.8.8.8", "10.0.0.1"],
        ["10.0.0.1", "8.8.8.8"],
        ["8.8.8.8", "fd00::1"],
        ["fe80::1", "8.8.8.8"],
        ["2606:4700::1111", "::ffff:127.0.0.1"],
        ["8.8.8.8", "fe80::1%2"],
    ],
)
def test_one_bad_answer_among_good_ones_refuses_the_name(answers: list[str], reached: list[str]) -> None:
    policy = EgressPolicy(resolver=lambda _host, _port: answers)
    assert attempt("http://mixed.test/", policy).code in ("address-refused", "address-never")
    assert reached == []


def test_the_hub_does_not_send_to_itself(reached: list[str]) -> None:
    allowances = tuple(parse_allowlist(["127.0.0.1:8000", "hub.test:8000"])[0])
    policy = EgressPolicy(allowances, True, "127.0.0.1", 8000, resolver=lambda _host, _port: ["127.0.0.1"])
    for url in ("http://127.0.0.1:8000/", "http://hub.test:8000/", "http://[::ffff:127.0.0.1]:8000/"):
        error = attempt(url, policy)
        assert (error.code, error.details["reason"]) == ("address-never", "own")
    assert reached == []


def test_a_connection_that_leads_elsewhere_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session._PlainSocket, "connect", lambda _socket, _place: None)
    monkeypatch.setattr(session._PlainSocket, "getpeername", lambda _socket: ("10.0.0.1", 80), raising=False)
    assert attempt("http://ok.test/", production()).code == "connect"


def test_proxies_netrc_and_cookies_of_the_environment_are_nothing_to_us(
    reached: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine ok.test login me password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "*")
    for url in ("http://ok.test/", "https://ok.test/"):
        assert attempt(url, production()).code == "connect"
    assert reached == [NAMES["ok.test"]] * 2
