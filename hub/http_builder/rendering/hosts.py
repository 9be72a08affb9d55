"""Which hosts a secret may go to."""

from __future__ import annotations

from collections.abc import Iterable

from hub.egress import Target


def may_reach(patterns: Iterable[str], target: Target) -> bool:
    """Whether a pattern names the target: ``host`` (any port), ``host:port``, ``*.suffix`` (never the suffix itself)."""
    return any(_matches(pattern.strip().lower(), target) for pattern in patterns)


def _matches(pattern: str, target: Target) -> bool:
    host, separator, port = pattern.rpartition(":")
    if separator and port.isdigit() and (":" not in host or host.startswith("[")):
        if int(port) != target.port:
            return False
    else:
        host = pattern
    host = host.strip("[]")
    return target.host.endswith(host[1:]) and target.host != host[2:] if host.startswith("*.") else target.host == host
