"""Slips of syntax that the parser lets pass or that stand in several places: double declarations, Python's words, lone awaits."""

from __future__ import annotations

import re

from tree_sitter import Node

from plugins.analyzers.rules.javascript import is_code, parse, replace_range, source, walk
from plugins.analyzers.rules.trace import FUNCTIONS

_QUOTED = re.compile(
    r"'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`|//[^\n]*|/\*[\s\S]*?\*/",
)
#: What Python, PHP and SQL write, and JavaScript's word for it; only outside of texts and comments.
_FOREIGN = (
    (r"(?<=[\w)\]'\"`])\s+and\s+(?=[\w(!'\"`$\[])", " && "),
    (r"(?<=[\w)\]'\"`])\s+or\s+(?=[\w(!'\"`$\[])", " || "),
    (r"\bis\s+not\s+None\b", "!= null"),
    (r"\bis\s+None\b", "== null"),
    (r"(?<![\w.$])not\s+(?=[\w($])", "!"),
    (r"(?<![\w.$'\"])True\b(?!\s*:)", "true"),
    (r"(?<![\w.$'\"])False\b(?!\s*:)", "false"),
    (r"(?<![\w.$'\"])None\b(?!\s*:)", "null"),
    (r"\b(?:elseif|elsif|elif)\b", "else if"),
    (r"<>", "!=="),
    (r"(?m)^(\s*)#(?=\s)", r"\1//"),
)


def without_foreign_words(code: str) -> str | None:
    """The code with the words of other languages translated; None where that does not make it parse."""
    changed = code
    for pattern, right in _FOREIGN:
        quoted = [found.span() for found in _QUOTED.finditer(changed)]

        def translated(found: re.Match[str], right: str = right, quoted: list[tuple[int, int]] = quoted) -> str:
            inside = any(start <= found.start() < end for start, end in quoted)
            return found.group() if inside else found.expand(right)

        changed = re.sub(pattern, translated, changed)
    return changed if changed != code and is_code(changed) else None


def declared_once(code: str, name: str) -> str | None:
    """The code in which the second declaration of a name only gives the first one another value."""
    for scope in walk(parse(code).root_node):
        if scope.type not in ("program", "statement_block"):
            continue
        found = [entry for statement in scope.named_children for entry in _declarators(statement, name)]
        bound = _is_parameter(scope, name)
        again = found if bound else found[1:]
        if not again or any(declaration.named_child_count != 1 for declaration, _ in found):
            continue
        if any(declarator.child_by_field_name("value") is None for _, declarator in again):
            continue
        changed = code
        for declaration, declarator in reversed(again):
            changed = replace_range(changed, declaration.start_byte, declarator.start_byte, "")
        if not bound and source(found[0][0]).startswith("const"):
            start = found[0][0].start_byte
            changed = replace_range(changed, start, start + len("const"), "let")
        return changed if is_code(changed) else None
    return None


def _declarators(statement: Node, name: str) -> list[tuple[Node, Node]]:
    if statement.type not in ("lexical_declaration", "variable_declaration"):
        return []
    entries = [child for child in statement.named_children if child.type == "variable_declarator"]
    return [(statement, entry) for entry in entries if _name_of(entry) == name]


def _name_of(declarator: Node) -> str:
    name = declarator.child_by_field_name("name")
    return source(name) if name is not None and name.type == "identifier" else ""


def _is_parameter(block: Node, name: str) -> bool:
    function = block.parent
    if function is None or function.type not in FUNCTIONS:
        return False
    given = function.child_by_field_name("parameters") or function.child_by_field_name("parameter")
    return given is not None and any(node.type == "identifier" and source(node) == name for node in walk(given))


def given_value(code: str) -> str | None:
    """``const total;`` with ``let``: a constant has to be given its value at once."""
    changed = re.sub(r"\bconst(\s+[A-Za-z_$][\w$]*\s*(?:;|\n|$))", r"let\1", code)
    return changed if changed != code and is_code(changed) else None


def looped_await(code: str) -> str | None:
    """``list.forEach((entry) => { await … })`` as a loop, which waits as it was meant to."""
    for call in walk(parse(code).root_node):
        function, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
        if call.type != "call_expression" or function is None or arguments is None or not arguments.named_children:
            continue
        prop, holder = function.child_by_field_name("property"), function.child_by_field_name("object")
        callback = arguments.named_children[0]
        body = callback.child_by_field_name("body")
        if prop is None or holder is None or source(prop) != "forEach" or body is None or "await" not in source(body):
            continue
        parameters = callback.child_by_field_name("parameter") or callback.child_by_field_name("parameters")
        statement = call.parent
        if body.type != "statement_block" or parameters is None or statement is None or statement.type != "expression_statement":
            continue
        names = [parameters] if parameters.type == "identifier" else parameters.named_children
        if not 1 <= len(names) <= 2 or any(node.type == "return_statement" for node in walk(body)):
            continue
        entry = source(names[0]) if len(names) == 1 else f"[{source(names[1])}, {source(names[0])}]"
        over = source(holder) if len(names) == 1 else f"{source(holder)}.entries()"
        loop = f"for (const {entry} of {over}) {source(body)}"
        changed = replace_range(code, statement.start_byte, statement.end_byte, loop)
        return changed if is_code(changed) else None
    return None
