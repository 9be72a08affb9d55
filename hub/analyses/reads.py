"""Which fields the failing node's expressions and code read, and what lies there in the recorded data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import tree_sitter_javascript
from rapidfuzz import fuzz
from tree_sitter import Language, Node, Parser

from hub.analyses.evidence_size import MOST_KEYS
from hub.analyses.json_shape import type_name
from hub.contracts.analysis import Evidence

_LANGUAGE = Language(tree_sitter_javascript.language())
_PLACEHOLDER = re.compile(r"\{\{([\s\S]*?)\}\}")
_CODE_PARAMETERS = frozenset(("jsCode", "functionCode"))
#: Parameters in other languages.
_FOREIGN_PARAMETERS = frozenset(("pythonCode", "workflowJson"))
_LONGEST_CODE, _MOST_READS = 30_000, 40
_ITEM_METHODS = frozenset(("first", "last", "itemMatching", "at", "find", "findLast", "pop", "shift"))
_LIST_METHODS = frozenset(("all", "filter", "slice", "sort", "reverse"))
_CALLBACKS = frozenset(("map", "filter", "forEach", "find", "findIndex", "some", "every", "flatMap"))
_ALIKE = 70
_MOST_CLOSE = 3

Json = dict[str, Any]
Keys = tuple[str | int, ...]
State = Literal["found", "null", "missing", "not-run", "no-node", "unknown"]


@dataclass(frozen=True, slots=True)
class FieldRead:
    """One read. ``path`` is what is read (``$json.user.name``), ``place`` the dotted place in the failing node.

    ``state`` says what lies there: ``found`` (with its JSON ``type``), ``null``, ``missing`` (with ``close`` paths that are alike
    and do exist), ``not-run`` (the named node gave nothing), ``no-node`` (there is none of that name; ``close`` names are
    alike), ``unknown`` (no data was kept).
    """

    place: str
    path: str
    state: State
    type: str | None = None
    close: tuple[str, ...] = ()


def find_reads(evidence: Evidence) -> tuple[FieldRead, ...]:
    """The reads of the failing node in the order of its parameters, each path once. Never raises on broken code."""
    node = evidence.node(evidence.failing_node)
    found: dict[str, FieldRead] = {}
    for place, code in _codes((node or {}).get("parameters"), "parameters"):
        for reference in _Reader(code).references():
            if reference.path not in found and len(found) < _MOST_READS:
                found[reference.path] = _look_up(evidence, place, reference)
    return tuple(found.values())


def read_path(code: str) -> tuple[str | None, Keys] | None:
    """(node, keys) where the code is one plain read of an item's JSON and nothing else; the node is None for the input."""
    reader = _Reader(f"({code}\n)")
    reference = reader.whole()
    return None if reference is None or reference.level != "json" else (reference.node, reference.keys)


@dataclass(frozen=True, slots=True)
class _Reference:
    """A place in the data: a node (None is the input), how deep into its items, and the keys inside of an item's JSON."""

    node: str | None
    level: Literal["node", "items", "item", "json"]
    keys: Keys = ()

    @property
    def path(self) -> str:
        """The reference as it is written in expressions."""
        start = "$json" if self.node is None else f"$('{self.node}').item.json"
        return start + render_keys(self.keys)


class _Reader:
    """Follows references through one piece of JavaScript; a variable that means several things means nothing."""

    def __init__(self, code: str) -> None:
        self._root = Parser(_LANGUAGE).parse(code.encode()).root_node
        self._variables: dict[str, _Reference | None] = {"$json": _Reference(None, "json"), "$input": _Reference(None, "node")}
        self._variables |= {"items": _Reference(None, "items"), "item": _Reference(None, "item")}

    def references(self) -> Iterator[_Reference]:
        """Every field of an item that is read, the longest chain of each access."""
        nodes = list(_walk(self._root))
        for node in nodes:
            yield from self._bind(node)
        for node in nodes:
            if node.type in ("member_expression", "subscript_expression") and not self._is_inner(node):
                target = node.child_by_field_name("object") if _is_callee(node) else node
                reference = self._resolve(target)
                if reference is not None and reference.level == "json" and reference.keys:
                    yield reference

    def whole(self) -> _Reference | None:
        """What the code as a whole refers to; None where it does anything with it."""
        statements = self._root.named_children
        if self._root.has_error or len(statements) != 1 or statements[0].type != "expression_statement":
            return None
        return self._resolve(statements[0].named_children[0]) if statements[0].named_children else None

    def _is_inner(self, node: Node) -> bool:
        parent = node.parent
        if parent is None or parent.type not in ("member_expression", "subscript_expression"):
            return False
        return parent.child_by_field_name("object") == node and self._resolve(parent) is not None and not _is_callee(parent)

    def _bind(self, node: Node) -> Iterator[_Reference]:
        """Note what a variable stands for; destructuring reads fields by itself."""
        if node.type == "variable_declarator":
            value = self._resolve(node.child_by_field_name("value"))
            yield from self._bind_pattern(node.child_by_field_name("name"), value)
        elif node.type == "for_in_statement":
            value = self._resolve(node.child_by_field_name("right"))
            yield from self._bind_pattern(node.child_by_field_name("left"), _entry(value))
        elif node.type == "call_expression":
            function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
            if function is None or arguments is None or _key(function) not in _CALLBACKS or not arguments.named_children:
                return
            callback = arguments.named_children[0]
            parameter = callback.child_by_field_name("parameter") or next(
                iter(getattr(callback.child_by_field_name("parameters"), "named_children", ())), None
            )
            yield from self._bind_pattern(parameter, _entry(self._resolve(function.child_by_field_name("object"))))

    def _bind_pattern(self, pattern: Node | None, value: _Reference | None) -> Iterator[_Reference]:
        if pattern is None:
            return
        if pattern.type == "identifier":
            name = _source(pattern)
            known = self._variables.get(name, value)
            self._variables[name] = value if known == value or name in ("item", "items") else None
        elif pattern.type == "object_pattern" and value is not None:
            for child in pattern.named_children:
                if child.type == "shorthand_property_identifier_pattern":
                    member = _member(value, _source(child))
                    self._variables[_source(child)] = member
                    if member is not None and member.level == "json" and member.keys:
                        yield member

    def _resolve(self, node: Node | None) -> _Reference | None:
        if node is None:
            return None
        if node.type == "parenthesized_expression" or node.type == "await_expression":
            return self._resolve(node.named_children[0]) if node.named_children else None
        if node.type == "identifier":
            return self._variables.get(_source(node))
        if node.type == "call_expression":
            return self._resolve_call(node)
        if node.type in ("member_expression", "subscript_expression"):
            holder, key = node.child_by_field_name("object"), _key(node)
            if holder is None or key is None:
                return None
            if _source(holder) == "$node":
                return _Reference(str(key), "node")
            value = self._resolve(holder)
            return None if value is None else _member(value, key)
        return None

    def _resolve_call(self, node: Node) -> _Reference | None:
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or arguments is None:
            return None
        if function.type == "identifier":
            name = arguments.named_children[0] if arguments.named_children else None
            is_node = _source(function) == "$" and name is not None and name.type == "string"
            return _Reference(_text(name), "node") if is_node and name is not None else None
        value, method = self._resolve(function.child_by_field_name("object")), _key(function)
        if value is None:
            return None
        if value.level in ("node", "items") and method in _ITEM_METHODS:
            return _Reference(value.node, "item")
        if value.level in ("node", "items") and method in _LIST_METHODS:
            return _Reference(value.node, "items")
        return None


def _member(value: _Reference, key: str | int) -> _Reference | None:
    """What an access to a member of the reference refers to."""
    if value.level == "json":
        return _Reference(value.node, "json", (*value.keys, key))
    if value.level == "items":
        return _Reference(value.node, "item") if isinstance(key, int) else None
    if key == "json":
        return _Reference(value.node, "json")
    return _Reference(value.node, "item") if value.level == "node" and key == "item" else None


def _entry(value: _Reference | None) -> _Reference | None:
    """What a loop's variable refers to."""
    if value is None or value.level not in ("items", "json"):
        return None
    return _Reference(value.node, "item") if value.level == "items" else _member(value, 0)


def _look_up(evidence: Evidence, place: str, reference: _Reference) -> FieldRead:
    """What the recorded data has at the reference."""
    if reference.node is None:
        item: Json | None = failing_item(evidence)
    elif evidence.node(reference.node) is None:
        names = [str(node.get("name")) for node in evidence.workflow["nodes"]]
        return FieldRead(place, reference.path, "no-node", close=_alike(reference.node, names))
    else:
        data = evidence.node_data.get(reference.node)
        if data is None or not data.item_count:
            return FieldRead(place, reference.path, "not-run")
        item = next((branch[0] for branch in data.outputs if branch), None)
    if item is None:
        return FieldRead(place, reference.path, "unknown")
    value: Any = item
    for depth, key in enumerate(reference.keys):
        inner = _step(value, key)
        if inner is _NOTHING:
            if isinstance(value, dict) and len(value) >= MOST_KEYS:
                return FieldRead(place, reference.path, "unknown")  # the item was cut
            close = _close_paths(item, value, reference.keys[:depth], str(key))
            return FieldRead(place, reference.path, "missing", close=close)
        value = inner
    return FieldRead(place, reference.path, "null" if value is None else "found", type=type_name(value))


_NOTHING = object()


def _step(value: Any, key: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(str(key), _NOTHING)
    if isinstance(value, list) and isinstance(key, int):
        return value[key] if key < len(value) else _NOTHING
    return len(value) if isinstance(value, list | str) and key == "length" else _NOTHING


def failing_item(evidence: Evidence) -> Json | None:
    """The input item that failed, else the first one that is known."""
    items = evidence.input_items
    if not items:
        return None
    index = evidence.error.item_index or 0
    return items[index] if 0 <= index < len(items) else items[-1]


def _close_paths(item: Json, holder: Any, way: Keys, key: str) -> tuple[str, ...]:
    """Paths that exist and whose last key is like the missed one: beside it first, then anywhere in the item."""
    beside = {render_keys((*way, name)): str(name) for name in holder} if isinstance(holder, dict) else {}
    inside = {render_keys(path): str(path[-1]) for path in _paths(holder, way)} if isinstance(holder, dict | list) else {}
    anywhere = {render_keys(path): str(path[-1]) for path in _paths(item, ())}
    ranked = [
        (-_likeness(key, name), rank, path)
        for rank, group in enumerate((beside, inside, anywhere))
        for path, name in group.items()
        if _likeness(key, name) >= _ALIKE
    ]
    return tuple(dict.fromkeys(path.removeprefix(".") for _, _, path in sorted(ranked)))[:_MOST_CLOSE]


def _paths(value: Any, start: Keys, depth: int = 4) -> Iterator[Keys]:
    """Every path to a named value; of a list the first entry's."""
    if depth and isinstance(value, dict):
        for key, entry in value.items():
            yield (*start, key)
            yield from _paths(entry, (*start, key), depth - 1)
    elif depth and isinstance(value, list) and value:
        yield from _paths(value[0], (*start, 0), depth - 1)


def _alike(name: str, others: list[str]) -> tuple[str, ...]:
    ranked = sorted((-_likeness(name, other), other) for other in others if _likeness(name, other) >= _ALIKE)
    return tuple(other for _, other in ranked[:_MOST_CLOSE])


def _likeness(left: str, right: str) -> float:
    one, other = (re.sub(r"[_\-\s]", "", name).lower() for name in (left, right))
    if min(len(one), len(other)) >= 4 and (one.endswith(other) or other.endswith(one) or one.startswith(other)):
        return 90.0
    return fuzz.ratio(one, other)


def render_keys(keys: Keys) -> str:
    """The keys as JavaScript writes them: ``.user['first name'][0]``."""
    return "".join(
        f"[{key}]" if isinstance(key, int) else f".{key}" if re.fullmatch(r"[^\W\d]\w*", key) else f"['{key}']" for key in keys
    )


def _codes(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Each piece of JavaScript among the parameters, with its place."""
    if isinstance(value, dict):
        for key, entry in value.items():
            if key in _CODE_PARAMETERS and isinstance(entry, str):
                yield f"{place}.{key}", entry[:_LONGEST_CODE]
            elif key not in _FOREIGN_PARAMETERS:
                yield from _codes(entry, f"{place}.{key}")
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _codes(entry, f"{place}[{index}]")
    elif isinstance(value, str) and value.startswith("="):
        for code in _PLACEHOLDER.findall(value[:_LONGEST_CODE]):
            yield place, f"({code}\n)"


def _walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, in the order of the text; not recursive, since long sums are deep trees."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting += reversed(current.children)


def _is_callee(node: Node) -> bool:
    parent = node.parent
    return parent is not None and parent.type == "call_expression" and parent.child_by_field_name("function") == node


def _key(node: Node) -> str | int | None:
    """The key that an access names; None where it is computed."""
    prop = node.child_by_field_name("property")
    if prop is not None:
        return _source(prop)
    index = node.child_by_field_name("index")
    if index is None:
        return None
    if index.type == "number" and _source(index).isdecimal():
        return int(_source(index))
    return _text(index) if index.type == "string" else None


def _text(node: Node) -> str:
    return _source(node)[1:-1].replace("\\'", "'").replace('\\"', '"')


def _source(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")
