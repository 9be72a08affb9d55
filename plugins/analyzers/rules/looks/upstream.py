"""Looks upstream of a Code node for why a field is empty: n8n makes null of an expression that fails in an Edit Fields node."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from plugins.analyzers.rules.case import Case, Json, Path, case_of_item
from plugins.analyzers.rules.fields import UNDEFINED, UNKNOWN, dig, supports
from plugins.analyzers.rules.idioms import called, in_units, is_called, queried
from plugins.analyzers.rules.javascript import is_code, is_expression, replace_range, source, walk
from plugins.analyzers.rules.json_texts import expression_value
from plugins.analyzers.rules.looks.code import code_edit, code_of, read_of_undefined
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.references import lost_references
from plugins.analyzers.rules.rule import Finding
from plugins.analyzers.rules.templates import is_template, placeholders, rewrite
from plugins.analyzers.rules.trace import Step, Trace

_CODE = frozenset(("code", "function", "functionItem"))
_MOST_MENDS = 4
_SURE = 0.9
_INDEX = re.compile(r"\$itemIndex\s*[+-]\s*1|1\s*\+\s*\$itemIndex")
_NEIGHBOUR = re.compile(r"next|prev|follow|last|after|before|تالي|سابق|قبل|بعد", re.IGNORECASE)


def made_empty(case: Case) -> Finding | None:
    """An Edit Fields node upstream whose expression failed, so that the field that is read here is null."""
    step = _read_of_input(case)
    if step is None or step.value is not None:
        return None
    field = str(step.key)
    node = _maker(case, field)
    if node is None:
        return None
    name = str(node["name"])
    earlier = _as_failing(case, name, field)
    if earlier is None:
        return None
    path, text = next((entry for entry in _assignments(node) if _field_at(node, entry[0]) == field), (None, ""))
    if path is None or not is_template(text):
        return None
    now = _mended(earlier, path, text)
    if now is None:
        return None
    edits = [Edit(name, path, now)]
    for other, given in _assignments(node):
        # The same slip in a text gave nothing there, which did not fail.
        if other != path and is_template(given) and (same := _mended(earlier, other, given)):
            edits.append(Edit(name, other, same))
    return Finding(node=name, words={"field": field, "now": now.removeprefix("=")[:160]}, edits=edits)


def switched_off(case: Case) -> Finding | None:
    """A field that a disabled Edit Fields node would have made of what the items have: made where it is read."""
    step = _read_of_input(case)
    if step is None or step.value is not UNDEFINED:
        return None
    name = str(case.name)
    while len(parents := case.parents.get(name, [])) == 1:
        name = parents[0]
        node = case.evidence.node(name) or {}
        if not node.get("disabled"):
            return None
        if case.kind_of(name) == "set" and (made := _computed(case, node, step)):
            return Finding(node=name, words={"field": str(step.key), "now": made[0]}, edits=code_edit(case, made[1]))
    return None


def _computed(case: Case, node: Json, step: Step) -> tuple[str, str] | None:
    """The expression of the disabled node, and the code that has it in the place of the field."""
    text = next((given for path, given in _assignments(node) if _field_at(node, path) == step.key), "")
    found = placeholders(text)
    if not is_template(text) or len(found) != 1 or not re.fullmatch(r"=\s*\{\{[\s\S]*\}\}\s*", text):
        return None
    code, base = found[0].code.strip(), source(step.object)
    if not is_expression(code) or re.search(r"\$(?!json\b)", code) or not re.fullmatch(r"[\w$.()]+", base):
        return None
    if re.search(rf"\b{re.escape(str(step.key))}\s*(?:[-+*/|&?]*=(?!=)|\+\+|--)", code_of(case)[1]):
        return None  # the code gives the field a value itself
    for item in case.evidence.input_items:
        steps = [entry for entry in Trace(_with_item(case, item), code).steps() if not is_called(entry.node)]
        if not steps or any(entry.value in (UNDEFINED, None) for entry in steps):
            return None
    now = "(" + re.sub(r"\$json\b", lambda _found: base, code) + ")"
    pattern = re.compile(re.escape(source(step.node)) + r"(?![\w$])")
    changed = pattern.sub(lambda _found: now, code_of(case)[1])
    return (now, changed) if is_code(changed) else None


def _read_of_input(case: Case) -> Step | None:
    """The access to a field of the input that gave nothing, of the first item for which it did."""
    each = case.parameters.get("mode") == "runOnceForEachItem" and case.error.item_index is None
    for index in range(len(case.evidence.input_items)) if each else (case.error.item_index or 0,):
        read = read_of_undefined(case_of_item(case, index))
        step = read[2] if read and read[1] is None else None
        if step is not None and isinstance(step.holder, dict) and step.holder in case.evidence.input_items:
            return step
    return None


def _maker(case: Case, field: str) -> Json | None:
    """The nearest node upstream that makes the field, where it is an Edit Fields node."""
    name = str(case.name)
    while len(parents := case.parents.get(name, [])) == 1:
        name = parents[0]
        node = case.evidence.node(name) or {}
        if node.get("disabled"):
            continue
        if case.kind_of(name) == "set":
            if any(_field_at(node, path) == field for path, _ in _assignments(node)):
                return node
            if not dig(node, ("parameters", "includeOtherFields")):
                return None
        elif case.kind_of(name) not in ("if", "filter", "noOp", "limit", "wait", "sort"):
            return None
    return None


def _assignments(node: Json) -> list[tuple[Path, str]]:
    entries = dig(node, ("parameters", "assignments", "assignments"))
    return [
        (("parameters", "assignments", "assignments", index, "value"), entry["value"])
        for index, entry in enumerate(entries if isinstance(entries, list) else ())
        if isinstance(entry, dict) and isinstance(entry.get("value"), str)
    ]


def _field_at(node: Json, path: Path) -> Any:
    return dig(node, (*path[:-1], "name"))


def _as_failing(case: Case, name: str, field: str) -> Case | None:
    """The failure as if that node had failed, at the first item that it gave nothing."""
    parents = case.parents.get(name, [])
    given, put = case.output(parents[0]) if len(parents) == 1 else [], case.output(name)
    empty = next((index for index, item in enumerate(put) if item.get(field) is None), None)
    if empty is None or len(given) != len(put):
        return None
    data = case.evidence.node_data[name]
    error = case.error.model_copy(update={"item_index": empty, "line_number": None})
    changes = {"failing_node": name, "input_items": tuple(given), "input_count": data.item_count, "error": error}
    return Case(case.evidence.model_copy(update=changes))


def _with_item(case: Case, item: Json) -> Case:
    error = case.error.model_copy(update={"item_index": 0})
    return Case(case.evidence.model_copy(update={"input_items": (item,), "input_count": 1, "error": error}))


def _mended(case: Case, path: Path, text: str) -> str | None:
    """The parameter with its slip mended, where every access of it leads to data for every item then."""
    new = text
    for _ in range(_MOST_MENDS):
        if new != text and _leads_to_data(case, new):
            return new
        following = rewrite(new, lambda code: _without_slip(case, code)) or _led(case, path, new)
        if following is None or following == new:
            return None
        new = following
    return None


def _without_slip(case: Case, code: str) -> str | None:
    changed = called(code) or in_units(code) or queried(code) or _on_list(case, code) or _unshifted(case, code)
    return changed if changed and is_expression(changed) else None


def _led(case: Case, path: Path, text: str) -> str | None:
    """The parameter with its references led to where the data lies."""
    node = dict(case.node)
    changed = _set(node, path, text)
    nodes = [changed if entry.get("name") == case.name else entry for entry in case.evidence.workflow["nodes"]]
    again = Case(case.evidence.model_copy(update={"workflow": {**case.evidence.workflow, "nodes": nodes}}))
    lost = [entry for entry in lost_references(again) if entry.path == path]
    sure = all(entry.edit and entry.certainty >= _SURE and not entry.has_default for entry in lost)
    return str(lost[0].edit.value) if lost and sure and lost[0].edit else None


def _set(value: Any, path: Path, new: Any) -> Any:
    if not path:
        return new
    key = path[0]
    if isinstance(value, list):
        return [_set(entry, path[1:], new) if index == key else entry for index, entry in enumerate(value)]
    return {**value, key: _set(value[key], path[1:], new)}


def _leads_to_data(case: Case, text: str) -> bool:
    """Whether no access of the parameter leaves the data, whichever item or entry it is tried with."""
    for index in range(len(case.evidence.input_items)):
        there = case_of_item(case, index)
        for code in (found.code for found in placeholders(text)):
            for pick in range(3):
                steps = Trace(there, code, pick).steps()
                if any(step.value is UNDEFINED and step.holder is not UNDEFINED and not _is_method(step) for step in steps):
                    return False
    return True


def _is_method(step: Step) -> bool:
    return is_called(step.node) and (not isinstance(step.holder, list | dict) or supports(step.holder, str(step.key)))


def _on_list(case: Case, code: str) -> str | None:
    """``lines.map(…)`` of an object that holds one list, as pages of an answer do: ``lines.nodes.map(…)``."""
    trace = Trace(case, code)
    for step in trace.steps():
        if not is_called(step.node) or not isinstance(step.holder, dict) or step.value is not UNDEFINED:
            continue
        lists = [key for key, value in step.holder.items() if isinstance(value, list)]
        if len(lists) == 1 and supports(step.holder[lists[0]], str(step.key)) and lists[0].isidentifier():
            return replace_range(code, step.object.end_byte, step.object.end_byte, f".{lists[0]}")
    return None


def _unshifted(case: Case, code: str) -> str | None:
    """``list[$itemIndex + 1]`` of another list that is as long as there are items: then it was to be the item's own entry."""
    trace = Trace(case, code)
    for node in walk(trace.root):
        index, holder = node.child_by_field_name("index"), node.child_by_field_name("object")
        if node.type != "subscript_expression" or index is None or holder is None or not _INDEX.fullmatch(source(index)):
            continue
        entries, items = trace.value(holder), list(case.evidence.input_items)
        if not isinstance(entries, list) or entries is UNKNOWN or len(entries) != case.evidence.input_count:
            continue
        is_neighbour = any(entry == item or entry == {"json": item} for entry, item in zip(entries, items, strict=False))
        if not is_neighbour and not any(_NEIGHBOUR.search(str(dig(entry, ("name",)))) for entry in _named(case, code)):
            return replace_range(code, index.start_byte, index.end_byte, "$itemIndex")
    return None


def _named(case: Case, code: str) -> list[Any]:
    """The assignments that hold the code; a field for the next entry means what it says."""
    entries = dig(case.parameters, ("assignments", "assignments"))
    return [entry for entry in entries if code in str(dig(entry, ("value",)))] if isinstance(entries, list) else []


def not_called(case: Case) -> Finding | None:
    """``$input.first.json`` and its like, which give nothing because the function is not called."""
    code = code_of(case)[1] if case.kind in _CODE else ""
    if case.parameters.get("mode") == "runOnceForEachItem" and re.search(r"\$input\.(?:first|last|all|items)\b", code):
        return None  # those are not there in this mode
    return _slip(case, called)


def wrong_query(case: Case) -> Finding | None:
    """``$jmespath`` with its arguments the wrong way round."""
    return _slip(case, queried)


def duration_unit(case: Case) -> Finding | None:
    """A duration asked for its days as other libraries have it."""
    return _slip(case, in_units)


def _slip(case: Case, change: Callable[[str], str | None]) -> Finding | None:
    if case.kind in _CODE:
        code = code_of(case)[1]
        new = change(code)
        return Finding(words={"now": _difference(code, new)}, edits=code_edit(case, new)) if new and is_code(new) else None
    edits = []
    for path, text in case.texts():
        changed = rewrite(text, change) if is_template(text) else None
        if changed:
            edits.append(Edit(str(case.name), path, changed))
    return Finding(words={"now": str(edits[0].value).removeprefix("=")[:160]}, edits=edits) if edits else None


def _difference(old: str, new: str) -> str:
    pairs = zip(old.splitlines(), new.splitlines(), strict=False)
    return next((line.strip()[:160] for before, line in pairs if before != line), "")


def number_as_text(case: Case) -> Finding | None:
    """A parameter that takes a text and got a number, which is written as one."""
    shown = re.search(r"must be of type string\b.*Received type number \((-?[\d.]+)\)", case.error.message, re.DOTALL)
    edits = []
    for path, text in case.texts() if shown else ():
        found = placeholders(text)
        if not is_template(text) or len(found) != 1 or not re.fullmatch(r"=\s*\{\{[\s\S]*\}\}\s*", text):
            continue
        value = expression_value(case, found[0].code)
        if shown and isinstance(value, int | float) and not isinstance(value, bool) and str(value) == shown.group(1):
            new = rewrite(text, lambda code: f" String({code.strip()}) ")
            edits += [Edit(str(case.name), path, new)] if new else []
    return Finding(words={"value": shown.group(1)}, edits=edits) if shown and len(edits) == 1 else None
