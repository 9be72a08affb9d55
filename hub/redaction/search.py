"""Walks a payload and notes its secrets in the order of their appearance."""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, unquote_plus

from hub.redaction.names import is_ordinary, is_secret_name, is_secret_parameter
from hub.redaction.shapes import decode_base64, find_shapes
from hub.redaction.tokens import SHORTEST, TOKEN

_LONGEST_VALUE = 100_000
_NAME_KEYS, _VALUE_KEYS = ("name", "key", "Name", "field", "header"), ("value", "Value")
#: Schemes of the Authorization header, which stand before the secret.
_SCHEMES = r"(?:Bearer|Basic|Token|Key|Api-?Key|SSWS|Bot|GenieKey|Digest|OAuth|Zoho-oauthtoken|Klaviyo-API-Key|Discogs|Splunk)"
_SCHEME = re.compile(rf"{_SCHEMES}\s+(?:token=)?(?=\S)", re.IGNORECASE)
_BEARER = re.compile(r"\bBearer\s+([A-Za-z0-9._~+/-]{6,}=*)", re.IGNORECASE)
_BASIC = re.compile(r"\bBasic\s+([A-Za-z0-9+/]{8,}={0,2})", re.IGNORECASE)
_USERINFO = re.compile(r"://([^/\s:@\"'<>{}]*)(?::([^/\s@\"'<>{}]*[^\s@\"'<>{}]?))?@")
_PARAMETER = re.compile(r"(?:^|[?&;\n,])\s*(?:export\s+)?([\w.\-\[\] %]{1,100})=([^&#;\s\"'<>\\{}]+)")
#: ``"api_key": "…"`` inside a text, a JSON text in a JSON text, or ``apiKey = '…'`` in code.
_QUOTED = re.compile(
    r"(?<![A-Za-z0-9_.\-])"
    r"((?:(?:كلمة|(?:ال)?رقم|(?:ال)?رمز|api|access|secret) )?[^\W\d][\w.\-]{1,60})(?:\\*[\"'])?\]?\s*[:=]\s*"
    r"\\*([\"'`])((?:(?!\\*\2)[^\r\n]){4,}?)\\*\2"
)
_QUOTED_NUMBER = re.compile(r"([A-Za-z][\w.\-]{1,60})\\*[\"']\s*:\s*(\d{4,})(?=\s*[,}\]])")
#: ``X-Api-Key: …`` and ``password=…`` without quotes.
_BARE = re.compile(
    rf"([A-Za-z][\w.\-]{{1,60}}(?: key| code)?)\s?[:=]\s{{0,2}}(?:{_SCHEMES}\s+)?([^\s\"'`,;&<>{{}}()\[\]\\]{{4,}})",
    re.IGNORECASE,
)
#: ``the password is …``, ``Incorrect API key provided: …``
_PROSE = re.compile(
    r"\b(?:api[ _-]?key|password|token|secret|pass(?:phrase|code)|key)\s+"
    r"(?:(?:is|was|provided|given|used|value)\b\s*:?\s*[\"'`«]?|[\"'`«])([^\s\"'`«»,;<>{}()]{6,})",
    re.IGNORECASE,
)
#: One of these stands in every name of a secret; looking for them first is several times faster.
_HINTS = (
    *("key", "pass", "token", "auth", "secret", "sess", "pin", "sig", "sid", "card", "cookie", "connection", "jwt", "pwd"),
    *("otp", "cvv", "cvc", "bearer", "dsn", "psk", "srf", "سر", "مرور"),
)
_ESCAPED = re.compile(r"\\(?:([\"\\/])|u([0-9a-fA-F]{4}))")
_UNICODE = re.compile(r"\\+u([0-9a-fA-F]{4})")
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{12,}")
_PROSE_HINTS = ("key", "pass", "token", "secret")
_LONGEST_NAME = 48
_FEW = 200
_COOKIE = re.compile(r"(?:^|[;,]\s*)([^=;,\s]+)=([^;,\s]{8,})")
_COOKIE_SETTINGS = frozenset(("path", "domain", "expires", "max-age", "samesite", "priority", "version"))


class Search:
    """The secrets that were found so far. Names are looked for in everything; forms only where that is asked for."""

    def __init__(self) -> None:
        self.values: dict[str, None] = {}
        #: The highest number of a token that the payload already holds.
        self.highest = 0
        self._named: set[str] = set()
        self._shaped: set[str] = set()

    def add(self, value: str) -> None:
        """Note a secret, unless the text is too short or too ordinary to be one."""
        value = value.strip()
        if TOKEN.search(value) or is_ordinary(value) or not SHORTEST <= len(value) <= _LONGEST_VALUE:
            return
        if scheme := _SCHEME.match(value):
            self.add(value[scheme.end() :])
            decoded = decode_base64(value[scheme.end() :]) if scheme.group().lower().startswith("basic") else None
            if decoded and ":" in decoded:
                self.add(decoded.partition(":")[2])
            return
        self.values.setdefault(value)

    def walk_names(self, value: Any) -> None:
        """Note the secrets that a name tells: of a key, a name/value pair, a parameter, an assignment in a text."""
        if isinstance(value, str):
            # Payloads repeat themselves: a text that was read once has told all that it knows.
            if len(value) > SHORTEST and value not in self._named:
                self._named.add(value)
                self._read_text(value)
        elif isinstance(value, list | tuple):
            for entry in value:
                self.walk_names(entry)
        elif isinstance(value, dict):
            self._read_object(value)

    def walk_shapes(self, value: Any, name: str | None = None) -> None:
        """Note the secrets that are known by their form."""
        if isinstance(value, str):
            if len(value) >= 8 and value not in self._shaped:
                self._shaped.add(value)
                for found in find_shapes(value, name=name):
                    self.add(found)
                if "<" in value:
                    self.highest = max(self.highest, *(int(found.group(1)) for found in TOKEN.finditer(value)), 0)
        elif isinstance(value, list | tuple):
            for entry in value:
                self.walk_shapes(entry, name)
        elif isinstance(value, dict):
            for key, entry in value.items():
                self.walk_shapes(key)
                self.walk_shapes(entry, key)

    def only_in(self, text: str) -> None:
        """Forget the secrets that do not stand in the text in any spelling."""
        plain = "\n".join(_readings(text))
        if len(self.values) > _FEW:  # most of many are seen to be absent by their first and last letters
            grams = {plain[start : start + SHORTEST] for start in range(len(plain) - SHORTEST + 1)}
            self.values = {value: None for value in self.values if value[:SHORTEST] in grams and value[-SHORTEST:] in grams}
        self.values = {value: None for value in self.values if value in plain}

    def _read_object(self, value: dict[str, Any]) -> None:
        if "value" in value or "Value" in value:
            self._read_pair(value)
        for key, entry in value.items():
            if is_secret_name(key):
                self._read_named(key, entry)
            if isinstance(entry, dict) and key == "credentials":
                # Below it stand the ids and names of n8n's credentials by their type (``apiKeyAuth``).
                for credential in entry.values():
                    self.walk_names(credential)
            elif isinstance(entry, str | list | dict):
                self.walk_names(entry)

    def _read_pair(self, value: dict[str, Any]) -> None:
        """``{"name": "X-Api-Key", "value": "…"}``, as n8n keeps headers, query and body fields."""
        name = next((value[key] for key in _NAME_KEYS if isinstance(value.get(key), str)), None)
        if name is not None and is_secret_parameter(name, value.get("value")):
            for key in _VALUE_KEYS:
                self._read_named(name, value.get(key))

    def _read_named(self, name: str, value: Any) -> None:
        """The value of a field whose name is secret; deeper structures are judged by their own names."""
        if isinstance(value, str):
            # An expression says where the secret comes from, which is no secret.
            if "{{" in value:
                return
            self.add(value.removeprefix("="))
            if "ookie" in name.lower():
                self._read_cookie(value)
        elif isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 1000:
            self.add(str(value))
        elif isinstance(value, list | dict):
            entries = list(value.values() if isinstance(value, dict) else value)
            if all(isinstance(entry, str | int | float | bool | None) for entry in entries):
                for entry in entries:
                    self._read_named(name, entry)

    def _read_cookie(self, text: str) -> None:
        for name, value in _COOKIE.findall(text):
            if name.lower() not in _COOKIE_SETTINGS:
                self.add(value)

    def _read_text(self, text: str) -> None:
        if "\\u0" in text:  # JSON in a text, whose names may be in any language
            text = _UNICODE.sub(lambda found: chr(int(found.group(1), 16)), text)
        has_equals, has_colon = "=" in text, ":" in text
        if has_colon and "://" in text:
            for user, password in _USERINFO.findall(text):
                self.add(password or (user if len(user) >= 16 else ""))
        if has_equals:
            for name, value in _PARAMETER.findall(text):
                if is_secret_parameter(unquote_plus(name).strip(), value) and not value.startswith("$"):
                    self.add(value)
        lower = text.lower()
        if " " in lower and _has_any(lower, _PROSE_HINTS):
            for value in _PROSE.findall(text):
                if looks_secret(value):
                    self.add(value.rstrip(".:!?"))
        if (has_equals and _is_hinted(lower, "=")) or (has_colon and _is_hinted(lower, ":")):
            self._read_assignments(text)
        if "earer" in text or "asic " in text or "EARER" in text:
            for value in (*_BEARER.findall(text), *filter(_is_log_in, _BASIC.findall(text))):
                self.add(value)

    def _read_assignments(self, text: str) -> None:
        for name, _, value in _QUOTED.findall(text):
            if "{{" not in value and "${" not in value and is_secret_name(name):
                self.add(value)
                if "ookie" in name.lower():
                    self._read_cookie(value)
        for name, value in _QUOTED_NUMBER.findall(text):
            if is_secret_name(name):
                self.add(value)
        for name, value in _BARE.findall(text):
            if looks_secret(value) and (is_secret_name(name) or is_secret_parameter(name, value)):
                self.add(value.rstrip("."))
        if "ookie" in text:
            for line in re.findall(r"[Cc]ookie[\"']?\s*:\s*[\"']?([^\r\n\"']+)", text):
                self._read_cookie(line)


def looks_secret(value: str) -> bool:
    """Whether a value without quotes, after a secret name, is more than a word or a piece of code."""
    if "{{" in value or "$" in value[:2] or "://" in value or value.startswith(("process.", "this.", "items[")):
        return False
    return len(value) >= 6 and any(letter.isdigit() for letter in value) and any(not letter.isdigit() for letter in value)


def _is_hinted(lower: str, separator: str) -> bool:
    """Whether a part of a secret's name stands shortly before one of the separators."""
    if len(lower) > 2 * _LONGEST_NAME:
        lower = "\n".join([piece[-_LONGEST_NAME:] for piece in lower.split(separator)[:-1]])
    return _has_any(lower, _HINTS)


def _has_any(text: str, words: tuple[str, ...]) -> bool:
    for word in words:  # noqa: SIM110 - a generator takes twice the time, and this runs for every text
        if word in text:
            return True
    return False


def _is_log_in(encoded: str) -> bool:
    try:
        return b":" in base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False


def _readings(text: str) -> Iterator[str]:
    """The text, and what it says where parts of it are written for URLs, JSON, HTML or in Base64."""
    yield text
    if "%" in text or "+" in text:
        yield unquote_plus(text)
        yield unquote(unquote(text))
    if "\\" in text:
        once = _unescape(text)
        yield once
        yield _unescape(once)
    if "&" in text:
        yield html.unescape(text)
    for encoded in _ENCODED.findall(text):
        body = encoded.replace("-", "+").replace("_", "/")
        body = body[:-1] if len(body) % 4 == 1 else body
        yield base64.b64decode(body + "=" * (-len(body) % 4)).decode(errors="replace")


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda found: found.group(1) or chr(int(found.group(2), 16)), text)


def texts_of(value: Any) -> Iterator[str]:
    """Every text of a JSON value, keys and whole numbers among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield str(key)
            yield from texts_of(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from texts_of(entry)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield str(value)
