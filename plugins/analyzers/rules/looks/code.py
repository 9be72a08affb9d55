"""Looks closer at failures of Code nodes: syntax, what is returned, the mode, and what is read."""

from __future__ import annotations

import re
from functools import lru_cache

from tree_sitter import Node

from hub.plugin_api import Quote
from plugins.analyzers.rules.case import Case
from plugins.analyzers.rules.fields import UNDEFINED, UNKNOWN, dig
from plugins.analyzers.rules.javascript import is_code, repair_await, repair_code, replace_range, source, walk
from plugins.analyzers.rules.libraries import without_module
from plugins.analyzers.rules.parsed_texts import parsable
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.references import Mend, failing_steps, mend_undefined, text_answer, text_field
from plugins.analyzers.rules.returns import add_return, repair_extra_keys, repair_json_property, repair_return, returned_values
from plugins.analyzers.rules.rule import Finding
from plugins.analyzers.rules.syntax_slips import declared_once, given_value, looped_await, without_foreign_words
from plugins.analyzers.rules.trace import Step, Trace

READING = re.compile(
    r"Cannot read propert(?:y|ies) of (?:undefined|null) \(reading '([^']+)'\)|Cannot read property "
    r"'([^']+)' of (?:undefined|null)"
)


def code_of(case: Case) -> tuple[str, str]:
    """The parameter that holds the JavaScript, and the JavaScript."""
    key = "functionCode" if "functionCode" in case.parameters else "jsCode"
    return key, str(case.parameters.get(key) or "")


def code_edit(case: Case, code: str | None) -> tuple[Edit, ...]:
    return (Edit(str(case.name), ("parameters", code_of(case)[0]), code),) if code else ()


def syntax(case: Case) -> Finding | None:
    """Code that never ran; what fails while running carries the number of its line."""
    code = code_of(case)[1]
    if case.error.line_number is not None and is_code(code):
        return None
    twice = re.match(r"Identifier '(.+)' has already been declared", case.error.message)
    if twice:
        return Finding(edits=code_edit(case, declared_once(code, twice.group(1))))
    if case.error.message.startswith("Cannot use import statement"):
        return Finding(edits=code_edit(case, without_module(case, code, "luxon")))
    if case.error.message.startswith("Missing initializer"):
        return Finding(edits=code_edit(case, given_value(code)))
    if case.error.message.startswith("await is only valid"):
        return Finding(edits=code_edit(case, looped_await(code) or repair_await(code)))
    fixed = without_foreign_words(code) or repair_code(code) or looped_await(code) or repair_await(code)
    return Finding(edits=code_edit(case, fixed))


def json_parse(case: Case) -> list[tuple[Trace, Node, Node]]:
    """The calls of ``JSON.parse`` with their argument, those on the failing line."""
    trace = Trace(case, code_of(case)[1])
    found = []
    for node in walk(trace.root):
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if node.type != "call_expression" or function is None or source(function) != "JSON.parse":
            continue
        if arguments is not None and arguments.named_children:
            found.append((trace, node, arguments.named_children[0]))
    # n8n blames the first line for what fails inside of JSON.parse.
    return [entry for entry in found if on_line(case, entry[1])] or found


def on_line(case: Case, node: Node) -> bool:
    """Whether the node stands on the line that n8n blames, or it blames none."""
    line = case.error.line_number
    return line is None or node.start_point.row <= line - 1 <= node.end_point.row


def parsed_object(case: Case) -> Finding:
    """``JSON.parse`` of what is an object already."""
    calls = json_parse(case)
    if len(calls) != 1:
        return Finding()
    trace, call, argument = calls[0]
    values = [Trace(case, trace.code, pick).value(argument) for pick in range(5)]
    text = source(argument)
    new = f"(typeof {text} === 'string' ? JSON.parse({text}) : {text})" if any(isinstance(one, str) for one in values) else text
    return Finding(edits=code_edit(case, replace_range(trace.code, call.start_byte, call.end_byte, new)))


def fenced_json(case: Case) -> Finding:
    """``JSON.parse`` of a text with a Markdown fence around it."""
    calls = json_parse(case)
    if len(calls) != 1:
        return Finding()
    trace, _, argument = calls[0]
    new = _before_parsing(case, trace, argument)
    new = new or rf"String({source(argument)}).replace(/^\s*```(?:json)?\s*|\s*```\s*$/g, '')"
    return Finding(edits=code_edit(case, replace_range(trace.code, argument.start_byte, argument.end_byte, new)))


def unparsed_text(case: Case) -> Finding | None:
    """``JSON.parse`` of a text that is JSON but for what stands around it, or how its texts are quoted."""
    calls = json_parse(case)
    new = _before_parsing(case, calls[0][0], calls[0][2]) if len(calls) == 1 else None
    if not calls or new is None:
        return Finding() if calls else None
    trace, _, argument = calls[0]
    return Finding(edits=code_edit(case, replace_range(trace.code, argument.start_byte, argument.end_byte, new)))


def _before_parsing(case: Case, trace: Trace, argument: Node) -> str | None:
    return parsable([Trace(case, trace.code, pick).value(argument) for pick in range(5)], source(argument))


def mode(case: Case) -> Finding:
    """The mode for which the code is written, or in each-item mode the read of one item instead of the first."""
    each_item = case.parameters.get("mode") == "runOnceForEachItem"
    code = code_of(case)[1]
    only_one = each_item and not re.search(r"\.all\(\)|\bitems\b|\$input\.itemMatching", code)
    values = returned_values(code)
    if only_one and values and all(value.type == "object" for value in values):
        new = re.sub(r"\$input\.(?:first|last)\(\)", "$input.item", code)
        if new != code:
            return Finding(words={"mode": "Run Once for Each Item"}, edits=code_edit(case, new))
    # It looks at one item and at the others: the others are those that the node before gave.
    parents = case.parents.get(str(case.name), [])
    if each_item and re.search(r"\$json\b|\$input\.item\b|\$itemIndex\b", code):
        name = parents[0].replace("\\", "\\\\").replace("'", "\\'") if len(parents) == 1 else ""
        new = re.sub(r"\$input(?=\.(?:all|first|last)\(\))", f"$('{name}')", code)
        usable = bool(name) and not re.search(r"\bitems\b(?=\s*[.\[])", code) and all(value.type == "object" for value in values)
        return Finding(words={"mode": "Run Once for Each Item"}, edits=code_edit(case, new if usable and new != code else None))
    wanted = "runOnceForAllItems" if each_item else "runOnceForEachItem"
    label = "Run Once for All Items" if each_item else "Run Once for Each Item"
    return Finding(words={"mode": label}, edits=(Edit(str(case.name), ("parameters", "mode"), wanted),))


def item_in_all_mode(case: Case) -> Finding | None:
    """Code for one item in a node that runs once for all of them."""
    if case.parameters.get("mode") == "runOnceForEachItem":
        return None
    values = returned_values(code_of(case)[1])
    if not values or not all(value.type == "object" for value in values):
        return Finding(words={"mode": "Run Once for Each Item"})
    edit = Edit(str(case.name), ("parameters", "mode"), "runOnceForEachItem")
    return Finding(words={"mode": "Run Once for Each Item"}, edits=(edit,))


def sort_code(case: Case) -> Finding:
    """The Sort node's comparison with its return."""
    code = str(case.parameters.get("code") or "")
    new = add_return(code) if code else None
    return Finding(edits=(Edit(str(case.name), ("parameters", "code"), new),) if new else ())


def items_in_each_mode(case: Case) -> Finding | None:
    """Code for all items in a node that runs once for each of them."""
    return mode(case) if case.parameters.get("mode") == "runOnceForEachItem" else None


def shape(case: Case) -> Finding:
    """A return that is not of the shape of items, brought to it."""
    code = code_of(case)[1]
    each_item = case.parameters.get("mode") == "runOnceForEachItem"
    if "json" in case.error.message and not each_item:
        return Finding(edits=code_edit(case, repair_json_property(case, code)))
    if case.error.message.startswith("Invalid output format"):
        return Finding(edits=code_edit(case, repair_extra_keys(code)))
    new = repair_return(case, code, each_item=each_item)
    if new is None and each_item and any(value.type in ("array", "call_expression") for value in returned_values(code)):
        return Finding(edits=(Edit(str(case.name), ("parameters", "mode"), "runOnceForAllItems"),), certainty=0.9)
    return Finding(edits=code_edit(case, new if new != code else None))


@lru_cache(maxsize=1)
def read_of_undefined(case: Case) -> tuple[str, Mend | None, Step | None, Trace] | None:
    found = READING.search(case.error.message)
    if not found:
        return None
    wanted = found.group(1) or found.group(2)
    first: tuple[str, Mend | None, Step | None, Trace] | None = None
    for trace, node in failing_steps(case, code_of(case)[1], wanted, case.error.line_number):
        mend, step = mend_undefined(case, trace, node, wanted)
        if mend:
            return wanted, mend, step, trace
        first = first or (wanted, None, step, trace)
    return first or (wanted, None, None, Trace(case, code_of(case)[1]))


def undefined(case: Case) -> Finding | None:
    """A property of an undefined value, read from where the data has it."""
    read = read_of_undefined(case)
    if read is None:
        return None
    wanted, mend, step, trace = read
    words = {"property": wanted, "was": "", "now": ""}
    present = _held_by_others(case, trace, step)
    if present and made_by_expression(case, step.key if step else ""):
        return Finding(words=words, certainty=0.95)  # n8n makes null of an expression that fails: the fault is there
    if present:
        optional = _guarded(case, trace, step, present)
        return Finding(words=words, edits=code_edit(case, optional), certainty=0.95)
    if mend and is_code(mend.code):
        quote = Quote(pointer="/workflow/nodes", quote=mend.was[:200])
        return Finding(
            words={**words, "was": mend.was, "now": mend.now},
            edits=code_edit(case, _everywhere(trace.code, mend)),
            quotes=(quote,),
            certainty=max(mend.certainty, 0.75),
        )
    return Finding(words=words, certainty=0.95)


def _everywhere(code: str, mend: Mend) -> str:
    """The mended code, with the same reading mended wherever else the code does it."""
    pattern = re.compile(rf"(?<![\w.$]){re.escape(mend.was)}(?![\w$])")
    single = (code[: found.start()] + mend.now + code[found.end() :] for found in pattern.finditer(code))
    changed = pattern.sub(lambda _found: mend.now, code)
    return changed if mend.code in single and is_code(changed) else mend.code


def made_by_expression(case: Case, key: object) -> bool:
    """Whether an Edit Fields node further up makes the field by an expression that does more than read a field."""
    for name in case.ancestors:
        entries = dig(case.evidence.node(name), ("parameters", "assignments", "assignments"))
        for entry in entries if case.kind_of(name) == "set" and isinstance(entries, list) else ():
            if isinstance(entry, dict) and entry.get("name") == key and re.search(r"\(|\.\w+\.\w+", str(entry.get("value"))):
                return True
    return False


def _held_by_others(case: Case, trace: Trace, step: Step | None) -> list[object]:
    """The holders, among the other entries of the list, that do have what this one lacks: then the path itself is right."""
    if step is None or not isinstance(step.key, str):
        return []
    found = []
    for pick in range(5):
        other = Trace(case, trace.code, pick)
        value = other.value(step.node)
        if value not in (UNDEFINED, None) and value is not UNKNOWN:
            found.append(other.value(step.object))
    return found


def _guarded(case: Case, trace: Trace, step: Step | None, present: list[object]) -> str | None:
    """``entry.client?.name`` where other entries of the list do have a client: then the field is optional, not misspelt.

    Entries of another kind, as of two lists put one behind the other, do not lack the field by chance.
    """
    if step is None or step.node.parent is None or step.node.parent.type != "member_expression":
        return None
    if isinstance(step.holder, dict) and not any(isinstance(one, dict) and step.holder.keys() <= one.keys() for one in present):
        return None
    place = step.node.end_byte
    return replace_range(trace.code, place, place, "?") if trace.code.encode()[place : place + 1] == b"." else None


def made_text(case: Case) -> Finding | None:
    """A field of an Edit Fields node further up whose type makes a text of the list or object that is read here."""
    read = read_of_undefined(case)
    step = read[2] if read else None
    if read is None or step is None or read[1] is not None or not isinstance(step.key, str):
        return None
    found = text_field(case, step.holder, step.key)
    return Finding(node=found[0], words={"field": str(found[1].value)}, edits=(found[1],)) if found else None


def kept_as_text(case: Case) -> Finding | None:
    """A request upstream that keeps its JSON answer as text, so that no field can be read from it."""
    read = read_of_undefined(case)
    step = read[2] if read else None
    if read is None or step is None or read[1] is not None or not isinstance(step.key, str):
        return None
    found = text_answer(case, step.holder, step.key)
    if not found:
        return None
    name, edit = found
    return Finding(
        node=name,
        words={"field": step.key},
        edits=(edit,),
        quotes=(Quote(pointer=f"/node_data/{name}/outputs/0/0", quote=step.key),),
    )


def not_iterable(case: Case) -> Finding | None:
    """A loop over something undefined, led to the list that was meant."""
    trace = Trace(case, code_of(case)[1])
    line = case.error.line_number
    for node in walk(trace.root):
        right = (
            node.child_by_field_name("right")
            if node.type == "for_in_statement"
            else node.named_children[0]
            if node.type == "spread_element"
            else None
        )
        if (
            right is None
            or (line is not None and not node.start_point.row <= line - 1 <= node.end_point.row)
            or trace.value(right) is not UNDEFINED
        ):
            continue
        mend, _ = mend_undefined(case, trace, right, "map")
        words = {"property": "list", "was": mend.was if mend else source(right), "now": mend.now if mend else ""}
        return Finding(
            words=words, edits=code_edit(case, mend.code) if mend else (), certainty=max(mend.certainty, 0.75) if mend else 0.9
        )
    return None
