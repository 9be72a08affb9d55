"""Takes the secrets of a request out of whatever is stored or shown of it, by value and in every usual spelling."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

#: Stands for a secret that has no variable's name.
DOTS = "••••••"
#: A shorter secret is masked only where it is a whole value: "abc" stands in many words.
SHORTEST = 4
#: Shorter pieces of Base64 and hex are met by chance in long answers.
_SHORTEST_ENCODED = 8


class Mask:
    """Masks ``(name, secret)`` pairs: each secret becomes ``{{name}}``, one without a name dots."""

    def __init__(self, secrets: Iterable[tuple[str, str]] = ()) -> None:
        self._secrets = tuple(secrets)
        self._texts: dict[str, str] = {}
        self._whole: dict[str, str] = {}
        for name, secret in self._secrets:
            self._add(secret.strip(), f"{{{{{name}}}}}" if name else DOTS)
        self._bytes: dict[bytes, bytes] = {}
        for spelling, instead in self._texts.items():
            for encoding in ("utf-8", "latin-1", "utf-16-le", "utf-16-be"):
                if encoding == "utf-8" or spelling.isascii() == encoding.startswith("utf"):
                    self._bytes.setdefault(spelling.encode(encoding, "replace"), instead.encode("utf-8"))

    def _add(self, secret: str, instead: str) -> None:
        if len(secret) >= SHORTEST:
            for spelling in _spellings(secret):
                self._texts.setdefault(spelling, instead)
        elif secret:
            self._whole.setdefault(secret, instead)

    def with_secrets(self, secrets: Iterable[tuple[str, str]]) -> Mask:
        """A mask that knows these too."""
        return Mask((*self._secrets, *secrets))

    def text(self, text: str) -> str:
        """The text without secrets."""
        if text in self._whole:
            return self._whole[text]
        present = [spelling for spelling in self._texts if spelling in text]
        if present:
            text = _pattern(present).sub(lambda found: self._texts[found.group()], text)
        return self._mask_whole_values(text)

    def _mask_whole_values(self, text: str) -> str:
        """Short secrets where they are all of a JSON string, a parameter or a cookie."""
        present = [secret for secret in self._whole if secret in text]
        if not present:
            return text
        alone = re.compile(rf"(?<=[\"=])(?:{_pattern(present).pattern})(?=[\"&;#\s]|$)")
        return alone.sub(lambda found: self._whole[found.group()], text)

    def bytes(self, body: bytes) -> bytes:
        """A body without secrets, in whatever encoding it is."""
        present = [spelling for spelling in self._bytes if spelling in body]
        if present:
            longest_first = b"|".join(re.escape(spelling) for spelling in sorted(present, key=len, reverse=True))
            body = re.sub(longest_first, lambda found: self._bytes[found.group()], body)
        if any(secret.encode() in body for secret in self._whole):
            try:
                return self.text(body.decode()).encode()
            except UnicodeDecodeError:
                return body
        return body

    def json(self, value: Any) -> Any:
        """A JSON value with its texts (keys too) masked; a number that is a secret becomes its name."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.json(entry) for key, entry in value.items()}
        if isinstance(value, list | tuple):
            return [self.json(entry) for entry in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            masked = self.text(str(value))
            return value if masked == str(value) else masked
        return value

    def headers(self, headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Headers with their values masked."""
        return tuple((self.text(name), self.text(value)) for name, value in headers)


def _pattern(spellings: Iterable[str]) -> re.Pattern[str]:
    """The longest first: one secret may begin with another."""
    return re.compile("|".join(re.escape(spelling) for spelling in sorted(spellings, key=len, reverse=True)))


def _spellings(secret: str) -> Iterable[str]:
    """How a secret may be written: as it is, for URLs, JSON, HTML, in Base64 at any offset, in hex."""
    yield secret
    for encoded in (quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace")):
        yield from (encoded, _lower_escapes(encoded))
    in_path = quote(secret, safe="!$&'()*+,;=:@/-._~", errors="replace")
    yield from (in_path, _lower_escapes(in_path))
    yield from _json_spellings(secret)
    escaped = html.escape(secret)
    yield from (escaped, escaped.replace("&#x27;", "&#39;").replace("&quot;", "&#34;"), html.escape(secret, quote=False))
    raw = secret.encode("utf-8", "replace")
    for offset in range(3):
        core = _base64_core(raw, offset)
        if len(core) >= _SHORTEST_ENCODED:
            yield from (core, core.replace("+", "-").replace("/", "_"))
    if len(raw) * 2 >= 2 * _SHORTEST_ENCODED:
        yield from (raw.hex(), raw.hex().upper())


def _lower_escapes(encoded: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda found: found.group().lower(), encoded)


def _json_spellings(secret: str) -> Iterable[str]:
    """As the JSON writers of Python and JavaScript, PHP, Go and .NET put it."""
    plain = json.dumps(secret, ensure_ascii=False)[1:-1]
    ascii_only = json.dumps(secret)[1:-1]
    for spelling in (plain, ascii_only):
        yield spelling
        yield spelling.replace("/", "\\/")
        yield re.sub("[<>&]", _as_unicode_escape, spelling)
    # .NET also escapes these, with capital digits
    for unescaped in (plain, ascii_only):
        text = unescaped.replace('\\"', "\\u0022")
        yield re.sub("[<>&+'`]", lambda found: f"\\u{ord(found.group()):04X}", text)


def _as_unicode_escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found.group()):04x}"


def _base64_core(raw: bytes, offset: int) -> str:
    """The letters of Base64 that only ``raw`` decides, when it begins at ``offset`` (mod 3) of what is encoded."""
    encoded = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
    first = -(-offset * 8 // 6)
    last = (offset + len(raw)) * 8 // 6
    return encoded[first:last]
