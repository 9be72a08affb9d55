"""What becomes of the data of executions in time: it is forgotten, while what happened stays listed and counted."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from flask import current_app

from hub.accounts.quotas import accounts_by_retention
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import SYSTEM
from hub.executions.models import HAS_DETAIL, DetailState, Execution
from hub.extensions import db
from hub.instances.models import Instance
from hub.plan_settings import PlanSettings

#: A transaction holds the one write lock of SQLite no longer than changing so many takes.
BATCH = 200


def forget_old_details() -> int:
    """Forget the data of executions that are too old for the plan of their owner or for the operator; how many. Commits.

    Samples keep theirs. Opened again, an execution asks n8n anew.
    """
    settings: PlanSettings = current_app.extensions["hub_config"].plans
    forgotten = 0
    for days, owners in accounts_by_retention(settings.execution_keep_days).items():
        before = utc_now() - dt.timedelta(days=days)
        instances = sa.select(Instance.id).where(Instance.user_id.in_(owners), Instance.is_sample.is_(False))
        old = sa.select(Execution.id).where(Execution.instance_id.in_(instances), Execution.started_at < before, HAS_DETAIL)
        while ids := db.session.scalars(old.limit(BATCH)).all():
            emptied = sa.update(Execution).where(Execution.id.in_(ids))
            values = {"data": sa.null(), "error": sa.null(), "detail_state": DetailState.UNAVAILABLE}
            db.session.execute(emptied.values(values).execution_options(synchronize_session=False))
            forgotten += len(ids)
            record_event(SYSTEM, "execution.forget", "execution", details={"executions": len(ids), "days": days})
            db.session.commit()
    db.session.commit()
    return forgotten
