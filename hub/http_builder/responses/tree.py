"""JSON as a tree that folds: a bounded piece at a time, its branches fetched as they are opened."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from hub.http_builder.responses.contents import make_visible
from hub.http_builder.responses.values import MAX_DEPTH, Keys, Number, Position, entries, find_node, is_container, write_position

#: Entries of one container that are shown at once; the next ones follow behind a link.
STEP = 100
MAX_NODES = 300
#: Levels below the top that a piece unfolds, and that it holds at all.
OPEN, LEVELS = 2, 12
MAX_KEY, MAX_TEXT = 80, 160


@dataclass(slots=True)
class Branch:
    """One node. ``kind``: object, array, string, number, word. ``count`` of entries; ``text`` of a leaf, perhaps ``cut``.

    A container has ``children``, or is ``lazy``: they come when it is opened. ``more`` is the place of the first entry that is
    not shown, None at the end. ``at`` is the address, None below ``MAX_DEPTH``.
    """

    label: str | None
    is_index: bool
    kind: str
    at: str | None
    count: int = 0
    text: str = ""
    cut: bool = False
    opened: bool = False
    lazy: bool = False
    children: list[Branch] = field(default_factory=list)
    more: int | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a tree: its top, the way to it as (label, address), and how many nodes it shows."""

    top: Branch
    way: list[tuple[str, str]]
    keys: Keys
    shown: int


def cut_piece(root: Any, position: Position = (), first: int = 0) -> Piece:
    """The piece at ``position`` from its entry ``first`` on; LookupError where there is no such node."""
    keys, value = find_node(root, position)
    top = _branch(None, value, position)
    shown = _unfold(top, value, position, first)
    names = ["$", *(clip(str(key), MAX_KEY)[0] for key in keys)]
    way = [(name, write_position(position[:depth])) for depth, name in enumerate(names)]
    return Piece(top, way, keys, shown)


def _unfold(top: Branch, value: Any, position: Position, first: int) -> int:
    """Fill in what there is room for, level by level, so that no branch takes all of it."""
    shown = 1
    waiting = deque([(top, value, position, 0)])
    while waiting:
        branch, container, place, level = waiting.popleft()
        if not is_container(container):
            continue
        begin = first if level == 0 else 0
        wanted = min(len(container) - begin, STEP)
        if level and (shown + wanted > MAX_NODES or level >= LEVELS):
            branch.lazy = branch.at is not None
            continue
        # The one array that most answers are about is open at once.
        branch.opened = level == 0 or (level < OPEN and (len(container) <= 30 or len(top.children) <= 5))
        for index, (key, item) in enumerate(entries(container)):
            if index < begin:
                continue
            if index == begin + wanted:
                branch.more = index
                break
            child = _branch(key, item, (*place, index))
            branch.children.append(child)
            waiting.append((child, item, (*place, index), level + 1))
        shown += wanted
    return shown


def _branch(key: str | int | None, value: Any, position: Position) -> Branch:
    label = None if key is None else clip(str(key), MAX_KEY)[0]
    at = write_position(position) if len(position) <= MAX_DEPTH else None
    branch = Branch(label, isinstance(key, int), kind_of(value), at)
    if isinstance(value, dict | list):
        branch.count = len(value)
    else:
        branch.text, branch.cut = clip(leaf_text(value), MAX_TEXT)
    return branch


def kind_of(value: Any) -> str:
    """object, array, string, number or word (true, false, null)."""
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "array"
    if isinstance(value, Number):
        return "number"
    return "string" if isinstance(value, str) else "word"


def leaf_text(value: Any) -> str:
    """A leaf without quotes."""
    if isinstance(value, str):
        return str(value)
    return {True: "true", False: "false", None: "null"}[value]


def clip(text: str, most: int) -> tuple[str, bool]:
    """The beginning of a text, harmless, and whether there is more of it."""
    return make_visible(text[:most]), len(text) > most
