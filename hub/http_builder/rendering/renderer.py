"""Puts values in the place of placeholders: once, so that a value that holds ``{{OTHER}}`` stays as it is."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hub.contracts.http import PLACEHOLDER, Note
from hub.http_builder.rendering.placeholders import is_expression
from hub.http_builder.rendering.problems import Problem
from hub.http_builder.rendering.values import Value, Values


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a template: what the person wrote, or the value of the variable that stood there."""

    text: str
    #: Where it begins in the template.
    start: int
    value: Value | None = None


class Renderer:
    """One preparation of one request: the values, and what was found on the way."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.timestamp = str(int(time.time()))
        self.problems: list[Problem] = []
        self.notes: list[Note] = []
        #: Secrets that were really used, with the first place of each.
        self.used: dict[Value, str] = {}
        #: What stands in a secret field and is no secret variable.
        self.own_secrets: list[str] = []

    def refuse(self, place: str, code: str, **details: str | int) -> None:
        """Note a reason not to send; the same one only once."""
        problem = Problem(place, code, details)
        if problem not in self.problems:
            self.problems.append(problem)

    def note(self, code: str, **details: str | int) -> None:
        """Note what the person should know and what does not stand in the way."""
        note = Note(code=code, details=details)
        if note not in self.notes:
            self.notes.append(note)

    def pieces(self, template: str, place: str, built_in: Mapping[str, Value] = MappingProxyType({})) -> Iterator[Piece]:
        """The template with its placeholders replaced. A name that nobody knows stays as it is written, and is a problem.

        ``built_in`` are names that mean something at this place only.
        """
        if is_expression(template):
            self.refuse(place, "expression")
            yield Piece(template, 0)
            return
        position = 0
        for found in PLACEHOLDER.finditer(template):
            if found.start() > position:
                yield Piece(template[position : found.start()], position)
            value = built_in.get(found.group(1)) or self._look_up(found.group(1))
            if value is None:
                self.refuse(place, "unresolved", name=found.group(1))
                yield Piece(found.group(), found.start())
            else:
                if value.secret:
                    self.used.setdefault(value, place)
                yield Piece(value.text, found.start(), value)
            position = found.end()
        if position < len(template):
            yield Piece(template[position:], position)

    def text(self, template: str, place: str, encode: Callable[[str], str] = str) -> str:
        """The template with its values, each of them run through ``encode``."""
        return "".join(encode(piece.text) if piece.value else piece.text for piece in self.pieces(template, place))

    def _look_up(self, name: str) -> Value | None:
        if name == "$timestamp":
            return Value(name, self.timestamp)
        if name == "$uuid":
            return Value(name, str(uuid.uuid4()))
        return self.values.get(name)
