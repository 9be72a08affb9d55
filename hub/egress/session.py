"""HTTP connections that resolve, judge and connect in one place, so that no second lookup can differ.

urllib3 alone, without ``requests`` on top: that would bring proxies, ``.netrc``, cookies and redirects, each of which would
have to be switched off again. Measured in a sync, both together with their deadlines: 1.2 against 2.5 ms CPU a request.
"""

from __future__ import annotations

import functools
import socket
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import certifi
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context

from hub.egress.addresses import EgressPolicy
from hub.egress.errors import EgressError
from hub.egress.urls import Target

CONNECT_SECONDS = 5.0


class Guard:
    """The policy, with the deadline of the request under way."""

    def __init__(self, policy: EgressPolicy) -> None:
        self.policy = policy
        self.expires_at = 0.0

    def remaining(self) -> float:
        """Seconds until the deadline; TimeoutError after it."""
        seconds = self.expires_at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the deadline of the request has passed")
        return seconds

    def connect(self, host: str, port: int, options: Any) -> socket.socket:
        """A socket to the first judged address that takes the connection."""
        addresses = self.policy.resolve(host, port)
        reason = ""
        for address in addresses:
            wait = min(CONNECT_SECONDS, self.remaining())
            connection = _PlainSocket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
            connection.guard = self
            try:
                for option in options or ():
                    connection.setsockopt(*option)
                connection.settimeout(wait)
                connection.connect((str(address), port))
            except OSError as error:
                connection.close()
                reason = "timeout" if isinstance(error, TimeoutError) else _reason(error)
                continue
            return connection
        raise EgressError("connect", host=host, port=port, reason=reason)


def _reason(error: OSError) -> str:
    return "refused" if isinstance(error, ConnectionRefusedError) else (error.strerror or type(error).__name__)


class _Timed:
    """Mixed into sockets: no read or write outlives the deadline of the whole request (a socket's own timeout holds for each)."""

    guard: Guard

    def recv_into(self: Any, *arguments: Any) -> int:
        self.settimeout(self.guard.remaining())
        return super().recv_into(*arguments)  # type: ignore[misc,no-any-return]

    def send(self: Any, *arguments: Any) -> int:
        self.settimeout(self.guard.remaining())
        return super().send(*arguments)  # type: ignore[misc,no-any-return]

    def sendall(self: Any, *arguments: Any) -> None:
        self.settimeout(self.guard.remaining())
        super().sendall(*arguments)  # type: ignore[misc]


class _PlainSocket(_Timed, socket.socket):
    pass


class _TlsSocket(_Timed, ssl.SSLSocket):
    pass


@functools.cache
def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """One for the process: reading the authorities' certificates takes longer than a request."""
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.load_verify_locations(certifi.where())
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    context.sslsocket_class = _TlsSocket
    return context


class _Guarded:
    """Mixed into urllib3's connections: the seam where the name becomes an address. Pools hand the guard down."""

    guard: Guard

    def __init__(self, *args: Any, guard: Guard, **options: Any) -> None:
        super().__init__(*args, **options)
        self.guard = guard

    def _new_conn(self: Any) -> socket.socket:
        return self.guard.connect(self.host, self.port, self.socket_options)  # type: ignore[no-any-return]


class _GuardedHTTPConnection(_Guarded, HTTPConnection):
    pass


class _GuardedHTTPSConnection(_Guarded, HTTPSConnection):
    def __init__(self, *args: Any, guard: Guard, **options: Any) -> None:
        super().__init__(*args, guard=guard, **{**options, "ssl_context": _tls_context(guard.policy.ca_file)})

    def connect(self) -> None:
        super().connect()
        # The handshake was bounded by the plain socket's timeout, which Python applies to it as a whole.
        self.sock.guard = self.guard  # type: ignore[union-attr]


class _GuardedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _GuardedHTTPConnection


class _GuardedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedHTTPSConnection


class GuardedSession:
    """For one thread. Keeps connections for the next request; knows no proxy, ``.netrc`` or cookies, and follows no redirect.

    Use it in ``with``, or close it.
    """

    def __init__(self, policy: EgressPolicy) -> None:
        self._guard = Guard(policy)
        self._pools = PoolManager(num_pools=2, maxsize=1, retries=False)
        self._pools.pool_classes_by_scheme = {
            "http": functools.partial(_GuardedHTTPPool, guard=self._guard),  # type: ignore[dict-item]
            "https": functools.partial(_GuardedHTTPSPool, guard=self._guard),  # type: ignore[dict-item]
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._pools.clear()

    def send(
        self, method: str, target: Target, path: str, *, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> BaseHTTPResponse:
        """The answer with its body unread. All of it, and its body too, must come within ``seconds`` from now."""
        self._guard.expires_at = time.monotonic() + seconds
        pool = self._pools.connection_from_host(target.host, target.port, target.scheme)
        return pool.urlopen(
            method,
            path,
            body=body,
            headers=headers,
            redirect=False,
            retries=False,
            timeout=Timeout(connect=min(CONNECT_SECONDS, seconds), read=seconds),
            preload_content=False,
        )


def open_session(policy: EgressPolicy) -> GuardedSession:
    """A session that reaches only what ``policy`` allows."""
    return GuardedSession(policy)
