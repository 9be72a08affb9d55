"""One HTTP exchange in bytes: what goes to ``hub.egress`` and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request with everything filled in. Headers are in order and may repeat."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    #: Values that no other origin and no reader may see: redirects lose whatever carries them.
    secrets: tuple[str, ...] = field(default=(), repr=False)
    #: For each secret the hosts that it may go to; a host that is missing here refuses the request. Empty: bound to nothing.
    secret_hosts: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class ExchangeLimits:
    """Bounds of one exchange, all redirects included."""

    seconds: float = 30.0
    max_bytes: int = 5_000_000
    follow_redirects: bool = True
    max_redirects: int = 5
    verify_tls: bool = True


@dataclass(frozen=True, slots=True)
class Timing:
    """Where the time went, in milliseconds; None where the step did not happen (a reused connection, no TLS)."""

    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None
    download_ms: float | None = None
    total_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """What was agreed with the server. Times are ISO 8601 in UTC."""

    version: str
    cipher: str
    subject: str
    issuer: str
    valid_until: str | None
    verified: bool


@dataclass(frozen=True, slots=True)
class Hop:
    """One answer on the way: a redirect, or the last answer."""

    method: str
    url: str
    status: int
    reason: str
    address: str
    timing: Timing
    #: Names of headers and parameters that were left out because the origin changed.
    stripped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A complete answer. ``body`` is decompressed; ``truncated`` tells that the limit cut it."""

    status: int
    reason: str
    http_version: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    wire_size: int
    truncated: bool
    timing: Timing
    hops: tuple[Hop, ...]
    tls: TlsFacts | None
