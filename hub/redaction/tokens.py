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
TOKEN = re.compile(r"<(?:SECRET|EMAIL|PHONE|CARD|IP)_\d+>")

_LETTER = re.compile(r"[A-Za-z0-9_]")
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
        found = {value: tokens[value] for value in searched}
        for value in searched:
            for form in spellings(value):
                found.setdefault(form, tokens[value])
        #: By their first letters, the longest first.
        self._forms: dict[str, list[tuple[str, str]]] = {}
        for form, token in sorted(found.items(), key=lambda entry: -len(entry[0])):
            self._forms.setdefault(form[:SHORTEST], []).append((form, token))
        self._starts = re.compile(_any_of(list(self._forms))) if self._forms else None

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
        if self._starts is None:
            return text
        pieces, done, at = [], 0, 0
        while start := self._starts.search(text, at):
            at = start.start()
            if found := self._found_at(text, at):
                form, token = found
                pieces += [text[done:at], token]
                at = done = at + len(form)
            else:
                at += 1
        counter[0] += len(pieces) // 2
        return "".join([*pieces, text[done:]])

    def _found_at(self, text: str, at: int) -> tuple[str, str] | None:
        for form, token in self._forms[text[at : at + SHORTEST]]:
            if text.startswith(form, at) and (len(form) >= _UNMISTAKABLE or _is_word(text, at, at + len(form))):
                return form, token
        return None


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


def _is_word(text: str, start: int, end: int) -> bool:
    return not _LETTER.match(text[start - 1 : start]) and not _LETTER.match(text[end : end + 1])


def _any_of(starts: list[str]) -> str:
    """A regular expression that matches any of the texts of equal length, sharing their beginnings.

    Without the sharing a payload with thousands of secrets takes minutes.
    """
    groups: dict[str, list[str]] = {}
    for start in starts:
        groups.setdefault(start[0], []).append(start[1:])
    return "|".join(
        re.escape(letter) + (f"(?:{_any_of(list(dict.fromkeys(rests)))})" if rests[0] else "") for letter, rests in groups.items()
    )
