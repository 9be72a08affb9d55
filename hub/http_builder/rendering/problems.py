"""Why a request can't be sent as it is written: every reason at once, each with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason. ``place`` is the path in the definition (``url``, ``headers.2.value``, ``auth.token``).

    ``details`` are plain values for the words (``hub.http_builder.rendering.words``) and never hold a secret's value.
    """

    place: str
    code: str
    details: Mapping[str, str | int] = field(default_factory=dict)


class RenderError(Exception):
    """The request was not sent, and nothing of it was: ``problems`` says all that is in the way."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{problem.place}: {problem.code}" for problem in problems))
