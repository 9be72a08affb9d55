"""What differs between two JSON values: added, removed, changed and moved, each with its path. Bounded for large ones."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from hub.http_builder.responses.contents import make_visible
from hub.http_builder.responses.tree import clip
from hub.http_builder.responses.values import Keys, json_path, write_json

MAX_CHANGES = 300
SECONDS = 3.0
#: How many entries without a name are matched by what is in them; more are matched by place.
MAX_MATCHED = 500
MAX_SHOWN = 200
#: Below this depth values are compared as a whole.
MAX_DEPTH = 200
#: What names an entry of an array, best first.
_NAMES = ("id", "_id", "uuid", "key", "slug", "sku", "code", "name", "email", "number")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. ``kind``: added, removed, changed, moved; ``before`` and ``after`` as short JSON, None where there is none.

    For ``moved`` they are the paths before and after.
    """

    kind: str
    path: str
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """The first differences, how many of each kind were seen, and whether all were looked for."""

    rows: list[Change]
    counts: dict[str, int]
    complete: bool


class _Enough(Exception):
    pass


@dataclass(slots=True)
class _Comparison:
    rows: list[Change] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    deadline: float = 0.0

    def note(self, kind: str, keys: Keys, before: Any = None, after: Any = None) -> None:
        self.check_time()
        self.counts[kind] += 1
        if len(self.rows) == MAX_CHANGES:
            raise _Enough
        shown_before = None if kind == "added" else _short(before)
        shown_after = None if kind == "removed" else _short(after)
        self.rows.append(Change(kind, clip(json_path(keys), MAX_SHOWN)[0], shown_before, shown_after))

    def note_moved(self, before: Keys, after: Keys) -> None:
        self.counts["moved"] += 1
        if len(self.rows) == MAX_CHANGES:
            raise _Enough
        old, new = clip(json_path(before), MAX_SHOWN)[0], clip(json_path(after), MAX_SHOWN)[0]
        self.rows.append(Change("moved", new, old, new))

    def check_time(self) -> None:
        if time.thread_time() > self.deadline:
            raise _Enough

    def compare(self, before: Any, after: Any, old: Keys, new: Keys) -> None:
        """Note what differs between two nodes; ``old`` and ``new`` are their paths."""
        if isinstance(before, dict) and isinstance(after, dict) and len(new) < MAX_DEPTH:
            self._compare_objects(before, after, old, new)
        elif isinstance(before, list) and isinstance(after, list) and len(new) < MAX_DEPTH:
            self._compare_arrays(before, after, old, new)
        elif not is_same(before, after):
            self.note("changed", new, before, after)

    def _compare_objects(self, before: dict[str, Any], after: dict[str, Any], old: Keys, new: Keys) -> None:
        for key, value in before.items():
            if key not in after:
                self.note("removed", (*old, key), value)
            elif value is not after[key]:
                self.compare(value, after[key], (*old, key), (*new, key))
        for key, value in after.items():
            if key not in before:
                self.note("added", (*new, key), after=value)

    def _compare_arrays(self, before: list[Any], after: list[Any], old: Keys, new: Keys) -> None:
        self.check_time()
        pairs, removed, added = _by_name(before, after) or _by_value(before, after)
        stays = _in_order([index for _place, index in pairs])
        for (place, index), is_still in zip(pairs, stays, strict=True):
            if not is_still:
                self.note_moved((*old, place), (*new, index))
            self.compare(before[place], after[index], (*old, place), (*new, index))
        for place in removed:
            self.note("removed", (*old, place), before[place])
        for index in added:
            self.note("added", (*new, index), after=after[index])


def compare_json(before: Any, after: Any) -> Changes:
    """All differences, up to ``MAX_CHANGES`` of them and ``SECONDS`` of processor time."""
    comparison = _Comparison(deadline=time.thread_time() + SECONDS)
    try:
        comparison.compare(before, after, (), ())
    except (_Enough, RecursionError):
        return Changes(comparison.rows, dict(comparison.counts), complete=False)
    return Changes(comparison.rows, dict(comparison.counts), complete=True)


_Matching = tuple[list[tuple[int, int]], list[int], list[int]]


def _by_place(before: Sequence[Any], after: Sequence[Any]) -> _Matching:
    both = min(len(before), len(after))
    return [(place, place) for place in range(both)], list(range(both, len(before))), list(range(both, len(after)))


def _by_name(before: Sequence[Any], after: Sequence[Any]) -> _Matching | None:
    """Entries matched by a field that names each of them in both arrays; None where there is no such field."""
    for name in _NAMES:
        old, new = _named(before, name), _named(after, name)
        if old is not None and new is not None:
            pairs = [(place, new[key]) for key, place in old.items() if key in new]
            removed = [place for key, place in old.items() if key not in new]
            return pairs, removed, [place for key, place in new.items() if key not in old]
    return None


def _named(values: Sequence[Any], name: str) -> dict[Any, int] | None:
    found: dict[Any, int] = {}
    for place, value in enumerate(values):
        key = value.get(name) if isinstance(value, dict) else None
        if not isinstance(key, str) or key in found:
            return None
        found[key] = place
    return found


def _by_value(before: Sequence[Any], after: Sequence[Any]) -> _Matching:
    """Equal entries belong together, wherever they stand; of those that are left, each replaces the one in its place."""
    old, new = [_digest(value) for value in before], [_digest(value) for value in after]
    begin, ends = same_ends(old, new)
    if max(len(old), len(new)) - begin - ends > MAX_MATCHED:
        return _by_place(before, after)
    pairs = [(place, place) for place in range(begin)]
    pairs += [(len(old) - back, len(new) - back) for back in range(ends, 0, -1)]
    removed: list[int] = []
    added: list[int] = []
    middle = SequenceMatcher(None, old[begin : len(old) - ends], new[begin : len(new) - ends], autojunk=False)
    for kind, start, end, first, last in middle.get_opcodes():
        if kind == "equal":
            pairs += zip(range(begin + start, begin + end), range(begin + first, begin + last), strict=True)
        else:
            removed += range(begin + start, begin + end)
            added += range(begin + first, begin + last)
    elsewhere: dict[int, list[int]] = {}
    for index in added:
        elsewhere.setdefault(new[index], []).append(index)
    for place in removed[:]:
        if elsewhere.get(old[place]):
            index = elsewhere[old[place]].pop(0)
            pairs.append((place, index))
            removed.remove(place)
            added.remove(index)
    replaced = list(zip(removed, added, strict=False))
    pairs += replaced
    return sorted(pairs), removed[len(replaced) :], added[len(replaced) :]


def same_ends(before: Sequence[Any], after: Sequence[Any]) -> tuple[int, int]:
    """How many entries are equal at the beginning, and how many of the others at the end."""
    most = min(len(before), len(after))
    begin = next((place for place in range(most) if before[place] != after[place]), most)
    most -= begin
    return begin, next((back for back in range(most) if before[-1 - back] != after[-1 - back]), most)


def _in_order(indexes: Sequence[int]) -> list[bool]:
    """Which of them are part of the longest rising run, that is, did not move."""
    tails: list[int] = []
    links: list[int | None] = []
    for place, index in enumerate(indexes):
        low = bisect_left(tails, index, key=lambda tail: indexes[tail])
        links.append(tails[low - 1] if low else None)
        tails[low : low + 1] = [place]
    stays = [False] * len(indexes)
    last = tails[-1] if tails else None
    while last is not None:
        stays[last] = True
        last = links[last]
    return stays


def _digest(value: Any) -> int:
    """Equal for equal values, with any order of names."""
    if isinstance(value, dict):
        return hash(frozenset((key, _digest(item)) for key, item in value.items()))
    return hash(tuple(map(_digest, value))) if isinstance(value, list) else hash((type(value), value))


def is_same(before: Any, after: Any) -> bool:
    """Equality of JSON: True is not 1, and 1 is not 1.0, since somebody wrote them differently."""
    return type(before) is type(after) and bool(before == after)


def _short(value: Any) -> str:
    return make_visible(write_json(value, MAX_SHOWN))
