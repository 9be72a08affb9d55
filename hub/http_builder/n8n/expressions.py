"""Between the hub's ``{{NAME}}`` and n8n's expressions.

n8n computes a value only where it begins with ``=``: text with code between ``{{`` and ``}}``. In text before code a pair of
backslashes stands for one; text after the last code is taken as it is (n8n's own splitter, 2.40.7).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

from hub.executions.expression_reads import is_expression

#: The node that holds the values of a request's variables.
VARIABLES_NODE = "Variables"
#: What n8n computes for the hub's built-in names.
BUILT_IN = {
    "$timestamp": "Math.floor(Date.now() / 1000)",
    "$uuid": "'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, () => Math.floor(Math.random() * 16).toString(16))",
}
_BUILT_IN_NAMES = {code: name for name, code in BUILT_IN.items()}
_PLACEHOLDER = re.compile(r"\{\{\s*(\$timestamp|\$uuid|[A-Za-z_][A-Za-z0-9_.-]*)\s*\}\}")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_READ = re.compile(
    r"""\$\(\s*'(?P<node>[^'\\]+)'\s*\)\.(?:item|first\(\))\.json
        (?:\.(?P<plain>[A-Za-z_][A-Za-z0-9_]*)|\[\s*'(?P<quoted>[A-Za-z_][A-Za-z0-9_.-]*)'\s*\])""",
    re.VERBOSE,
)
_ENCODED = re.compile(r"^encodeURIComponent\((.*)\)$", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def find_names(text: str) -> list[str]:
    """The variables that a text of a definition names, each once; none where n8n computes the text."""
    if is_expression(text):
        return []
    return [name for name in dict.fromkeys(_PLACEHOLDER.findall(text)) if name not in BUILT_IN]


def to_n8n(text: str, *, node: str = VARIABLES_NODE, encode: bool = False) -> str:
    """A text of a definition as n8n has to have it: as it is, or as an expression that reads ``node``'s values.

    ``encode`` percent-encodes the values of variables, for a text that is encoded already.
    """
    if is_expression(text):
        return text
    if not _PLACEHOLDER.search(text):
        return f"={{{{ {_quote(text)} }}}}" if text.startswith("=") else text
    pieces, end = [], 0
    for match in _PLACEHOLDER.finditer(text):
        code = BUILT_IN.get(match[1]) or _read_of(match[1], node)
        pieces.append(_text_before_code(text[end : match.start()]))
        pieces.append(f"{{{{ encodeURIComponent({code}) }}}}" if encode else f"{{{{ {code} }}}}")
        end = match.end()
    return "=" + "".join(pieces) + _last_text(text[end:])


def encode_text(text: str) -> str:
    """The text percent-encoded for a form or a query, its placeholders left as they are."""
    pieces, end = [], 0
    for match in _PLACEHOLDER.finditer(text):
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
    return value if is_expression(text) or _PLACEHOLDER.findall(text) != names else text


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


def _read_code(code: str, node: str) -> tuple[str | None, str | None]:
    """(name of a variable, literal text) that a piece of code is; both None where it is anything else."""
    if code in _BUILT_IN_NAMES:
        return _BUILT_IN_NAMES[code], None
    read = _READ.fullmatch(_ENCODED.sub(r"\1", code))
    if read is not None and read["node"] == node:
        return read["plain"] or read["quoted"], None
    if _STRING.fullmatch(code):
        try:
            return None, str(json.loads(code))
        except ValueError:
            pass
    return None, None


def _read_of(name: str, node: str) -> str:
    holder = node.replace("\\", "\\\\").replace("'", "\\'")
    return f"$('{holder}').item.json" + (f".{name}" if _PLAIN_NAME.fullmatch(name) else f"['{name}']")


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
