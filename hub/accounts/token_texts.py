"""Texts of keys and tokens: a beginning that tells what they are, 256 random bits, and a checksum that tells typing errors."""

from __future__ import annotations

import secrets
import string
import zlib

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
#: Characters of 256 bits, and of a CRC-32, in base 62.
SECRET_LENGTH, CHECKSUM_LENGTH = 43, 6


def encode_base62(number: int, width: int) -> str:
    """A number in base 62: no character of it ends a word, so a double click takes the whole text."""
    text = ""
    for _position in range(width):
        number, rest = divmod(number, 62)
        text = _DIGITS[rest] + text
    return text


def secret_text(raw: bytes) -> str:
    """32 bytes as the secret part of a text."""
    return encode_base62(int.from_bytes(raw), SECRET_LENGTH)


def random_secret() -> str:
    """A new secret part."""
    return secret_text(secrets.token_bytes(32))


def with_checksum(text: str) -> str:
    """``text`` and its CRC-32. It protects against typing errors, and against nobody."""
    return text + encode_base62(zlib.crc32(text.encode()), CHECKSUM_LENGTH)


def has_checksum(text: str) -> bool:
    """Whether ``text`` ends with the checksum of what stands before it."""
    return with_checksum(text[:-CHECKSUM_LENGTH]) == text
