"""JSON of strangers as values: every number as it was written, every node with an address, whatever its size or depth."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

#: Deeper nodes have no address of their own: nobody reads down there, and addresses would fill the page.
MAX_DEPTH = 150
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Number(str):
    """A number as it stands in the text: 1.0 stays 1.0, and no digit of a long one is lost."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Number) and str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((Number, str(self)))


Position = tuple[int, ...]
Keys = tuple[str | int, ...]


def parse_json(text: str) -> Any:
    """The value of a JSON text; ValueError says in English where and why it is none."""
    try:
        return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number)
    except RecursionError:
        raise ValueError("too deep") from None


def entries(value: Any) -> Iterator[tuple[str | int, Any]]:
    """(key, value) of the entries of an object or array; nothing for anything else."""
    if isinstance(value, dict):
        return iter(value.items())
    return iter(enumerate(value)) if isinstance(value, list) else iter(())


def is_container(value: Any) -> bool:
    """Whether it is an object or array with something in it."""
    return isinstance(value, dict | list) and bool(value)


def find_node(root: Any, position: Position) -> tuple[Keys, Any]:
    """The node whose address is the place of each step among its siblings; LookupError where there is none."""
    keys: list[str | int] = []
    for place in position:
        step = next(itertools.islice(entries(root), place, None), None)
        if step is None:
            raise LookupError(position)
        keys.append(step[0])
        root = step[1]
    return tuple(keys), root


def read_position(text: str) -> Position:
    """``0.3.12`` as a position; empty for anything that is none."""
    parts = text.split(".") if text else []
    if len(parts) > MAX_DEPTH or not all(part.isascii() and part.isdigit() and len(part) < 8 for part in parts):
        return ()
    return tuple(int(part) for part in parts)


def write_position(position: Position) -> str:
    """The opposite of ``read_position``."""
    return ".".join(map(str, position))


def json_path(keys: Keys) -> str:
    """RFC 9535, as a normalized path where a name needs quotes, else in its short form."""
    return "$" + "".join(_step(key, _quoted(key) if isinstance(key, str) else "") for key in keys)


def n8n_expression(keys: Keys) -> str:
    """What reads the node in n8n, where the body is the item: ``{{ $json.data[0].id }}``."""
    steps = "".join(_step(key, _javascript(key) if isinstance(key, str) else "") for key in keys)
    return "{{ $json" + steps + " }}"


def _step(key: str | int, quoted: str) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if _WORD.fullmatch(key) else f"[{quoted}]"


def _quoted(name: str) -> str:
    """A name in single quotes: RFC 9535, 2.7."""
    escaped = json.dumps(name, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'")
    return f"'{escaped}'"


def _javascript(name: str) -> str:
    # "}}" would end n8n's expression in the middle of the name.
    return json.dumps(name).replace("}}", "}\\u007d")


def write_json(value: Any, most: int = 20_000) -> str:
    """JSON in one line, numbers as they came; cut off with "…" after ``most`` characters."""
    out: list[str] = []
    size = 0
    waiting: list[_Piece | Any] = [value]
    while waiting and size <= most:
        piece = waiting.pop()
        if is_container(piece):
            waiting.extend(reversed(list(itertools.islice(_pieces(piece), most))))
            continue
        out.append(piece if isinstance(piece, _Piece | Number) else json.dumps(piece, ensure_ascii=False))
        size += len(out[-1])
    text = "".join(out)
    return text[:most] + "…" if waiting or len(text) > most else text


class _Piece(str):
    """A piece of JSON's own signs, unlike a string in it."""

    __slots__ = ()


def _pieces(value: Any) -> Iterator[Any]:
    begins, ends = ("{", "}") if isinstance(value, dict) else ("[", "]")
    yield _Piece(begins)
    for place, (key, item) in enumerate(entries(value)):
        name = json.dumps(key, ensure_ascii=False) + ": " if isinstance(key, str) else ""
        yield _Piece((", " if place else "") + name)
        yield item
    yield _Piece(ends)
