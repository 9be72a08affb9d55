"""Rules for URLs, judged before any I/O."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import idna

from hub.egress.errors import EgressError

MAX_URL = 8192
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NUMERIC_LABEL = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)")
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads. ``host`` is lower-case ASCII (an IPv6 address without brackets)."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """``host``, with its port where that is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """``scheme://host[:port]``."""
        return f"{self.scheme}://{self.authority}"


def check_url(url: str) -> Target:
    """The target of an http(s) URL; ``EgressError("bad-url")`` for one that two parsers could read differently."""
    if len(url) > MAX_URL:
        raise EgressError("bad-url", reason="too-long")
    if re.search(r"[\x00-\x20\x7f-\xa0\u2028\u2029\\]", url):
        raise EgressError("bad-url", reason="characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise EgressError("bad-url", reason="host") from error
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise EgressError("bad-url", reason="scheme")
    if not re.match(r"https?://[^/]", url, re.IGNORECASE):
        raise EgressError("bad-url", reason="host")
    if "@" in parts.netloc:
        raise EgressError("bad-url", reason="userinfo")
    if port == 0 or parts.netloc.endswith(":"):
        raise EgressError("bad-url", reason="port")
    return Target(scheme, _check_host(parts.netloc, parts.hostname or ""), port or _DEFAULT_PORTS[scheme])


def may_reach(patterns: Iterable[str], target: Target) -> bool:
    """Whether a pattern names the target: ``host`` (any port), ``host:port``, ``*.suffix`` (never the suffix itself)."""
    return any(_matches(pattern.strip().lower(), target) for pattern in patterns)


def _matches(pattern: str, target: Target) -> bool:
    host, separator, port = pattern.rpartition(":")
    if separator and port.isdecimal() and (":" not in host or host.startswith("[")):
        if int(port) != target.port:
            return False
    else:
        host = pattern
    if host.startswith("*."):
        return target.host.endswith(host[1:]) and target.host != host[1:]
    return target.host == host.strip("[]")


def request_target(url: str) -> str:
    """What stands in the request line for a URL that ``check_url`` took: as written, other alphabets in percent escapes."""
    rest = url.partition("://")[2].partition("#")[0]
    start = re.search(r"[/?]", rest)
    target = rest[start.start() :] if start else "/"
    target = target if target.startswith("/") else f"/{target}"
    return target if target.isascii() else re.sub(r"[^\x00-\x7f]+", lambda found: quote(found[0], errors="replace"), target)


def _check_host(netloc: str, host: str) -> str:
    if re.search("[%\u3002\uff0e\uff61]", host):  # the last three are dots of other scripts
        raise EgressError("bad-url", reason="host")
    if netloc.startswith("["):
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError as error:
            raise EgressError("bad-url", reason="ipv6") from error
    try:
        host = host if host.isascii() else idna.encode(host).decode("ascii")
    except idna.IDNAError as error:
        raise EgressError("bad-url", reason="host") from error
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise EgressError("bad-url", reason="host")
    if _NUMERIC_LABEL.fullmatch(host.rpartition(".")[2]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError as error:
            raise EgressError("bad-url", reason="ipv4") from error
    return host
