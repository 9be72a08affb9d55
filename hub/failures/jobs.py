"""Background work of the failures room."""

from __future__ import annotations

import sqlalchemy as sa

from hub.analyses.models import AiAnalysis
from hub.executions.details import mark_stored_executions
from hub.executions.models import Execution
from hub.extensions import db
from hub.jobs.services import JobContext, periodic

_BATCH = 50


@periodic("failures.mark", seconds=300)
def mark_failures(context: JobContext) -> None:
    """Make the marks of failures that were stored without, and hand them to their analyses. Cheap when there is nothing to do."""
    done = 0
    while marked := mark_stored_executions(_BATCH):
        db.session.commit()
        done += marked
        context.report(done)
    mark = sa.select(Execution.fingerprint).where(Execution.id == AiAnalysis.execution_id).scalar_subquery()
    case = sa.select(Execution.fingerprint_case).where(Execution.id == AiAnalysis.execution_id).scalar_subquery()
    db.session.execute(
        sa.update(AiAnalysis)
        .where(AiAnalysis.fingerprint.is_(None), AiAnalysis.execution_id.is_not(None), mark > "")
        .values(fingerprint=mark, fingerprint_case=case)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
