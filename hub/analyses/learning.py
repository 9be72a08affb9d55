"""What became of earlier answers, and what that says about the next one.

Two numbers are learned apart: whether a cause is right, from people's thumbs, and whether a fix works, from verdicts of
repairs. A verdict says little of the cause: a wrong fix may belong to a right cause, so it is no label of it.
Nothing is shown of a person's cases to another but how many there were and how many came true, summed over all.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask import current_app

from hub.analyses.calibration import LABELS_NEEDED, Case, Platt, Reliability, fit_platt, measure_reliability, smooth_precision
from hub.analyses.diagnosis import NOBODY, confidence_word
from hub.analyses.models import AiAnalysis, Repair, Verdict
from hub.contracts.actor import Actor
from hub.contracts.analysis import Cause
from hub.extensions import db

#: A worker or web process reads all labels again after this many seconds.
CACHE_SECONDS = 60.0
VERDICT_WEIGHT = 1.0
THUMB_WEIGHT = 0.5
#: Another person's labels of one source count together like this many at most, so that nobody bends anybody else's numbers.
MOST_LABELS_OF_A_STRANGER = 5.0
#: The analyzer whose sources are rules with hand-set priors; every other one is treated like a model.
_RULES = "rules"
_SEPARATOR = "/"
_CACHE = "hub_learned"


class Target(enum.StrEnum):
    """What a number is about."""

    CAUSE = "cause"
    FIX = "fix"


@dataclass(frozen=True, slots=True)
class Confidence:
    """A number with its standing. ``stated`` is the analyzer's own, ``value`` what the cases make of it."""

    stated: float
    value: float
    labels: int

    @property
    def is_calibrated(self) -> bool:
        """Whether enough cases stand behind the number to say it as a number."""
        return self.labels >= LABELS_NEEDED

    @property
    def word(self) -> str:
        """``high``, ``medium`` or ``low``."""
        return confidence_word(self.value)


@dataclass(frozen=True, slots=True)
class Tally:
    """Labels of one person for one source at one stated and one shown number (both in hundredths)."""

    target: Target
    source: str
    user_id: str
    stated: float
    shown: float
    right: int
    wrong: int

    def case(self, *, shown: bool = False, share: float = 1.0) -> Case:
        """The labels as a weighted case of the stated, or the shown, number."""
        weight = (VERDICT_WEIGHT if self.target is Target.FIX else THUMB_WEIGHT) * share
        return Case(self.shown if shown else self.stated, self.right * weight, self.wrong * weight)

    @property
    def labels(self) -> int:
        return self.right + self.wrong


def source_key(analyzer: str, source: str) -> str:
    """Under which name an answer's cases are counted: the rule's id over all versions, or this very version of a model.

    ``analyzer`` is a signature (name and version). ``none`` where nobody knew an answer.
    """
    if analyzer == NOBODY or source == NOBODY:
        return NOBODY
    is_rule = analyzer.partition(" ")[0] == _RULES and source
    return (source if is_rule else f"{analyzer}{_SEPARATOR}{source}")[:200]


def is_rule(source: str) -> bool:
    """Whether a source is a rule, whose number has a prior set by hand."""
    return source != NOBODY and _SEPARATOR not in source


@dataclass(slots=True)
class Learned:
    """All labels of the hub at one moment, by target and source. Curves are fitted when they are first asked for."""

    tallies: Mapping[tuple[Target, str], list[Tally]]
    read_at: float
    _known: dict[tuple[Target, str, str | None], tuple[list[Case], int, Platt | None]] = field(default_factory=dict)

    def confidence(self, target: Target, source: str, stated: float, user_id: str | None) -> Confidence:
        """The number for one reader: own labels count in full, everybody else's up to a bound."""
        if source == NOBODY:
            return Confidence(stated, stated, 0)
        key = (target, source, user_id)
        if key not in self._known:
            cases, labels = self._cases_for(*key)
            self._known[key] = (cases, labels, None if is_rule(source) else fit_platt(cases))
        cases, labels, curve = self._known[key]
        value = curve.apply(stated) if curve else smooth_precision(stated, cases)
        return Confidence(stated, value, labels)

    def _cases_for(self, target: Target, source: str, user_id: str | None) -> tuple[list[Case], int]:
        tallies = self.tallies.get((target, source), [])
        totals: dict[str, int] = {}
        for tally in tallies:
            totals[tally.user_id] = totals.get(tally.user_id, 0) + tally.labels
        shares = {
            who: 1.0 if who == user_id else min(1.0, MOST_LABELS_OF_A_STRANGER / total) for who, total in totals.items() if total
        }
        cases = [tally.case(share=shares[tally.user_id]) for tally in tallies]
        return cases, int(sum(shares[who] * total for who, total in totals.items()))


@dataclass(frozen=True, slots=True)
class Judge:
    """Says for one reader how much a source's answers are to be believed."""

    learned: Learned
    user_id: str | None

    def cause(self, source: str, stated: float) -> Confidence:
        """P(the cause is right)."""
        return self.learned.confidence(Target.CAUSE, source, stated, self.user_id)

    def fix(self, source: str, stated: float) -> Confidence:
        """P(the fix works)."""
        return self.learned.confidence(Target.FIX, source, stated, self.user_id)


def judge_for(actor: Actor) -> Judge:
    """The judge for a reader. Two queries a minute and process, none in between."""
    kept: Learned | None = current_app.extensions.get(_CACHE)
    if kept is None or time.monotonic() - kept.read_at > CACHE_SECONDS:
        kept = current_app.extensions[_CACHE] = _learn()
    return Judge(kept, actor.user_id)


def forget_learned() -> None:
    """Read the labels anew when they are next needed in this process."""
    current_app.extensions.pop(_CACHE, None)


def _learn() -> Learned:
    found: dict[tuple[Target, str], list[Tally]] = {}
    for tally in _read_tallies():
        found.setdefault((tally.target, tally.source), []).append(tally)
    return Learned(found, time.monotonic())


# --- Labels in the database -----------------------------------------------------------------------------------------


def _read_tallies(user_id: str | None = None) -> Iterator[Tally]:
    """All labels, or one person's, counted."""
    for target, statement in ((Target.CAUSE, _thumbs()), (Target.FIX, _verdicts())):
        if user_id is not None:
            statement = statement.where(sa.column("user_id") == user_id)
        for source, owner, stated, shown, right, count in db.session.execute(statement):
            yield Tally(target, source, owner, stated, shown, count if right else 0, 0 if right else count)


def _thumbs() -> sa.Select[Any]:
    labels = (
        sa.select(
            AiAnalysis.source,
            AiAnalysis.user_id,
            _hundredths(AiAnalysis.confidence).label("stated"),
            _hundredths(sa.func.coalesce(AiAnalysis.calibrated, AiAnalysis.confidence)).label("shown"),
            AiAnalysis.helpful.label("is_right"),
        )
        .where(AiAnalysis.helpful.is_not(None), AiAnalysis.source != NOBODY)
        .subquery()
    )
    return _counted(labels)


def _verdicts() -> sa.Select[Any]:
    """The newest verdict of each suggestion: pressing the button again is no further case. Partial and unproven say nothing."""
    newest = sa.func.row_number().over(
        partition_by=(Repair.analysis_id, Repair.suggestion_index), order_by=(Repair.created_at.desc(), Repair.id.desc())
    )
    judged = (
        sa.select(
            AiAnalysis.source,
            Repair.user_id,
            _hundredths(Repair.confidence).label("stated"),
            _hundredths(sa.func.coalesce(Repair.calibrated, Repair.confidence)).label("shown"),
            (Repair.verdict == Verdict.VERIFIED).label("is_right"),
            newest.label("age"),
        )
        .join(AiAnalysis, AiAnalysis.id == Repair.analysis_id)
        .where(
            Repair.verdict.in_((Verdict.VERIFIED, Verdict.FAILED, Verdict.REGRESSED)),
            Repair.confidence.is_not(None),
            AiAnalysis.source != NOBODY,
        )
        .subquery()
    )
    return _counted(judged).where(judged.c.age == 1)


def _counted(labels: sa.Subquery) -> sa.Select[Any]:
    columns = [labels.c[name] for name in ("source", "user_id", "stated", "shown", "is_right")]
    return sa.select(*columns, sa.func.count()).group_by(*columns)


def _hundredths(column: Any) -> sa.ColumnElement[Any]:
    """Rounded, so that there are few groups. By way of an integer, because PostgreSQL rounds no float to digits."""
    return sa.cast(sa.cast(sa.func.floor(column * 100 + 0.5), sa.Integer), sa.Double) / 100.0


# --- The report -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SourceReport:
    """One rule's or model's labels: how many, and the share that came true."""

    source: str
    labels: int
    came_true: float


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """How well the numbers hold. ``shown`` judges the numbers that people saw, ``stated`` the analyzers' own.

    ``analyses`` and ``unknown`` count answers, and those among them that named no cause.
    """

    target: Target
    source: str | None
    labels: int
    shown: Reliability
    stated: Reliability
    sources: tuple[SourceReport, ...]
    analyses: int
    unknown: int

    @property
    def coverage(self) -> float | None:
        """The share of analyses that named a cause; None where there are none."""
        return 1 - self.unknown / self.analyses if self.analyses else None


def read_calibration(actor: Actor, target: Target = Target.CAUSE, source: str | None = None) -> CalibrationReport:
    """The report over the actor's own labels; over everybody's for an operator. Three queries, nothing from the cache."""
    owner = None if actor.is_operator else actor.user_id
    tallies = [tally for tally in _read_tallies(owner) if tally.target is target]
    chosen = [tally for tally in tallies if source in (None, tally.source)]
    counted = sa.select(
        sa.func.count(), sa.func.coalesce(sa.func.sum(sa.case((AiAnalysis.cause == Cause.UNKNOWN, 1), else_=0)), 0)
    )
    if owner is not None:
        counted = counted.where(AiAnalysis.user_id == owner)
    analyses, unknown = db.session.execute(counted).one()
    return CalibrationReport(
        target=target,
        source=source,
        labels=sum(tally.labels for tally in chosen),
        shown=measure_reliability([tally.case(shown=True) for tally in chosen]),
        stated=measure_reliability([tally.case() for tally in chosen]),
        sources=_by_source(tallies),
        analyses=int(analyses),
        unknown=int(unknown),
    )


def _by_source(tallies: list[Tally]) -> tuple[SourceReport, ...]:
    counts: dict[str, tuple[int, int]] = {}
    for tally in tallies:
        right, labels = counts.get(tally.source, (0, 0))
        counts[tally.source] = (right + tally.right, labels + tally.labels)
    reports = [SourceReport(source, labels, right / labels) for source, (right, labels) in counts.items()]
    return tuple(sorted(reports, key=lambda report: (-report.labels, report.source)))
