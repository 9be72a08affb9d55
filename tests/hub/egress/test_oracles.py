"""Two other guards as oracles: whatever we allow, both allow, and for the same place. Where they allow more, we know why."""

from __future__ import annotations

import ipaddress
import random
import socket
from collections.abc import Iterator
from typing import Any

import AntiSSRF._antissrf_agent as microsoft
import pytest
import requests
import ssrfguard
from AntiSSRF import AntiSSRFError, AntiSSRFPolicy, PolicyConfigOptions
from hypothesis import event, given, settings
from hypothesis import strategies as st

from hub.egress import EgressError, EgressPolicy, check_url
from hub.egress.addresses import _SPECIAL_V4, _SPECIAL_V6, Address

NAMES = {
    "ok.test": ["93.184.215.14"],
    "two.test": ["2606:4700::1111", "8.8.8.8"],
    "mixed.test": ["8.8.8.8", "10.0.0.1"],
    "private.test": ["192.168.1.1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "localhost": ["127.0.0.1"],
    "xn--mgbh0fb.test": ["1.1.1.1"],
}
#: Both let through what IANA has not assigned to anybody.
UNASSIGNED = (
    *("::/8", "100::/8", "200::/7", "400::/6", "800::/5", "1000::/4", "4000::/3", "6000::/3"),
    *("8000::/3", "a000::/3", "c000::/3", "e000::/4", "f000::/5", "f800::/6", "fe00::/9"),
)
#: What the oracles let through and we do not, and why it may not pass.
MISSES = {
    "ssrfguard": {
        "::ffff:0:0:0/96": "IPv4-translated addresses may lead to any IPv4 address",
        "168.63.129.16/32": "the wire server of Azure",
        "2002::/16": "6to4 is read and judged by the IPv4 address inside; nobody needs it any more",
        "192.31.196.0/24": "AS112: name servers for private names",
        "192.52.193.0/24": "relays of multicast",
        "192.175.48.0/24": "AS112",
        "2620:4f:8000::/48": "AS112",
    },
    "microsoft": {
        "::/96": "IPv4-compatible addresses may lead to any IPv4 address",
        "::ffff:0:0:0/96": "IPv4-translated addresses may lead to any IPv4 address",
    },
}


def ours(url: str) -> tuple[str, int, str] | None:
    """Host, port and the address that is connected to first; None for a refusal."""
    try:
        target = check_url(url)
        addresses = EgressPolicy(resolver=lambda host, _port: NAMES.get(host, [])).resolve(target.host, target.port)
    except EgressError:
        return None
    return target.host, target.port, str(addresses[0])


GUARD = ssrfguard.Policy(allowed_ports=frozenset(range(1, 65536)))


def by_ssrfguard(url: str) -> tuple[str, int, str] | None:
    try:
        target = GUARD.check_url(url)
        addresses = ssrfguard.resolve(target, policy=GUARD, resolver=lookup)
    except (ssrfguard.SSRFGuardError, OSError):
        return None
    return target.host.strip("[]"), target.port, str(addresses[0].ip)


def microsoft_policy() -> AntiSSRFPolicy:
    policy = AntiSSRFPolicy(PolicyConfigOptions.EXTERNAL_ONLY_LATEST)
    policy.allow_plain_text_http = True
    return policy


MICROSOFT = microsoft_policy()
ADAPTER = MICROSOFT.get_antissrf_session().get_adapter("http://")


def by_microsoft(url: str) -> tuple[str, int | None, str] | None:
    try:
        place, _options = ADAPTER.build_connection_pool_key_attributes(prepared := requests.Request("GET", url).prepare(), True)
    except (AntiSSRFError, requests.RequestException, OSError, ValueError):
        return None
    port = place["port"] or {"http": 80, "https": 443}[place["scheme"]]
    return prepared.headers["Host"].strip("[]"), port, place["host"].strip("[]")


def lookup(host: Any, port: Any, *_options: Any) -> list[tuple[Any, ...]]:
    """``socket.getaddrinfo`` over our names; it reads the short forms of addresses, as the C library does."""
    try:
        answers = [socket.inet_ntoa(socket.inet_aton(host))]
    except OSError:
        answers = NAMES.get(host.rstrip(".").lower(), []) if ":" not in host else [host]
    if not answers:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")
    return [
        (family := socket.AF_INET6 if ":" in text else socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, port or 0)
         if family == socket.AF_INET else (text, port or 0, 0, 0))
        for text in answers
    ]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def names() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setattr(microsoft.socket, "getaddrinfo", lookup)
    yield
    patch.undo()


def literal(address: Address) -> str:
    return f"http://[{address}]/" if address.version == 6 else f"http://{address}/"


def addresses() -> Iterator[Address]:
    """Both sides of every border of our tables and of Python's, and a sample of all the rest."""
    texts = ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10", "2000::/3"]
    texts += [
        *MISSES["ssrfguard"],
        *MISSES["microsoft"],
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "::ffff:0:0/96",
        "fe80::/10",
        "ff00::/8",
    ]
    for network in [*map(ipaddress.ip_network, texts), *_SPECIAL_V4, *_SPECIAL_V6]:
        first, last, top = int(network[0]), int(network[-1]), 2**network.max_prefixlen
        for number in (first - 1, first, first + 1, (first + last) // 2, last, last + 1):
            if 0 <= number < top:
                yield type(network[0])(number)
    chance = random.Random(2026)
    for _count in range(150):
        yield ipaddress.IPv4Address(chance.getrandbits(32))
        yield ipaddress.IPv6Address(chance.getrandbits(128))
        yield ipaddress.IPv6Address((0x2 << 124) | chance.getrandbits(125))
        for prefix in ("::", "::ffff:0:0", "::ffff:0:0:0", "64:ff9b::", "2002::"):
            shift = 80 if prefix == "2002::" else 0
            yield ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | chance.getrandbits(32) << shift)


def is_known(oracle: str, address: Address) -> bool:
    return any(address in ipaddress.ip_network(network) for network in (*MISSES[oracle], *UNASSIGNED))


def test_every_address_that_we_allow_is_allowed_by_both() -> None:
    allowed = 0
    surprises = []
    for address in addresses():
        url = literal(address)
        we = ours(url)
        for oracle, theirs in (("ssrfguard", by_ssrfguard(url)), ("microsoft", by_microsoft(url))):
            if we is not None and theirs is None:
                surprises.append(f"{oracle} refuses {address}, and we do not")
            if we is None and theirs is not None and not is_known(oracle, address):
                surprises.append(f"we refuse {address}, and {oracle} does not")
        allowed += we is not None
    assert surprises == []
    assert allowed > 200


@pytest.mark.parametrize(("oracle", "network"), [(oracle, network) for oracle, known in MISSES.items() for network in known])
def test_what_they_miss_they_miss(oracle: str, network: str) -> None:
    """When one of these fails, the library was repaired: take the row out of the table."""
    judge = by_ssrfguard if oracle == "ssrfguard" else by_microsoft
    inside = ipaddress.ip_network(network)
    number = 0x0808_0808 << 80 if network == "2002::/16" else 0x7F000001 if inside.num_addresses > 2**31 else 0
    address = inside[number]
    assert judge(literal(address)) is not None
    assert ours(literal(address)) is None


def mostly(*plain: str) -> Any:
    """One of the plain pieces nine times of ten, so that some URLs have a single thing wrong and some nothing."""
    return lambda *strange: st.integers(0, 9).flatmap(lambda dice: st.sampled_from(strange if dice == 9 else plain))


GOOD_HOSTS = ("ok.test", "two.test", "OK.test", "1.1.1.1", "11.0.0.1", "[2606:4700::1111]", "مثال.test", "172.32.0.1")
BAD_HOSTS = st.one_of(
    st.sampled_from(
        [*NAMES, "ok.test.", "unknown.test", "127.1", "0x7f.1", "017700000001", "2130706433", "1.1.1.1.", "-ok.test"]
    ),
    st.sampled_from(["[::1]", "[::ffff:8.8.8.8]", "[::ffff:7f00:1]", "[fe80::1%25lo]", "[v1.a]", "[1.1.1.1]", "ok..test"]),
    st.sampled_from(["①②⑦.⓪.⓪.①", "127。0。0。1", "loc\u00adalhost", "ｏｋ.test"]),
    st.ip_addresses().map(lambda address: f"[{address}]" if address.version == 6 else str(address)),
    st.ip_addresses(v=4).map(lambda address: str(int(address))),
    st.ip_addresses(v=4).map(lambda address: ".".join(f"{part:#o}".replace("0o", "0") for part in address.packed)),
    st.text("abc.:-_@%/\\#?[]0127x\t ;&,", min_size=1, max_size=12),
)
URLS = st.builds(
    "{}{}{}{}{}{}".format,
    mostly("http", "https", "HTTP", "hTTps")("ftp", "http ", "", "file"),
    mostly("://")(":/", ":", "///", "://\\", ":\\\\", "//"),
    mostly("")("me@", "ok.test@", "ok.test:80@", "ok.test%23@", "ok.test\\@", "\t", " ", "@"),
    st.one_of(st.sampled_from(GOOD_HOSTS), st.sampled_from(GOOD_HOSTS), BAD_HOSTS),
    mostly("", ":80", ":443", ":8080")(":0", ":99999", ":-1", ":80:80", ":", ":22", ":٨٠", "%3a80"),
    mostly("", "/", "/path?x=1", "?x=@127.0.0.1", "#@127.0.0.1/", "/@127.0.0.1/")("@127.0.0.1/", "\\", "%00", "/\\@127.0.0.1/"),
)


@settings(max_examples=600, deadline=None)
@given(url=URLS)
def test_every_url_that_we_allow_leads_both_to_the_same_place(url: str) -> None:
    we = ours(url)
    event("allowed" if we else "refused")
    if we is None:
        return
    host, port, address = we
    for theirs in (by_ssrfguard(url), by_microsoft(url)):
        assert theirs is not None
        assert (theirs[1], plain(theirs[2])) == (port, plain(address))
        assert theirs[0].lower() == host or plain(theirs[0]) == plain(host)


def plain(text: str) -> Address:
    """The address; an IPv4 address that is mapped into IPv6 is that IPv4 address."""
    address = ipaddress.ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address
