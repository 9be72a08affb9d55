"""What a patch may change. Judged by comparing the document before and after, so that no form of operation slips by.

Never: credentials, ids, webhook addresses, node types, names, switching nodes or checks off, hiding errors, new hosts,
secrets or redaction tokens in values, new nodes other than plain data nodes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hub.redaction import TOKEN

Json = dict[str, Any]

#: Keys of a node that a patch may change.
_OPEN_KEYS = frozenset(
    {"parameters", "typeVersion", "retryOnFail", "maxTries", "waitBetweenTries", "alwaysOutputData", "executeOnce", "onError"}
)
#: Settings that a patch may replace. n8n cannot take an added one away again, so none is added.
_OPEN_SETTINGS = frozenset({"executionTimeout", "timezone", "executionOrder"})
#: Kinds of nodes that a patch may add: they reshape or route items, and reach nothing.
_ADDABLE_TYPES = frozenset(
    f"n8n-nodes-base.{name}"
    for name in (
        *("aggregate", "dateTime", "filter", "if", "itemLists", "limit", "merge", "noOp", "removeDuplicates", "renameKeys"),
        *("respondToWebhook", "set", "sort", "splitInBatches", "splitOut", "summarize", "switch", "wait"),
    )
)
#: Parameters that choose credentials or switch a protection off, wherever they stand.
_CLOSED_PARAMETERS = frozenset(
    {"authentication", "nodeCredentialType", "genericAuthType", "allowUnauthorizedCerts", "ignoreSslIssues", "webhookId"}
)
_HIDING = ("continueRegularOutput", "continueErrorOutput")
_HOST = re.compile(r"""[a-z][a-z0-9+.-]*:\\?/\\?/(?:[^/\s@"'`<>{}]*@)?(\[[0-9a-f:]+\]|[^/\s"'`<>{}:?#@\\$+]+)""", re.IGNORECASE)
#: A host that an expression puts together: nobody can tell where it leads.
_DYNAMIC_HOST = re.compile(r"""//(?=[{$'"`])""")
_SCHEME = re.compile(r"^=https?://(?=\{\{)")
_REACHING_OUT = re.compile(r"\b(?:require|import|fetch|eval|Function|XMLHttpRequest|WebSocket|process|child_process|helpers)\b")
#: As n8n reads it: up to the first end.
_PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_PRIVATE_VALUES = re.compile(r"\$(?:env|secrets|vars)\b")
_CODE_KEYS = frozenset({"jsCode", "pythonCode", "functionCode", "pythonNativeCode"})
_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class PatchRefused(Exception):
    """The patch must not be applied. ``code`` says why; ``details`` holds what a sentence about it needs."""

    def __init__(self, code: str, **details: Any) -> None:
        super().__init__(f"{code} {details}" if details else code)
        self.code = code
        self.details = details


@dataclass(frozen=True, slots=True)
class Judgement:
    """The nodes that differ, and what a person should know about the change."""

    changed_nodes: tuple[str, ...]
    cautions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One changed value: where it stands inside of a node's parameters; None where it is absent."""

    path: tuple[str, ...]
    before: Any
    after: Any


def check_policy(before: Json, after: Json) -> Judgement:
    """The judgement of an allowed change; ``PatchRefused`` for any other."""
    if set(after) != set(before) or after["name"] != before["name"] or not isinstance(after["nodes"], list):
        raise PatchRefused("outside")
    _check_settings(before["settings"], after["settings"])
    old_nodes, new_nodes = before["nodes"], after["nodes"]
    if len(new_nodes) < len(old_nodes):
        raise PatchRefused("removes-node")
    changed: list[str] = []
    cautions: dict[str, None] = {}
    for old, new in zip(old_nodes, new_nodes, strict=False):
        if old != new:
            cautions.update(dict.fromkeys(_check_node(old, new, before)))
            changed.append(old["name"])
    for added in new_nodes[len(old_nodes) :]:
        _check_added(added, before)
        changed.append(added["name"])
        cautions["adds-node"] = None
    _check_names(new_nodes)
    if after["connections"] != before["connections"]:
        changed += _check_connections(before["connections"], after["connections"], new_nodes)
        cautions["rewires"] = None
    return Judgement(tuple(dict.fromkeys(changed)), tuple(cautions))


def _check_settings(before: Json, after: Any) -> None:
    if not isinstance(after, dict) or after.keys() != before.keys():
        raise PatchRefused("settings")
    if any(after[key] != before[key] for key in before if key not in _OPEN_SETTINGS):
        raise PatchRefused("settings")


def _check_node(old: Json, new: Any, document: Json) -> Iterator[str]:
    """Check one changed node; yields cautions."""
    if not isinstance(new, dict):
        raise PatchRefused("outside")
    name = old["name"]
    for key in old.keys() | new.keys():
        if key not in _OPEN_KEYS and old.get(key) != new.get(key):
            raise PatchRefused("closed-field", node=name, field=key)
    if new.get("onError") in _HIDING and new["onError"] != old.get("onError"):
        raise PatchRefused("hides-error", node=name)
    if not isinstance(new.get("parameters"), dict):
        raise PatchRefused("closed-field", node=name, field="parameters")
    if new.get("typeVersion") != old.get("typeVersion"):
        yield "type-version"
    for leaf in changed_leaves((), old.get("parameters") or {}, new["parameters"]):
        _check_parameter(old, leaf)
        yield from check_value(leaf.before, leaf.after, document, node=name)
        if leaf.path[-1] in _CODE_KEYS:
            yield "code"
        if leaf.path[-1] in ("method", "requestMethod") and leaf.after in _WRITING:
            yield "writes"


def _check_parameter(node: Json, leaf: Leaf) -> None:
    closed = _CLOSED_PARAMETERS.intersection(leaf.path)
    if not closed and "webhook" in str(node.get("type")).lower() and leaf.path[-1] == "path":
        closed = frozenset({"path"})
    if "trigger" in str(node.get("type")).lower() and leaf.path[-1] == "path":
        closed = frozenset({"path"})
    if closed:
        raise PatchRefused("closed-field", node=node["name"], field=sorted(closed)[0])


def _is_unbalanced(text: str) -> bool:
    """Whether an expression has no end, or ends at braces of its own; those of a JSON text around it may follow."""
    if "{{" in _PLACEHOLDER.sub("", text):
        return True
    codes = (found.group(1) for found in _PLACEHOLDER.finditer(text))
    return text.count("{{") != text.count("}}") and any(code.count("{") != code.count("}") for code in codes)


def check_value(before: Any, after: Any, document: Json, *, node: str) -> Iterator[str]:
    """Check one changed value; yields cautions."""
    if not isinstance(after, str):
        return
    old = before if isinstance(before, str) else ""
    if TOKEN.search(after):
        raise PatchRefused("hidden-value", node=node)
    if _PRIVATE_VALUES.search(after) and not _PRIVATE_VALUES.search(old):
        raise PatchRefused("private-values", node=node)
    new_words = set(_REACHING_OUT.findall(after)) - set(_REACHING_OUT.findall(old))
    if new_words and not after.startswith("http"):
        raise PatchRefused("reaches-out", node=node, word=sorted(new_words)[0])
    known = _hosts_text(document)
    for host in dict.fromkeys(_HOST.findall(after)):
        if not re.search(rf"(?<![\w.-]){re.escape(host.lower())}(?![\w-]|\.\w)", known):
            raise PatchRefused("new-host", node=node, host=host)
    # A scheme put in front leaves the choice of the host to the expression that had it before.
    if _DYNAMIC_HOST.search(after) and not _DYNAMIC_HOST.search(old) and _SCHEME.sub("=", after) != old:
        raise PatchRefused("new-host", node=node, host="{{ … }}")
    if after.startswith("=") and _is_unbalanced(after):
        raise PatchRefused("unbalanced", node=node)
    if old and not after.startswith("=") and old.startswith("=") and "{{" not in after:
        yield "constant"


def _hosts_text(document: Json) -> str:
    return "\n".join(_texts([node.get("parameters") for node in document["nodes"]])).lower()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def changed_leaves(path: tuple[str, ...], before: Any, after: Any) -> Iterator[Leaf]:
    """Every value that differs, down to the deepest place; whole new branches leaf by leaf."""
    if isinstance(after, dict) and (isinstance(before, dict) or before is None):
        old = before or {}
        for key in [*old, *(key for key in after if key not in old)]:
            yield from changed_leaves((*path, key), old.get(key), after.get(key))
    elif isinstance(after, list) and (isinstance(before, list) or before is None):
        entries = before or []
        for index in range(max(len(entries), len(after))):
            one = entries[index] if index < len(entries) else None
            other = after[index] if index < len(after) else None
            yield from changed_leaves((*path, str(index)), one, other)
    elif before != after:
        yield Leaf(path or ("parameters",), before, after)


def _check_added(node: Any, document: Json) -> None:
    if not isinstance(node, dict) or not isinstance(node.get("name"), str) or not node["name"]:
        raise PatchRefused("outside")
    if node.get("type") not in _ADDABLE_TYPES:
        raise PatchRefused("adds-node", node=node["name"], type=node.get("type"))
    allowed = _OPEN_KEYS | {"id", "name", "type", "position", "notes"}
    if set(node) - allowed or node.get("onError") in _HIDING or not isinstance(node.get("parameters"), dict):
        raise PatchRefused("adds-node", node=node["name"], type=node["type"])
    for leaf in changed_leaves((), {}, node["parameters"]):
        for _ in check_value(None, leaf.after, document, node=node["name"]):
            pass


def _check_names(nodes: list[Json]) -> None:
    names = [node["name"] for node in nodes]
    if len(set(names)) != len(names):
        raise PatchRefused("double-name")


def _check_connections(before: Json, after: Any, nodes: list[Json]) -> list[str]:
    """The sources whose connections differ; every end must be a node of the workflow."""
    names = {node["name"] for node in nodes}
    if not isinstance(after, dict) or not set(after) <= names:
        raise PatchRefused("connections")
    for kinds in after.values():
        if not isinstance(kinds, dict) or not all(isinstance(outputs, list) for outputs in kinds.values()):
            raise PatchRefused("connections")
        for output in (output for outputs in kinds.values() for output in outputs):
            if not (output is None or (isinstance(output, list) and all(_is_link(link, names) for link in output))):
                raise PatchRefused("connections")
    return [name for name in after.keys() | before.keys() if after.get(name) != before.get(name)]


def _is_link(link: Any, names: set[str]) -> bool:
    return (
        isinstance(link, dict)
        and link.get("node") in names
        and isinstance(link.get("type"), str)
        and isinstance(link.get("index"), int)
        and link["index"] >= 0
    )
