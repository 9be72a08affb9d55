"""Looks closer at names and functions in code that do not exist, and at values that nobody has made."""

from __future__ import annotations

import re
from typing import Any

from tree_sitter import Node

from plugins.analyzers.rules.case import Case
from plugins.analyzers.rules.fields import UNDEFINED, closest, dig, find_path, render, similarity, supports
from plugins.analyzers.rules.javascript import replace_range, source, walk
from plugins.analyzers.rules.likeness import is_envelope
from plugins.analyzers.rules.looks.code import code_edit, code_of, on_line
from plugins.analyzers.rules.methods import LIST_ONLY, brought, has_method, meant_method, plain_call
from plugins.analyzers.rules.references import mend_undefined
from plugins.analyzers.rules.rule import Finding
from plugins.analyzers.rules.trace import Step, Trace

_GLOBALS = (
    "$input",
    "$json",
    "$now",
    "$today",
    "$node",
    "$items",
    "items",
    "DateTime",
    "JSON",
    "Math",
    "Object",
    "Array",
    "Number",
    "String",
    "Date",
    "console",
    "parseInt",
    "parseFloat",
)


def no_function(case: Case) -> Finding:
    """A method that the value does not have, led to the one that was meant."""
    found = re.search(r"([A-Za-z_$][\w$]*) is not a function", case.error.message)
    name = found.group(1) if found else "?"
    # n8n counts the lines of a callback in its own way: where the blamed line has no such call, any other one counts.
    for trace, anywhere in ((Trace(case, code_of(case)[1], pick), anywhere) for anywhere in (False, True) for pick in range(5)):
        for step in trace.steps(name):
            if str(step.key) == name and (anywhere or on_line(case, step.node)) and not has_method(step.holder, name):
                start, end, new = _other_call(step, name)
                if new:
                    words = {"name": name, "meant": new}
                    return Finding(words=words, edits=code_edit(case, replace_range(trace.code, start, end, new)), certainty=0.97)
    return Finding(words={"name": name, "meant": ""})


def _other_call(step: Step, name: str) -> tuple[int, int, str | None]:
    """What to put in the place of which part of the code, so that the call is one that exists."""
    prop, call = step.node.child_by_field_name("property"), step.node.parent
    meant = meant_method(name, step.holder, source(step.object))
    if meant and prop is not None:
        return prop.start_byte, prop.end_byte, meant
    if converted := brought(name, step.holder, source(step.object)):
        return step.object.start_byte, step.object.end_byte, converted
    if isinstance(step.holder, dict) and (inner := _only_list(step.holder, name)) and _entries_fit(step, call):
        return step.object.start_byte, step.object.end_byte, source(step.object) + inner
    if (
        isinstance(step.holder, dict)
        and name in LIST_ONLY
        and step.holder
        and all(isinstance(e, dict) for e in step.holder.values())
        and len({frozenset(entry) for entry in step.holder.values()}) == 1
    ):
        return step.object.start_byte, step.object.end_byte, f"Object.values({source(step.object)})"
    if call is not None and call.type == "call_expression" and source(call).endswith("()"):
        return call.start_byte, call.end_byte, plain_call(name, source(step.object))
    return 0, 0, None


def _only_list(holder: dict[str, Any], method: str) -> str | None:
    """The path to the only list of an answer, where a method of lists is called on the answer itself."""
    lists = [key for key, value in holder.items() if isinstance(value, list)]
    return render((lists[0],)) if len(lists) == 1 and is_envelope(lists[0]) and supports(holder[lists[0]], method) else None


def _entries_fit(step: Step, call: Node | None) -> bool:
    """Whether the entries of the only list have the fields that the callback reads of them; else more than a name is wrong."""
    entries = next(value for value in step.holder.values() if isinstance(value, list))
    given = call.child_by_field_name("arguments") if call is not None else None
    callback = given.named_children[0] if given is not None and given.named_children else None
    single = callback.child_by_field_name("parameter") if callback is not None else None
    several = callback.child_by_field_name("parameters") if callback is not None else None
    names = [single] if single is not None else several.named_children if several is not None else []
    if callback is None or not names or names[0].type != "identifier":
        return True
    read = set()
    for node in walk(callback):
        prop, holder = node.child_by_field_name("property"), node.child_by_field_name("object")
        if node.type == "member_expression" and prop is not None and holder is not None and source(holder) == source(names[0]):
            read.add(source(prop))
    dicts = [entry for entry in entries if isinstance(entry, dict)]
    return all(any(field in entry for entry in dicts) for field in read) if dicts else True


def no_global_function(case: Case) -> Finding | None:
    """A function that is called by a name which is defined nowhere."""
    name = case.error.message.partition(" ")[0]
    called = re.search(rf"(?<![\w.$]){re.escape(name)}\s*\(", code_of(case)[1])
    return no_variable(case) if called else None


def _field_of_input(case: Case, name: str) -> str | None:
    """The reading of an input's field that is named as if it were a variable."""
    if case.evidence.input_count != 1 and case.parameters.get("mode") != "runOnceForEachItem":
        return None
    found = find_path(case.item, name, lambda value: value is not None)
    return f"$json{render(found[0])}" if found and similarity(str(found[0][-1]), name) == 100 else None


def constant(case: Case) -> Finding:
    """A constant that is given another value: its declaration with ``let``."""
    code, line = code_of(case)[1], case.error.line_number
    lines = code.splitlines()
    shown = (
        re.search(r"([A-Za-z_$][\w$]*)\s*(?:[-+*/%&|?]{0,2}=(?!=)|\+\+|--)", lines[line - 1])
        if line and line <= len(lines)
        else None
    )
    declared = [
        found for found in re.finditer(r"\bconst(\s+([A-Za-z_$][\w$]*)\s*=)", code) if shown and found.group(2) == shown.group(1)
    ]
    if len(declared) != 1:
        return Finding(words={"name": shown.group(1) if shown else "?"})
    found = declared[0]
    fixed = f"{code[: found.start()]}let{found.group(1)}{code[found.end() :]}"
    return Finding(words={"name": found.group(2)}, edits=code_edit(case, fixed))


def unmade(case: Case) -> Finding | None:
    """``groups[key].push(…)`` or ``tree.leaf.size = …`` where nobody has made ``groups[key]`` or ``tree.leaf`` before."""
    found = re.search(r"\((?:reading|setting) '([^']+)'\)", case.error.message)
    wanted = found.group(1) if found else ""
    is_list = wanted == "push"
    trace = Trace(case, code_of(case)[1])
    for node in walk(trace.root):
        prop, holder = node.child_by_field_name("property"), node.child_by_field_name("object")
        if (
            node.type != "member_expression"
            or prop is None
            or holder is None
            or source(prop) != wanted
            or not on_line(case, node)
        ):
            continue
        base = holder.child_by_field_name("object")
        if holder.type not in ("member_expression", "subscript_expression") or base is None or trace.value(base) != {}:
            continue
        made = f"({source(holder)} ??= {'[]' if is_list else '{}'})"
        if is_list or "setting" in case.error.message:
            return Finding(
                words={"property": wanted},
                edits=code_edit(case, replace_range(trace.code, holder.start_byte, holder.end_byte, made)),
            )
    return Finding(words={"property": wanted}) if "setting" in case.error.message else None


def no_object(case: Case) -> Finding:
    """``Object.keys(…)`` of something undefined, led to what was meant."""
    trace = Trace(case, code_of(case)[1])
    for node in walk(trace.root):
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if node.type != "call_expression" or function is None or arguments is None or not source(function).startswith("Object."):
            continue
        argument = arguments.named_children[0] if arguments.named_children else None
        if argument is None or not on_line(case, node) or trace.value(argument) not in (UNDEFINED, None):
            continue
        mend, _ = mend_undefined(case, trace, argument, None)
        if mend:
            return Finding(
                words={"was": mend.was, "now": mend.now}, edits=code_edit(case, mend.code), certainty=max(mend.certainty, 0.75)
            )
    return Finding(words={"was": "", "now": ""})


def no_variable(case: Case) -> Finding:
    """A name that is defined nowhere, led to the defined one that differs by a slip."""
    found = re.match(r"([A-Za-z_$][\w$]*) is not defined", case.error.message)
    name = found.group(1) if found else "?"
    code = code_of(case)[1]
    trace = Trace(case, code)
    kinds = ("variable_declarator", "formal_parameters", "arrow_function", "function_declaration", "object_pattern")
    declared = [
        source(node)
        for node in walk(trace.root)
        if node.type in ("identifier", "shorthand_property_identifier_pattern")
        and node.parent is not None
        and node.parent.type in kinds
    ]
    meant = closest(name, [*(entry for entry in declared if entry != name), *_GLOBALS], 75)
    if not meant and (read := _field_of_input(case, name)):
        meant = read
    if not meant:
        in_input = dig(case.item, (name,)) is not UNDEFINED or dig(case.item, ("body", name)) is not UNDEFINED
        return Finding(words={"name": name, "meant": ""}, certainty=1.0 if in_input else 0.95)
    places = [node for node in walk(trace.root) if node.type == "identifier" and source(node) == name]
    for node in reversed(places):
        code = replace_range(code, node.start_byte, node.end_byte, meant)
    return Finding(words={"name": name, "meant": meant}, edits=code_edit(case, code))
