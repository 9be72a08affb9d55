"""Looks at a bounded sample of successes for signs that they did nothing: a sync reads the data of failures only."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from hub.columns import utc_now
from hub.errors import HubError
from hub.executions.details import read_suspicion, write_detail
from hub.executions.models import Execution, ExecutionStatus
from hub.extensions import db
from hub.instances.client import Missing, N8nClient, TooLarge
from hub.instances.errors import N8nError
from hub.instances.models import Instance, InstanceStatus
from hub.instances.services import open_client
from hub.workflows.models import Workflow

log = logging.getLogger(__name__)

#: Executions that one round reads of one n8n, and the largest that it reads.
PER_INSTANCE = 10
MOST_BYTES = 2_000_000
#: A workflow is looked at once for each version, and then at most once in this time.
PAUSE = dt.timedelta(days=1)
#: Successes older than this are not looked at.
OLDEST = dt.timedelta(days=7)


def scan_successes() -> int:
    """Look at the newest success of active workflows that is due; answers how many were read. Commits.

    An n8n that does not answer is left until the next round.
    """
    statement = sa.select(Instance).where(Instance.is_sample.is_(False), Instance.status == InstanceStatus.CONNECTED)
    ids = [instance.id for instance in db.session.scalars(statement)]
    return sum(map(_scan_instance, ids))


def _scan_instance(instance_id: str) -> int:
    due = find_due(instance_id)
    instance = db.session.get(Instance, instance_id)
    if not due or instance is None:
        db.session.rollback()
        return 0
    count = 0
    try:
        client = open_client(instance)
        db.session.rollback()  # no transaction while n8n is asked
        with client:
            for n8n_id in due:
                columns = _look(client, n8n_id)
                write_detail(instance_id, n8n_id, columns)
                db.session.commit()
                count += 1
    except (N8nError, HubError) as error:
        log.info("no look at successes of %s: %s", instance_id, error)
    return count


def find_due(instance_id: str) -> Sequence[str]:
    """n8n ids of the newest success of each active workflow that was not looked at lately in its present version."""
    now = utc_now()
    newest = (
        sa.select(Execution.id)
        .where(Execution.workflow_id == Workflow.id, Execution.status == ExecutionStatus.SUCCESS)
        .where(Execution.vanished_at.is_(None), Execution.started_at > now - OLDEST)
        .order_by(Execution.started_at.desc(), Execution.id.desc())
        .limit(1)
        .correlate(Workflow)
        .scalar_subquery()
    )
    seen = aliased(Execution)
    is_same_version = sa.or_(seen.workflow_version_id == Workflow.active_version_id, Workflow.active_version_id.is_(None))
    lately = sa.exists().where(
        seen.workflow_id == Workflow.id, seen.suspicions.is_not(None), seen.started_at > now - PAUSE, is_same_version
    )
    statement = (
        sa.select(Execution.n8n_execution_id)
        .join(Workflow, Workflow.id == Execution.workflow_id)
        .where(Workflow.instance_id == instance_id, Workflow.active.is_(True), Workflow.vanished_at.is_(None))
        .where(Execution.id == newest, Execution.suspicions.is_(None), ~lately)
        .order_by(Execution.started_at.desc())
        .limit(PER_INSTANCE)
    )
    return db.session.scalars(statement).all()


def _look(client: N8nClient, n8n_id: str) -> dict[str, Any]:
    """The columns that say what was found. The data itself is not kept."""
    try:
        payload = client.get_execution(n8n_id, with_data=True, max_bytes=MOST_BYTES)
    except (TooLarge, Missing):
        return read_suspicion(None)
    version_id = payload.get("workflowVersionId")
    return {**read_suspicion(payload), **({"workflow_version_id": str(version_id)[:64]} if version_id else {})}
