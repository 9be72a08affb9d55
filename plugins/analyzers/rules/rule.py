"""What a rule of the catalogue is made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.plugin_api import Cause, LocalizedText, Quote
from plugins.analyzers.rules.case import Case
from plugins.analyzers.rules.patch import Edit


@dataclass(frozen=True)
class Finding:
    """What a rule found out beyond its match."""

    #: The culprit where it is not the failing node.
    node: str | None = None
    #: Fills the placeholders of the rule's texts.
    words: Mapping[str, str] = field(default_factory=dict)
    #: The change that repairs the failure, where the finding leads to one.
    edits: Sequence[Edit] = ()
    quotes: Sequence[Quote] = ()
    #: Scales the rule's confidence in its cause and in its repair.
    certainty: float = 1.0
    #: Anything else that the rule's fixes want to know.
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Pattern:
    """What an error must look like; every field that is given must hold."""

    #: The error's code: HTTP statuses and network codes.
    codes: frozenset[str] = frozenset()
    #: The failing node's type without its package.
    kinds: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    context_types: frozenset[str] = frozenset()
    description_keys: frozenset[str] = frozenset()
    failure_causes: frozenset[str] = frozenset()
    #: Searched in the error's message, and in everything that the error says.
    message: re.Pattern[str] | None = None
    words: re.Pattern[str] | None = None

    def matches(self, case: Case) -> bool:
        """Whether the error looks like this."""
        error = case.error
        code = str(case.status) if case.status else error.code
        given = (
            (self.codes, code),
            (self.kinds, case.kind),
            (self.classes, error.class_name),
            (self.context_types, error.context_type),
            (self.description_keys, error.description_key),
            (self.failure_causes, error.failure_cause),
        )
        if any(wanted and value not in wanted for wanted, value in given):
            return False
        if self.message and not self.message.search(error.message):
            return False
        return not (self.words and not self.words.search(case.words))


#: Makes the edits of a fix, or None where it does not fit this failure.
Maker = Callable[[Case, Finding], Sequence[Edit] | None]


@dataclass(frozen=True)
class Fix:
    """One suggestion of a rule: advice, or (with ``make``) a change that is left out where it cannot be made."""

    title: LocalizedText
    explanation: LocalizedText
    make: Maker | None = None
    confidence: float = 0.5


@dataclass(frozen=True)
class Rule:
    """One entry of the catalogue.

    Among the rules that match, the one with the highest ``rank`` speaks; ``prior`` is how often its cause is right then.
    """

    id: str
    cause: Cause
    prior: float
    rank: int
    #: Any of these must match.
    when: Sequence[Pattern]
    summary: LocalizedText
    fixes: Sequence[Fix] = ()
    unless: Sequence[Pattern] = ()
    #: Looks closer; None means that the rule does not apply after all.
    look: Callable[[Case], Finding | None] | None = None

    def examine(self, case: Case) -> Finding | None:
        """What the rule finds in this failure, None where it does not apply."""
        if not any(pattern.matches(case) for pattern in self.when) or any(pattern.matches(case) for pattern in self.unless):
            return None
        return self.look(case) if self.look else Finding()


def found_edits(case: Case, finding: Finding) -> Sequence[Edit] | None:
    """The maker of fixes whose edits the look has found already."""
    return finding.edits or None


def text(en: str, ar: str) -> LocalizedText:
    """The same words in English and Arabic; ``{name}`` stands for a word of the finding."""
    return LocalizedText(en=en, ar=ar)


def regex(pattern: str) -> re.Pattern[str]:
    """A pattern that ignores case."""
    return re.compile(pattern, re.IGNORECASE)
