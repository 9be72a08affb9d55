"""Does a text carry a secret? As it is, in percent or JSON escapes, or inside base64."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl, unquote, unquote_plus, urlsplit

from hub.contracts.exchange import WireRequest

_SENSITIVE_NAME = re.compile(
    r"authori[sz]ation|authentication|\bauth\b|cookie|api[-_]?key|access[-_]?key|private[-_]?key|token|secret|passw|pwd"
    r"|credential|signature|session",
    re.IGNORECASE,
)
#: A value under a sensitive name counts as a secret from this length on: a shorter one is found in any text.
_MIN_LENGTH = 6
#: And a part of it, such as the token behind "Bearer", from this one.
_MIN_PART = 8
#: Percent escapes of percent escapes: a URL in a parameter in a URL.
_ESCAPES = 3
#: Of base64 that surrounds a secret, this many letters are enough to know it.
_MIN_BASE64 = 6


def is_sensitive_name(name: str) -> bool:
    """Whether a header or parameter of this name usually holds a credential."""
    return bool(_SENSITIVE_NAME.search(name))


def secrets_of(request: WireRequest) -> tuple[str, ...]:
    """The request's declared secrets, and what stands under sensitive names of its headers and its URL's parameters."""
    found = [secret for secret in request.secrets if secret]
    for name, value in (*request.headers, *parse_qsl(urlsplit(request.url).query)):
        if is_sensitive_name(name):
            found += [value] if len(value) >= _MIN_LENGTH else []
            found += [part for part in re.split(r"[\s;,=]+", value) if len(part) >= _MIN_PART]
    return tuple(dict.fromkeys(found))


class SecretFinder:
    """Knows all forms of some secrets."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms = {form.casefold() for secret in secrets if secret for form in _forms(secret)}

    def carries(self, text: str) -> bool:
        """Whether the text has one of the secrets in it. Upper and lower case count as the same."""
        if not self._forms:
            return False
        readings = {text}
        for _layer in range(_ESCAPES):
            readings |= {unescape(reading) for reading in readings for unescape in (unquote, unquote_plus)}
        folded = [reading.casefold() for reading in readings]
        return any(form in reading for form in self._forms for reading in folded)


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    data = secret.encode("utf-8", "surrogatepass")
    for before in range(3):  # bytes in front, such as the user name of basic authentication, shift the letters
        first, last = (before * 8 + 5) // 6, (before + len(data)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            letters = encode(b"\0" * before + data).decode()[first:last]
            if len(letters) >= _MIN_BASE64:
                yield letters
