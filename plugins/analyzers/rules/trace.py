"""Follows values through JavaScript by means of the execution's data, to see where a path leaves the data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tree_sitter import Node

from plugins.analyzers.rules.case import Case
from plugins.analyzers.rules.fields import UNDEFINED, UNKNOWN, Keys
from plugins.analyzers.rules.javascript import parse, source, walk

_DEPTH = 60
_CALLBACKS = frozenset(("map", "filter", "forEach", "find", "findIndex", "some", "every", "flatMap", "sort", "findLast"))
_SAME = frozenset(("filter", "slice", "sort", "reverse", "concat", "toSorted", "toReversed", "flat"))
_ELEMENT = frozenset(("find", "pop", "shift", "at", "findLast"))
FUNCTIONS = frozenset(("arrow_function", "function_expression", "function_declaration", "function", "method_definition"))


@dataclass(frozen=True)
class Items:
    """A node's items behind ``$input`` or ``$('Name')``."""

    items: tuple[dict[str, Any], ...]
    binary: bool = False


@dataclass(frozen=True)
class Step:
    """One access of a chain: ``holder`` is the value before it, ``value`` the one after it."""

    node: Node
    object: Node
    key: str | int
    holder: Any
    value: Any


class Trace:
    """Values of the nodes of one piece of code, as far as the evidence's data tells.

    ``pick`` says which entry of a list a loop's variable stands for.
    """

    def __init__(self, case: Case, code: str, pick: int = 0) -> None:
        self.case, self.code, self.pick = case, code, pick
        self.root = parse(code).root_node
        self._busy = 0

    def value(self, node: Node | None) -> Any:
        """The node's value, UNDEFINED or UNKNOWN."""
        if node is None or self._busy > _DEPTH:
            return UNKNOWN
        self._busy += 1
        try:
            method = getattr(self, f"_{node.type}", None)
            return method(node) if method else UNKNOWN
        finally:
            self._busy -= 1

    def steps(self, name: str | None = None, line: int | None = None) -> Iterator[Step]:
        """Every access to a member (of that name, on that line), in the order of the text."""
        for node in walk(self.root):
            if node.type not in ("member_expression", "subscript_expression"):
                continue
            if line is not None and not node.start_point.row <= line - 1 <= node.end_point.row:
                continue
            prop = node.child_by_field_name("property")
            if name is not None and prop is not None and source(prop) != name:
                continue  # its value is not worth following
            if step := self.step(node):
                yield step

    def step(self, node: Node) -> Step | None:
        """The access that a node makes, None where its key is not known."""
        holder = node.child_by_field_name("object")
        key = self._key(node)
        if holder is None or key is None:
            return None
        return Step(node, holder, key, self.value(holder), self.value(node))

    def binding(self, name: Node) -> tuple[Node, Node] | None:
        """Where a variable comes from: the pattern that binds it, and the node whose value (or entry) it takes."""
        return _binding(name)

    # --- values by the type of the syntax node -------------------------------------------------

    def _parenthesized_expression(self, node: Node) -> Any:
        return self.value(node.named_children[0]) if node.named_children else UNKNOWN

    def _expression_statement(self, node: Node) -> Any:
        return self._parenthesized_expression(node)

    _await_expression = _parenthesized_expression

    def _string(self, node: Node) -> Any:
        return source(node)[1:-1]

    def _number(self, node: Node) -> Any:
        try:
            return json.loads(source(node))
        except ValueError:
            return UNKNOWN

    def _true(self, _node: Node) -> Any:
        return True

    def _false(self, _node: Node) -> Any:
        return False

    def _null(self, _node: Node) -> Any:
        return None

    def _array(self, node: Node) -> Any:
        return [self.value(child) for child in node.named_children]

    def _object(self, node: Node) -> Any:
        made: dict[str, Any] = {}
        for child in node.named_children:
            if child.type == "pair" and (key := child.child_by_field_name("key")) is not None:
                made[source(key).strip("'\"")] = self.value(child.child_by_field_name("value"))
            elif child.type == "shorthand_property_identifier":
                made[source(child)] = self._identifier(child)
            else:
                return UNKNOWN
        return made

    def _binary_expression(self, node: Node) -> Any:
        left = self.value(node.child_by_field_name("left"))
        operator = node.child_by_field_name("operator")
        if operator is not None and source(operator) in ("??", "||") and left is not UNKNOWN:
            empty = (UNDEFINED, None) if source(operator) == "??" else (UNDEFINED, None, "", 0, False)
            return self.value(node.child_by_field_name("right")) if any(left is e or left == e for e in empty) else left
        return UNKNOWN

    def _identifier(self, node: Node) -> Any:
        name = source(node)
        if name == "undefined":
            return UNDEFINED
        bound = _binding(node)
        if bound is None:
            return self._global(name)
        pattern, origin = bound
        value = self.value(origin)
        if pattern.type in ("arrow_function", "for_in_statement") or _is_entry(pattern):
            value = self._entry(value)
        return _destructured(pattern, name, value)

    def _global(self, name: str) -> Any:
        case = self.case
        if name == "$json":
            return case.item or UNKNOWN
        if name in ("$input", "items", "item"):
            return self._input(name)
        return UNKNOWN

    def _input(self, name: str) -> Any:
        items = tuple(self.case.evidence.input_items)
        if not items:
            return UNKNOWN
        if name == "items":
            return [_item(json_) for json_ in items]
        return _item(self.case.item) if name == "item" else Items(items)

    def _entry(self, value: Any) -> Any:
        if isinstance(value, list):
            return value[min(self.pick, len(value) - 1)] if value else UNKNOWN
        return UNKNOWN

    def _member_expression(self, node: Node) -> Any:
        return self._access(node)

    def _subscript_expression(self, node: Node) -> Any:
        return self._access(node)

    def _access(self, node: Node) -> Any:
        key = self._key(node)
        holder_node = node.child_by_field_name("object")
        if key is None or holder_node is None:
            return UNKNOWN
        if source(holder_node) == "$node":
            return self._node_items(str(key))
        return _member(self.value(holder_node), key, self.case)

    def _key(self, node: Node) -> str | int | None:
        if node.type == "member_expression":
            prop = node.child_by_field_name("property")
            return source(prop) if prop is not None else None
        index = node.child_by_field_name("index")
        value = self.value(index)
        return value if isinstance(value, str | int) and not isinstance(value, bool) else None

    def _node_items(self, name: str) -> Any:
        items = self.case.output(name)
        return Items(tuple(items)) if items else UNKNOWN

    def _call_expression(self, node: Node) -> Any:
        function = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments")
        given = arguments.named_children if arguments is not None else []
        if function is None:
            return UNKNOWN
        if function.type == "identifier":
            return self._call_global(source(function), given)
        if source(function) == "JSON.parse" and given:
            return _parsed(self.value(given[0]))
        if function.type == "member_expression" and (prop := function.child_by_field_name("property")) is not None:
            return self._call_method(self.value(function.child_by_field_name("object")), source(prop), given)
        return UNKNOWN

    def _call_global(self, name: str, given: list[Node]) -> Any:
        if name in ("$", "$items") and given:
            value = self._node_items(str(self.value(given[0])))
            return [_item(json_) for json_ in value.items] if name == "$items" and isinstance(value, Items) else value
        return UNKNOWN

    def _call_method(self, holder: Any, name: str, given: list[Node]) -> Any:
        if isinstance(holder, Items):
            return _from_items(holder, name, [self.value(argument) for argument in given], self.case)
        if isinstance(holder, list):
            if name in _SAME:
                return holder
            if name in _ELEMENT:
                return self._entry(holder)
            if name == "map" and given:
                return self._mapped(holder, given[0])
        if isinstance(holder, str):
            if name == "split":
                separator = self.value(given[0]) if given else UNKNOWN
                return holder.split(separator) if isinstance(separator, str) and separator else UNKNOWN
            return holder
        return UNKNOWN

    def _mapped(self, holder: list[Any], callback: Node) -> Any:
        body = callback.child_by_field_name("body")
        if body is None or body.type == "statement_block" or not holder:
            return UNKNOWN
        return [Trace(self.case, self.code, pick).value(body) for pick in range(min(len(holder), 5))]


def _member(holder: Any, key: str | int, case: Case) -> Any:
    if holder is UNKNOWN or holder is UNDEFINED or holder is None:
        return UNKNOWN if holder is UNKNOWN else UNDEFINED
    if isinstance(holder, Items):
        if key == "item":
            index = case.error.item_index or 0
            return _item(holder.items[min(index, len(holder.items) - 1)])
        return holder.items[0] if key == "json" else UNKNOWN
    if isinstance(holder, dict):
        if key == "binary" and "json" in holder:
            return UNKNOWN
        return holder.get(str(key), UNDEFINED)
    if isinstance(holder, list):
        if isinstance(key, int):
            return holder[key] if 0 <= key < len(holder) else UNDEFINED
        return len(holder) if key == "length" else UNKNOWN if key in _CALLBACKS | _SAME | _ELEMENT else UNDEFINED
    if isinstance(holder, str):
        return len(holder) if key == "length" else UNDEFINED
    return UNDEFINED


def _from_items(holder: Items, name: str, given: list[Any], case: Case) -> Any:
    items = [_item(json_) for json_ in holder.items]
    if name == "first":
        return items[0]
    if name == "last":
        return items[-1]
    if name == "all":
        return items
    if name == "itemMatching" and given and isinstance(given[0], int):
        return items[given[0]] if given[0] < len(items) else UNDEFINED
    return UNKNOWN


def _item(json_: dict[str, Any]) -> dict[str, Any]:
    return {"json": json_}


def _parsed(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else UNKNOWN
    except ValueError:
        return UNKNOWN


def _binding(name: Node) -> tuple[Node, Node] | None:
    """The nearest declaration before the name whose pattern holds it."""
    wanted, child, scope = source(name), name, name.parent
    while scope is not None:
        found = _bound_in(scope, child, wanted)
        if found:
            return found
        child, scope = scope, scope.parent
    return None


def _bound_in(scope: Node, child: Node, wanted: str) -> tuple[Node, Node] | None:
    if scope.type in FUNCTIONS:
        return _parameter(scope, wanted)
    if scope.type == "for_in_statement" and child == scope.child_by_field_name("body"):
        left, right = scope.child_by_field_name("left"), scope.child_by_field_name("right")
        if left is not None and right is not None and wanted in _names(left):
            return scope, right
    if scope.type in ("program", "statement_block"):
        earlier = (found for found in reversed(_declared(scope).get(wanted, [])) if found[0].start_byte < child.start_byte)
        return next(earlier, None)
    return None


@lru_cache(maxsize=256)
def _declared(scope: Node) -> dict[str, list[tuple[Node, Node]]]:
    """The variables that a block declares: for each name its patterns and values, in the order of the text."""
    found: dict[str, list[tuple[Node, Node]]] = {}
    for statement in scope.named_children:
        for declarator in statement.named_children if statement.type.endswith("_declaration") else ():
            pattern, value = declarator.child_by_field_name("name"), declarator.child_by_field_name("value")
            for name in _names(pattern) if pattern is not None and value is not None else ():
                found.setdefault(name, []).append((pattern, value))  # type: ignore[arg-type]
    return found


def _parameter(function: Node, wanted: str) -> tuple[Node, Node] | None:
    """The list that a callback's parameter runs over: ``list.map((entry) => …)``."""
    single = function.child_by_field_name("parameter")
    several = function.child_by_field_name("parameters")
    names = [single] if single is not None else several.named_children if several is not None else []
    position = next((index for index, pattern in enumerate(names) if wanted in _names(pattern)), None)
    call = function.parent.parent if function.parent is not None and function.parent.type == "arguments" else None
    if position is None or call is None:
        return None
    method = call.child_by_field_name("function")
    prop = method.child_by_field_name("property") if method is not None else None
    holder = method.child_by_field_name("object") if method is not None else None
    if prop is None or holder is None:
        return None
    is_entry = (source(prop) in _CALLBACKS and position == 0) or (source(prop) == "reduce" and position == 1)
    return (names[position], holder) if is_entry else None


def _is_entry(pattern: Node) -> bool:
    """Whether the pattern is a callback's parameter, which takes the entries of a list."""
    parent = pattern.parent
    return parent is not None and (parent.type == "formal_parameters" or parent.type == "arrow_function")


def _names(pattern: Node) -> set[str]:
    kinds = ("identifier", "shorthand_property_identifier_pattern")
    return {source(node) for node in walk(pattern) if node.type in kinds}


def path_in_pattern(pattern: Node, wanted: str) -> Keys | None:
    """The keys that lead to a name in ``{ a: { b } }``; empty for a plain name."""
    if pattern.type == "for_in_statement":
        left = pattern.child_by_field_name("left")
        return path_in_pattern(left, wanted) if left is not None else None
    if pattern.type == "identifier":
        return () if source(pattern) == wanted else None
    if pattern.type == "shorthand_property_identifier_pattern":
        return (wanted,) if source(pattern) == wanted else None
    for child in pattern.named_children if pattern.type == "object_pattern" else ():
        if child.type == "pair_pattern":
            key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
            inner = path_in_pattern(value, wanted) if value is not None else None
            if key is not None and inner is not None:
                return (source(key), *inner)
        elif (found := path_in_pattern(child, wanted)) is not None:
            return found
    return None


def _destructured(pattern: Node, name: str, value: Any) -> Any:
    path = path_in_pattern(pattern, name)
    if path is None:
        return UNKNOWN
    for key in path:
        value = UNKNOWN if not isinstance(value, dict) else value.get(str(key), UNDEFINED)
    return value
