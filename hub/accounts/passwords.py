"""Password hashes: bcrypt over a SHA-384, so that bcrypt's limit of 72 bytes cuts no password (docs/adr/0005)."""

from __future__ import annotations

import base64
import hashlib
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

import bcrypt
from flask_babel import gettext as _

from hub.errors import TooMany

COST = 12
MIN_LENGTH = 8
MAX_LENGTH = 1024
#: Made from 32 random bytes that were thrown away, at the same cost as real ones.
_NOBODYS_HASH = "$2b$12$sRv6SQfHOHP/zkFrfQOvxOMPvbli80gUsOJTZU6DLszfJDx9vyWwG"


def _condense(password: str) -> bytes:
    """64 bytes without NUL of any password. NFKC first: keyboards type the same letters in different code points."""
    normal = unicodedata.normalize("NFKC", password)
    return base64.b64encode(hashlib.sha384(normal.encode()).digest())


class _Queue:
    """Where those wait who want something hashed: one hash at a time in this process, and a few that wait for it.

    A hash takes a core for a quarter of a second. Without the queue a flood of sign-ins would take every core and every thread
    of the web server from the people who work.
    """

    def __init__(self, waiting: int) -> None:
        self._places = threading.BoundedSemaphore(1 + waiting)
        self._turn = threading.Lock()

    @contextmanager
    def stand(self) -> Iterator[None]:
        """Wait for one's turn. ``TooMany`` at once where too many wait already."""
        if not self._places.acquire(blocking=False):
            raise TooMany(_("Too many people are signing in right now. Try again in a few seconds."), 5)
        try:
            with self._turn:
                yield
        finally:
            self._places.release()


#: Anybody, and those whom the hub knows already: a flood of strangers does not keep them out.
_strangers = _Queue(waiting=2)
_acquaintances = _Queue(waiting=5)


def hash_password(password: str, *, stranger: bool = False) -> str:
    """The hash to store. Takes about a quarter of a second on purpose: hold no transaction meanwhile.

    ``stranger``: nobody knows yet who asks. ``TooMany`` while too many are hashed for.
    """
    with (_strangers if stranger else _acquaintances).stand():
        return bcrypt.hashpw(_condense(password), bcrypt.gensalt(COST)).decode()


def check_password(password: str, stored: str | None, *, stranger: bool = False) -> bool:
    """Whether ``password`` fits. For an unknown person (None) it takes as long as for a wrong password.

    ``stranger``: nobody knows yet who asks. ``TooMany`` while too many are hashed for.
    """
    known = stored is not None and stored.startswith("$2")
    with (_strangers if stranger else _acquaintances).stand():
        fits = bcrypt.checkpw(_condense(password), (stored if known and stored else _NOBODYS_HASH).encode())
    return fits and known
