"""Findings of ``suspicion`` in words, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext

_WORDS: dict[str, Any] = {
    "null-value": lazy_gettext("wrote nothing into a field: its expression reads “%(what)s”, which no item has."),
    "expression-failed": lazy_gettext("wrote nothing into the field “%(what)s”: its expression gives no value."),
    "field-not-found": lazy_gettext("did not find the field “%(what)s” in any item."),
    "file-not-found": lazy_gettext("found no file “%(what)s” and went on without one."),
    "condition-on-missing": lazy_gettext(
        "let none of %(items_in)s items pass: its condition reads “%(what)s”, which no item has."
    ),
    "error-continued": lazy_gettext("failed and is set to continue; nothing after it looks at the error."),
    "nothing-answered": lazy_gettext("gave no item, so the webhook answered its caller with an error 500."),
}


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding as a page shows it: ``text`` goes on after the node's name."""

    kind: str
    node: str
    text: str


def present_findings(findings: Sequence[dict[str, Any]] | None) -> list[ShownFinding]:
    """The stored findings of an execution; kinds of a newer hub show no words."""
    return [
        ShownFinding(found["kind"], found["node"], str(_WORDS.get(found["kind"], _("looks wrong."))) % found)
        for found in findings or ()
    ]
