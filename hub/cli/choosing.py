"""From what a person writes, a name or an id, to the one thing that it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from hub.errors import Invalid, NotFound


class Named(Protocol):
    """Anything with an id and a name."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...


Thing = TypeVar("Thing", bound=Named)


def choose_one(rows: Sequence[Thing], name_or_id: str, kind: str) -> Thing:
    """The row with this id, else the only one of this name; where there are several they are listed."""
    by_id = [row for row in rows if row.id == name_or_id]
    found = by_id or [row for row in rows if row.name == name_or_id]
    if not found:
        raise NotFound(f"There is no {kind} {name_or_id!r}; see: hub {kind} list")
    if len(found) > 1:
        raise Invalid(f"Several are called {name_or_id!r}; name one by its id: {', '.join(row.id for row in found)}")
    return found[0]
