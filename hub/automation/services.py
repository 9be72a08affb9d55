"""Levels, the log of what was done, and the stop switch, as a person sees and sets them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import aliased

from hub.analyses.models import AiAnalysis, AutomationStop, Repair, RepairState, Verdict
from hub.analyses.stop_switch import HUB, find_stops, instance_scope, user_scope
from hub.audit.services import record_event
from hub.automation.models import AutomationLevel, AutomationRun, RunOutcome, WorkflowAutomation
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.errors import NotAllowed, NotFound
from hub.executions.models import Execution
from hub.extensions import db
from hub.instances.models import Instance
from hub.instances.services import get_connected_instance, get_instance
from hub.pagination import Page, clamp_limit, keyset, make_page
from hub.workflows.models import Workflow
from hub.workflows.services import get_workflow

#: Proposals older than this are no longer offered.
_OFFERED = dt.timedelta(days=14)
SHOWN_WAITING = 20


# --- Levels -------------------------------------------------------------------------------------------------------------


def get_level(actor: Actor, workflow_id: str) -> WorkflowAutomation:
    """How far automation goes with one of the actor's workflows; an unsaved OFF where nobody has set it."""
    get_workflow(actor, workflow_id)
    return find_level(workflow_id)


def find_level(workflow_id: str) -> WorkflowAutomation:
    """The level of a workflow that is known to be the actor's."""
    found = db.session.get(WorkflowAutomation, workflow_id, populate_existing=True)
    return found or WorkflowAutomation(workflow_id=workflow_id, level=AutomationLevel.OFF, set_at=utc_now())


def set_level(actor: Actor, workflow_id: str, level: AutomationLevel) -> WorkflowAutomation:
    """Say how far automation may go; ``ReadOnly`` for a sample. Only failures from now on count. Commits."""
    workflow = get_workflow(actor, workflow_id)
    get_connected_instance(actor, workflow.instance_id)
    automation = find_level(workflow_id)
    before = automation.level
    automation.level, automation.set_by, automation.set_at, automation.lowered_at = level, actor.user_id, utc_now(), None
    db.session.add(automation)
    details = {"level": level.value, "before": before.value}
    record_event(actor, "automation.level", "workflow", workflow_id, details=details)
    db.session.commit()
    return automation


@dataclass(frozen=True, slots=True)
class LevelRow:
    """A workflow that automation looks after."""

    workflow_id: str
    workflow_name: str
    instance_id: str
    instance_name: str
    level: AutomationLevel
    set_at: dt.datetime
    lowered_at: dt.datetime | None


def list_levels(actor: Actor, *, limit: int = 250) -> Sequence[LevelRow]:
    """The actor's workflows with a level other than OFF, by name."""
    statement = (
        sa.select(
            Workflow.id,
            Workflow.name,
            Instance.id,
            Instance.name,
            WorkflowAutomation.level,
            WorkflowAutomation.set_at,
            WorkflowAutomation.lowered_at,
        )
        .join(Workflow, Workflow.id == WorkflowAutomation.workflow_id)
        .join(Instance, Instance.id == Workflow.instance_id)
        .where(Instance.user_id == actor.user_id, WorkflowAutomation.level != AutomationLevel.OFF)
        .order_by(Workflow.name, Workflow.id)
        .limit(limit)
    )
    return [LevelRow(*row) for row in db.session.execute(statement)]


# --- What was done ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunRow:
    """One line of the log. ``repair_state`` and ``verdict`` are those of the repair that was begun."""

    id: str
    created_at: dt.datetime
    workflow_id: str
    workflow_name: str
    execution_id: str
    level: AutomationLevel
    outcome: RunOutcome
    reason: str | None
    details: dict[str, Any]
    analysis_id: str | None
    cause: str | None
    node: str | None
    repair_id: str | None
    repair_state: RepairState | None
    verdict: Verdict | None
    suggestion_index: int | None
    digest: str | None


_ROW: list[Any] = [
    AutomationRun.id,
    AutomationRun.created_at,
    AutomationRun.workflow_id,
    Workflow.name,
    AutomationRun.execution_id,
    AutomationRun.level,
    AutomationRun.outcome,
    AutomationRun.reason,
    AutomationRun.details,
    AutomationRun.analysis_id,
    AiAnalysis.cause,
    AiAnalysis.node,
    AutomationRun.repair_id,
    Repair.state,
    Repair.verdict,
    AutomationRun.suggestion_index,
    AutomationRun.digest,
]


def _runs(actor: Actor) -> sa.Select[Any]:
    return (
        sa.select(*_ROW)
        .join(Workflow, Workflow.id == AutomationRun.workflow_id)
        .outerjoin(AiAnalysis, AiAnalysis.id == AutomationRun.analysis_id)
        .outerjoin(Repair, Repair.id == AutomationRun.repair_id)
        .where(AutomationRun.user_id == actor.user_id)
    )


def list_runs(
    actor: Actor, *, workflow_id: str | None = None, cursor: str | None = None, limit: int | None = None
) -> Page[RunRow]:
    """What automation did, newest first, without failures that only repeated. One query."""
    limit = clamp_limit(limit)
    statement = _runs(actor).where(AutomationRun.outcome != RunOutcome.REPEATED)
    if workflow_id is not None:
        statement = statement.where(AutomationRun.workflow_id == workflow_id)
    keys = (AutomationRun.created_at, AutomationRun.id)
    statement = keyset(statement, keys, (dt.datetime, str), cursor=cursor, limit=limit)
    return make_page([RunRow(*row) for row in db.session.execute(statement)], limit, "created_at", "id")


def list_waiting(actor: Actor, *, limit: int = SHOWN_WAITING) -> list[RunRow]:
    """Proposed changes that wait for the actor: not applied, not tried, not put aside. One query."""
    other = aliased(Repair)
    tried = sa.exists(sa.select(1).where(other.analysis_id == AutomationRun.analysis_id))
    statement = _runs(actor).where(
        AutomationRun.outcome == RunOutcome.PROPOSED,
        AutomationRun.dismissed_at.is_(None),
        AutomationRun.created_at > utc_now() - _OFFERED,
        AiAnalysis.applied.is_(False),
        ~tried,
    )
    statement = statement.order_by(AutomationRun.created_at.desc(), AutomationRun.id.desc()).limit(limit)
    return [RunRow(*row) for row in db.session.execute(statement)]


def dismiss_run(actor: Actor, run_id: str) -> None:
    """Take a proposal off the list of what waits. Commits."""
    run = db.session.scalar(sa.select(AutomationRun).where(AutomationRun.id == run_id, AutomationRun.user_id == actor.user_id))
    if run is None:
        raise NotFound()
    run.dismissed_at = utc_now()
    record_event(actor, "automation.dismiss", "automation_run", run.id)
    db.session.commit()


# --- The stop switch ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Switch:
    """What is stopped. ``instances`` are ids among those that were asked for."""

    hub: bool
    own: bool
    instances: frozenset[str] = frozenset()

    @property
    def is_stopped(self) -> bool:
        """Whether nothing at all is done for the person."""
        return self.hub or self.own


def get_switch(actor: Actor, instance_ids: Sequence[str] = ()) -> Switch:
    """How the switches stand for the actor. One query."""
    own = user_scope(actor.user_id or "")
    found = find_stops(own, *(instance_scope(key) for key in instance_ids))
    return Switch(HUB in found, own in found, frozenset(key for key in instance_ids if instance_scope(key) in found))


def set_switch(actor: Actor, *, stopped: bool, instance_id: str | None = None) -> None:
    """Stop automation, or let it go on: everything of the actor's, or one n8n. Holds at once, for queued jobs too. Commits."""
    if instance_id is not None:
        get_instance(actor, instance_id)
        _turn(actor, instance_scope(instance_id), stopped, "instance", instance_id)
    else:
        _turn(actor, user_scope(actor.user_id or ""), stopped, "user", actor.user_id)


def set_hub_switch(actor: Actor, *, stopped: bool) -> None:
    """Stop automation for everybody, or let it go on; for operators. Commits."""
    if not actor.is_operator:
        raise NotAllowed(_("Only operators may stop automation for everybody."))
    _turn(actor, HUB, stopped, "hub", None)


def _turn(actor: Actor, scope: str, stopped: bool, resource: str, resource_id: str | None) -> None:
    kept = db.session.get(AutomationStop, scope)
    if stopped and kept is None:
        db.session.add(AutomationStop(scope=scope, user_id=actor.user_id))
    elif not stopped and kept is not None:
        db.session.delete(kept)
    record_event(actor, "automation.stop" if stopped else "automation.start", resource, resource_id)
    db.session.commit()


def find_place(run: AutomationRun) -> tuple[Execution, Instance] | None:
    """Execution and instance of a run; None where they are gone."""
    row = db.session.execute(
        sa.select(Execution, Instance)
        .join(Instance, Instance.id == Execution.instance_id)
        .where(Execution.id == run.execution_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    return (row[0], row[1]) if row else None
