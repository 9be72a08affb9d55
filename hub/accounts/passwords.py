"""Password hashes: bcrypt over a SHA-384, so that bcrypt's limit of 72 bytes cuts no password (docs/adr/0005)."""

from __future__ import annotations

import base64
import hashlib
import os
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import bcrypt
from flask_babel import gettext as _

from hub.errors import TooMany

Result = TypeVar("Result")

COST = 12
MIN_LENGTH = 8
MAX_LENGTH = 1024
#: Made from 32 random bytes that were thrown away, at the same cost as real ones.
_NOBODYS_HASH = "$2b$12$sRv6SQfHOHP/zkFrfQOvxOMPvbli80gUsOJTZU6DLszfJDx9vyWwG"


def _condense(password: str) -> bytes:
    """64 bytes without NUL of any password. NFKC first: keyboards type the same letters in different code points."""
    normal = unicodedata.normalize("NFKC", password)
    return base64.b64encode(hashlib.sha384(normal.encode()).digest())


def _give_way(niceness: int) -> None:
    """Let threads of pages go before the present one: Linux gives each thread a priority of its own."""
    if niceness and sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + niceness))


class _Queue:
    """Where those wait who want something hashed: one hash at a time in this process, and a few that wait for it.

    A hash takes a core for a quarter of a second. Without the queue a flood of sign-ins would take every core and every thread
    of the web server from the people who work. ``niceness`` lets pages go before, on Linux: 0 to 19, beyond the process's own.
    """

    def __init__(self, waiting: int, *, niceness: int = 0) -> None:
        self._places = threading.BoundedSemaphore(1 + waiting)
        self._hasher = ThreadPoolExecutor(1, "password", initializer=_give_way, initargs=(niceness,))

    def run(self, work: Callable[[], Result]) -> Result:
        """Do it when it is its turn. ``TooMany`` at once where too many wait already."""
        self._enter()
        try:
            return self._hasher.submit(work).result()
        finally:
            self._places.release()

    def require_room(self) -> None:
        """``TooMany`` where ``run`` would say so."""
        self._enter()
        self._places.release()

    def _enter(self) -> None:
        if not self._places.acquire(blocking=False):
            raise TooMany(_("Too many people are signing in right now. Try again in a few seconds."), 5)


#: Anybody, and those whom the hub knows already: a flood of strangers does not keep them out.
_strangers = _Queue(waiting=2, niceness=10)
_acquaintances = _Queue(waiting=5)


def hash_password(password: str, *, stranger: bool = False) -> str:
    """The hash to store. Takes about a quarter of a second on purpose: hold no transaction meanwhile.

    ``stranger``: nobody knows yet who asks. ``TooMany`` while too many are hashed for.
    """
    return _queue(stranger).run(lambda: bcrypt.hashpw(_condense(password), bcrypt.gensalt(COST)).decode())


def check_password(password: str, stored: str | None, *, stranger: bool = False) -> bool:
    """Whether ``password`` fits. For an unknown person (None) it takes as long as for a wrong password.

    ``stranger``: nobody knows yet who asks. ``TooMany`` while too many are hashed for.
    """
    known = stored is not None and stored.startswith("$2")
    against = (stored if known and stored else _NOBODYS_HASH).encode()
    fits = _queue(stranger).run(lambda: bcrypt.checkpw(_condense(password), against))
    return fits and known


def require_room(*, stranger: bool) -> None:
    """``TooMany`` while too many are hashed for: asked before an attempt is counted, which costs writes."""
    _queue(stranger).require_room()


def _queue(stranger: bool) -> _Queue:
    return _strangers if stranger else _acquaintances
