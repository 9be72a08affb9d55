"""Errors of sockets, TLS and HTTP libraries as ours."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator

import urllib3

from hub.egress.errors import EgressError
from hub.egress.urls import Target

#: The answer ended before it was complete.
_CUT = (http.client.IncompleteRead, urllib3.exceptions.IncompleteRead, urllib3.exceptions.ProtocolError)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and all that it was made from: urllib3 wraps by argument, by attribute and by ``from``."""
    seen: set[int] = set()
    queue = [error]
    while queue:
        current = queue.pop(0)
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        wrapped = [part for part in current.args if isinstance(part, BaseException)]
        queue += [*wrapped, getattr(current, "reason", None), current.__cause__, current.__context__]
        queue = [part for part in queue if isinstance(part, BaseException)]


def translate(error: Exception, target: Target, seconds: float) -> EgressError:
    """The ``EgressError`` for what the network, TLS or HTTP raised on the way to ``target``."""
    causes = list(_causes(error))
    place: dict[str, str | int] = {"host": target.host, "port": target.port}
    if any(isinstance(cause, (TimeoutError, urllib3.exceptions.TimeoutError)) for cause in causes):
        return EgressError("timeout", host=target.host, seconds=seconds)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return EgressError("tls", **place, reason=cause.verify_message, part="certificate")
        if isinstance(cause, ssl.SSLError):
            return EgressError("tls", **place, reason=cause.reason or "handshake failed", part="handshake")
    if any(isinstance(cause, http.client.LineTooLong) for cause in causes) or "got more than" in str(error):
        return EgressError("large-headers", host=target.host)
    if any(isinstance(cause, ValueError) for cause in causes):  # http.client's for a chunk without a size
        return EgressError("bad-answer", host=target.host, reason="chunks")
    if any(isinstance(cause, (ConnectionError, socket.error)) for cause in causes):
        return EgressError("reset", host=target.host)
    if any(isinstance(cause, _CUT) for cause in causes):
        return EgressError("reset", host=target.host)
    return EgressError("bad-answer", host=target.host, reason=type(error).__name__)
