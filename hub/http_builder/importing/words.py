"""Refusals and notes of importers and exporters in words, in the reader's language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext

from hub.contracts.http import Note
from hub.http_builder.importing import document_words
from hub.http_builder.importing.results import ImportRefused
from hub.http_builder.n8n.words import NOTES as N8N_NOTES

_REFUSALS: dict[str, Any] = {
    # Any format
    "empty": lazy_gettext("There is nothing to import. Paste a command or choose a file."),
    "too-large": lazy_gettext("The text is too large: at most %(limit)s characters can be imported."),
    "unknown-format": lazy_gettext("This is no format that can be imported."),
    "no-requests": lazy_gettext("There is no request in this %(format)s text."),
    # Documents
    "too-deep": lazy_gettext("The document is nested too deeply: at most %(limit)s levels are read."),
    # n8n
    "n8n-no-json": lazy_gettext("This is no JSON. Copy the nodes in n8n's editor and paste them here."),
    "n8n-too-many": lazy_gettext("These are more than %(limit)s nodes. Import them in parts."),
    # cURL
    "not-a-command": lazy_gettext("This is no cURL command."),
    **document_words.REFUSALS,
}

_NOTES: dict[str, Any] = {
    # Any importer
    "file-needed": lazy_gettext("Choose the file “%(name)s” before sending; files are never read from the server."),
    # Exporters
    **N8N_NOTES,
    "secret-left-out": lazy_gettext("The secret is not written down: set the environment variable %(name)s."),
    **document_words.NOTES,
}


def describe_refusal(refused: ImportRefused) -> str:
    """Why a text was not imported, and what to do."""
    return _fill(_REFUSALS, refused.code, refused.details)


def describe_note(note: Note) -> str:
    """What was left out or changed."""
    return _fill(_NOTES, note.code, note.details)


def _fill(words: Mapping[str, Any], code: str, details: Mapping[str, str | int]) -> str:
    found = words.get(code)
    return code if found is None else str(found) % defaultdict(str, details)
