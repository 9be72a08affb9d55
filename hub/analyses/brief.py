"""From the evidence to the brief: the part of it, at most 8,000 tokens, that a model is asked with and a person can read."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from hub.analyses.json_shape import shape
from hub.analyses.reads import failing_item, find_reads
from hub.analyses.workflow_graph import ancestors, parents
from hub.contracts.analysis import Evidence
from hub.redaction import Masked
from hub.redaction import mask_personal as hide_personal

#: The bound of ``Brief.text()``; a token is counted as three characters, which is on the safe side for JSON.
MOST_TOKENS = 8000
_CHARACTERS_A_TOKEN = 3
#: How far texts (characters), lists (entries) and objects (keys) are cut, tried in this order until a part fits.
_CUTS = ((4000, 40, 60), (1500, 20, 60), (600, 10, 40), (200, 6, 40), (80, 3, 25))
#: What n8n's own error objects hold besides the answer: it changes from run to run or repeats the rest.
_NOISE = frozenset(("timestamp", "stack", "node", "executionId", "workflowId", "level", "shouldReport", "tags", "functionality"))
_NODE_SETTINGS = ("onError", "continueOnFail", "retryOnFail", "maxTries", "waitBetweenTries", "executeOnce", "alwaysOutputData")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the brief: its name (the key in the text) and its JSON value."""

    name: str
    value: Any

    @property
    def pointer(self) -> str:
        """The JSON pointer of the part in the brief's text."""
        return f"/{self.name}"


@dataclass(frozen=True, slots=True)
class Brief:
    """What may be sent about a failure, the most telling first. Redacted, deterministic, at most ``MOST_TOKENS`` tokens.

    ``text()`` is one JSON object with a line for each part, in this order (parts without content are left out):

    - ``execution``: ``status``, ``mode``, ``incomplete`` (``Evidence.limits``)
    - ``error``: the fields of ``ErrorFacts`` that are set
    - ``exchange``: what the hub saw of a request that it sent itself (``ExchangeFacts``)
    - ``child``: the sub-workflow's execution in which the failure lies (``ChildFailure``)
    - ``node``: the failing node: ``name``, ``type``, ``typeVersion``, raw ``parameters``, retry and error settings,
      ``credential_types``
    - ``input``: ``count``, ``item`` (the one that failed, else the first), ``binary_keys``
    - ``reads``: what the node's expressions and code read and what lies there (``FieldRead``)
    - ``upstream``: the nodes that feed it: ``name``, ``type``, ``status``, ``item_count``, ``shape`` of the first item
    - ``path``: the nodes from the trigger to the failing one, ``name`` and ``type``; ``other_nodes``: all other names
    - ``last_success``: the contrast with the last run that worked; ``workflow_changes``: what was changed since
    - ``left_out``: names of parts that did not fit, the last part

    A quote is checked with ``holds``; ``/error/message`` is the JSON pointer of a place in the text.
    """

    parts: tuple[Part, ...]
    #: The personal values behind the tokens (``<EMAIL_1>``), where they were masked.
    originals: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """The exact text: JSON, one line a part."""
        lines = ",\n".join(f"{json.dumps(part.name)}: {_dump(part.value)}" for part in self.parts)
        return f"{{\n{lines}\n}}"

    @property
    def tokens(self) -> int:
        """The estimated number of tokens of the text."""
        return count_tokens(self.text())

    def holds(self, quote: str, pointer: str | None = None) -> bool:
        """Whether the words stand in the brief (or in its part at the pointer), as JSON or as the text that JSON means."""
        value: Any = {part.name: part.value for part in self.parts}
        if pointer is not None:
            value = _at(value, pointer)
            if value is _NOWHERE:
                return False
        return bool(quote.strip()) and (quote in _dump(value) or any(quote in text for text in _texts(value)))

    def restore(self, prose: str) -> str:
        """The words with the masked personal values put back: to show them to a person, never to make a change of them."""
        return Masked(None, self.originals).restore(prose)


def count_tokens(text: str) -> int:
    """An upper estimate that needs no vocabulary."""
    return math.ceil(len(text) / _CHARACTERS_A_TOKEN)


def brief_of(evidence: Evidence, *, mask_personal: bool = False, most_tokens: int = MOST_TOKENS) -> Brief:
    """The brief of the evidence. Pure and deterministic: equal evidence gives equal text.

    Ids and times of the execution are left out, so that equal failures give equal briefs. ``mask_personal`` puts tokens
    (``<EMAIL_1>``) in the place of e-mail addresses, phone and card numbers and IP addresses, for models that run elsewhere.
    """
    makers: dict[str, Callable[[Evidence], Any]] = {
        "execution": _execution,
        "error": _error,
        "exchange": _exchange,
        "child": _child,
        "node": _node,
        "input": _input,
        "reads": _reads,
        "upstream": _upstream,
        "path": _path,
        "last_success": _last_success,
        "workflow_changes": _workflow_changes,
    }
    left_out_room = len(_dump({"left_out": list(makers)}))
    room = most_tokens * _CHARACTERS_A_TOKEN - left_out_room
    parts: list[Part] = []
    left_out: list[str] = []
    values = {name: value for name, make in makers.items() if (value := make(evidence))}
    masked = hide_personal(values) if mask_personal else Masked(values, {})
    for name, value in masked.value.items():
        overhead = len(name) + len('"": ,\n')
        small = fit_in(value, min(room - overhead, _MOST.get(name, room)))
        if small is None:
            left_out.append(name)
            continue
        parts.append(Part(name, small))
        room -= overhead + len(_dump(small))
    if left_out:
        parts.append(Part("left_out", left_out))
    return Brief(tuple(parts), masked.originals)


#: Characters that a part may take at most, so that the first ones leave something for the others.
_MOST = {
    "error": 5000,
    "exchange": 3000,
    "child": 2000,
    "node": 9000,
    "input": 3000,
    "reads": 3000,
    "upstream": 3000,
    "path": 2500,
    "last_success": 2000,
    "workflow_changes": 2000,
}


def fit_in(value: Any, room: int) -> Any:
    """The value with long texts, lists and objects cut as little as needed to be at most ``room`` characters of JSON."""
    if len(_dump(value)) <= room:
        return value
    for text, entries, keys in _CUTS:
        small = _cut(value, text, entries, keys)
        if len(_dump(small)) <= room:
            return small
    return None


def _execution(evidence: Evidence) -> Json:
    return _set({"status": evidence.status, "mode": evidence.mode, "incomplete": list(evidence.limits)})


def _error(evidence: Evidence) -> Json:
    facts = evidence.error.model_dump(mode="json")
    if isinstance(facts["response"], dict):
        facts["response"] = {key: value for key, value in facts["response"].items() if key not in _NOISE}
    return _set(facts)


def _exchange(evidence: Evidence) -> Json:
    """What the error does not say already."""
    if evidence.exchange is None:
        return {}
    facts = evidence.exchange.model_dump(mode="json", exclude={"body", "duration_ms"})
    return _set({**facts, "reasons": [reason["en"] for reason in facts["reasons"]]})


def _child(evidence: Evidence) -> Json:
    if evidence.child is None:
        return {}
    child = evidence.child.model_dump(mode="json", exclude={"execution_id", "workflow_id"})
    return _set({**child, "error": _set(child["error"] or {})})


def _node(evidence: Evidence) -> Json:
    node = evidence.node(evidence.failing_node)
    if node is None:
        return _set({"name": evidence.failing_node})
    kept = {key: node.get(key) for key in ("name", "type", "typeVersion", "parameters", *_NODE_SETTINGS)}
    return _set({**kept, "credential_types": list(node.get("credentials") or {})})


def _input(evidence: Evidence) -> Json:
    return _set(
        {"count": evidence.input_count, "item": failing_item(evidence), "binary_keys": list(evidence.input_binary_keys)},
        zero=True,
    )


def _reads(evidence: Evidence) -> list[Json]:
    return [_set({**asdict(read), "close": list(read.close)}) for read in find_reads(evidence)]


def _upstream(evidence: Evidence) -> list[Json]:
    return [_fed_by(evidence, name) for name in parents(evidence.workflow).get(str(evidence.failing_node), ())]


def _fed_by(evidence: Evidence, name: str) -> Json:
    node, data = evidence.node(name) or {}, evidence.node_data.get(name)
    if data is None:
        return {"name": name, "type": node.get("type"), "executed": False}
    first = next((branch[0] for branch in data.outputs if branch), None)
    facts = {"name": name, "type": node.get("type"), "status": data.status, "item_count": data.item_count}
    return _set({**facts, "shape": shape(first), "binary_keys": list(data.binary_keys)}, zero=True)


def _path(evidence: Evidence) -> Json:
    """The way from the trigger, and the names that a reference could mean besides."""
    way = [name for name in (*reversed(ancestors(evidence.workflow, evidence.failing_node)), evidence.failing_node) if name]
    nodes = [{"name": name, "type": (evidence.node(name) or {}).get("type")} for name in way]
    others = [node.get("name") for node in evidence.workflow["nodes"] if node.get("name") not in way]
    return _set({"nodes": nodes, "other_nodes": others})


def _last_success(evidence: Evidence) -> Json:
    last = evidence.last_success
    if last is None:
        return {}
    facts = last.model_dump(mode="json", exclude={"execution_id", "started_at", "workflow_changes"})
    return {**_set(facts, zero=True), "input_changes": [_set(change) for change in facts["input_changes"]]}


def _workflow_changes(evidence: Evidence) -> list[Json]:
    changes = evidence.last_success.workflow_changes if evidence.last_success else ()
    return [_set(change.model_dump(mode="json")) for change in changes]


def _cut(value: Any, text: int, entries: int, keys: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= text else value[: text - 1] + "…"
    if isinstance(value, list | tuple):
        return [_cut(entry, text, entries, keys) for entry in value[:entries]]
    if isinstance(value, dict):
        return {key[:text]: _cut(entry, text, entries, keys) for key, entry in list(value.items())[:keys]}
    return value


def _set(values: Json, *, zero: bool = False) -> Json:
    """The entries that say something."""
    return {key: value for key, value in values.items() if value or (zero and value == 0 and not isinstance(value, bool))}


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_NOWHERE = object()


def _at(value: Any, pointer: str) -> Any:
    """What stands at a JSON pointer."""
    for raw in pointer.split("/")[1:]:
        key = raw.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return _NOWHERE
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield key
            yield from _texts(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry)
