"""The one place that takes secrets out of JSON and text, before anything is stored, shown or sent to an analyzer.

Three layers find secrets: names (of keys, of name/value pairs, of query parameters, of assignments in code), the shapes
that providers give their keys, and values known to the caller. A value that is found once is replaced wherever it
stands in the payload. Equal values get equal tokens (``<SECRET_1>``), so the result is stable and can still be compared.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

#: A token that stands for a secret; nothing with one in it may be written back to a workflow.
TOKEN = re.compile(r"<SECRET_(\d+)>")

_SHORTEST = 4
#: Values below this length are replaced elsewhere only where they stand as a whole word.
_UNMISTAKABLE = 8
_MOST_VALUES = 5000
_LONGEST_VALUE = 8192

_SECRET_NAME = re.compile(
    r"authorization|passw(?:or)?d|passphrase|secret|api[-_ .]?key|access[-_ .]?key|private[-_ .]?key|signing[-_ .]?key"
    r"|encryption[-_ .]?key|subscription[-_ .]?key|master[-_ .]?key|service[-_ .]?key|auth[-_ .]?key|cookie"
    r"|credit[-_ .]?card|connection[-_ .]?string|token$|\bjwt$|^(?:auth|pass|pwd|pin|otp|cvv|sid|session|session[-_]?id)$"
    r"|^x-.*-(?:key|token|secret|auth|signature)$|^x-hub-signature",
    re.IGNORECASE,
)
#: Names that only look secret: what describes a secret, and what pages through a list.
_HARMLESS_NAME = re.compile(
    r"(?:type|name|field|count|limit|expir(?:y|es|es_?in|es_?at)|_?url|uri|endpoint|enabled|required|policy|length)$"
    r"|(?:page|sync|next|continuation|cursor|max|delta)[-_ ]?token$",
    re.IGNORECASE,
)
_SECRET_QUERY_NAME = re.compile(r"^(?:sig|signature|auth|hapikey|appid)$", re.IGNORECASE)
#: What stands under a secret name in error texts (``{"token": "expired"}``) and settings, and is no secret.
_ORDINARY = re.compile(
    r"true|false|null|none|undefined|bearer|basic|required|invalid|missing|expired|revoked|string|number|object|boolean|array"
    r"|unauthorized|forbidden|denied|empty|blank|wrong|incorrect|unknown|strict|loose|hidden|default",
    re.IGNORECASE,
)

_PROVIDERS = re.compile(
    r"\bsk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{16,}"
    r"|\b(?:sk|rk|pk|whsec)_(?:live_|test_)?[A-Za-z0-9]{16,}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|AIza[0-9A-Za-z_-]{35}|ya29\.[0-9A-Za-z_-]{20,}|GOCSPX-[0-9A-Za-z_-]{20,}"
    r"|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|glpat-[A-Za-z0-9_-]{20,}"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}|hooks\.slack\.com/services/[A-Za-z0-9/]{20,}"
    r"|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|\bkey-[0-9a-f]{32}\b|\b[0-9a-f]{32}-us[0-9]{1,2}\b"
    r"|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}\b|\b(?:secret|ntn)_[A-Za-z0-9]{40,}"
    r"|\b\d{8,10}:AA[A-Za-z0-9_-]{32,}|EAA[A-Za-z0-9]{40,}|\bhf_[A-Za-z0-9]{30,}|\bnpm_[A-Za-z0-9]{36}|\bpypi-[A-Za-z0-9_-]{50,}"
    r"|\bn8n_api_[A-Za-z0-9]{20,}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----"
)
#: One of these stands in every match of the pattern above; looking for them first is several times faster.
_PROVIDER_HINTS = (
    *("sk-", "sk_", "rk_", "pk_", "whsec_", "AKIA", "ASIA", "AIza", "ya29.", "GOCSPX-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    *("github_pat_", "glpat-", "xox", "xapp-", "hooks.slack", "SG.", "key-", "-us", "shp", "pat", "secret_", "ntn_", ":AA"),
    *("EAA", "hf_", "npm_", "pypi-", "n8n_api_", "eyJ", "PRIVATE KEY"),
)
_PROVIDER_HINT = re.compile("|".join(map(re.escape, _PROVIDER_HINTS)))
#: Slack's, which is the shortest of them: ``xoxb-`` with ten more.
_SHORTEST_PROVIDER = 15
_NAME_HINT = re.compile(r"auth|pass|secret|key|cookie|token|jwt|pwd|session|card|otp|pin|cvv|sid|connection", re.IGNORECASE)
_BEARER = re.compile(r"\bBearer\s+([A-Za-z0-9._~+/-]{6,}=*)")
_BASIC = re.compile(r"\bBasic\s+([A-Za-z0-9+/]{8,}={0,2})")
_USERINFO = re.compile(r"://[^/\s:@\"'<>{}]*:([^/\s@\"'<>{}]+)@")
_QUERY = re.compile(r"[?&;]([A-Za-z0-9_.\-\[\]]{1,60})=([^&#\s\"'<>\\{}]+)")
#: ``"api_key": "…"`` inside a text, a JSON text in a JSON text, or ``apiKey = '…'`` in code.
_ASSIGNMENT = re.compile(
    r"(?<![A-Za-z0-9_.\-])([A-Za-z][A-Za-z0-9_.\-]{2,60})(?:\\*[\"'])?\]?\s*[:=]\s*\\*([\"'`])((?:(?!\\*\2)[^\s\\]){4,}?)\\*\2"
)
#: Keys by which the hub reads n8n's executions and workflows.
_FORMAT_KEYS = frozenset(
    {
        *("id", "name", "type", "data", "error", "node", "nodes", "main", "json", "binary", "index", "item", "status", "mode"),
        *("message", "description", "messages", "context", "stack", "source", "resultData", "runData", "executionData"),
        *("nodeExecutionStack", "contextData", "waitingExecution", "waitingExecutionSource", "startData", "metadata"),
        *("lastNodeExecuted", "executionStatus", "executionTime", "executionIndex", "startTime", "previousNode"),
        *("previousNodeOutput", "previousNodeRun", "inputOverride", "pairedItem", "redactedError", "redactionInfo"),
        *("isRedacted", "truncated", "resumeToken", "httpCode", "cause", "failure", "request", "errorResponse", "response"),
        *("descriptionKey", "parameter", "nodeCause", "itemIndex", "runIndex", "lineNumber", "timestamp", "connections"),
        *("settings", "parameters", "typeVersion", "position", "credentials", "webhookId", "disabled", "notes", "onError"),
        *("retryOnFail", "maxTries", "waitBetweenTries", "executeOnce", "alwaysOutputData", "continueOnFail", "executionOrder"),
        *("workflowData", "staticData", "pinData", "value", "key", "headers", "body", "query", "params", "method", "path"),
        *("url", "options", "responseMode"),
    }
)
_MASKED = re.compile(r"^(?:Bearer\s+|Basic\s+)?(?:[*•.xX]+|\*\*hidden\*\*|.*\*{3,}.*)$")
_NAME_KEYS, _VALUE_KEYS = ("name", "key", "Name"), ("value", "Value")


@dataclass(frozen=True)
class Redacted:
    """A value without its secrets, and how many places were replaced."""

    value: Any
    count: int


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret (``Authorization``, ``apiKey``, ``x-acme-token``)."""
    return bool(_SECRET_NAME.search(name)) and not _HARMLESS_NAME.search(name)


def redact(value: Any, *, known_secrets: Iterable[str] = ()) -> Redacted:
    """The JSON value with every secret replaced by a token. Pure and deterministic; the input is not changed."""
    return find_secrets(value, known_secrets=known_secrets).remove_from(value)


def redact_text(text: str, *, known_secrets: Iterable[str] = ()) -> Redacted:
    """The text with every secret replaced by a token."""
    return redact(text, known_secrets=known_secrets)


def find_secrets(value: Any, *, known_secrets: Iterable[str] = ()) -> Secrets:
    """Everything in the JSON value that looks like a secret, plus the known ones, ready to be taken out of any part of it."""
    search = _Search()
    for known in known_secrets:
        search.add(known)
    search.walk(value)
    return Secrets(search.tokens())


class _Search:
    """Walks a payload once and notes the secrets in the order of their appearance."""

    def __init__(self) -> None:
        self._values: dict[str, None] = {}
        self._read: set[str] = set()
        self._highest = 0

    def tokens(self) -> dict[str, str]:
        """Each value with its token; numbers that the payload already uses are left out."""
        return {value: f"<SECRET_{number}>" for number, value in enumerate(self._values, self._highest + 1)}

    def add(self, value: str) -> None:
        """Note a secret, unless the text is too short or too ordinary to be one."""
        value = value.strip()
        scheme, _, rest = value.partition(" ")
        if scheme.lower() in ("bearer", "basic", "token", "apikey", "key") and rest:
            value = rest.strip()
        if not _SHORTEST <= len(value) <= _LONGEST_VALUE or _MASKED.match(value) or TOKEN.search(value):
            return
        if not _ORDINARY.fullmatch(value) and len(self._values) < _MOST_VALUES:
            self._values.setdefault(value)

    def walk(self, value: Any) -> None:
        """Note every secret of a JSON value."""
        if isinstance(value, str):
            # Payloads repeat themselves: a text that was read once has told all that it knows.
            if len(value) >= _SHORTEST and value not in self._read:
                self._read.add(value)
                self._read_text(value)
        elif isinstance(value, list):
            for entry in value:
                self.walk(entry)
        elif isinstance(value, dict):
            if "value" in value or "Value" in value:
                self._read_pair(value)
            for key, entry in value.items():
                if is_secret_name(key):
                    self._read_named(entry)
                # Below "credentials" stand the ids and names of n8n's credentials by their type (``apiKeyAuth``).
                self.walk(list(entry.values()) if key == "credentials" and isinstance(entry, dict) else entry)

    def _read_pair(self, value: dict[str, Any]) -> None:
        """``{"name": "X-Api-Key", "value": "…"}``, as n8n keeps headers, query and body fields."""
        name = next((value[key] for key in _NAME_KEYS if isinstance(value.get(key), str)), None)
        if name is not None and _is_secret_parameter(name, value.get("value")):
            for key in _VALUE_KEYS:
                self._read_named(value.get(key))

    def _read_named(self, value: Any) -> None:
        """The value of a field whose name is secret; deeper structures are judged by their own names."""
        if isinstance(value, str):
            # An expression says where the secret comes from, which is no secret.
            if "{{" not in value:
                self.add(value.removeprefix("="))
        elif isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**5:
            self.add(str(value))
        elif isinstance(value, list | dict):
            entries = list(value.values() if isinstance(value, dict) else value)
            if all(isinstance(entry, str | int | float | bool | None) for entry in entries):
                for entry in entries:
                    self._read_named(entry)

    def _read_text(self, text: str) -> None:
        if "<SECRET_" in text:
            self._highest = max(self._highest, *(int(number) for number in TOKEN.findall(text)), 0)
        if len(text) >= _SHORTEST_PROVIDER and _PROVIDER_HINT.search(text):
            for match in _PROVIDERS.finditer(text):
                self.add(match.group())
        if "=" in text or ":" in text:
            self._read_names_in_text(text)
        if "earer" in text or "asic" in text:
            for match in _BEARER.finditer(text):
                self.add(match.group(1))
            for match in _BASIC.finditer(text):
                if _is_user_and_password(match.group(1)):
                    self.add(match.group(1))

    def _read_names_in_text(self, text: str) -> None:
        if "://" in text:
            for match in _USERINFO.finditer(text):
                self.add(match.group(1))
        for match in _QUERY.finditer(text) if "=" in text else ():
            if _is_secret_parameter(match.group(1), match.group(2)):
                self.add(match.group(2))
        if _NAME_HINT.search(text):
            for match in _ASSIGNMENT.finditer(text):
                if is_secret_name(match.group(1)) and "{{" not in match.group(3) and "${" not in match.group(3):
                    self.add(match.group(3))


class Secrets:
    """The secrets of one payload, each with its token."""

    def __init__(self, tokens: dict[str, str]) -> None:
        self._tokens = tokens
        self._spellings = {spelling: token for value, token in tokens.items() for spelling in _spellings(value)}
        self._pattern = re.compile(_any_of(sorted(self._spellings))) if tokens else None

    def __len__(self) -> int:
        return len(self._tokens)

    def remove_from(self, value: Any, *, keys: Collection[str] = ()) -> Redacted:
        """A copy of the JSON value (the whole payload or a part of it) without the secrets.

        Keys of n8n's format and the caller's own ``keys`` stay, even if somebody's password is spelled the same.
        """
        if self._pattern is None:
            return Redacted(value, 0)
        counter = [0]
        return Redacted(self._clean(value, _FORMAT_KEYS.union(keys), counter), counter[0])

    def _clean(self, value: Any, keys: frozenset[str], counter: list[int]) -> Any:
        if isinstance(value, str):
            return self._clean_text(value, counter)
        if isinstance(value, list):
            return [self._clean(entry, keys, counter) for entry in value]
        if isinstance(value, dict):
            return {
                key if key in keys else self._clean_text(key, counter): self._clean(entry, keys, counter)
                for key, entry in value.items()
            }
        if isinstance(value, int) and not isinstance(value, bool) and str(value) in self._tokens:
            counter[0] += 1
            return self._tokens[str(value)]
        return value

    def _clean_text(self, text: str, counter: list[int]) -> str:
        assert self._pattern is not None  # noqa: S101 - narrows the type; remove_from leaves early without a pattern
        if len(text) < _SHORTEST:
            return text
        cleaned, count = self._pattern.subn(lambda match: self._spellings[match.group()], text)
        counter[0] += count
        return cleaned


def _is_secret_parameter(name: str, value: Any) -> bool:
    """Whether a query or header parameter is secret; a bare ``key`` is so where its value looks like one."""
    if name.lower() == "key":
        return isinstance(value, str) and len(value) >= 12 and any(letter.isdigit() for letter in value)
    return is_secret_name(name) or bool(_SECRET_QUERY_NAME.match(name))


def _is_user_and_password(encoded: str) -> bool:
    try:
        return b":" in base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False


def _spellings(value: str) -> Iterator[str]:
    """The value as it stands, in a URL, and inside a JSON text."""
    forms = {value, unquote(value), quote(value, safe=""), json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    yield from (form for form in forms if len(form) >= _SHORTEST)


def _any_of(values: list[str], depth: int = 0) -> str:
    """A regular expression that matches any of the sorted values, the longest first, sharing their beginnings.

    Without the sharing a payload with thousands of tokens takes minutes.
    """
    if depth > 20 or len(values) == 1:
        return "|".join(_bounded(value, depth) for value in sorted(values, key=len, reverse=True))
    groups: dict[str, list[str]] = {}
    for value in values:
        groups.setdefault(value[:1], []).append(value)
    return "|".join(_shared(group, depth) for group in groups.values())


def _shared(group: list[str], depth: int) -> str:
    if len(group) == 1 or (depth == 0 and any(len(value) < _UNMISTAKABLE for value in group)):
        return "|".join(_bounded(value, depth) for value in sorted(group, key=len, reverse=True))
    start = _common_start(group[0], group[-1])
    rests = sorted(value[len(start) :] for value in group)
    inner = _any_of([rest for rest in rests if rest], depth + 1)
    return f"{re.escape(start)}(?:{inner}){'?' if '' in rests else ''}"


def _common_start(first: str, last: str) -> str:
    """What the first and the last of sorted texts, and so all of them, begin with."""
    length = next((index for index, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    return first[:length]


def _bounded(value: str, depth: int) -> str:
    escaped = re.escape(value)
    return rf"(?<![A-Za-z0-9_]){escaped}(?![A-Za-z0-9_])" if depth == 0 and len(value) < _UNMISTAKABLE else escaped
