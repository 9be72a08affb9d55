"""A document that is imported again meets what the person changed since: a three-way merge, field by field and row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.contracts.http import FormBody, MultipartBody, Pair, RequestDefinition

#: Tables whose rows are merged one by one; everything else changes as a whole.
_TABLES = ("params", "headers", "variables")

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of it. ``conflicts`` names the fields that both sides changed, each its own way; the person's stayed."""

    definition: RequestDefinition
    conflicts: tuple[str, ...]
    #: Whether something that the person changed was kept against the document's.
    kept: bool


def merge_definitions(base: RequestDefinition, own: RequestDefinition, new: RequestDefinition) -> Merged:
    """``base`` is what was imported, ``own`` what the person made of it, ``new`` what the document says now.

    What the person has not touched follows the document; what they changed stays.
    """
    merger = _Merger()
    fields: dict[str, Any] = {}
    for name in RequestDefinition.model_fields:
        sides = [getattr(side, name) for side in (base, own, new)]
        fields[name] = merger.table(name, *sides) if name in _TABLES else merger.field(name, *sides)
    definition = RequestDefinition(**fields)
    return Merged(definition, tuple(dict.fromkeys(merger.conflicts)), definition != new)


def merge_value(base: Any, own: Any, new: Any) -> tuple[Any, bool]:
    """The value to keep, and whether both sides changed it, each its own way."""
    if own in (base, new):
        return new, False
    return own, new != base


class _Merger:
    def __init__(self) -> None:
        self.conflicts: list[str] = []

    def field(self, name: str, base: Any, own: Any, new: Any) -> Any:
        """One value as a whole, or the rows of a form."""
        for kind, rows in ((FormBody, "fields"), (MultipartBody, "parts")):
            if all(isinstance(body, kind) for body in (base, own, new)):
                return kind(**{rows: self.table(name, *(getattr(body, rows) for body in (base, own, new)))})
        value, conflict = merge_value(base, own, new)
        if conflict:
            self.conflicts.append(name)
        return value

    def table(self, name: str, base: Sequence[Pair], own: Sequence[Pair], new: Sequence[Pair]) -> tuple[Any, ...]:
        """Rows by name and, among rows of one name, by place."""
        bases, owns, news = _keyed(base), _keyed(own), _keyed(new)
        rows = {key: row for key in {**owns, **news} if (row := self._row(name, key, bases, owns, news)) is not None}
        shared = [key for key in bases if key in owns]
        reordered = [key for key in owns if key in bases] != shared
        first, second = (owns, news) if reordered else (news, owns)
        return tuple(rows[key] for key in _woven(list(first), list(second)) if key in rows)

    def _row(self, name: str, key: Key, bases: dict[Key, Pair], owns: dict[Key, Pair], news: dict[Key, Pair]) -> Pair | None:
        base, own, new = bases.get(key), owns.get(key), news.get(key)
        if own is None:
            return None if base is not None else new  # the person took it out, or the document is new to it
        if new is None:
            if own == base:
                return None
            if base is not None:
                self.conflicts.append(f"{name}.{key[0]}")
            return own
        if base is None:
            if own != new:
                self.conflicts.append(f"{name}.{key[0]}")
            return own
        cells = {}
        for cell in type(own).model_fields:
            values = [getattr(side, cell, None) for side in (base, own, new)]
            cells[cell], conflict = merge_value(*values)
            if conflict:
                self.conflicts.append(f"{name}.{key[0]}")
        return own.model_copy(update=cells)


def _keyed(rows: Sequence[Pair]) -> dict[Key, Pair]:
    seen: Counter[str] = Counter()
    keyed = {}
    for row in rows:
        keyed[row.name, seen[row.name]] = row
        seen[row.name] += 1
    return keyed


def _woven(first: list[Key], second: list[Key]) -> list[Key]:
    """The keys of ``first`` in their order, with those that only ``second`` has after what precedes them there."""
    woven = list(first)
    known = set(first)
    for place, key in enumerate(second):
        if key not in known:
            before = woven.index(second[place - 1]) if place else -1
            same = woven.index((key[0], key[1] - 1)) if key[1] else -1  # rows of one name stay in their order
            woven.insert(max(before, same) + 1, key)
            known.add(key)
    return woven
