"""What is wrong with a chain, and what is known of an event, for readers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from hub.audit.verification import Break


def describe_break(found: Break) -> str:
    """One sentence."""
    number = found.sequence
    words = {
        "missing": _("Event %(number)s is missing.", number=number),
        "repeated": _("A number before %(number)s occurs twice.", number=number),
        "changed": _("Event %(number)s was changed.", number=number),
        "unlinked": _("Event %(number)s does not follow the one before it.", number=number),
        "forged": _("Event %(number)s was not written by the hub.", number=number),
        "unsealed": _("Nothing vouches for event %(number)s: its key is not configured.", number=number),
        "cut": _("The end is missing, from event %(number)s on.", number=number),
        "added": _("Event %(number)s was added past the hub.", number=number),
        "head": _("The head of the chain does not fit event %(number)s.", number=number),
        "checkpoint": _("The checkpoint at event %(number)s was not made by the hub.", number=number),
        "anchor": _("Event %(number)s is not the one that was anchored: it or one before it was rewritten.", number=number),
    }
    return str(words[found.kind])


def list_details(details: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values of an event's details as text; what is empty, and ``via``, which has a column, are left out."""
    return [(name, _as_text(value)) for name, value in details.items() if name != "via" and value not in (None, "", [], {})]


def short_id(text: str) -> str:
    """The end of an id, by which ids of the same time differ; what is short stays whole."""
    return text if len(text) <= 12 else f"…{text[-8:]}"


def _as_text(value: Any) -> str:
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
