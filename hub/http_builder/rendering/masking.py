"""Takes the secrets of a request out of whatever is stored or shown of it, by value and in every usual spelling."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, AnyStr

#: Stands for a secret that has no variable's name.
DOTS = "••••••"
#: A shorter secret is masked only where it is a whole value: "abc" stands in many words.
SHORTEST = 4
#: Shorter pieces of Base64 and hex are met by chance in long answers.
_SHORTEST_ENCODED = 8

_ENTITIES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_JSON_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}
_WORD = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class _Form:
    """One way in which a secret is written. Without ``anchor`` in a text the pattern need not be tried."""

    anchor: str
    pattern: str
    instead: str


class Mask:
    """Masks ``(name, secret)`` pairs: each secret becomes ``{{name}}``, one without a name dots."""

    def __init__(self, secrets: Iterable[tuple[str, str]] = ()) -> None:
        self._secrets = tuple(secrets)
        self._whole: dict[str, str] = {}
        forms: dict[str, _Form] = {}
        self._bytes: dict[bytes, bytes] = {}
        for name, secret in self._secrets:
            secret, instead = secret.strip(), f"{{{{{name}}}}}" if name else DOTS
            if len(secret) >= SHORTEST:
                for form in _forms(secret, instead):
                    forms.setdefault(form.pattern, form)
                for spelling in _other_bytes(secret):
                    self._bytes.setdefault(spelling, instead.encode())
            elif secret:
                self._whole.setdefault(secret, instead)
        self._forms = tuple(forms.values())

    def with_secrets(self, secrets: Iterable[tuple[str, str]]) -> Mask:
        """A mask that knows these too."""
        return Mask((*self._secrets, *secrets))

    def text(self, text: str) -> str:
        """The text without secrets."""
        if text in self._whole:
            return self._whole[text]
        found = [
            (match.start(), match.end(), form.instead)
            for form in self._forms
            if form.anchor in text
            for match in re.finditer(form.pattern, text)
        ]
        if found:
            text = "".join(_replaced(text, found))
        return self._mask_whole_values(text)

    def _mask_whole_values(self, text: str) -> str:
        """Short secrets where they are all of a JSON string or a parameter."""
        present = [secret for secret in self._whole if secret in text]
        if not present:
            return text
        any_of = "|".join(re.escape(secret) for secret in sorted(present, key=len, reverse=True))
        return re.sub(rf"(?<=[\"=])(?:{any_of})(?=[\"&;#\s]|$)", lambda found: self._whole[found.group()], text)

    def bytes(self, body: bytes) -> bytes:
        """A body without secrets, in whatever encoding it is."""
        found = [
            (match.start(), match.end(), form.instead.encode())
            for form in self._forms
            if form.anchor.encode() in body
            for match in re.finditer(form.pattern.encode(), body)
        ]
        if found:
            body = b"".join(_replaced(body, found))
        for spelling, instead in self._bytes.items():
            if spelling in body:
                body = body.replace(spelling, instead)
        if any(secret.encode() in body for secret in self._whole):
            try:
                return self._mask_whole_values(body.decode()).encode()
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


def _replaced(text: AnyStr, found: list[tuple[int, int, AnyStr]]) -> Iterator[AnyStr]:
    """The pieces of the text with each stretch replaced; those that overlap become one, named by the first and longest."""
    position, covered = 0, 0
    for start, end, instead in sorted(found, key=lambda stretch: (stretch[0], -stretch[1])):
        if start >= covered:
            yield text[position:start]
            yield instead
        covered = position = max(covered, end)
    yield text[position:]


def _forms(secret: str, instead: str) -> Iterator[_Form]:
    """The secret with any of its signs escaped for URLs, JSON, HTML; in Base64 at any offset; in hex."""
    anchor = max(_WORD.findall(secret), key=len, default="")
    yield _Form(anchor, "".join(_letter(letter) for letter in secret), instead)
    raw = secret.encode("utf-8", "replace")
    cores = [_base64_core(raw, offset) for offset in range(3)]
    encoded = [core for core in cores if len(core) >= _SHORTEST_ENCODED]
    encoded += [core.replace("+", "-").replace("/", "_") for core in encoded]
    if len(raw) >= _SHORTEST_ENCODED:
        encoded += [raw.hex(), raw.hex().upper()]
    for text in dict.fromkeys(encoded):
        yield _Form(text, re.escape(text), instead)


def _letter(letter: str) -> str:
    """A pattern for every way to write one letter; letters and digits of ASCII are never escaped."""
    if letter.isascii() and letter.isalnum():
        return letter
    ways = [re.escape(letter)]
    # %2B, and %252B where a URL stands in a URL
    ways.append("".join(f"%(?:25)*{_hex(f'{byte:02x}')}" for byte in letter.encode("utf-8", "replace")))
    units = letter.encode("utf-16-be", "replace")
    ways.append("".join(rf"\\u{_hex(units[index : index + 2].hex())}" for index in range(0, len(units), 2)))
    ways.append(f"&#(?:0*{ord(letter)}|[xX]0*{_hex(f'{ord(letter):x}')});")
    if letter in _ENTITIES:
        ways.append(f"&{_ENTITIES[letter]};")
    if letter in _JSON_ESCAPES:
        ways.append(re.escape("\\" + _JSON_ESCAPES[letter]))
    if letter == " ":
        ways.append(re.escape("+"))
    return f"(?:{'|'.join(reversed(ways))})"


def _hex(digits: str) -> str:
    """Hexadecimal digits in either case."""
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


def _base64_core(raw: bytes, offset: int) -> str:
    """The letters of Base64 that only ``raw`` decides, when it begins at ``offset`` (mod 3) of what is encoded."""
    encoded = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
    first = -(-offset * 8 // 6)
    last = (offset + len(raw)) * 8 // 6
    return encoded[first:last]


def _other_bytes(secret: str) -> Iterator[bytes]:
    """The secret in bodies that are not UTF-8."""
    for encoding in ("utf-16-le", "utf-16-be", "latin-1"):
        try:
            spelling = secret.encode(encoding)
        except UnicodeEncodeError:
            continue
        if encoding != "latin-1" or not secret.isascii():
            yield spelling
