"""What was said of a failure once is said of it again, wherever it happens; a change only where it was made for.

An explanation counts for another execution of the same person if all of this is so:

- both have the same error mark (with it the same version of how marks are made);
- the analyzer that gave it is still enabled in the same version (``hub.analyses.diagnosis.signature``), and found a cause;
- no repair made from it failed, and people did not call two explanations of this failure unhelpful.

Words are stored in both languages, so language is no part of it. Nothing is analysed anew here, and no change is taken over:
pressing "Analyse" makes an analysis of the execution's own evidence, unless there is one of exactly that evidence.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from hub.analyses.models import AiAnalysis, Repair, Verdict
from hub.analyses.services import enabled_signatures
from hub.contracts.actor import Actor
from hub.contracts.analysis import Cause, Diagnosis, LocalizedText
from hub.executions.models import Execution
from hub.extensions import db

#: Analyses looked at, the newest first.
_CONSIDERED = 20
#: One wrong answer may be a slip.
_UNHELPFUL = 2
_DISPROVEN = (Verdict.FAILED, Verdict.REGRESSED)


@dataclass(frozen=True, slots=True)
class Explanation:
    """An analysis that also explains another execution."""

    analysis_id: str
    cause: str
    summary: LocalizedText
    created_at: dt.datetime
    workflow_name: str
    #: It is of the very execution.
    is_own: bool
    #: It is of the same workflow, node and parameters, so the change that it suggests fits here too.
    is_same_case: bool
    has_change: bool


def find_explanation(
    actor: Actor, fingerprint: str | None, *, execution_id: str, workflow_id: str, case: str | None = None
) -> Explanation | None:
    """The newest explanation that counts for an execution with these marks; its own where it has one. One statement."""
    if not fingerprint:
        return None
    disproven = sa.exists().where(Repair.analysis_id == AiAnalysis.id, Repair.verdict.in_(_DISPROVEN))
    statement = (
        sa.select(AiAnalysis, Execution.workflow_id, disproven)
        .outerjoin(Execution, Execution.id == AiAnalysis.execution_id)
        .where(
            AiAnalysis.user_id == actor.user_id,
            AiAnalysis.fingerprint == fingerprint,
            AiAnalysis.analyzer.in_(enabled_signatures()),
            AiAnalysis.cause != Cause.UNKNOWN.value,
        )
        .order_by(AiAnalysis.created_at.desc(), AiAnalysis.id.desc())
        .limit(_CONSIDERED)
    )
    found = db.session.execute(statement).all()
    if sum(analysis.helpful is False for analysis, _, _ in found) >= _UNHELPFUL:
        return None
    counting = [(analysis, workflow) for analysis, workflow, is_disproven in found if not is_disproven]
    if not counting:
        return None
    # Its own first, then one that nobody called unhelpful.
    analysis, workflow = min(counting, key=lambda row: (row[0].execution_id != execution_id, row[0].helpful is False))
    diagnosis = Diagnosis.model_validate(analysis.analysis)
    return Explanation(
        analysis_id=analysis.id,
        cause=analysis.cause,
        summary=diagnosis.summary,
        created_at=analysis.created_at,
        workflow_name=analysis.title,
        is_own=analysis.execution_id == execution_id,
        is_same_case=case is not None and workflow == workflow_id and analysis.fingerprint_case == case,
        has_change=any(suggestion.patch for suggestion in diagnosis.suggestions),
    )
