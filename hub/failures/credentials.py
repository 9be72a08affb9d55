"""Credentials that services refuse, and every workflow that each of them hurts or will hurt."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hub.contracts.actor import Actor
from hub.executions.models import HURTS_CREDENTIAL, Execution
from hub.extensions import db
from hub.failures.services import HurtWorkflow, read_hurt_workflows
from hub.instances.models import Instance
from hub.workflows.models import Workflow

#: Credentials shown, those refused last first.
SHOWN = 50


@dataclass(frozen=True, slots=True)
class WorkflowAtRisk:
    """A workflow that uses a refused credential and has not failed by it."""

    workflow_id: str
    workflow_name: str
    active: bool


@dataclass(frozen=True, slots=True)
class RefusedCredential:
    """A credential with the failures that speak of it. ``name`` and ``kind`` are None where no workflow uses it any more."""

    credential_id: str
    name: str | None
    kind: str | None
    hurt: Sequence[HurtWorkflow]
    at_risk: Sequence[WorkflowAtRisk]
    instance_id: str
    instance_name: str
    count: int
    first_seen: dt.datetime
    last_seen: dt.datetime
    execution_id: str
    error_message: str | None
    error_node_type: str | None

    @property
    def works_again(self) -> bool:
        """Whether every workflow that it hurt has succeeded since."""
        return bool(self.hurt) and all(workflow.succeeded_at for workflow in self.hurt)


def list_refused_credentials(actor: Actor, *, since: dt.datetime | None = None) -> list[RefusedCredential]:
    """The credentials that were refused since then, the last refused first, at most ``SHOWN``.

    Three statements. Which workflows use a credential is known from the hub's copies of them.
    """
    conditions: list[Any] = [
        Execution.instance_id.in_(sa.select(Instance.id).where(Instance.user_id == actor.user_id)),
        HURTS_CREDENTIAL,
    ]
    if since is not None:
        conditions.append(Execution.started_at >= since)
    refused = db.session.execute(_refused(conditions)).all()
    if not refused:
        return []
    hurt = _hurt_by(conditions, [row.credential_id for row in refused])
    users = _users_of({row.instance_id for row in refused})
    found = []
    for row in refused:
        key = (row.instance_id, row.credential_id)
        name, kind, workflows = users.get(key, (None, None, []))
        hit = hurt.get(key, [])
        hit_ids = {workflow.workflow_id for workflow in hit}
        at_risk = [workflow for workflow in workflows if workflow.workflow_id not in hit_ids]
        found.append(RefusedCredential(row.credential_id, name, kind, hit, at_risk, row.instance_id, *row[2:]))
    return found


def _refused(conditions: list[Any]) -> sa.Select[Any]:
    started = Execution.started_at
    part = (
        sa.select(
            Execution.instance_id,
            Execution.credential_id,
            sa.func.count().label("count"),
            sa.func.min(started).label("first_seen"),
            sa.func.max(started).label("last_seen"),
        )
        .where(*conditions)
        .group_by(Execution.instance_id, Execution.credential_id)
        .order_by(sa.func.max(started).desc(), Execution.credential_id)
        .limit(SHOWN)
        .subquery("refused")
    )
    newest = sa.select(sa.func.max(Execution.id)).where(
        HURTS_CREDENTIAL,
        Execution.instance_id == part.c.instance_id,
        Execution.credential_id == part.c.credential_id,
        started == part.c.last_seen,
    )
    return (
        sa.select(
            *(part.c.instance_id, part.c.credential_id, Instance.name, part.c.count, part.c.first_seen, part.c.last_seen),
            *(Execution.id, Execution.error_message, Execution.error_node_type),
        )
        .join_from(part, Instance, Instance.id == part.c.instance_id)
        .join(Execution, Execution.id == newest.correlate(part).scalar_subquery())
        .order_by(part.c.last_seen.desc(), part.c.credential_id)
    )


def _hurt_by(conditions: list[Any], credential_ids: Sequence[str]) -> dict[tuple[str, str], list[HurtWorkflow]]:
    """By instance and credential, the workflows that failed by it."""
    hurt = (
        sa.select(
            Execution.workflow_id,
            Execution.credential_id,
            sa.func.count().label("count"),
            sa.func.max(Execution.started_at).label("last_seen"),
        )
        .where(*conditions, Execution.credential_id.in_(credential_ids))
        .group_by(Execution.workflow_id, Execution.credential_id)
        .subquery()
    )
    found: dict[tuple[str, str], list[HurtWorkflow]] = {}
    for credential_id, workflow in read_hurt_workflows(hurt, hurt.c.credential_id):
        found.setdefault((workflow.instance_id, credential_id), []).append(workflow)
    return found


def _users_of(instance_ids: set[str]) -> dict[tuple[str, str], tuple[str, str, list[WorkflowAtRisk]]]:
    """By instance and credential: its name, its kind, and the workflows that use it and may run again."""
    statement = (
        sa.select(Workflow.instance_id, Workflow.id, Workflow.name, Workflow.active, Workflow.credentials)
        .where(Workflow.instance_id.in_(instance_ids), Workflow.vanished_at.is_(None), Workflow.is_archived.is_(False))
        .order_by(Workflow.name, Workflow.id)
    )
    found: dict[tuple[str, str], tuple[str, str, list[WorkflowAtRisk]]] = {}
    for instance_id, workflow_id, workflow_name, active, used in db.session.execute(statement):
        for credential_id, name, kind in used:
            entry = found.setdefault((instance_id, credential_id), (name, kind, []))
            entry[2].append(WorkflowAtRisk(workflow_id, workflow_name, active))
    return found
