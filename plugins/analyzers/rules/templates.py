"""n8n's text parameters: ``=Hello {{ $json.name }}`` is a template, the same without ``=`` is plain text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_PLACEHOLDER = re.compile(r"\{\{([\s\S]*?)\}\}")


@dataclass(frozen=True)
class Placeholder:
    """One ``{{ code }}``; start and end are those of the code in the whole text."""

    code: str
    start: int
    end: int


def is_template(text: str) -> bool:
    """Whether n8n evaluates the text."""
    return text.startswith("=") and "{{" in text


def looks_like_template(text: str) -> bool:
    """Whether the text was meant as a template but lacks its ``=``."""
    return not text.startswith("=") and any(
        re.match(
            r"\s*(?:\$(?:json|input|node|now|today|items?|\(|workflow|execution|binary|prevNode|vars|parameter)|\$\()", found.code
        )
        for found in placeholders(text)
    )


def placeholders(text: str) -> list[Placeholder]:
    """The placeholders of a text."""
    return [Placeholder(found.group(1), found.start(1), found.end(1)) for found in _PLACEHOLDER.finditer(text)]


def rewrite(text: str, change: Callable[[str], str | None]) -> str | None:
    """The text with the code of its placeholders changed; None where no placeholder was changed."""
    changed, last, touched = [], 0, False
    for found in placeholders(text):
        new = change(found.code)
        if new is not None and new != found.code:
            changed += [text[last : found.start], new]
            last, touched = found.end, True
    return "".join([*changed, text[last:]]) if touched else None
