"""One failure as the rules look at it: the failing node, what the service said, and what lies upstream."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from hub.plugin_api import Evidence

Json = dict[str, Any]
Path = tuple[str | int, ...]

_ANSWER = re.compile(r'^\d{3} - (["{\[].*)$', re.DOTALL)
_STATUS_WORDS = (
    ("Authorization failed", 401),
    ("Payment required", 402),
    ("Forbidden", 403),
    ("The resource you are requesting could not be found", 404),
    ("Method not allowed", 405),
    ("Bad request - please check", 400),
    ("The service is receiving too many requests", 429),
    ("The service was not able to process your request", 500),
    ("Bad gateway", 502),
    ("Service unavailable", 503),
    ("Gateway timed out", 504),
)
_TAG = re.compile(r"<[^<>]{1,80}>")


class Case:
    """A view of the evidence; everything is read lazily and nothing is changed."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.error = evidence.error
        self.name = evidence.failing_node

    @cached_property
    def node(self) -> Json:
        """The failing node, empty where it is unknown."""
        return self.evidence.node(self.name) or {}

    @cached_property
    def kind(self) -> str:
        """The failing node's type without its package: ``httpRequest``."""
        return self.kind_of(self.name)

    def kind_of(self, name: str | None) -> str:
        """A node's type without its package."""
        return str((self.evidence.node(name) or {}).get("type", "")).rpartition(".")[2]

    @cached_property
    def parameters(self) -> Json:
        """The failing node's parameters as they stand in the workflow."""
        parameters = self.node.get("parameters")
        return parameters if isinstance(parameters, dict) else {}

    @cached_property
    def status(self) -> int | None:
        """The HTTP status of the service's answer."""
        code = self.error.code or ""
        if code.isdigit() and 100 <= int(code) <= 599:
            return int(code)
        said = self.error.messages[0] if self.error.messages else self.error.message
        found = re.match(r"^([45]\d\d)\b", said) if self.error.class_name == "NodeApiError" else None
        found = found or re.search(r"\bstatus code:? ([45]\d\d)\b", self.error.message)
        if found:
            return int(found.group(1))
        # A sub-workflow's error comes up without its code, in n8n's words for it.
        return (
            next((status for words, status in _STATUS_WORDS if self.error.message.startswith(words)), None) if not code else None
        )

    @cached_property
    def words(self) -> str:
        """Everything that the error says, without HTML tags."""
        parts = (self.error.message, self.error.description or "", *self.error.messages, self.answer_text)
        return _TAG.sub(" ", "\n".join(dict.fromkeys(part for part in parts if part)))

    @cached_property
    def answer(self) -> Any:
        """The service's answer as JSON, else as text, else None."""
        for message in (*self.error.messages, self.error.description or ""):
            text = _unquoted(message)
            if text is not None:
                try:
                    return json.loads(text)
                except ValueError:
                    return text
        return self.error.response

    @cached_property
    def answer_text(self) -> str:
        """All texts of the service's answer."""
        return "\n".join(_texts(self.answer))

    @cached_property
    def method(self) -> str:
        """The HTTP method of the failing request; empty where the node makes none."""
        sent = (self.error.request or {}).get("method")
        return str(sent or (self._own_method if self.kind == "httpRequest" else "")).upper()

    @property
    def _own_method(self) -> Any:
        return self.parameters.get("method") or self.parameters.get("requestMethod") or "GET"

    @cached_property
    def parents(self) -> dict[str, list[str]]:
        """For each node the nodes that feed it."""
        found: dict[str, list[str]] = {}
        for source, kinds in self.evidence.workflow["connections"].items():
            for target in (entry for outputs in kinds.values() for output in outputs for entry in output or ()):
                if source not in found.setdefault(str(target.get("node")), []):
                    found[str(target.get("node"))].append(source)
        return found

    @cached_property
    def ancestors(self) -> list[str]:
        """The nodes that lead to the failing one, the nearest first."""
        return self._reach(self.parents)

    @cached_property
    def children(self) -> list[str]:
        """The nodes directly behind the failing one."""
        return [name for name, sources in self.parents.items() if self.name in sources]

    def _reach(self, edges: dict[str, list[str]]) -> list[str]:
        found: dict[str, None] = {}
        border = [self.name] if self.name else []
        while border:
            border = [new for name in border for new in edges.get(name, ()) if new not in found and new != self.name]
            found.update(dict.fromkeys(border))
        return list(found)

    def output(self, name: str) -> list[Json]:
        """The first items (their JSON) that a node put out, of its first output that gave any."""
        data = self.evidence.node_data.get(name)
        return list(next((branch for branch in data.outputs if branch), ())) if data else []

    def has_run(self, name: str) -> bool:
        """Whether the node ran in this execution and gave items."""
        data = self.evidence.node_data.get(name)
        return bool(data and data.executed and data.item_count)

    @cached_property
    def item(self) -> Json:
        """The input item that failed, else the first one."""
        items = self.evidence.input_items
        index = self.error.item_index or 0
        if not items:
            return {}
        return items[index] if index < len(items) else items[-1]

    def texts(self, node: Json | None = None) -> Iterator[tuple[Path, str]]:
        """Every text among a node's parameters, with its path inside the node."""
        node = self.node if node is None else node
        yield from walk_texts(node.get("parameters"), ("parameters",))


def case_of_item(case: Case, index: int) -> Case:
    """The same failure, as if the input item of that number had failed."""
    error = case.error.model_copy(update={"item_index": index})
    return Case(case.evidence.model_copy(update={"error": error}))


def walk_texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text in a JSON value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from walk_texts(entry, (*path, key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from walk_texts(entry, (*path, index))


def _unquoted(message: str) -> str | None:
    """The body in n8n's ``404 - "{...}"``; its older nodes write it without the quotes."""
    found = _ANSWER.match(message)
    if not found or not found.group(1).startswith('"'):
        return found.group(1) if found else None
    try:
        return str(json.loads(found.group(1)))
    except ValueError:
        return found.group(1)[1:-1]


def _texts(value: Any) -> Iterator[str]:
    return (text for _, text in walk_texts(value))
