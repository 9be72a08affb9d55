"""Parses JavaScript (Code nodes and expressions) and repairs small slips of the keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser, Tree

_LANGUAGE = Language(tree_sitter_javascript.language())
_INSERTED = (")", "]", "}", ",", ":", "'", '"', "`", "})", ")}", "']", '"]', "}`", "')", '")')
_CLOSERS = ")]}"
_LONGEST = 20_000
#: Bounds the work of a repair: characters parsed in all.
_MOST_PARSED = 2_000_000
_SMART_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'"})
#: What other languages and quick fingers write, and what JavaScript wants; tried before single characters.
_SLIPS = (
    (r"=\s+>", "=>"),
    (r"(?<=[\w)])\s*->\s*(?=[\w({\[])", " => "),
    (r",\s*,", ","),
    (r"\b(?:elseif|elsif|elif)\b", "else if"),
    (r"(?<=[A-Za-z])'(?=[A-Za-z])", "\\'"),
    (r"\b(?:fucntion|funtion|funciton|functon)\b", "function"),
    (r"\b(?:cosnt|conts|cnst)\b", "const"),
    (r"\b(?:retrun|reutrn|retunr|retrn)\b", "return"),
    (r"(?<=\w);(?=\s*[.)\]])", ""),
    (r"(?<=[\w)\]'\"])\s+and\s+(?=[\w(!'\"$])", " && "),
    (r"(?<=[\w)\]'\"])\s+or\s+(?=[\w(!'\"$])", " || "),
    (r"\bTrue\b", "true"),
    (r"\bNone\b", "null"),
)
#: Signs that are typed for one another.
_SWAPPED = {";": ",", ",": ";", ")": "]}", "]": ")}", "}": ")]", "=": ":", ":": "="}
_DANGLING = re.compile(r"(?:\?\?|&&|\|\||===?|!==?|<=|>=|=>|[+\-*/%<>=&|?:.,])\s*$")


@lru_cache(maxsize=256)
def parse(code: str) -> Tree:
    """The syntax tree; faults are nodes of it."""
    return Parser(_LANGUAGE).parse(code.encode())


def is_code(code: str) -> bool:
    """Whether the text parses as the body of a Code node."""
    root = parse(code).root_node
    # The parser takes typographic quotes for letters of a name.
    return not root.has_error and not (
        code != code.translate(_SMART_QUOTES) and any(_is_quoted_name(node) for node in walk(root))
    )


def _is_quoted_name(node: Node) -> bool:
    return node.type == "identifier" and source(node) != source(node).translate(_SMART_QUOTES)


def is_expression(code: str) -> bool:
    """Whether the text parses as one expression, as between ``{{`` and ``}}``."""
    root = parse(f"({code}\n)").root_node
    return (
        bool(code.strip())
        and not root.has_error
        and root.named_child_count == 1
        and root.named_children[0].type == "expression_statement"
    )


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, in the order of the text."""
    # Not recursive: long sums and chains are deep trees.
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting += reversed(current.children)


def source(node: Node) -> str:
    """The node's text."""
    return (node.text or b"").decode()


def replace_range(code: str, start: int, end: int, new: str) -> str:
    """The code with the bytes between two of the tree's offsets replaced."""
    raw = code.encode()
    return (raw[:start] + new.encode() + raw[end:]).decode()


def repair_code(code: str) -> str | None:
    """The code with the smallest edit that makes it parse; None where there is none, or it needs none."""
    if len(code) > _LONGEST or is_code(code):
        return None
    straight = code.translate(_SMART_QUOTES)
    if straight != code and is_code(straight):
        return straight
    return (
        _slip(code, is_code)
        or _over_lines(code)
        or _close_blocks(code)
        or _close_quotes(code)
        or next(_one_edit(code, is_code_check=True), None)
    )


def _over_lines(code: str) -> str | None:
    """A text that goes on in the next line, in the quotes that allow it."""
    changed = re.sub(r"(['\"])((?:(?!\1)[^`\\\n])*\n(?:(?!\1)[^`\\;{}])*)\1", lambda found: f"`{found.group(2)}`", code)
    return changed if changed != code and "${" not in code and is_code(changed) else None


def repair_expression(code: str) -> str | None:
    """The expression with the smallest edit that makes it parse; the same bounds as ``repair_code``."""
    if len(code) > _LONGEST or is_expression(code):
        return None
    straight = code.translate(_SMART_QUOTES)
    if straight != code and is_expression(straight):
        return straight
    if slip := _slip(code, is_expression) or _as_ternary(code):
        return slip
    stripped = code.rstrip()
    while _DANGLING.search(stripped):
        stripped = _DANGLING.sub("", stripped).rstrip()
        if is_expression(stripped):
            return stripped + code[len(code.rstrip()) :]
    single_dots = re.sub(r"(?<=[\w\])])\.{2,}(?=\w)", ".", code)
    if single_dots != code and is_expression(single_dots):
        return single_dots
    if "?" in code and is_expression(f"{stripped} : ''"):
        return f"{stripped} : ''{code[len(code.rstrip()) :]}"
    return _quote_at_end(code) or next(_one_edit(code, is_code_check=False), None)


_STATEMENT = re.compile(
    r"\s*if\s*\((.+?)\)\s*\{?\s*(?:return\s+)?([^{};]+?)\s*;?\s*\}?\s*else\s*\{?\s*(?:return\s+)?([^{};]+?)\s*;?\s*\}?\s*",
    re.DOTALL,
)


def _as_ternary(code: str) -> str | None:
    """``if (a) { b } else { c }`` as an expression."""
    found = _STATEMENT.fullmatch(code)
    made = f" {found.group(1)} ? {found.group(2)} : {found.group(3)} " if found else ""
    return made if found and is_expression(made) else None


def _slip(code: str, valid: Callable[[str], bool]) -> str | None:
    """The code after one of the usual slips is undone."""
    for pattern, right in _SLIPS:
        fixed = re.sub(pattern, lambda _found, right=right: right, code)  # type: ignore[misc]
        if fixed != code and valid(fixed):
            return fixed
    return None


def repair_await(code: str) -> str | None:
    """The code with the callback of a ``map`` that awaits made asynchronous, and all of its results awaited."""
    for node in walk(parse(code).root_node):
        function = node.parent if node.type == "await_expression" else None
        while function is not None and function.type not in ("arrow_function", "function_expression"):
            function = function.parent
        call = function.parent.parent if function is not None and function.parent is not None else None
        method = call.child_by_field_name("function") if call is not None else None
        prop = method.child_by_field_name("property") if method is not None else None
        if function is not None and _is_awaited(function, code):
            return replace_range(code, function.start_byte, function.start_byte, "async ")
        if function is None or call is None or prop is None or source(prop) != "map" or source(function).startswith("async"):
            continue
        place = function.start_byte - call.start_byte
        inner = replace_range(source(call), place, place, "async ")
        fixed = replace_range(code, call.start_byte, call.end_byte, f"(await Promise.all({inner}))")
        return fixed if is_code(fixed) else None
    return None


def _is_awaited(function: Node, code: str) -> bool:
    """Whether the function has a name under which its results are awaited already."""
    parent = function.parent
    name = parent.child_by_field_name("name") if parent is not None and parent.type == "variable_declarator" else None
    if name is None or source(function).startswith("async"):
        return False
    word = re.escape(source(name))
    return bool(re.search(rf"await\s+{word}\b|Promise\.all\([\s\S]*\b{word}\b", code))


def _quote_at_end(code: str) -> str | None:
    """The text that was never closed, closed at the end of the expression."""
    body, tail = code.rstrip(), code[len(code.rstrip()) :]
    return next((body + quote + tail for quote in "'\"`" if is_expression(body + quote)), None)


def _one_edit(code: str, *, is_code_check: bool) -> Iterator[str]:
    """Every text that parses after one insertion or one deletion, the edits nearest to the fault first."""
    valid = is_code if is_code_check else is_expression
    fault = _fault(code if is_code_check else f"({code}\n)") - (0 if is_code_check else 1)
    fault = min(max(fault, 0), len(code))
    borders = [found.start() for found in re.finditer(r"\b|(?=[^\w\s])|(?<=[^\w\s])|$", code)]
    borders.sort(key=lambda place: (abs(place - fault), -place))
    excess = "".join(closing for opening, closing in ("()", "[]", "{}") if code.count(closing) > code.count(opening))
    for place in borders:
        if code[place : place + 1] and code[place] in excess and valid(candidate := code[:place] + code[place + 1 :]):
            yield candidate
    tries = 0
    for place in borders:
        at = len(code[:place].rstrip()) or place
        for candidate in (
            *(code[:at] + inserted + code[at:] for inserted in _INSERTED),
            *(code[:place] + code[place + 1 :] for sign in "()[]{},.;'\"`+*" if code[place : place + 1] == sign),
            *(code[:place] + other + code[place + 1 :] for other in _SWAPPED.get(code[place : place + 1], "")),
        ):
            tries += 1
            if _balances(candidate) and valid(candidate):
                yield candidate
        if tries * len(code) > _MOST_PARSED:
            return


def _balances(code: str) -> bool:
    """A cheap look before the parser is asked: brackets, wherever they stand, come in pairs or nearly so."""
    return all(abs(code.count(opening) - code.count(closing)) <= 1 for opening, closing in ("()", "[]", "{}"))


def _fault(code: str) -> int:
    """Where the parser stumbles first, in characters."""
    root = parse(code).root_node
    found = [node for node in walk(root) if node.is_missing or node.is_error]
    if not found:
        return len(code)
    # An error node covers what was skipped: the fault lies at the end of the innermost of them.
    missing = [node for node in found if node.is_missing]
    place = missing[0].start_byte if missing else min(node.end_byte for node in found)
    return len(code.encode()[:place].decode(errors="ignore"))


def _close_blocks(code: str) -> str | None:
    """A block that was never closed gets its brace where the indentation goes back."""
    lines = code.split("\n")
    opened: list[int] = []
    for number, line in enumerate(lines):
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        if text and opened and indent <= opened[-1] and not (text[0] in _CLOSERS and indent == opened[-1]):
            closed = [*lines[:number], " " * opened[-1] + "}", *lines[number:]]
            if is_code("\n".join(closed)):
                return "\n".join(closed)
        if text and text[0] in _CLOSERS and opened:
            opened.pop()
        if text.endswith(("{", "(", "[")):
            opened.append(indent)
    closed_at_end = code.rstrip() + "\n}"
    return closed_at_end if opened and is_code(closed_at_end) else None


def _close_quotes(code: str) -> str | None:
    """A text that was never closed gets its quote at the end of its line, before what closes the statement."""
    lines = code.split("\n")
    for number, line in enumerate(lines):
        for quote in "'\"":
            if line.count(quote) % 2 == 0:
                continue
            body = line.rstrip()
            for place in range(len(body), -1, -1):
                if body[place:].strip(";,)}] "):
                    break
                candidate = "\n".join([*lines[:number], body[:place] + quote + body[place:], *lines[number + 1 :]])
                if is_code(candidate) and (place == 0 or body[place - 1] not in _CLOSERS + ";,"):
                    return candidate
    return None
