"""Trials of changed texts in words, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from hub.contracts.analysis import Trial

_REASONS: dict[str, Any] = {
    "not-modelled": lazy_gettext("it uses “%(what)s”, which only n8n has."),
    "no-data": lazy_gettext("the hub has no data that came into this node."),
    "cut-data": lazy_gettext("it needs data of which the hub keeps only the beginning."),
    "changed-before": lazy_gettext("the change alters the data that would come into this node."),
    "paired-item": lazy_gettext("it follows the links between items, which only n8n knows."),
    "not-javascript": lazy_gettext("the code is not JavaScript."),
    "trouble": lazy_gettext("the trial could not be started."),
    "time": lazy_gettext("the time for trials was over."),
}
_TONES = {"worked": "good", "empty": "warn", "failed": "bad", "not-tried": ""}


@dataclass(frozen=True, slots=True)
class ShownTrial:
    """A trial as a page shows it. ``value`` is what the text gave, ``notes`` are whole sentences."""

    status: str
    tone: str
    text: str
    value: str | None
    notes: tuple[str, ...]


def present_trial(trial: Trial) -> ShownTrial:
    """The trial as a page shows it."""
    names = {"path": trial.path, "node": trial.node}
    notes = []
    if trial.status == "worked":
        text = _("Tried on the recorded data: “%(path)s” of “%(node)s” gives", **names)
    elif trial.status == "empty":
        text = _("Tried on the recorded data: “%(path)s” of “%(node)s” runs, but gives no value.", **names)
    elif trial.status == "failed":
        text = _("Tried on the recorded data: “%(path)s” of “%(node)s” still fails.", **names)
        notes.append(_describe_error(trial.error))
    else:
        reason = str(_REASONS.get(trial.reason or "", _("it cannot be run outside of n8n."))) % {"what": trial.what or ""}
        text = _("“%(path)s” of “%(node)s” was not tried: %(reason)s", **names, reason=reason)
    if trial.error_before and trial.status != "not-tried":
        notes.append(_("Before the change: %(error)s", error=_describe_error(trial.error_before)))
    if trial.items < trial.item_count:
        notes.append(
            _(
                "It ran on %(items)s of %(count)s items: the hub keeps only the first ones.",
                items=trial.items,
                count=trial.item_count,
            )
        )
    return ShownTrial(trial.status, _TONES[trial.status], text, trial.value if trial.status == "worked" else None, tuple(notes))


def _describe_error(error: str | None) -> str:
    words = {"time": _("it does not end in time."), "memory": _("it needs too much memory.")}
    return words.get(error or "", error or "")
