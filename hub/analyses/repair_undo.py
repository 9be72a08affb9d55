"""Takes an applied repair back when a person asks for it: the old workflow returns where nobody has changed it since."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.analyses import repair_ledger
from hub.analyses.models import Repair, RepairState
from hub.analyses.repair_run import Step
from hub.audit.services import record_event
from hub.contracts.actor import Actor
from hub.errors import Conflict, NotFound
from hub.extensions import db
from hub.jobs.services import enqueue


def request_undo(actor: Actor, repair_id: str) -> Repair:
    """Queue the way back of an applied repair; the one under way where there is one (a double click). Commits.

    ``Conflict`` where the repair is not applied, or another one of the same failure is under way.
    """
    repair = db.session.scalar(
        sa.select(Repair).where(Repair.id == repair_id, Repair.user_id == actor.user_id).execution_options(populate_existing=True)
    )
    if repair is None:
        raise NotFound()
    if repair.step in (Step.UNDO, Step.RESTORE) and repair.state in repair_ledger.OPEN_STATES:
        return repair
    if repair.state is not RepairState.APPLIED:
        raise Conflict(_("Only a repair that is applied can be undone."))
    facts = {**(repair.log[-1].get("facts") or {}), "undo": True, "why": ["undone", {}]}
    repair.state, repair.step, repair.awaits_version = RepairState.RUNNING, Step.UNDO, None
    repair.finished_at = None
    repair.log = [*repair.log, repair_ledger.log_entry(Step.UNDO, facts)]
    job = enqueue("repair.run", unique_key=repair_ledger.job_key(repair.analysis_id), repair_id=repair.id)
    if job.arguments["repair_id"] != repair.id:
        db.session.rollback()
        raise Conflict(_("Another repair of this failure is under way."))
    record_event(actor, "repair.undo", "repair", repair.id, details={"analysis_id": repair.analysis_id})
    db.session.commit()
    return repair
