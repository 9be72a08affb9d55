"""Slips in how functions of n8n and Luxon are called, which JavaScript lets pass: ``$input.first.json``, ``diff(…).asDays()``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tree_sitter import Node

from plugins.analyzers.rules.javascript import parse, replace_range, source, walk

#: What only a call gives the items of, and the word that other versions of n8n and other objects have for it.
_ITEMS = {"first": "first()", "last": "last()", "all": "all()", "items": "all()"}
_NODE = re.compile(r"\$input|\$\(\s*(['\"`])[^'\"`]+\1\s*\)")
_UNIT = re.compile(r"(?:as|in|to)(Years|Quarters|Months|Weeks|Days|Hours|Minutes|Seconds|Milliseconds)")
#: What gives a Luxon ``Duration``.
_DURATIONS = frozenset(("diff", "diffNow", "fromObject", "fromMillis", "fromISO"))


def called(code: str) -> str | None:
    """The code with ``$input.first.json`` as ``$input.first().json``; None where there is nothing to change."""
    return _changed(code, _called)


def in_units(code: str) -> str | None:
    """The code with ``end.diff(start).asDays()`` as Luxon has it: ``.as('days')``; None where there is nothing to change."""
    return _changed(code, _in_units)


def queried(code: str) -> str | None:
    """The code with ``$jmespath('query', data)`` the right way round; None where there is nothing to change."""
    return _changed(code, _queried)


def _changed(code: str, change: Callable[[Node], tuple[int, int, str] | None]) -> str | None:
    changes = [made for node in walk(parse(code).root_node) if (made := change(node))]
    for start, end, new in sorted(changes, reverse=True):
        code = replace_range(code, start, end, new)
    return code if changes else None


def is_called(node: Node) -> bool:
    """Whether the node is the function of a call."""
    parent = node.parent
    return parent is not None and parent.type == "call_expression" and parent.child_by_field_name("function") == node


def _called(node: Node) -> tuple[int, int, str] | None:
    prop, holder = node.child_by_field_name("property"), node.child_by_field_name("object")
    if node.type != "member_expression" or prop is None or holder is None or not _NODE.fullmatch(source(holder)):
        return None
    if not is_called(node):
        name = _ITEMS.get(source(prop))
        return (prop.start_byte, prop.end_byte, name) if name else None
    call = node.parent
    if source(prop) == "item" and call is not None and source(call).endswith(".item()"):
        return prop.start_byte, call.end_byte, "item"
    return (prop.start_byte, prop.end_byte, "all") if source(prop) == "items" else None


def _in_units(node: Node) -> tuple[int, int, str] | None:
    function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if node.type != "call_expression" or function is None or arguments is None or arguments.named_children:
        return None
    prop, holder = function.child_by_field_name("property"), function.child_by_field_name("object")
    unit = _UNIT.fullmatch(source(prop)) if prop is not None else None
    if prop is None or holder is None or not unit or not _gives_duration(holder):
        return None
    return prop.start_byte, node.end_byte, f"as('{unit.group(1).lower()}')"


def _gives_duration(node: Node) -> bool:
    function = node.child_by_field_name("function") if node.type == "call_expression" else None
    prop = function.child_by_field_name("property") if function is not None else None
    holder = function.child_by_field_name("object") if function is not None else None
    if prop is None or holder is None or source(prop) not in _DURATIONS:
        return False
    return source(prop).startswith("diff") or source(holder) == "Duration"


def _queried(node: Node) -> tuple[int, int, str] | None:
    function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if node.type != "call_expression" or function is None or arguments is None:
        return None
    given = arguments.named_children
    if source(function).lower() != "$jmespath" or len(given) != 2 or given[0].type != "string" or given[1].type == "string":
        return None
    return given[0].start_byte, given[1].end_byte, f"{source(given[1])}, {source(given[0])}"


#: What gives a promise in a Code node.
_PROMISED = re.compile(
    r"(?:this|\$)\.?helpers\.(?:httpRequest(?:WithAuthentication)?(?:\.call)?|request(?:WithAuthentication)?(?:\.call)?"
    r"|getBinaryDataBuffer|prepareBinaryData)"
)
_FUNCTIONS = frozenset(("arrow_function", "function_expression", "function_declaration", "function", "method_definition"))


def awaited(code: str) -> str | None:
    """The code with ``await`` before each request whose promise is taken for the answer; None where there is none."""
    return _changed(code, _awaited)


def _awaited(node: Node) -> tuple[int, int, str] | None:
    function = node.child_by_field_name("function")
    if node.type != "call_expression" or function is None or not _PROMISED.fullmatch(source(function)) or not _may_wait(node):
        return None
    parent = node.parent
    if parent is not None and parent.type in ("member_expression", "subscript_expression"):
        prop = parent.child_by_field_name("property")
        if prop is not None and source(prop) in ("then", "catch", "finally"):
            return None
        return node.start_byte, node.end_byte, f"(await {source(node)})"
    if parent is None or parent.type != "variable_declarator" or not _is_read(parent):
        return None
    return node.start_byte, node.start_byte, "await "


def _may_wait(node: Node) -> bool:
    """Whether the place is in an async function, or in none: n8n runs the code itself in one."""
    return all(source(above).startswith("async") for above in _above(node) if above.type in _FUNCTIONS)


def _is_read(declarator: Node) -> bool:
    """Whether the declared variable is read as if it were the answer, and is awaited nowhere."""
    name = declarator.child_by_field_name("name")
    if name is None or name.type != "identifier":
        return name is not None and name.type == "object_pattern"
    root = next(above for above in _above(name) if above.parent is None)
    uses = [use for use in walk(root) if use.type == "identifier" and source(use) == source(name) and use != name]
    parents = [use.parent for use in uses if use.parent is not None]
    reads = [parent for parent in parents if parent.type in ("member_expression", "subscript_expression", "for_in_statement")]
    props = [parent.child_by_field_name("property") for parent in reads]
    waits = any(parent.type in ("await_expression", "array", "arguments") for parent in parents)
    return bool(reads) and not waits and not any(prop is not None and source(prop) == "then" for prop in props)


def _above(node: Node) -> Iterator[Node]:
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent
