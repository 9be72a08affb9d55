"""Names to addresses within a time: ``getaddrinfo`` knows no timeout, so it runs in a thread of its own."""

from __future__ import annotations

import concurrent.futures
import socket
import time
from collections.abc import Callable

from hub.egress.errors import EgressError

Resolver = Callable[[str, int], list[str]]

DNS_SECONDS = 5.0
#: How long a cancelled request may still wait for a name.
_LOOK_SECONDS = 0.1

_threads = concurrent.futures.ThreadPoolExecutor(32, thread_name_prefix="dns")


def system_resolver(host: str, port: int) -> list[str]:
    """All addresses of a name, as the machine resolves it."""
    return list(dict.fromkeys(str(answer[4][0]) for answer in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def look_up(resolver: Resolver, host: str, port: int, remaining: Callable[[], float] | None) -> list[str]:
    """What ``resolver`` says of a name, asked once.

    Waits ``DNS_SECONDS``, and no longer than ``remaining``, which raises when the request is over.
    """
    lookup = _threads.submit(resolver, host, port)
    expires_at = time.monotonic() + DNS_SECONDS
    try:
        while not lookup.done():
            left = expires_at - time.monotonic()
            if left <= 0:
                raise EgressError("dns-timeout", host=host, seconds=DNS_SECONDS)
            concurrent.futures.wait([lookup], min(left, _LOOK_SECONDS, remaining() if remaining else left))
        return lookup.result()
    except (OSError, UnicodeError) as error:
        if isinstance(error, TimeoutError) and not lookup.done():
            raise  # the deadline of the request, not an answer
        raise EgressError("dns", host=host) from error
    finally:
        lookup.cancel()
