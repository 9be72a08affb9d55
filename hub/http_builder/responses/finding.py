"""Searching within a body: a text in keys, values or lines, or a JSONPath; bounded in time and in what is found."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from hub.http_builder.responses.contents import make_visible
from hub.http_builder.responses.tree import clip, leaf_text
from hub.http_builder.responses.values import MAX_DEPTH, Keys, Position, entries, json_path, write_json, write_position

MAX_MATCHES = 100
#: Matches that are counted; beyond that there are just many.
MAX_COUNT = 10_000
SECONDS = 2.0
MAX_QUERY = 200
AROUND = 60


@dataclass(frozen=True, slots=True)
class Match:
    """One place. ``where`` is a JSONPath or a line number, ``at`` the node's address (None in text or where it has none)."""

    where: str
    before: str
    found: str
    after: str
    at: str | None = None
    offset: int = 0
    #: Whether ``found`` is a part of what stands there, to be marked.
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Matches:
    """The first matches, and how many there are; ``complete`` is False where the search was given up. ``problem``: a code."""

    rows: list[Match]
    count: int = 0
    complete: bool = True
    problem: str | None = None


def find_in_json(root: Any, words: str) -> Matches:
    """Nodes whose key or value holds the words, whatever their letters' case, in the order of the text."""
    pattern = re.compile(re.escape(words[:MAX_QUERY]), re.IGNORECASE)
    rows: list[Match] = []
    count, visited, deadline = 0, 0, time.thread_time() + SECONDS
    for path, key, value in _walk(root):
        visited += 1
        if visited % 4096 == 0 and time.thread_time() > deadline:
            return Matches(rows, count, complete=False)
        leaf = None if isinstance(value, dict | list) else leaf_text(value)
        hit = pattern.search(leaf) if leaf else None
        if hit is None and isinstance(key, str):
            hit = pattern.search(key)
        if hit is None:
            continue
        count += 1
        if len(rows) < MAX_MATCHES:
            keys, position = _place(path)
            address = write_position(position) if len(position) <= MAX_DEPTH else None
            rows.append(_match(clip(json_path(keys), 300)[0], hit, at=address))
        if count >= MAX_COUNT:
            return Matches(rows, count, complete=False)
    return Matches(rows, count)


def find_in_text(text: str, words: str) -> Matches:
    """Places of the words in a text, whatever their letters' case, with the number of their line."""
    rows: list[Match] = []
    count, line, seen = 0, 1, 0
    for hit in re.finditer(re.escape(words[:MAX_QUERY]), text, re.IGNORECASE):
        count += 1
        if len(rows) < MAX_MATCHES:
            line += text.count("\n", seen, hit.start())
            seen = hit.start()
            rows.append(_match(str(line), hit, offset=hit.start()))
        if count >= MAX_COUNT:
            return Matches(rows, count, complete=False)
    return Matches(rows, count)


def find_path(root: Any, found: list[tuple[Keys, Any]], problem: str | None, complete: bool) -> Matches:
    """What a JSONPath found, as rows with the addresses of the nodes."""
    if problem:
        return Matches([], problem=problem)
    rows = []
    for keys, value in found[:MAX_MATCHES]:
        position = _position_of(root, keys)
        text = make_visible(write_json(value, 200))
        rows.append(Match(clip(json_path(keys), 300)[0], "", text, "", None if position is None else write_position(position)))
    return Matches(rows, len(found), complete)


def _match(where: str, hit: re.Match[str], *, at: str | None = None, offset: int = 0) -> Match:
    text = hit.string
    before, after = text[max(hit.start() - AROUND, 0) : hit.start()], text[hit.end() : hit.end() + AROUND]
    return Match(where, make_visible(before), make_visible(hit[0]), make_visible(after), at, offset, marked=True)


class _Level:
    """One container on the way: its entries that are left, and the one that was taken last."""

    __slots__ = ("index", "key", "rest")

    def __init__(self, container: Any) -> None:
        self.rest = entries(container)
        self.index, self.key = -1, cast("str | int", 0)


def _walk(root: Any) -> Iterator[tuple[list[_Level], str | int | None, Any]]:
    """Every node in the order of the text as (way, key, value), without recursion; the way is only good until the next one."""
    yield [], None, root
    way = [_Level(root)]
    while way:
        level = way[-1]
        step = next(level.rest, None)
        if step is None:
            way.pop()
            continue
        level.index += 1
        level.key, value = step
        yield way, level.key, value
        if isinstance(value, dict | list):
            way.append(_Level(value))


def _place(way: list[_Level]) -> tuple[Keys, Position]:
    return tuple(level.key for level in way), tuple(level.index for level in way)


def _position_of(root: Any, keys: Keys) -> Position | None:
    """The address of the node at a path; None where it lies too deep."""
    if len(keys) > MAX_DEPTH:
        return None
    position: list[int] = []
    for key in keys:
        if isinstance(root, list):
            position.append(int(key))
            root = root[int(key)]
        else:
            position.append(next(index for index, name in enumerate(root) if name == key))
            root = root[key]
    return tuple(position)
