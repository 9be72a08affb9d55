"""What else the code does with a variable: a repair at one use leaves wrong data behind where the other uses stay lost."""

from __future__ import annotations

import json
from typing import Any

from tree_sitter import Node

from plugins.analyzers.rules.fields import UNDEFINED, UNKNOWN
from plugins.analyzers.rules.javascript import is_code, replace_range, source, walk
from plugins.analyzers.rules.trace import Trace


def lost_uses(trace: Trace, holder: Node, key: str) -> list[str]:
    """The other members that are read from the same value and are not in it either; ``?.`` and defaults expect that."""
    text, found = source(holder), []
    if holder.type not in ("identifier", "member_expression", "subscript_expression"):
        return []
    for node in walk(trace.root):
        if node.type not in ("member_expression", "subscript_expression") or node.child_by_field_name("object") == holder:
            continue
        step = trace.step(node) if source(node).startswith(text) else None
        if step is None or source(step.object) != text or step.value is not UNDEFINED or _is_optional(node):
            continue
        if str(step.key) == key:
            continue  # the very reading, which is mended everywhere
        found.append(str(step.key))
    return found


def _is_optional(node: Node) -> bool:
    if "?." in source(node):
        return True
    parent = node.parent
    operator = parent.child_by_field_name("operator") if parent is not None and parent.type == "binary_expression" else None
    return operator is not None and source(operator) in ("||", "??", "&&")


def parsed_at_definition(trace: Trace, variable: Node) -> tuple[str, str] | None:
    """The code with a variable parsed where it is defined, and the new definition: it holds JSON as a text."""
    bound = trace.binding(variable) if variable.type == "identifier" else None
    text = trace.value(variable)
    if bound is None or bound[0].type != "identifier" or not isinstance(text, str) or not isinstance(_parsed(text), dict):
        return None
    now = f"JSON.parse({source(bound[1])})"
    code = replace_range(trace.code, bound[1].start_byte, bound[1].end_byte, now)
    return (code, now) if is_code(code) else None


def reads_of_entries(trace: Trace, entries: Any, list_node: Node) -> bool:
    """Whether all that the code reads from the entries of the list is in each of these: then it is the list that was meant."""
    names, body = _loop_variable(list_node)
    rows = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    if not names or body is None or not rows or len(rows) != len(entries):
        return False
    keys = {
        source(prop)
        for node in walk(body)
        if node.type == "member_expression"
        and (prop := node.child_by_field_name("property")) is not None
        and (holder := node.child_by_field_name("object")) is not None
        and source(holder) == names
    }
    return len(keys) > 1 and all(keys <= row.keys() for row in rows)


def _loop_variable(list_node: Node) -> tuple[str, Node | None]:
    """The variable that stands for an entry of the list, and the code that it stands in."""
    parent = list_node.parent
    if parent is None:
        return "", None
    if parent.type == "for_in_statement" and parent.child_by_field_name("right") == list_node:
        left = parent.child_by_field_name("left")
        return (source(left) if left is not None and left.type == "identifier" else ""), parent.child_by_field_name("body")
    call = parent.parent
    arguments = call.child_by_field_name("arguments") if call is not None and call.type == "call_expression" else None
    callback = arguments.named_children[0] if arguments is not None and arguments.named_children else None
    if callback is None:
        return "", None
    single = callback.child_by_field_name("parameter") or callback.child_by_field_name("parameters")
    return (source(single).strip("()") if single is not None else ""), callback.child_by_field_name("body")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return UNKNOWN
