"""Automation in words, in the reader's language: levels, and why something was left to a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext, ngettext

from hub.analyses.calibration import LABELS_NEEDED
from hub.automation.models import AutomationLevel, RunOutcome

_LEVELS: dict[AutomationLevel, tuple[Any, Any]] = {
    AutomationLevel.OFF: (lazy_gettext("Off"), lazy_gettext("Nothing happens by itself.")),
    AutomationLevel.EXPLAIN: (lazy_gettext("Explain"), lazy_gettext("Each new failure is analysed.")),
    AutomationLevel.PROPOSE: (
        lazy_gettext("Propose"),
        lazy_gettext("Also, a change that repairs it waits for your click."),
    ),
    AutomationLevel.VERIFY: (
        lazy_gettext("Verify"),
        lazy_gettext("Also, the change is saved as a draft and proven by a retry. What runs live stays as it is."),
    ),
    AutomationLevel.PUBLISH: (
        lazy_gettext("Publish"),
        lazy_gettext("Also, a change that is proven goes live by itself."),
    ),
}

_OUTCOMES: dict[RunOutcome, Any] = {
    RunOutcome.WORKING: lazy_gettext("Being looked at"),
    RunOutcome.EXPLAINED: lazy_gettext("Explained"),
    RunOutcome.PROPOSED: lazy_gettext("Proposed"),
    RunOutcome.REPAIR: lazy_gettext("Repair begun"),
    RunOutcome.SKIPPED: lazy_gettext("Left alone"),
    RunOutcome.REPEATED: lazy_gettext("Repeated"),
}

_REASONS: dict[str, Any] = {
    "stopped": lazy_gettext("Automation was stopped."),
    "own-retry": lazy_gettext("It is a retry; the failure was dealt with when it first came."),
    "retried": lazy_gettext("It was retried with success already."),
    "repeated": lazy_gettext("The same failure was dealt with before."),
    "not-explained": lazy_gettext("It could not be analysed: %(message)s"),
    "plan-limit": lazy_gettext("The month’s analyses of your plan are used up."),
    "unknown": lazy_gettext("Nobody recognises this failure."),
    "blocked-cause": lazy_gettext("No change of the workflow cures this cause."),
    "no-change": lazy_gettext("There is no change that the hub could make."),
    "no-drafts": lazy_gettext("This n8n cannot save a draft of a published workflow: the change would go live unproven."),
    "draft-differs": lazy_gettext("The draft holds changes that were never published."),
    "no-retry": lazy_gettext("A retry cannot prove this change."),
    "repeats": lazy_gettext("The retry might repeat what the node “%(node)s” does elsewhere."),
    "risky": lazy_gettext("A person should read this change first."),
    "unsure": lazy_gettext("It is not likely enough that this change works."),
    "under-way": lazy_gettext("Another repair of this workflow was under way."),
    "limit": lazy_gettext("The limit of automatic repairs was reached."),
}


def name_level(level: AutomationLevel) -> str:
    """The name of a level."""
    return str(_LEVELS[level][0])


def level_choices() -> list[tuple[str, str, str]]:
    """(value, name, meaning) of every level, from off to most."""
    return [(level.value, str(name), str(meaning)) for level, (name, meaning) in _LEVELS.items()]


def name_outcome(outcome: RunOutcome) -> str:
    """What became of a failure, in a word or two."""
    return str(_OUTCOMES[outcome])


def describe_reason(code: str | None, details: Mapping[str, Any]) -> str:
    """Why something was left to a person; nothing where there was no reason."""
    if code is None:
        return ""
    if code == "uncalibrated":
        count = int(details.get("labels", 0))
        return ngettext(
            "A model proposes it, of which only %(num)s case is known; %(needed)s are needed.",
            "A model proposes it, of which only %(num)s cases are known; %(needed)s are needed.",
            count,
            needed=LABELS_NEEDED,
        )
    words = _REASONS.get(code)
    return code if words is None else str(words) % {"node": "", "message": "", **details}
