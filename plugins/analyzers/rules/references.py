"""Finds references that lead nowhere in the execution's data, and where they should have led."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from tree_sitter import Node

from plugins.analyzers.rules.case import Case, Path
from plugins.analyzers.rules.fields import UNDEFINED, Keys, dig, find_path, render, similarity, supports
from plugins.analyzers.rules.javascript import replace_range, source
from plugins.analyzers.rules.likeness import is_envelope, is_of_its_holder
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.repeated_uses import lost_uses, parsed_at_definition, reads_of_entries
from plugins.analyzers.rules.templates import is_template, placeholders
from plugins.analyzers.rules.trace import Step, Trace, path_in_pattern

#: Parameters that hold code of their own, which is not evaluated as an expression.
_CODE_PARAMETERS = frozenset(("jsCode", "pythonCode", "functionCode", "workflowJson"))
#: How many entries of a list a loop is tried with.
_PICKS = 5
#: Mends of one expression.
_MOST_MENDS = 4
#: How certain a field is that only fits what is read from it, whatever its name.
_GUESSED = 0.6
_RESPONSE_FORMAT: Path = ("parameters", "options", "response", "response", "responseFormat")


@dataclass(frozen=True)
class Mend:
    """Code with its reference led to where the data lies."""

    code: str
    was: str
    now: str
    certainty: float


@dataclass(frozen=True)
class Lost:
    """One reference in a parameter that gave nothing, with the edit that mends the parameter where one is known."""

    path: Path
    reference: str
    edit: Edit | None
    now: str = ""
    certainty: float = 0.5
    #: The expression says itself what holds where the field is missing.
    has_default: bool = False


def lost_references(case: Case) -> list[Lost]:
    """Every expression of the failing node that reads a field which the data does not have."""
    found: list[Lost] = []
    for path, text in case.texts():
        if is_template(text) and path[-1] not in _CODE_PARAMETERS:
            found += _lost_in_text(case, path, text)
    return found


def _lost_in_text(case: Case, path: Path, text: str) -> list[Lost]:
    """The lost references of one parameter; all of its mends stand in one edit."""
    made: list[tuple[str, Mend | None, bool]] = []
    new, is_whole = text, bool(re.fullmatch(r"=\s*\{\{[\s\S]*\}\}\s*", text)) and len(placeholders(text)) == 1
    for placeholder in reversed(placeholders(text)):
        code = placeholder.code
        for _ in range(_MOST_MENDS):
            fault = _first_fault(Trace(case, code))
            if not fault:
                break
            mend = mend_step(case, *fault, inside_code=False, is_whole=is_whole)
            made.append((source(fault[1].node), mend, _has_default(fault[1].node)))
            if mend is None:
                break
            code = mend.code
        new = new[: placeholder.start] + code + new[placeholder.end :]
    edit = Edit(str(case.name), path, new) if new != text else None
    return [
        Lost(path, mend.was, edit, mend.now, mend.certainty, default)
        if mend
        else Lost(path, reference, None, has_default=default)
        for reference, mend, default in reversed(made)
    ]


def _has_default(node: Node) -> bool:
    """Whether the access is the left side of ``||`` or ``??``, or what ``?:`` asks."""
    parent = node.parent
    while parent is not None and parent.type in ("member_expression", "call_expression", "parenthesized_expression"):
        node, parent = parent, parent.parent
    if parent is None:
        return False
    if parent.type == "binary_expression":
        operator = parent.child_by_field_name("operator")
        return operator is not None and source(operator) in ("||", "??") and parent.child_by_field_name("left") == node
    return parent.type == "ternary_expression" and parent.child_by_field_name("condition") == node


def _first_fault(trace: Trace) -> tuple[Trace, Step] | None:
    for step in trace.steps():
        if step.value is UNDEFINED and not _is_called(step.node) and isinstance(step.holder, dict | list | str):
            return trace, step
    return None


def _is_called(node: Node) -> bool:
    parent = node.parent
    return parent is not None and parent.type == "call_expression" and parent.child_by_field_name("function") == node


def mend_step(case: Case, trace: Trace, step: Step, *, inside_code: bool, is_whole: bool = True) -> Mend | None:
    """The code with a failing access led to the field that was meant: near it first, then higher up, then elsewhere.

    ``is_whole`` is False where the value is put into a text, so that only a plain value can be meant.
    """
    wanted = member_read(step.node)
    key = str(step.key)
    if isinstance(step.holder, str) and "[object Object]" in step.holder:
        return None  # an object that was made a text on its way: nothing can be read from it

    def fits(entry: Any) -> bool:
        return supports(entry, wanted) and (wanted is not None or inside_code or is_whole or not isinstance(entry, dict | list))

    if whole := _key_with_dots(step):
        return _led(trace, step.object, whole[0], render((whole[1],)), 0.95)
    base: Node | None = step.object
    while base is not None:
        value = trace.value(base)
        if base != step.object and not _only_wraps(trace, base, step.object):
            break  # what lies higher up is somebody else's: the employee's name instead of the manager's
        if isinstance(value, dict):
            found = find_path(value, key, fits)
            # Without a further access every field would fit, so the name itself has to be alike; a container has to have it.
            if found and (wanted is not None or _is_alike(value, found, key)):
                return _led(trace, base, step.node, render(found[0]), found[1])
            if base == step.object and (rows := _same_entries(trace, step, value)):
                return _led(trace, base, step.node, render(rows), _GUESSED)
        elif inner := _one_level_down(value, key, wanted):
            way, certainty = inner
            if isinstance(value, list) and not _is_single(trace, base):
                return None
            if isinstance(value, str) and inside_code and lost_uses(trace, base, key):
                made = parsed_at_definition(trace, base)
                return Mend(made[0], source(base), made[1], certainty) if made and way == (key,) else None
            before, after = ("JSON.parse(", ")") if isinstance(value, str) else ("", "")
            return _wrapped(trace, base, step.node, before, after + render(way), certainty)
        base = base.child_by_field_name("object") if base.type in ("member_expression", "subscript_expression") else None
    elsewhere = _other_node(case, key, wanted, inside_code=inside_code) if _reads_input(step) else None
    if elsewhere:
        code = replace_range(trace.code, step.node.start_byte, step.node.end_byte, elsewhere)
        return Mend(code, source(step.node), elsewhere, 0.6)
    return None


def _only_wraps(trace: Trace, base: Node, inner: Node) -> bool:
    """Whether the accesses between the two lead through wrappings only, such as ``body`` and ``data``."""
    while inner != base:
        key = trace.step(inner)
        following = inner.child_by_field_name("object")
        if key is None or following is None or not is_envelope(key.key):
            return False
        inner = following
    return True


def _same_entries(trace: Trace, step: Step, holder: dict[str, Any]) -> Keys | None:
    """The only list of the holder, where its entries have all that the code reads from the entries of the missing one."""
    lists = [key for key, value in holder.items() if isinstance(value, list)]
    return (lists[0],) if len(lists) == 1 and reads_of_entries(trace, holder[lists[0]], step.node) else None


def _is_single(trace: Trace, node: Node) -> bool:
    """Whether the list's first entry is meant in every item: the only one, or of a kind that the others are not of."""
    values = [Trace(trace.case, trace.code, pick).value(node) for pick in range(_PICKS)]
    lists = [value for value in values if isinstance(value, list) and value]
    if all(len(value) == 1 for value in lists):
        return True
    for key in ("type", "kind", "role", "label"):
        firsts = {str(dig(value[0], (key,))) for value in lists}
        others = {str(dig(entry, (key,))) for value in lists for entry in value[1:]}
        if len(firsts) == 1 and len(lists) > 1 and str(UNDEFINED) not in firsts and not firsts & others:
            return True
    return False


def _key_with_dots(step: Step) -> tuple[Node, str] | None:
    """The access and the key where ``$json.ship.city`` was written for the one key ``ship.city``."""
    node, key = step.node, str(step.key)
    while isinstance(step.holder, dict) and node.type == "member_expression" and node.parent is not None:
        node = node.parent
        prop = node.child_by_field_name("property")
        if node.type != "member_expression" or prop is None:
            return None
        key = f"{key}.{source(prop)}"
        if step.holder.get(key) is not None:
            return node, key
    return None


def _is_alike(holder: Any, found: tuple[Keys, float], key: str) -> bool:
    path, certainty = found
    if isinstance(dig(holder, path), dict | list):
        return similarity(str(path[-1]), key) == 100
    return certainty > 0.7


def _one_level_down(value: Any, key: str, wanted: str | None) -> tuple[Keys, float] | None:
    """Where a list's only entry, or a text that holds JSON, has the key."""
    way: Keys = ()
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip()[:1] in ("{", "[") else None
        except ValueError:
            return None
    if isinstance(value, list) and len(value) == 1:
        value, way = value[0], (0,)
    if isinstance(value, dict) and key in value and supports(value[key], wanted):
        return (*way, key), 0.85
    return None


def _led(trace: Trace, base: Node, failing: Node, path: str, certainty: float) -> Mend:
    return _wrapped(trace, base, failing, "", path, certainty)


def _wrapped(trace: Trace, base: Node, failing: Node, before: str, after: str, certainty: float) -> Mend:
    now = before + source(base) + after
    code = replace_range(trace.code, base.start_byte, failing.end_byte, now)
    return Mend(code, source(failing), now, certainty)


def mend_binding(trace: Trace, name: Node, wanted: str | None) -> Mend | None:
    """The code with ``const { user } = data`` made to take ``user`` from where it lies."""
    bound = trace.binding(name)
    if bound is None:
        return None
    pattern, origin = bound
    path = path_in_pattern(pattern, source(name))
    value = trace.value(origin)
    if path is None or len(path) != 1 or not isinstance(value, dict):
        return None
    found = find_path(value, str(path[0]), lambda entry: supports(entry, wanted))
    if not found:
        return None
    (*way, last), certainty = found
    if not way and last != path[0] and pattern.type == "object_pattern" and re.fullmatch(r"[A-Za-z_$][\w$]*", str(last)):
        for child in pattern.named_children:
            if child.type == "shorthand_property_identifier_pattern" and source(child) == path[0] and certainty > _GUESSED:
                now = f"{last}: {path[0]}"
                return Mend(replace_range(trace.code, child.start_byte, child.end_byte, now), str(path[0]), str(last), certainty)
    if last != path[0] or any(not isinstance(key, str) for key in way):
        return None
    now = source(origin) + render(tuple(way))
    return Mend(replace_range(trace.code, origin.start_byte, origin.end_byte, now), source(origin), now, certainty)


def member_read(node: Node) -> str | None:
    """What is read from the node's value next: ``name`` for the node ``order.client`` in ``order.client.name``."""
    parent = node.parent
    while parent is not None and parent.type == "parenthesized_expression":
        node, parent = parent, parent.parent
    if parent is not None and parent.type in ("member_expression", "subscript_expression"):
        prop = parent.child_by_field_name("property") or parent.child_by_field_name("index")
        if parent.child_by_field_name("object") == node and prop is not None:
            return source(prop).strip("'\"")
    return None


def _reads_input(step: Step) -> bool:
    return source(step.object) in ("$json", "$input.first().json", "$input.item.json", "items[0].json", "item.json")


def _other_node(case: Case, key: str, wanted: str | None, *, inside_code: bool) -> str | None:
    """The same field in the output of a node further up, where exactly the nearest one has it."""
    for name in case.ancestors[1:]:
        for item in case.output(name)[:1]:
            found = find_path(item, key, lambda entry: supports(entry, wanted))
            if found and str(found[0][-1]) == key and not is_of_its_holder(key):
                quoted = name.replace("\\", "\\\\").replace("'", "\\'")
                return f"$('{quoted}').{'first()' if inside_code else 'item'}.json{render(found[0])}"
    return None


def text_answer(case: Case, holder: Any, key: str) -> tuple[str, Edit] | None:
    """The request upstream whose JSON answer was kept as a text that holds the missed key, or as a file."""
    if case.evidence.input_binary_keys:
        for name in case.parents.get(str(case.name), ()):
            if dig(case.evidence.node(name), _RESPONSE_FORMAT) == "file":
                return name, Edit(name, _RESPONSE_FORMAT, "json")
    texts = [entry for entry in holder.values() if isinstance(entry, str)] if isinstance(holder, dict) else []
    if not any(_json_has(entry, key) for entry in texts):
        return None
    for name in case.ancestors:
        if case.kind_of(name) == "httpRequest" and any(entry in _texts_of(case.output(name)) for entry in texts):
            return name, Edit(name, _RESPONSE_FORMAT, "json")
    return None


def text_field(case: Case, holder: Any, key: str) -> tuple[str, Edit] | None:
    """The Edit Fields node upstream whose text field holds the missed key as JSON, with the type that keeps it what it is."""
    fields = {name: text for name, text in holder.items() if isinstance(text, str)} if isinstance(holder, dict) else {}
    for name in case.ancestors:
        entries = dig(case.evidence.node(name), ("parameters", "assignments", "assignments"))
        for index, entry in enumerate(entries if case.kind_of(name) == "set" and isinstance(entries, list) else ()):
            text = fields.get(str(entry.get("name")), "") if isinstance(entry, dict) and entry.get("type") == "string" else ""
            if _json_has(text, key) and is_template(str(entry.get("value"))):
                path: Path = ("parameters", "assignments", "assignments", index, "type")
                return name, Edit(name, path, "array" if text.startswith("[") else "object")
    return None


def _json_has(text: str, key: str) -> bool:
    # The evidence may hold only the beginning of a long text.
    if text[:1] not in "{[":
        return False
    try:
        value = json.loads(text)
    except ValueError:
        return f'"{key}"' in text
    first = value[0] if isinstance(value, list) and value else value
    return isinstance(first, dict) and key in first


def _texts_of(items: list[dict[str, Any]]) -> set[str]:
    return {entry for item in items for entry in item.values() if isinstance(entry, str)}


def failing_steps(case: Case, code: str, wanted: str, line: int | None) -> list[tuple[Trace, Node]]:
    """The reads of ``wanted`` whose object is undefined: those on the failing line, else all; loops entry by entry."""
    for on_line in (True, False) if line is not None else (False,):
        found = []
        for pick in range(_PICKS):
            trace = Trace(case, code, pick)
            steps = trace.steps(wanted, line if on_line else None)
            found += [(trace, step.object) for step in steps if str(step.key) == wanted and step.holder in (UNDEFINED, None)]
        if found:
            return found
    return []


def mend_undefined(case: Case, trace: Trace, node: Node, wanted: str | None) -> tuple[Mend | None, Step | None]:
    """Where an undefined value comes from: the access that left the data, and its mend."""
    for _ in range(8):
        if node.type in ("member_expression", "subscript_expression"):
            step = trace.step(node)
            if step is None:
                return None, None
            if step.holder is UNDEFINED or step.holder is None:
                node, wanted = step.object, str(step.key)
                continue
            if step.value is None:
                return None, step  # the path is right, and this entry has nothing there
            mend = mend_step(case, trace, step, inside_code=True) if isinstance(step.holder, dict | list | str) else None
            return _with_wanted(case, trace, step, wanted, mend), step
        if node.type == "identifier":
            bound = trace.binding(node)
            if bound is None:
                return None, None
            mend = mend_binding(trace, node, wanted)
            if mend:
                return mend, None
            node = bound[1]
            continue
        return None, None
    return None, None


def _with_wanted(case: Case, trace: Trace, step: Step, wanted: str | None, mend: Mend | None) -> Mend | None:
    """The mend, checked against what is read later where the access itself is only the start of a variable."""
    if member_read(step.node) is not None or wanted is None or not isinstance(step.holder, dict):
        return mend
    found = find_path(step.holder, str(step.key), lambda entry: supports(entry, wanted))
    return _led(trace, step.object, step.node, render(found[0]), found[1]) if found else mend
