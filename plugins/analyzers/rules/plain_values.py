"""Whether code gives back what can be an item: data, and not a function, a promise or an object of a class."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from plugins.analyzers.rules.javascript import is_code, replace_range, source, walk
from plugins.analyzers.rules.methods import method_names
from plugins.analyzers.rules.trace import FUNCTIONS, Trace

_PROMISES = re.compile(r"(?:Promise\.|fetch\(|axios|\$?this\.helpers|\$helpers|helpers\.)")
_INSTANCES = re.compile(r"(?:DateTime\.(?:now|local|utc|from\w+)\([^)]*\)|\$now|\$today|\$input|\$execution|\$workflow)$")


def is_no_data(trace: Trace, node: Node) -> bool:
    """Whether the value cannot be kept in an item as it is."""
    node = _origin(trace, node)
    text = source(node)
    if node.type in FUNCTIONS or node.type in ("class", "class_declaration", "new_expression", "generator_function"):
        return True
    if _INSTANCES.match(text):
        return True
    if node.type == "member_expression":  # ``$input.all`` without its brackets
        prop = node.child_by_field_name("property")
        return prop is not None and source(prop) in method_names() and not isinstance(trace.value(node), str | int | float)
    if node.type != "call_expression":
        return False
    called = node.child_by_field_name("function")
    made = _origin(trace, called) if called is not None else None
    if called is not None and called.type == "member_expression" and _gives_nothing(called, node):
        return True
    is_async = made is not None and made.type in FUNCTIONS and source(made).startswith("async")
    return is_async or bool(_PROMISES.match(text))


def _gives_nothing(called: Node, call: Node) -> bool:
    """``list.forEach(…)``, and ``list.map((entry) => { … })`` without a return."""
    prop, arguments = called.child_by_field_name("property"), call.child_by_field_name("arguments")
    name = source(prop) if prop is not None else ""
    callback = arguments.named_children[0] if arguments is not None and arguments.named_children else None
    body = callback.child_by_field_name("body") if callback is not None else None
    is_silent = body is not None and body.type == "statement_block" and not list(_returned(body))
    return name in ("forEach", "log") or (name in ("map", "flatMap") and is_silent)


def called_main(trace: Trace, node: Node, code: str) -> str | None:
    """The code with ``return main()`` for ``return main``: a function without parameters that gives items."""
    function = _origin(trace, node)
    if node.type != "identifier" or function.type not in FUNCTIONS or not _is_last(node):
        return None
    parameters, body = function.child_by_field_name("parameters"), function.child_by_field_name("body")
    values = list(_returned(body)) if body is not None and body.type == "statement_block" else []
    if parameters is None or parameters.named_child_count or not values:
        return None
    if not all(re.search(r"\bjson\s*[:}]|^(?:items|\$input\.all\(\))$", source(value)) for value in values):
        return None
    made = replace_range(code, node.end_byte, node.end_byte, "()")
    return made if is_code(made) else None


def changes(body: Node, name: str) -> bool:
    """Whether the code changes the variable, or a member of it."""
    for node in walk(body):
        left = node.child_by_field_name("left") if node.type.endswith("assignment_expression") else None
        if left is not None and re.match(rf"{re.escape(name)}\s*[.\[]", source(left)):
            return True
    return bool(re.search(rf"Object\.assign\(\s*{re.escape(name)}\b|delete\s+{re.escape(name)}\s*[.\[]", source(body)))


def _origin(trace: Trace, node: Node) -> Node:
    for _ in range(8):
        if node.type == "parenthesized_expression" and node.named_children:
            node = node.named_children[0]
        elif node.type == "identifier":
            bound = trace.binding(node)
            declared = _declaration(trace, source(node)) if bound is None else None
            if declared is not None:
                return declared
            if bound is None or bound[0].type != "identifier":
                return node
            node = bound[1]
        else:
            return node
    return node


def _declaration(trace: Trace, name: str) -> Node | None:
    for node in walk(trace.root):
        own = node.child_by_field_name("name") if node.type in ("function_declaration", "class_declaration") else None
        if own is not None and source(own) == name:
            return node
    return None


def _is_last(node: Node) -> bool:
    parent = node.parent
    return (
        parent is not None and parent.type == "return_statement" and parent.parent is not None and parent.parent.type == "program"
    )


def _returned(body: Node) -> Iterator[Node]:
    waiting = [body]
    while waiting:
        current = waiting.pop()
        if current.type == "return_statement":
            yield from current.named_children[:1]
        waiting += [child for child in current.children if child.type not in FUNCTIONS]
