"""A ``requests`` session whose connections resolve, judge and connect in one place, so that no second lookup can differ."""

from __future__ import annotations

import contextlib
import functools
import socket
import threading
import time
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NoReturn

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from hub.egress.addresses import EgressPolicy
from hub.egress.errors import EgressError

CONNECT_SECONDS = 5.0


class Guard:
    """The policy with the deadline of the request under way. Holds a handle of the socket, so that the deadline can cut it."""

    def __init__(self, policy: EgressPolicy) -> None:
        self.policy = policy
        self.expired = False
        self._expires_at = 0.0
        self._handles: set[socket.socket] = set()

    @contextlib.contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Cut the connection when ``seconds`` have passed: ``requests``' own timeouts hold per read only, never in sum."""
        self.expired = False
        self._expires_at = time.monotonic() + seconds
        timer = threading.Timer(seconds, self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _expire(self) -> None:
        self.expired = True
        for handle in tuple(self._handles):
            with contextlib.suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)

    def connect(self, host: str, port: int, options: Any) -> socket.socket:
        """A socket to the first judged address that takes the connection."""
        addresses = self.policy.resolve(host, port)
        reason = ""
        for address in addresses:
            wait = min(CONNECT_SECONDS, self._expires_at - time.monotonic())
            if wait <= 0:
                raise EgressError("timeout", host=host, seconds=0)
            connection = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
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

    def watch(self, connection: socket.socket) -> socket.socket:
        """A second handle of the same connection: TLS takes over the first one."""
        handle = connection.dup()
        self._handles.add(handle)
        return handle

    def unwatch(self, handle: socket.socket) -> None:
        """Forget a closed connection."""
        self._handles.discard(handle)
        handle.close()


def _reason(error: OSError) -> str:
    return "refused" if isinstance(error, ConnectionRefusedError) else (error.strerror or type(error).__name__)


class _Guarded:
    """Mixed into urllib3's connections: the seam where the name becomes an address."""

    guard: Guard
    _handle: socket.socket | None = None

    def _new_conn(self: Any) -> socket.socket:
        connection = self.guard.connect(self.host, self.port, self.socket_options)
        connection.settimeout(self.timeout)
        self._handle = self.guard.watch(connection)
        return connection  # type: ignore[no-any-return]

    def close(self: Any) -> None:
        super().close()  # type: ignore[misc]
        if self._handle is not None:
            self.guard.unwatch(self._handle)
            self._handle = None


class _GuardedHTTPConnection(_Guarded, HTTPConnection):
    def __init__(self, *args: Any, guard: Guard, **options: Any) -> None:
        super().__init__(*args, **options)
        self.guard = guard


class _GuardedHTTPSConnection(_Guarded, HTTPSConnection):
    def __init__(self, *args: Any, guard: Guard, **options: Any) -> None:
        super().__init__(*args, **options)
        self.guard = guard


class _GuardedHTTPPool(HTTPConnectionPool):
    def __init__(self, *args: Any, guard: Guard, **options: Any) -> None:
        super().__init__(*args, **options)
        self.ConnectionCls = functools.partial(_GuardedHTTPConnection, guard=guard)  # type: ignore[assignment]


class _GuardedHTTPSPool(HTTPSConnectionPool):
    def __init__(self, *args: Any, guard: Guard, **options: Any) -> None:
        super().__init__(*args, **options)
        self.ConnectionCls = functools.partial(_GuardedHTTPSConnection, guard=guard)  # type: ignore[assignment]


class _GuardedAdapter(HTTPAdapter):
    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        super().__init__(pool_connections=2, pool_maxsize=2, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {
            "http": functools.partial(_GuardedHTTPPool, guard=self._guard),
            "https": functools.partial(_GuardedHTTPSPool, guard=self._guard),
        }

    def proxy_manager_for(self, *_args: Any, **_options: Any) -> NoReturn:
        raise RuntimeError("the hub uses no proxy: it would resolve names out of the policy's sight")


class GuardedSession(requests.Session):
    """For one thread. Ignores proxies, ``.netrc`` and cookies, and follows no redirect."""

    def __init__(self, policy: EgressPolicy) -> None:
        super().__init__()
        self.guard = Guard(policy)
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.headers["User-Agent"] = "AI-HTTP-Hub"
        adapter = _GuardedAdapter(self.guard)
        for prefix in ("http://", "https://"):
            self.mount(prefix, adapter)

    def resolve_redirects(self, *_args: Any, **_options: Any) -> Iterator[requests.Response]:
        """None: a redirect is an answer. The inherited version reads its whole body, unlimited, even when told not to follow."""
        return iter(())


def open_session(policy: EgressPolicy) -> GuardedSession:
    """A session that reaches only what ``policy`` allows. Close it, or use it in ``with``."""
    return GuardedSession(policy)
