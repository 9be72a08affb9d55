"""HTTP connections that resolve, judge and connect in one place, so that no second lookup can differ.

urllib3 alone, without ``requests`` on top: that would bring proxies, ``.netrc``, cookies and redirects, each of which would
have to be switched off again. Measured in a sync, both together with their deadlines: 1.2 against 2.5 ms CPU a request.
"""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from typing import Any, Self

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection

from hub.egress.addresses import EgressPolicy, is_address
from hub.egress.errors import EgressError
from hub.egress.stopwatch import Stopwatch
from hub.egress.tls import tls_context
from hub.egress.urls import Target

CONNECT_SECONDS = 5.0


class Guard:
    """The policy, with the deadline of the request under way, its stopwatch, and the one who may cancel it."""

    def __init__(self, policy: EgressPolicy, cancelled: threading.Event | None = None) -> None:
        self.policy = policy
        self.cancelled = cancelled
        self.expires_at = 0.0
        self.stopwatch = Stopwatch()
        #: The judged address that is connected to.
        self.address = ""
        self._handle: socket.socket | None = None

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody cancelled the request."""
        return self.cancelled is not None and self.cancelled.is_set()

    def remaining(self) -> float:
        """Seconds until the deadline; TimeoutError after it, ``EgressError("cancelled")`` for a cancelled request."""
        if self.is_cancelled:
            raise EgressError("cancelled")
        seconds = self.expires_at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the deadline of the request has passed")
        return seconds

    def connect(self, host: str, port: int, options: Any) -> socket.socket:
        """A socket to the first judged address that takes the connection."""
        if not is_address(host):
            self.stopwatch.begin("dns")
        addresses = self.policy.resolve(host, port, self.remaining)
        self.stopwatch.begin("connect")
        reason = ""
        for address in addresses:
            connection = _PlainSocket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
            connection.guard = self
            try:
                connection.settimeout(min(CONNECT_SECONDS, self.remaining()))
                for option in options or ():
                    connection.setsockopt(*option)
                self._hold(connection)
                connection.connect((str(address), port))
                if ipaddress.ip_address(connection.getpeername()[0]) != address:
                    raise OSError("the connection leads to another address")
                connection.settimeout(min(CONNECT_SECONDS, self.remaining()))  # for the TLS handshake
            except OSError as error:
                connection.close()
                self.remaining()
                reason = "timeout" if isinstance(error, TimeoutError) else _reason(error)
                continue
            except EgressError:
                connection.close()
                raise
            self.address = str(address)
            return connection
        raise EgressError("connect", host=host, port=port, reason=reason)

    def _hold(self, connection: socket.socket) -> None:
        """Keep a second handle of the connection: the first one goes into TLS, where no other thread can reach it."""
        if self.cancelled is not None:
            self.release()
            self._handle = connection.dup()

    def abort(self) -> None:
        """End the connection from another thread: whoever waits for it wakes up."""
        handle = self._handle
        if handle is not None:
            with contextlib.suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Give the second handle back."""
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()


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
    def __init__(self, *args: Any, guard: Guard, verify: bool = True, **options: Any) -> None:
        context = tls_context(guard.policy.ca_file, verify, _TlsSocket)
        super().__init__(*args, guard=guard, **{**options, "ssl_context": context})

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        self.guard.stopwatch.begin("tls")
        return connection

    def connect(self) -> None:
        super().connect()
        # The handshake was bounded by the plain socket's timeout, which Python applies to it as a whole.
        self.sock.guard = self.guard  # type: ignore[union-attr]


def make_connection(guard: Guard, target: Target, *, verify: bool) -> HTTPConnection:
    """A connection for one request that is not open yet."""
    if target.scheme == "https":
        return _GuardedHTTPSConnection(target.host, target.port, guard=guard, verify=verify)
    return _GuardedHTTPConnection(target.host, target.port, guard=guard)


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
