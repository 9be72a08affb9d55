"""Looks closer at code that waits for no answer, reads dates in no form that JavaScript knows, or minds upper and lower case."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from plugins.analyzers.rules.case import Case, case_of_item
from plugins.analyzers.rules.conversions import same_date_format
from plugins.analyzers.rules.idioms import awaited
from plugins.analyzers.rules.javascript import is_code, replace_range, source, walk
from plugins.analyzers.rules.looks.code import code_edit, code_of
from plugins.analyzers.rules.rule import Finding
from plugins.analyzers.rules.trace import Trace

_PICKS = 5
#: What reads or sets a date's parts in the server's time zone, where the day may be another one.
_LOCAL_PARTS = re.compile(r"\.(?:get|set)(?!UTC|Time\b)\w+\(|\.toLocale\w*\(|\.toDateString\(")
#: What Python's regular expressions read as JavaScript's do.
_PLAIN_PATTERN = re.compile(r"(?:[^\\(\[$]|\((?!\?)|\(\?:|\\[dwsb.#()\[\]/+*?|{}^$-]|\[(?:[^\]\\\[]|\\[dws./-])*\]|\$)+")


def not_awaited(case: Case) -> Finding | None:
    """A request whose promise is taken for the answer."""
    code = awaited(code_of(case)[1])
    return Finding(edits=code_edit(case, code)) if code and is_code(code) else None


def date(case: Case) -> Finding:
    """``new Date(text)`` of texts that all have one form in which the order of day and month is certain."""
    code = code_of(case)[1]
    found = []
    for node in walk(Trace(case, code).root):
        arguments = node.child_by_field_name("arguments")
        made = node.child_by_field_name("constructor")
        if node.type != "new_expression" or made is None or source(made) != "Date" or arguments is None:
            continue
        if len(arguments.named_children) == 1 and (form := _form(case, arguments.named_children[0])):
            found.append((node, source(arguments.named_children[0]), form))
    if not found or _LOCAL_PARTS.search(code):
        return Finding(words={"format": ""})
    for node, value, form in sorted(found, key=lambda entry: -entry[0].start_byte):
        # As new Date('2026-12-31') does: midnight in UTC.
        new = f"DateTime.fromFormat({value}, '{form}', {{ zone: 'utc' }}).toJSDate()"
        code = replace_range(code, node.start_byte, node.end_byte, new)
    return Finding(words={"format": found[0][2]}, edits=code_edit(case, code if is_code(code) else None))


def _form(case: Case, node: Node) -> str | None:
    texts = [value for trace, there in _readings(case, node) if isinstance(value := trace.value(there), str)]
    return same_date_format(texts)


def _readings(case: Case, node: Node) -> Iterator[tuple[Trace, Node]]:
    """The node with each entry of a loop, or each item where the code runs once for each."""
    code = code_of(case)[1]
    each = case.parameters.get("mode") == "runOnceForEachItem"
    for number in range(len(case.evidence.input_items) if each else _PICKS):
        trace = Trace(case_of_item(case, number) if each else case, code, 0 if each else number)
        same = [entry for entry in walk(trace.root) if (entry.start_byte, entry.end_byte) == (node.start_byte, node.end_byte)]
        yield trace, same[-1]


def pattern(case: Case) -> Finding | None:
    """A pattern that minds case and so misses some texts, while all of them have it in one case or the other."""
    code = code_of(case)[1]
    for node in walk(Trace(case, code).root):
        regex, text = _matched(node)
        if regex is None or text is None or not (read := re.fullmatch(r"/([\s\S]+)/([a-z]*)", source(regex))):
            continue
        body, flags = read.groups()
        if set(flags) - {"g"} or not _PLAIN_PATTERN.fullmatch(body):
            continue
        texts = [trace.value(there) for trace, there in _readings(case, text)]
        if not texts or not all(isinstance(value, str) for value in texts):
            continue
        hits = [bool(re.search(body, value)) for value in texts]
        either = [re.findall(body, value, re.IGNORECASE) for value in texts]
        if all(hits) or not all(len(entry) == 1 for entry in either):
            continue
        new = f"/{body}/{flags}i"
        fixed = replace_range(code, regex.start_byte, regex.end_byte, new)
        return Finding(words={"pattern": new}, edits=code_edit(case, fixed))
    return None


def _matched(node: Node) -> tuple[Node | None, Node | None]:
    """The pattern and the text of ``text.match(/…/)`` or ``/…/.exec(text)``."""
    function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    prop = function.child_by_field_name("property") if function is not None else None
    holder = function.child_by_field_name("object") if function is not None else None
    if prop is None or holder is None or arguments is None or len(arguments.named_children) != 1:
        return None, None
    given = arguments.named_children[0]
    if source(prop) == "match" and given.type == "regex":
        return given, holder
    return (holder, given) if source(prop) == "exec" and holder.type == "regex" else (None, None)
