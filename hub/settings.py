"""One setting: its name, default and meaning, and how its text is read."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class Need(enum.StrEnum):
    """How much a setting matters to ``hub check-env``."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"
    OPTIONAL = "optional"


def as_bool(text: str) -> bool:
    """``1 true yes on`` and ``0 false no off``, in any case."""
    lowered = text.strip().lower()
    if lowered in ("1", "true", "yes", "on"):
        return True
    if lowered in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("must be true or false")


def as_list(text: str) -> tuple[str, ...]:
    """Comma-separated words."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def at_least(minimum: int) -> Callable[[str], int]:
    """A whole number."""

    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < minimum:
            raise ValueError(f"must be a whole number, at least {minimum}")
        return int(text)

    return parse


def share(text: str) -> float:
    """A number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ValueError("must be a number from 0 to 1")
    return value


def one_of(*choices: str) -> Callable[[str], str]:
    """One of a few words."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError("must be one of " + ", ".join(choices))
        return text

    return parse


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. ``parse`` turns text into the value and raises ValueError with the end of the sentence "NAME ..."."""

    name: str
    default: str | None
    meaning: str
    parse: Callable[[str], Any] = str
    need: Need = Need.OPTIONAL
    secret: bool = False
