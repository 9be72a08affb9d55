"""What placeholders stand for: values in scopes, and the files of a body."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hub.contracts.http import RequestDefinition


class Scope(enum.StrEnum):
    """Whose a value is; the first of these that knows a name decides."""

    REQUEST = "request"
    ENVIRONMENT = "environment"
    USER = "user"


_RANK = {scope: rank for rank, scope in enumerate(Scope)}


@dataclass(frozen=True, slots=True)
class Value:
    """The value of one variable. A secret goes to ``hosts`` only (``host``, ``host:port``, ``*.suffix``): to none if empty."""

    name: str
    text: str = field(repr=False)
    secret: bool = False
    hosts: tuple[str, ...] = ()
    scope: Scope = Scope.USER


class Values:
    """All values that a request may use. Of two with the same name the narrower scope's wins, in one scope the first."""

    def __init__(self, values: Iterable[Value] = ()) -> None:
        self._values = tuple(values)
        self._by_name: dict[str, Value] = {}
        for value in sorted(self._values, key=lambda value: _RANK[Scope(value.scope)]):
            self._by_name.setdefault(value.name, value)

    def __iter__(self) -> Iterator[Value]:
        """The values that are in force."""
        return iter(self._by_name.values())

    def get(self, name: str) -> Value | None:
        """The value in force; None where no scope knows the name."""
        return self._by_name.get(name)

    def with_variables_of(self, definition: RequestDefinition) -> Values:
        """These values and the plain variables that the request itself brings; a stored one of the request comes first."""
        own = [Value(pair.name, pair.value, scope=Scope.REQUEST) for pair in definition.variables if pair.enabled and pair.name]
        return Values((*self._values, *own))


@dataclass(frozen=True, slots=True)
class FileContent:
    """A file that was uploaded to be sent."""

    name: str
    media_type: str
    content: bytes = field(repr=False)
