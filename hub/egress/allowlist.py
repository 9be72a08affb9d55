"""HUB_ALLOWED_ADDRESSES: ``host``, ``host:port``, ``*.suffix``, CIDR, CIDR:port; an IPv6 entry with a port stands in brackets."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

_NAME = re.compile(r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", re.IGNORECASE)
_LOOPBACK_NAMES = ("localhost", "*.localhost")


@dataclass(frozen=True, slots=True)
class Allowance:
    """One entry: a name (``host`` or ``*.suffix``) or a network, for one port or for all."""

    name: str | None
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None
    port: int | None

    def covers(self, host: str, port: int, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        """Whether this entry allows ``address`` as an answer for ``host:port``."""
        if self.network is not None:
            return self.port in (None, port) and address in self.network
        return self.names(host, port)

    def names(self, host: str, port: int) -> bool:
        """Whether this entry is about the name ``host`` itself, or about the address that ``host`` is."""
        if self.port not in (None, port):
            return False
        if self.network is not None:
            try:
                return ipaddress.ip_address(host) in self.network
            except ValueError:
                return False
        if self.name is not None and self.name.startswith("*."):
            return host.endswith(self.name[1:])
        return host == self.name

    def names_port(self, port: int) -> bool:
        """Whether the operator wrote this very port."""
        return self.port == port


def parse_allowlist(entries: Iterable[str]) -> tuple[list[Allowance], list[str]]:
    """The entries that can be read, and a sentence for each that cannot."""
    allowances, problems = [], []
    for entry in entries:
        try:
            allowances.append(_parse(entry))
        except ValueError as error:
            problems.append(f"{entry!r} is ignored: {error}")
    return allowances, problems


def _parse(entry: str) -> Allowance:
    place, port = _split_port(entry.strip().lower())
    try:
        network = ipaddress.ip_network(place)
    except ValueError:
        network = None
    if network is not None:
        if network.is_loopback and port is None:
            raise ValueError("a loopback address needs a port")
        return Allowance(None, network, port)
    if "/" in place:
        raise ValueError("not a network (host bits must be zero)")
    if not _NAME.fullmatch(place) or place.replace(".", "").isdigit():
        raise ValueError("neither a host, nor *.suffix, nor a network")
    if place in _LOOPBACK_NAMES and port is None:
        raise ValueError("a loopback address needs a port")
    return Allowance(place, None, port)


def _split_port(entry: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"\[(?P<six>[^\]]+)\](?::(?P<port6>\d+))?|(?P<rest>[^:]+):(?P<port>\d+)", entry)
    if match is None:
        return entry, None
    port = match["port6"] or match["port"]
    number = int(port) if port else None
    if number is not None and not 1 <= number <= 65535:
        raise ValueError("the port is not from 1 to 65535")
    return match["six"] or match["rest"], number
