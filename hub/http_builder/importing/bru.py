"""The ``.bru`` text format of Bruno: blocks of rows (``headers { name: value }``), lists and texts."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hub.http_builder.importing.results import ImportRefused

_OPENING = re.compile(r"([A-Za-z][A-Za-z0-9:_-]*)\s*([{\[])\s*$")
_TEXTS = ("body", "body:json", "body:text", "body:xml", "body:sparql", "body:graphql", "body:graphql:vars", "docs", "tests")
_MAX_LINES = 200_000


@dataclass(frozen=True, slots=True)
class Row:
    """``name: value``; a ``~`` before it switches it off. ``description`` is what ``@description`` says of it."""

    name: str
    value: str
    enabled: bool = True
    description: str | None = None


@dataclass(slots=True)
class BruFile:
    """The blocks of one file by their names."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def value(self, block: str, name: str) -> str:
        """The value of a row that is there once; empty without it."""
        return next((row.value for row in self.rows.get(block, []) if row.name == name), "")

    def values(self, block: str) -> dict[str, str]:
        """The rows of a block by name."""
        return {row.name: row.value for row in self.rows.get(block, []) if row.enabled}


def parse_bru(text: str) -> BruFile:
    """The blocks of a file. Raises ``ImportRefused`` with the line of a block that is never closed."""
    lines = text.splitlines()
    if len(lines) > _MAX_LINES:
        raise ImportRefused("too-many-values", limit=_MAX_LINES)
    found = BruFile()
    place = 0
    while place < len(lines):
        opening = _OPENING.fullmatch(lines[place].strip()) if lines[place][:1].strip() else None
        if opening is None:
            if empty := re.fullmatch(r"([A-Za-z][A-Za-z0-9:_-]*)\s*(?:\{\s*\}|\[\s*\])", lines[place].strip()):
                found.rows.setdefault(empty[1], [])
            place += 1
            continue
        name, closing = opening[1], "}" if opening[2] == "{" else "]"
        end = next((number for number in range(place + 1, len(lines)) if lines[number].rstrip() == closing), None)
        if end is None:
            raise ImportRefused("bru-open", block=name[:60], line=place + 1)
        inner = lines[place + 1 : end]
        if name in _TEXTS or name.startswith("script"):
            found.texts[name] = "\n".join(line.removeprefix("  ") for line in inner)
        elif closing == "]":
            found.rows.setdefault(name, []).extend(_row(f"{line.strip().rstrip(',')}:") for line in inner if line.strip())
        else:
            found.rows.setdefault(name, []).extend(_rows(inner))
        place = end + 1
    return found


def _rows(lines: list[str]) -> list[Row]:
    rows: list[Row] = []
    rest = iter(lines)
    note: str | None = None
    for line in rest:
        if not line.strip():
            continue
        if line.strip().startswith("@description("):
            note = _annotation(line.strip().removeprefix("@description("), rest)
            continue
        row = _row(line.strip())
        if row.value == "[":
            row = replace(
                row, value="\n".join(inner.strip() for inner in itertools.takewhile(lambda part: part.strip() != "]", rest))
            )
        elif row.value.startswith("'''"):
            row = replace(row, value=_long_text(row.value[3:], rest))
        rows.append(replace(row, description=note))
        note = None
    return rows


def _annotation(words: str, rest: Iterator[str]) -> str:
    """What stands in ``@description(...)``, which may go on over lines within three quotes."""
    if words.startswith("'''"):
        return _long_text(words[3:].removesuffix(")"), rest)
    return words.removesuffix(")").strip().strip("'\"")


def _long_text(first: str, rest: Iterator[str]) -> str:
    """A text up to its three closing quotes, without the indent of its lines."""
    if first.rstrip().endswith("'''"):
        return first.rstrip()[:-3].strip()
    lines = [first]
    for line in rest:
        words = line.strip().removesuffix(")")
        if words.endswith("'''"):
            lines.append(words[:-3])
            break
        lines.append(line.removeprefix("    "))
    return "\n".join(lines).strip("\n")


def _row(line: str) -> Row:
    enabled = not line.startswith("~")
    line = line.removeprefix("~")
    if line.startswith('"'):
        end = re.match(r'"((?:[^"\\]|\\.)*+)"\s*:', line)
        if end:
            return Row(end[1].replace('\\"', '"'), line[end.end() :].strip(), enabled)
    name, _colon, value = line.partition(":")
    return Row(name.strip(), value.strip(), enabled)
