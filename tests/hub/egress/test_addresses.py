from __future__ import annotations

import ipaddress
import random

import pytest

from hub.config import Config
from hub.egress import EgressError, EgressPolicy
from hub.egress.addresses import classify
from hub.egress.allowlist import parse_allowlist


def policy(*allowed: str, answers: dict[str, list[str]] | None = None, **options: object) -> EgressPolicy:
    allowances, problems = parse_allowlist(allowed)
    assert not problems
    known = answers or {}
    return EgressPolicy(tuple(allowances), resolver=lambda host, _port: known.get(host, []), **options)  # type: ignore[arg-type]


def refusal(judge: EgressPolicy, host: str, port: int = 443) -> str:
    with pytest.raises(EgressError) as refused:
        judge.resolve(host, port)
    return refused.value.code


PRIVATE = [
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.127.127.127",
    "fc00::1",
    "::1",
]
SPECIAL = [
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "192.0.0.8",
    "2001:db8::1",
    "3fff::1",
    "100::1",
]
EMBEDDED = [
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1:0:0:8080:8080",
    "fec0::1",
    "5f00::1",
]
NEVER = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fe80::1%1",
    "ff02::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "::ffff:169.254.169.254",
    "::ffff:0:a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::",
]
PUBLIC = [
    "172.15.255.255",
    "172.32.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "11.0.0.1",
    "169.253.0.1",
    "198.20.0.1",
    "2606:4700::1111",
    "2606:4700::a9fe:a9fe",
]


@pytest.mark.parametrize("address", PRIVATE + SPECIAL + EMBEDDED)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert refusal(policy(answers={"n8n.test": [address]}), "n8n.test") == "address-refused"
    assert refusal(policy(), address) == "address-refused"


@pytest.mark.parametrize("address", NEVER)
def test_metadata_and_its_like_are_refused_whatever_is_allowed(address: str) -> None:
    everything = policy("0.0.0.0/0", "::/0", "*.test", answers={"n8n.test": [address]}, loopback=True)
    assert refusal(everything, "n8n.test") == "address-never"


@pytest.mark.parametrize("name", ["metadata.google.internal", "metadata", "instance-data"])
def test_names_of_metadata_services_are_refused_whatever_they_resolve_to(name: str) -> None:
    assert refusal(policy(name, answers={name: ["8.8.8.8"]}), name) == "address-never"


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_not_refused_by_mistake(address: str) -> None:
    assert [str(found) for found in policy().resolve(address, 443)] == [address]


def test_one_private_answer_refuses_the_whole_name() -> None:
    assert refusal(policy(answers={"n8n.test": ["8.8.8.8", "10.0.0.1"]}), "n8n.test") == "address-refused"


def test_nothing_private_is_ever_public_by_our_table() -> None:
    """A sample of all of IPv4 and IPv6 against Python's own tables: whatever it calls private, we do not call public."""
    chance = random.Random(5)
    for _try in range(5000):
        four = ipaddress.IPv4Address(chance.getrandbits(32))
        six = ipaddress.IPv6Address(chance.getrandbits(128))
        for address in (four, six):
            if address.is_private or address.is_loopback or address.is_multicast or address.is_reserved:
                assert classify(address) != "public", address


@pytest.mark.parametrize(
    ("entry", "host", "port", "allowed"),
    [
        ("n8n.lan", "n8n.lan", 5678, True),
        ("n8n.lan", "other.lan", 5678, False),
        ("n8n.lan:5678", "n8n.lan", 5678, True),
        ("n8n.lan:5678", "n8n.lan", 8080, False),
        ("*.lan", "n8n.lan", 5678, True),
        ("*.lan", "evil-lan", 5678, False),
        ("10.0.0.0/8", "n8n.lan", 443, True),
        ("10.0.0.0/8:443", "n8n.lan", 8080, False),
        ("10.0.0.5:443", "n8n.lan", 443, True),
        ("192.168.0.0/16", "n8n.lan", 443, False),
        ("n8n.lan:22", "n8n.lan", 22, True),
        ("10.0.0.0/8", "n8n.lan", 22, False),
    ],
)
def test_the_operator_opens_private_addresses(entry: str, host: str, port: int, allowed: bool) -> None:
    answers = {name: ["10.0.0.5"] for name in ("n8n.lan", "other.lan", "evil-lan")}
    judge = policy(entry, answers=answers)
    if allowed:
        assert judge.resolve(host, port)
    else:
        assert refusal(judge, host, port) in ("address-refused", "port-refused")


def test_ipv6_entries_carry_a_port_in_brackets() -> None:
    assert policy("[fd12::5]:5678").resolve("fd12::5", 5678)
    assert policy("fd12::/16").resolve("fd12::5", 80)
    assert refusal(policy("[fd12::5]:5678"), "fd12::5", 80) == "address-refused"


@pytest.mark.parametrize("entry", ["127.0.0.1", "127.0.0.0/8", "localhost", "10.0.0.1/8", "a b", "n8n.lan:99999", "1.2.3", "::1"])
def test_an_entry_that_is_wrong_or_opens_the_machine_itself_is_reported_and_ignored(entry: str) -> None:
    allowances, problems = parse_allowlist([entry])
    assert not allowances
    assert len(problems) == 1
    assert entry in problems[0]


@pytest.mark.parametrize("port", [22, 25, 6379, 11211, 5432, 1])
def test_ports_of_other_protocols_are_refused(port: int) -> None:
    assert refusal(policy(), "8.8.8.8", port) == "port-refused"


def test_loopback_is_open_in_development_only(config: Config) -> None:
    assert config.is_development
    assert EgressPolicy.from_config(config).resolve("127.0.0.1", 5678)
    assert refusal(policy(), "127.0.0.1", 5678) == "address-refused"
    assert policy("127.0.0.1:5678").resolve("127.0.0.1", 5678)


@pytest.mark.parametrize(
    ("own", "host"), [("127.0.0.1", "127.0.0.1"), ("localhost", "::1"), ("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.2")]
)
def test_the_hub_never_calls_itself(own: str, host: str) -> None:
    judge = policy("127.0.0.0/8:8000", loopback=True, own_host=own, own_port=8000)
    assert refusal(judge, host, 8000) == "address-never"
    assert judge.resolve(host, 8001)


def test_a_name_without_an_address_is_told_apart() -> None:
    assert refusal(policy(), "nowhere.test") == "dns"
