"""Requests from elsewhere: a pasted command or an uploaded file becomes drafts. Nothing is fetched, run or read from disk."""

from __future__ import annotations

from hub.http_builder.importing.formats import FORMATS, Format
from hub.http_builder.importing.results import ImportedEnvironment, ImportRefused, ImportResult
from hub.http_builder.importing.words import describe_format, describe_note, describe_refusal
from hub.storable import clean_text

__all__ = [
    "FORMATS",
    "Format",
    "ImportRefused",
    "ImportResult",
    "ImportedEnvironment",
    "describe_format",
    "describe_note",
    "describe_refusal",
    "import_text",
    "recognise",
]

#: Characters of a text, whatever its format; formats have bounds of their own below it.
MAX_TEXT = 20_000_000


def import_text(text: str, *, kind: str | None = None) -> ImportResult:
    """The drafts in the text, read as ``kind`` or as what it looks like.

    Raises ``ImportRefused``: too large, of no known format, not readable, or without any request.
    """
    if len(text) > MAX_TEXT:
        raise ImportRefused("too-large", limit=MAX_TEXT)
    text = clean_text(text.removeprefix("\ufeff"))
    if not text.strip():
        raise ImportRefused("empty")
    chosen = recognise(text) if kind is None else next((known for known in FORMATS if known.kind == kind), None)
    if chosen is None:
        raise ImportRefused("unknown-format")
    result = chosen.read(text)
    if not result.drafts and not result.environments:
        raise ImportRefused("no-requests", format=chosen.name)
    return result


def recognise(text: str) -> Format | None:
    """The format that the text is in, by a look at it; None where it is none of those known."""
    return next((known for known in FORMATS if known.recognises(text)), None)
