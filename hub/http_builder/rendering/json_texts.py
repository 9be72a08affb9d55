"""JSON and GraphQL with placeholders: what a value becomes depends on whether it stands in a string or by itself."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass

from hub.http_builder.rendering.renderer import Renderer

_STRING_MARK = re.compile(r'\\.|"', re.DOTALL)
_GRAPHQL_MARK = re.compile(r'\\"""|\\.|"""|"|#|\r|\n', re.DOTALL)
_GRAPHQL_WORD = re.compile(r"[_A-Za-z][_0-9A-Za-z]*|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class JsonFault:
    """Where a text stops being JSON. ``line`` and ``column`` count from 1, in the text as the person wrote it."""

    line: int
    column: int
    reason: str


def render_json(renderer: Renderer, template: str, place: str) -> tuple[str, JsonFault | None]:
    """The text with its values, and what is wrong with it as JSON.

    In a string a value is escaped. By itself it stands as it is where it is JSON (``3``, ``true``, ``{"a": 1}``), else as a
    string; so no value can end a string or add a field beside it.
    """
    out: list[str] = []
    starts, sources = [], []
    length, in_string = 0, False
    for piece in renderer.pieces(template, place):
        text = piece.text
        if piece.value:
            text = json.dumps(text, ensure_ascii=False)[1:-1] if in_string else _as_json(text)
        elif len(_marks(text)) % 2:
            in_string = not in_string
        starts.append(length)
        sources.append((piece.start, piece.value is not None))
        out.append(text)
        length += len(text)
    rendered = "".join(out)
    error = json_error(rendered)
    if error is None:
        return rendered, None
    position, reason = error
    index = max(bisect_right(starts, position) - 1, 0)
    start, is_value = sources[index] if sources else (0, False)
    return rendered, _fault(template, start if is_value else start + position - starts[index], reason)


def _marks(text: str) -> list[str]:
    return [mark for mark in _STRING_MARK.findall(text) if mark == '"']


def _as_json(text: str) -> str:
    return text.strip() if json_error(text) is None else json.dumps(text, ensure_ascii=False)


def json_error(text: str) -> tuple[int, str] | None:
    """Where and why a text is no JSON (RFC 8259: no NaN, no Infinity); None for one that is."""
    try:
        # Numbers are only looked at: an integer of many digits would take long, and Python refuses it.
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        return error.pos, error.msg
    except RecursionError:
        return 0, "too deep"
    except _NoJson as error:
        return max(text.find(str(error)), 0), f"{error} is no JSON"
    return None


class _NoJson(Exception):
    pass


def _refuse_constant(word: str) -> str:
    raise _NoJson(word)


def _fault(template: str, position: int, reason: str) -> JsonFault:
    before = template[:position]
    return JsonFault(before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1, reason)


def render_graphql(renderer: Renderer, template: str, place: str) -> str:
    """A GraphQL document with its values: escaped in strings; elsewhere a name or number as it is, anything else a string.

    A block string has no way to write some quotes: a value with one is refused there (GraphQL variables take any text).
    """
    out, state = [], ""
    for piece in renderer.pieces(template, place):
        if piece.value is None:
            state = _graphql_state(piece.text, state)
            out.append(piece.text)
        elif state == '"':
            out.append(json.dumps(piece.text, ensure_ascii=False)[1:-1])
        elif state == '"""':
            if '"' in piece.text or piece.text.endswith("\\"):
                renderer.refuse(place, "graphql-quote", name=piece.value.name)
            out.append(piece.text)
        elif state == "#":
            out.append(" ".join(piece.text.split()))
        else:
            bare = _GRAPHQL_WORD.fullmatch(piece.text)
            out.append(piece.text if bare else json.dumps(piece.text, ensure_ascii=False))
    return "".join(out)


def _graphql_state(text: str, state: str) -> str:
    """In which kind of string (or comment) the text ends, when it began in ``state``."""
    for mark in _GRAPHQL_MARK.findall(text):
        if state == "#":
            state = "" if mark in "\r\n" else state
        elif state == '"""':
            state = "" if mark == '"""' else state
        elif state == '"':
            # "" and a quote: an empty string that ends here, and the next one's beginning
            state = "" if mark in ('"', "\r", "\n") else ('"' if mark == '"""' else state)
        elif mark in ('"', '"""', "#"):
            state = mark
    return state
