"""Which addresses may be reached. Tables, because ``ipaddress.is_global`` is wrong for a dozen of these (Python 3.11)."""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hub.config import Config
from hub.egress.allowlist import Allowance, parse_allowlist
from hub.egress.errors import EgressError
from hub.egress.lookup import Resolver, look_up, system_resolver

log = logging.getLogger(__name__)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


_LOOPBACK = _networks("127.0.0.0/8", "::1/128")
_PRIVATE = _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
#: Special ranges of IPv4 besides the private ones (IANA registry), and the wire server of Azure.
_SPECIAL_V4 = _networks(
    "0.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
)
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")
_SPECIAL_V6 = _networks("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
#: IPv4-compatible, IPv4-translated, NAT64.
_EMBEDDING = _networks("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
#: Nothing that a hub of n8n servers may want lives here: cloud metadata, link-local, unspecified, multicast, reserved.
_NEVER = _networks(
    "0.0.0.0/8",
    "100.100.100.200/32",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "192.0.0.192/32",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "fe80::/10",
    "fd00:ec2::254/128",
    "fd00:ec2::23/128",
    "fd20:ce::254/128",
    "ff00::/8",
)
_NEVER_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"})
#: Ports of other protocols: those browsers refuse above 1023, and data stores that answer anybody.
_BAD_PORTS = frozenset(
    {1719, 1720, 1723, 2049, 2375, 2379, 2380, 3306, 3659, 4045, 4190, 5060, 5061, 5432, 6000, 6379, 6566, 6665, 6666, 6667}
    | {6668, 6669, 6679, 6697, 9200, 10080, 11211, 27017}
)


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """Decides about hosts, ports and addresses. Immutable; one an app."""

    allowances: tuple[Allowance, ...] = ()
    loopback: bool = False
    #: Where the hub itself listens: never reached, whatever is allowed.
    own_host: str = ""
    own_port: int = 0
    resolver: Resolver = field(default=system_resolver)
    #: Certificates in PEM that are trusted beside the public authorities'.
    ca_file: Path | None = None

    @classmethod
    def from_config(cls, config: Config) -> EgressPolicy:
        """The operator's policy."""
        return cls.of(config.allowed_addresses, config.is_development, config.host, config.port, config.ca_file)

    @classmethod
    def of(cls, allowed: Iterable[str], loopback: bool, own_host: str, own_port: int, ca_file: Path | None) -> EgressPolicy:
        """A policy from settings; entries of HUB_ALLOWED_ADDRESSES that cannot be read are logged and have no effect."""
        allowances, problems = parse_allowlist(allowed)
        for problem in problems:
            log.warning("HUB_ALLOWED_ADDRESSES: %s", problem)
        return cls(tuple(allowances), loopback, own_host, own_port, ca_file=ca_file)

    def resolve(self, host: str, port: int, remaining: Callable[[], float] | None = None) -> list[Address]:
        """The addresses to connect to, all of them judged; ``EgressError`` where a single one is refused.

        A name is looked up once. ``remaining`` gives the seconds that are left for it, and raises when there are none.
        """
        if host in _NEVER_NAMES:
            raise EgressError("address-never", host=host, address=host, reason="metadata")
        self._check_port(host, port)
        texts = [host] if is_address(host) else look_up(self.resolver, host, port, remaining)
        addresses = [self._judge(host, port, text) for text in texts]
        if not addresses:
            raise EgressError("dns", host=host)
        return addresses

    def lists(self, host: str, port: int) -> bool:
        """Whether the operator's allowlist names this very place."""
        return any(allowance.names(host, port) for allowance in self.allowances)

    def _check_port(self, host: str, port: int) -> None:
        usual = port in (80, 443) or (port >= 1024 and port not in _BAD_PORTS)
        if not usual and not any(allowance.names_port(port) for allowance in self.allowances):
            raise EgressError("port-refused", host=host, port=port)

    def _judge(self, host: str, port: int, text: str) -> Address:
        """The parsed address, or ``EgressError``."""
        address = ipaddress.ip_address(text)
        if isinstance(address, ipaddress.IPv6Address):
            if address.scope_id:
                raise EgressError("address-never", host=host, address=text, reason="link-local")
            address = address.ipv4_mapped or address
        reason = _never_reason(address)
        if reason is None and self._is_own(address, port):
            reason = "own"
        if reason:
            raise EgressError("address-never", host=host, address=text, reason=reason)
        kind = classify(address)
        if kind == "public" or (kind == "loopback" and self.loopback):
            return address
        if any(allowance.covers(host, port, address) for allowance in self.allowances):
            return address
        raise EgressError("address-refused", host=host, address=text, port=port, reason=kind)

    def _is_own(self, address: Address, port: int) -> bool:
        if port != self.own_port:
            return False
        if self.own_host in ("0.0.0.0", "::", "", "*"):  # noqa: S104 (compared, not bound)
            return _is_local(address)
        return _contains(_LOOPBACK, address) if self.own_host == "localhost" else str(address) == self.own_host


def is_address(host: str) -> bool:
    """Whether a host is an address already, so that there is nothing to look up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _contains(networks: Iterable[Network], address: Address) -> bool:
    return any(address in network for network in networks)


def classify(address: Address) -> str:
    """``public``, ``loopback``, ``private`` or ``special``."""
    if _contains(_LOOPBACK, address):
        return "loopback"
    if _contains(_PRIVATE, address):
        return "private"
    if isinstance(address, ipaddress.IPv4Address):
        return "special" if _contains(_SPECIAL_V4, address) else "public"
    return "public" if address in _GLOBAL_V6 and not _contains(_SPECIAL_V6, address) else "special"


def _never_reason(address: Address) -> str | None:
    for form in (address, *_embedded(address)):
        if _contains(_NEVER, form):
            return "link-local" if _contains(_networks("fe80::/10"), form) else "metadata"
    return None


def _embedded(address: Address) -> list[ipaddress.IPv4Address]:
    """IPv4 addresses that an IPv6 transition form may lead to (6to4, Teredo, NAT64, compatible, translated)."""
    if not isinstance(address, ipaddress.IPv6Address):
        return []
    if address.sixtofour:
        return [address.sixtofour]
    if address.teredo:
        return list(address.teredo)
    if _contains(_EMBEDDING, address) and int(address) > 0xFFFFFF:  # ::1 embeds nothing
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return []


def _is_local(address: Address) -> bool:
    """Whether the address is one of this machine's: only those can be bound."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
