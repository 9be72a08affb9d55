"""Password hashes: bcrypt over a SHA-384, so that bcrypt's limit of 72 bytes cuts no password (docs/adr/0005)."""

from __future__ import annotations

import base64
import hashlib
import unicodedata

import bcrypt

COST = 12
MIN_LENGTH = 8
MAX_LENGTH = 1024
#: Made from 32 random bytes that were thrown away, at the same cost as real ones.
_NOBODYS_HASH = "$2b$12$sRv6SQfHOHP/zkFrfQOvxOMPvbli80gUsOJTZU6DLszfJDx9vyWwG"


def _condense(password: str) -> bytes:
    """64 bytes without NUL of any password. NFKC first: keyboards type the same letters in different code points."""
    normal = unicodedata.normalize("NFKC", password)
    return base64.b64encode(hashlib.sha384(normal.encode()).digest())


def hash_password(password: str) -> str:
    """The hash to store. Takes about a quarter of a second on purpose: hold no transaction meanwhile."""
    return bcrypt.hashpw(_condense(password), bcrypt.gensalt(COST)).decode()


def check_password(password: str, stored: str | None) -> bool:
    """Whether ``password`` fits. For an unknown person (None) it takes as long as for a wrong password."""
    known = stored is not None and stored.startswith("$2")
    fits = bcrypt.checkpw(_condense(password), (stored if known and stored else _NOBODYS_HASH).encode())
    return fits and known
