"""Repairs what the code of a Code node gives back: n8n wants a list of ``{ json: {…} }``, or one of them in each-item mode."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tree_sitter import Node

from plugins.analyzers.rules.case import Case
from plugins.analyzers.rules.fields import UNDEFINED, UNKNOWN
from plugins.analyzers.rules.javascript import is_code, parse, replace_range, source, walk
from plugins.analyzers.rules.plain_values import called_main, changes, is_no_data
from plugins.analyzers.rules.trace import FUNCTIONS, Trace

_ITEM_KEYS = frozenset(("json", "binary", "pairedItem", "error", "index", "evaluationData"))


def returned_values(code: str) -> list[Node]:
    """What the code itself returns, leaving out the functions inside it."""
    return [child for node in _own_returns(parse(code).root_node) for child in node.named_children[:1]]


def _own_returns(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if current.type == "return_statement":
            yield current
        waiting += reversed([child for child in current.children if child.type not in FUNCTIONS])


def repair_return(case: Case, code: str, *, each_item: bool) -> str | None:
    """The code with its returns brought to the shape that the mode wants."""
    returns = list(_own_returns(parse(code).root_node))
    if not returns:
        return add_return(code)
    trace = Trace(case, code)
    for statement in reversed(returns):
        value = statement.named_children[0] if statement.named_children else None
        if value is None or value.type in ("null", "undefined"):
            return None
        looped = _looped(value)
        if looped is None and is_no_data(trace, value):
            return called_main(trace, value, code) if len(returns) == 1 else None
        new = looped or (_one_item(case, trace, value) if each_item else _item_list(case, trace, value))
        if new is None:
            return None
        code = replace_range(code, value.start_byte, value.end_byte, new)
    return code if is_code(code) else None


def _looped(node: Node) -> str | None:
    """A callback that gives nothing, of ``forEach`` or of ``map`` without a return: its changed entry is meant."""
    function = node.child_by_field_name("function") if node.type == "call_expression" else None
    prop = function.child_by_field_name("property") if function is not None else None
    holder = function.child_by_field_name("object") if function is not None else None
    callback = node.child_by_field_name("arguments")
    if prop is None or holder is None or callback is None or not callback.named_children:
        return None
    body = callback.named_children[0].child_by_field_name("body")
    if source(prop) not in ("forEach", "map") or (source(prop) == "map" and (body is None or list(_own_returns(body)))):
        return None
    if body is not None and (made := _meant_object(node, body)):
        return made
    parameter = callback.named_children[0].child_by_field_name("parameter") or callback.named_children[0].named_children[0]
    if body is None or body.type != "statement_block" or not changes(body, source(parameter).strip("()")):
        return None  # what it makes is not in its entry
    end = source(body)[:-1].rstrip() + f" return {source(parameter).strip('()')}; }}"
    start = source(node)[: body.start_byte - node.start_byte].replace(".forEach(", ".map(", 1)
    return f"{start}{end})"


def _meant_object(call: Node, body: Node) -> str | None:
    """``(entry) => { json: entry }`` is a block with a label: the object that was meant, in brackets."""
    if body.type != "statement_block" or [child.type for child in body.named_children] != ["labeled_statement"]:
        return None
    code = source(call)
    start, end = body.start_byte - call.start_byte, body.end_byte - call.start_byte
    made = replace_range(code, start, end, f"({source(body)})")
    return made if is_code(f"return {made};") else None


def add_return(code: str) -> str | None:
    """A return of what the last statement made."""
    statements = [node for node in parse(code).root_node.named_children if node.type != "comment"]
    last = statements[-1] if statements else None
    if last is None:
        return None
    if last.type == "expression_statement" and _gives_value(last.named_children[0]):
        return replace_range(code, last.start_byte, last.start_byte, "return ")
    if last.type in ("lexical_declaration", "variable_declaration"):
        name = last.named_children[-1].child_by_field_name("name")
        value = last.named_children[-1].child_by_field_name("value")
        if (
            name is not None
            and name.type == "identifier"
            and value is not None
            and value.type in ("array", "call_expression", "object", "identifier")
        ):
            return f"{code.rstrip()}\nreturn {source(name)};"
    filled = set(re.findall(r"\b([A-Za-z_$][\w$]*)\.push\(\s*\{\s*json\b", code)) or _changed_items(last)
    return f"{code.rstrip()}\nreturn {filled.pop()};" if len(filled) == 1 else None


def _gives_value(node: Node) -> bool:
    """Whether an expression is there for what it gives, and not for what it does."""
    if node.type in ("assignment_expression", "augmented_assignment_expression", "update_expression"):
        return False
    function = node.child_by_field_name("function") if node.type == "call_expression" else None
    prop = function.child_by_field_name("property") if function is not None else None
    return prop is None or source(prop) not in ("push", "unshift", "forEach", "log", "warn", "set", "add", "delete", "assign")


def _changed_items(loop: Node) -> set[str]:
    """The items over which the last loop runs, where it changes the items themselves."""
    left, right, body = (loop.child_by_field_name(name) for name in ("left", "right", "body"))
    if loop.type != "for_in_statement" or left is None or right is None or body is None:
        return set()
    names = re.findall(r"[A-Za-z_$][\w$]*", source(left))
    is_input = source(right) in ("$input.all()", "items")
    return {source(right)} if is_input and any(changes(body, name) for name in names) else set()


def _item_list(case: Case, trace: Trace, node: Node) -> str:
    value, code = trace.value(node), source(node)
    if node.type == "array" or isinstance(value, list):
        entry = value[0] if isinstance(value, list) and value else UNKNOWN
        if isinstance(entry, dict) and "json" in entry:
            return code
        if isinstance(entry, list):
            return f"({code}).flat()"
        key = field_name(case, "value")
        inner = "{ json: value }" if isinstance(entry, dict) else f"{{ json: {{ {key}: value }} }}"
        return f"({code}).map((value) => ({inner}))"
    if _is_scalar(value) or node.type in ("number", "string", "template_string", "true", "false", "binary_expression"):
        return f"[{{ json: {{ {_field(case, node)} }} }}]"
    if isinstance(value, dict) or node.type == "object":
        return f"[{code}]" if isinstance(value, dict) and "json" in value else f"[{{ json: {code} }}]"
    key = _key(case, node)
    return (
        f"[].concat({code}).map((value) => ({{ json: value !== null && typeof value === 'object' ? value : {{ "
        f"{key}: value }} }}))"
    )


def _one_item(case: Case, trace: Trace, node: Node) -> str | None:
    if node.type == "array" and node.named_child_count == 1:
        return source(node.named_children[0])
    value = trace.value(node)
    if node.type == "object" or isinstance(value, dict):
        return source(node) if isinstance(value, dict) and isinstance(value.get("json"), dict) else f"{{ json: {source(node)} }}"
    if node.type == "array" or isinstance(value, list):
        return None
    return f"{{ json: {{ {_field(case, node)} }} }}"


def repair_json_property(case: Case, code: str) -> str | None:
    """The code with every ``json: value`` that is no object wrapped into one."""
    trace, changed = Trace(case, code), code
    pairs = [node for node in walk(trace.root) if node.type == "pair" and _key_of(node) == "json"]
    for pair in reversed(pairs):
        value = pair.child_by_field_name("value")
        if value is None or value.type == "object" or isinstance(trace.value(value), dict):
            continue
        single = _sole_item(pair)
        entries = trace.value(value)
        if single is not None and isinstance(entries, list) and entries and all(isinstance(entry, dict) for entry in entries):
            mapped = f"({source(value)}).map((entry) => ({{ json: entry }}))"
            changed = replace_range(changed, single.start_byte, single.end_byte, mapped)
            continue
        new = f"{{ {_field(case, value)} }}"
        changed = replace_range(changed, value.start_byte, value.end_byte, new)
    return changed if changed != code and is_code(changed) else None


def _sole_item(pair: Node) -> Node | None:
    """The whole of ``{ json: rows }`` or ``[{ json: rows }]`` where it is returned and has nothing but that pair."""
    item = pair.parent
    if item is None or item.named_child_count != 1 or item.parent is None:
        return None
    if item.parent.type == "return_statement":
        return item
    holder = item.parent
    is_sole = holder.type == "array" and holder.named_child_count == 1 and holder.parent is not None
    return holder if is_sole and holder.parent is not None and holder.parent.type == "return_statement" else None


def repair_extra_keys(code: str) -> str | None:
    """The code with what stands beside ``json`` moved into it."""
    for node in walk(parse(code).root_node):
        if node.type != "object":
            continue
        children = [child for child in node.named_children if child.type in ("pair", "shorthand_property_identifier")]
        inner = next((child for child in children if _key_of(child) == "json"), None)
        extra = [child for child in children if _key_of(child) not in _ITEM_KEYS]
        value = inner.child_by_field_name("value") if inner is not None else None
        if value is None or not extra:
            continue
        own = source(value)[1:-1].strip().rstrip(",") if value.type == "object" else f"...{source(value)}"
        moved = ", ".join(part for part in (own, *(source(child) for child in extra)) if part)
        kept = [source(child) for child in children if _key_of(child) in _ITEM_KEYS and child is not inner]
        new = ", ".join([f"json: {{ {moved} }}", *kept])
        changed = replace_range(code, node.start_byte, node.end_byte, f"{{ {new} }}")
        return changed if is_code(changed) else None
    return None


def _key_of(node: Node) -> str:
    key = node.child_by_field_name("key")
    return source(key).strip("'\"") if key is not None else source(node)


def _field(case: Case, node: Node) -> str:
    """``words: text.length``, or short ``total`` where the variable has that name already."""
    key, code = _key(case, node), source(node)
    return key if key == code else f"{key}: {code}"


def _key(case: Case, node: Node) -> str:
    return field_name(case, source(node) if node.type == "identifier" else "result")


def field_name(case: Case, otherwise: str) -> str:
    """The field that the next nodes read, where they read exactly one."""
    read = {
        field
        for name in case.children
        for _, value in case.texts(case.evidence.node(name) or {})
        for field in re.findall(r"(?:\$json|\.json)\??\.([A-Za-z_$][\w$]*)", value)
    }
    return read.pop() if len(read) == 1 else otherwise


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float | bool) and value is not UNDEFINED
