"""Looks closer at entries that a list does not have: counted from one, cut at the wrong sign, or looped over too far."""

from __future__ import annotations

import re

from tree_sitter import Node

from plugins.analyzers.rules.case import Case
from plugins.analyzers.rules.javascript import replace_range, source
from plugins.analyzers.rules.looks.code import code_edit, code_of, read_of_undefined
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.rule import Finding
from plugins.analyzers.rules.trace import Step, Trace

#: What lists in a text are separated by, and what only some are.
_SEPARATORS = (",", ";", "|", "\t", "\n")
_PICKS = 5


def index(case: Case) -> Finding | None:
    """A fixed index that lies behind the end of its list."""
    read = read_of_undefined(case)
    step = read[2] if read else None
    if read is None or step is None or not isinstance(step.holder, list) or not isinstance(step.key, int):
        return _loop_beyond_end(case)
    trace = read[3]
    length = _full_length(case, trace, step)
    if step.key < length:
        return None  # the evidence shows the beginning of the list only
    place = step.node.child_by_field_name("index")
    fixed = None
    if length and place is not None and _counts_from_one(trace, place, length):
        last = str(length - 1) if place.type == "number" else f"{source(place)} - 1"
        fixed = replace_range(trace.code, place.start_byte, place.end_byte, last)
    return Finding(words={"index": str(step.key), "length": str(length)}, edits=code_edit(case, fixed))


def separator(case: Case) -> Finding | None:
    """A text that is cut at a sign which it does not have, while all of the texts have exactly one other separator."""
    read = read_of_undefined(case)
    step = read[2] if read else None
    if step is None or not isinstance(step.holder, list) or not isinstance(step.key, int):
        return None
    return _other_separator(case, step)


def _full_length(case: Case, trace: Trace, step: Step) -> int:
    """How long the list is; the evidence shows only the first items of a node."""
    node: Node = step.object
    while node.type == "identifier" and (bound := trace.binding(node)) and bound[0].type == "identifier":
        node = bound[1]
    called = re.fullmatch(r"\$(?:items)?\(\s*(['\"`])(.+?)\1\s*\)(?:\.all\(\))?", source(node))
    data = case.evidence.node_data.get(called.group(2)) if called else None
    if source(node) in ("$input.all()", "items"):
        return case.evidence.input_count
    return data.item_count if data else len(step.holder)


def _counts_from_one(trace: Trace, place: Node, length: int) -> bool:
    """Whether the numbers used as an index run up to the length itself and never are zero."""
    values = [Trace(trace.case, trace.code, pick).value(place) for pick in range(_PICKS)]
    return all(isinstance(value, int) and 1 <= value <= length for value in values) and length in values


def _other_separator(case: Case, step: Step) -> Finding | None:
    """``line.split(';')`` of texts that have no semicolon, but all of them one other separator."""
    trace = Trace(case, code_of(case)[1])
    node: Node = step.object
    while node.type == "identifier" and (bound := trace.binding(node)):
        node = bound[1]
    function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    prop = function.child_by_field_name("property") if function is not None else None
    holder = function.child_by_field_name("object") if function is not None else None
    if prop is None or holder is None or source(prop) != "split" or arguments is None or arguments.named_child_count != 1:
        return None
    given = arguments.named_children[0]
    texts = [Trace(case, trace.code, pick).value(holder) for pick in range(_PICKS)]
    if given.type != "string" or not all(isinstance(text, str) for text in texts):
        return None
    separator, wanted = _unescaped(source(given)[1:-1]), int(step.key)
    words = {"index": str(step.key), "length": str(len(step.holder))}
    if any(separator.strip() and separator.strip() in text for text in texts):
        # ", " where some have no space: what is between them is trimmed or not, as it was.
        bare = separator.strip() != separator and all(text.count(separator.strip()) >= wanted for text in texts)
        return Finding(words=words, edits=_separated(case, trace, given, separator.strip())) if bare else None
    fitting = [other for other in _SEPARATORS if all(text.count(other) >= wanted for text in texts)]
    return Finding(words=words, edits=_separated(case, trace, given, fitting[0]) if len(fitting) == 1 else ())


def _separated(case: Case, trace: Trace, given: Node, separator: str) -> tuple[Edit, ...]:
    shown = {"\t": "\\t", "\n": "\\n"}.get(separator, separator)
    return code_edit(case, replace_range(trace.code, given.start_byte, given.end_byte, f"'{shown}'"))


def _unescaped(text: str) -> str:
    return text.replace("\\t", "\t").replace("\\n", "\n")


def _loop_beyond_end(case: Case) -> Finding | None:
    """``for (let i = 0; i <= list.length; i++)`` takes one entry too many."""
    code = code_of(case)[1]
    found = re.search(r"\b(\w+)(\s*)<=(\s*)([\w.$()\[\]]+)\.length\b", code)
    if not found or f"[{found.group(1)}]" not in code:
        return None
    fixed = code[: found.start()] + found.group().replace("<=", "<", 1) + code[found.end() :]
    return Finding(words={"index": found.group(1), "length": f"{found.group(4)}.length"}, edits=code_edit(case, fixed))
