"""Between the hub's ``{{NAME}}`` and n8n's expressions.

n8n computes a value only where it begins with ``=``: text with code between ``{{`` and ``}}``. In text before code a pair of
backslashes stands for one; text after the last code is taken as it is (n8n's own splitter, 2.40.7).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Literal
from urllib.parse import quote

from hub.contracts.http import PLACEHOLDER
from hub.http_builder.rendering.placeholders import is_expression

#: What a text is part of, which decides how a variable's value is put into it.
Form = Literal["text", "encoded", "json"]

#: The node that holds the values of a request's variables.
VARIABLES_NODE = "Variables"
#: What n8n computes for the hub's built-in names.
_BUILT_IN = {
    "$timestamp": "Math.floor(Date.now() / 1000)",
    "$uuid": "'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, () => Math.floor(Math.random() * 16).toString(16))",
}
_BUILT_IN_NAMES = {code: name for name, code in _BUILT_IN.items()}
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_READ = re.compile(
    r"""\$\(\s*'(?P<node>(?:[^'\\]|\\.)+)'\s*\)\.item\.json
        (?:\.(?P<plain>[A-Za-z_][A-Za-z0-9_]*)|\[\s*'(?P<quoted>[A-Za-z_][A-Za-z0-9_.-]*)'\s*\])""",
    re.VERBOSE,
)
_WRAPPED = re.compile(r"encodeURIComponent\((.*)\)|JSON\.stringify\((.*)\)\.slice\(1, -1\)", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_QUOTE_MARK = re.compile(r'\\.|"', re.DOTALL)


def find_names(text: str) -> list[str]:
    """The variables that a text of a definition names, each once; none where n8n computes the text."""
    if is_expression(text):
        return []
    return list(dict.fromkeys(match[1] for match in _placeholders(text) if match[1] not in _BUILT_IN))


def to_n8n(text: str, *, node: str = VARIABLES_NODE, form: Form = "text") -> str:
    """A text of a definition as n8n has to have it: as it is, or as an expression that reads ``node``'s values.

    In an encoded text values are percent-encoded, in a JSON string they are escaped, as the hub does.
    """
    if is_expression(text):
        return text
    found = list(_placeholders(text))
    if not found:
        return f"={{{{ {_quote(text)} }}}}" if text.startswith("=") else text
    pieces, end, in_string = [], 0, False
    for match in found:
        before = text[end : match.start()]
        in_string ^= _QUOTE_MARK.findall(before).count('"') % 2 == 1
        code = _BUILT_IN.get(match[1]) or _read_of(match[1], node)
        if form == "encoded":
            code = f"encodeURIComponent({code})"
        elif form == "json" and in_string:
            code = f"JSON.stringify({code}).slice(1, -1)"
        pieces.append(f"{_text_before_code(before)}{{{{ {code} }}}}")
        end = match.end()
    return "=" + "".join(pieces) + _last_text(text[end:])


def encode_text(text: str) -> str:
    """The text percent-encoded for a form, its placeholders left as they are."""
    pieces, end = [], 0
    for match in _placeholders(text):
        pieces += [quote(text[end : match.start()], safe=""), match[0]]
        end = match.end()
    return "".join(pieces) + quote(text[end:], safe="")


def from_n8n(value: str, *, node: str = VARIABLES_NODE) -> str:
    """The reverse: what an expression of ``to_n8n``'s own forms stands for; any other expression as it is."""
    if not value.startswith("="):
        return value
    if not is_expression(value):
        return value[1:]
    pieces, names = [], []
    for is_code, text in split_expression(value[1:]):
        if not is_code:
            pieces.append(text)
            continue
        name, literal = _read_code(text.strip(), node)
        if name is None and literal is None:
            return value
        names += [name] if name else []
        pieces.append(f"{{{{{name}}}}}" if name else str(literal))
    text = "".join(pieces)
    # A literal text may look like a placeholder or an expression, which it is not.
    return value if is_expression(text) or [match[1] for match in _placeholders(text)] != names else text


def split_expression(text: str) -> Iterator[tuple[bool, str]]:
    """(is it code, text) of each part of an expression without its ``=``, as n8n's splitter sees them."""
    rest, buffer, is_code = text, "", False
    while True:
        place = rest.find("}}" if is_code else "{{")
        if place < 0:
            yield is_code, buffer + rest
            return
        before = rest[:place]
        is_escaped = (len(before) - len(before.rstrip("\\"))) % 2 == 1
        if is_escaped:
            buffer, rest = buffer + rest[: place + 2], rest[place + 2 :]
            continue
        buffer += before
        yield is_code, buffer.replace("\\}}", "}}", 1) if is_code else buffer.replace("\\\\", "\\")
        rest, buffer, is_code = rest[place + 2 :], "", not is_code


def _placeholders(text: str) -> Iterator[re.Match[str]]:
    """The placeholders that stand for a value; ``{{ $json.id }}`` in a plain text is only text."""
    return (match for match in PLACEHOLDER.finditer(text) if not match[1].startswith("$") or match[1] in _BUILT_IN)


def _read_code(code: str, node: str) -> tuple[str | None, str | None]:
    """(name of a variable, literal text) that a piece of code is; both None where it is anything else."""
    wrapped = _WRAPPED.fullmatch(code)
    code = (wrapped[1] or wrapped[2]) if wrapped else code
    if code in _BUILT_IN_NAMES:
        return _BUILT_IN_NAMES[code], None
    read = _READ.fullmatch(code)
    if read is not None and read["node"] == _escape_name(node):
        return read["plain"] or read["quoted"], None
    if _STRING.fullmatch(code) and not wrapped:
        try:
            return None, str(json.loads(code))
        except ValueError:
            pass
    return None, None


def _read_of(name: str, node: str) -> str:
    holder = f"$('{_escape_name(node)}').item.json"
    return f"{holder}.{name}" if _PLAIN_NAME.fullmatch(name) else f"{holder}['{name}']"


def _escape_name(node: str) -> str:
    return node.replace("\\", "\\\\").replace("'", "\\'")


def _quote(text: str) -> str:
    """A JavaScript string that holds no end of code."""
    return json.dumps(text, ensure_ascii=False).replace("}}", "}\\u007d")


def _text_before_code(text: str) -> str:
    text = text.replace("\\", "\\\\").replace("{{", '{{ "{{" }}')
    return text[:-1] + '{{ "{" }}' if text.endswith("{") else text  # else n8n would take the code to begin earlier


def _last_text(text: str) -> str:
    if "{{" not in text:
        return text
    before, _, after = text.rpartition("{{")
    return _text_before_code(before) + '{{ "{{" }}' + after
