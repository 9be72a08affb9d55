"""The tokens that stand for secrets and personal data, and how a found value is replaced by its token wherever it stands."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, unquote

#: A token that stands for a secret or a personal value; nothing with one in it may be written back to a workflow.
TOKEN = re.compile(r"<(?:SECRET|EMAIL|PHONE|CARD|IP)_(\d+)>")

SHORTEST = 4
#: Values below this length are replaced elsewhere only where they stand as a whole word.
_UNMISTAKABLE = 8
#: Bounds the pattern; what goes beyond is still replaced where it is the whole value of a field.
_MOST_VALUES, _LONGEST_VALUE = 5000, 8192
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
        *("url", "options", "responseMode", "executionId", "workflowId"),
    }
)


@dataclass(frozen=True)
class Redacted:
    """A value without its secrets, and how many places were replaced."""

    value: Any
    count: int


class Secrets:
    """The secrets of one payload, each with its token."""

    def __init__(self, tokens: dict[str, str]) -> None:
        self._tokens = tokens
        searched = [value for value in tokens if len(value) <= _LONGEST_VALUE][:_MOST_VALUES]
        # Earlier values keep their spellings: the later ones may be encodings of them.
        self._spellings: dict[str, str] = {}
        for form, token in ((value, tokens[value]) for value in searched):
            self._spellings[form] = token
        for value in searched:
            for form in spellings(value):
                self._spellings.setdefault(form, tokens[value])
        self._pattern = re.compile(_any_of(sorted(self._spellings))) if searched else None

    def __len__(self) -> int:
        return len(self._tokens)

    def remove_from(self, value: Any, *, keys: Collection[str] = ()) -> Redacted:
        """A copy of the JSON value (the whole payload or a part of it) without the secrets.

        Keys of n8n's format and the caller's own ``keys`` stay, even if somebody's password is spelled the same.
        """
        if not self._tokens:
            return Redacted(value, 0)
        counter = [0]
        return Redacted(self._clean(value, _FORMAT_KEYS.union(keys), counter), counter[0])

    def _clean(self, value: Any, keys: frozenset[str], counter: list[int]) -> Any:
        if isinstance(value, str):
            return self._clean_text(value, counter)
        if isinstance(value, list | tuple):
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
        if len(text) < SHORTEST:
            return text
        if text in self._tokens:
            counter[0] += 1
            return self._tokens[text]
        if self._pattern is None:
            return text
        cleaned, count = self._pattern.subn(lambda match: self._spellings[match.group()], text)
        counter[0] += count
        return cleaned


@lru_cache(maxsize=20_000)
def spellings(value: str) -> tuple[str, ...]:
    """The value as it stands, in a URL, in a JSON text (also one in another), in HTML and inside of Base64."""
    in_json = json.dumps(value)[1:-1]
    encoded = quote(value, safe="")
    forms = {
        *(value, unquote(value), encoded, quote(value), quote_plus(value), quote(encoded, safe="")),
        *(in_json, json.dumps(value, ensure_ascii=False)[1:-1], json.dumps(in_json)[1:-1], html.escape(value)),
        value.replace("/", "\\/"),
        re.sub(r"%[0-9A-F]{2}", lambda found: found.group().lower(), encoded),
    }
    if len(value) >= _UNMISTAKABLE:
        forms.update(_inside_base64(value))
    return tuple(sorted(form for form in forms if len(form) >= SHORTEST))


def _inside_base64(value: str) -> Iterator[str]:
    """What any Base64 text has in it that stands for a text with the value in it: one form for each offset."""
    raw = value.encode(errors="surrogatepass")
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        # The first and last letters hold bits of the value's neighbours.
        start = (0, 2, 3)[offset]
        end = len(encoded) if (offset + len(raw)) % 3 == 0 else len(encoded) - 1
        if end - start >= _UNMISTAKABLE:
            yield encoded[start:end]
            yield encoded[start:end].replace("+", "-").replace("/", "_")


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
