"""Which analyses count for the month that a plan limits."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from hub.accounts.models import Plan
from hub.accounts.plan_limits import LIMITS
from hub.accounts.quotas import PlanLimitReached
from hub.analyses import services
from hub.analyses.models import AiAnalysis
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.executions.models import Execution
from hub.extensions import db
from hub.instances.models import Instance
from tests.hub.analyses.fake_n8n import failed_execution
from tests.hub.analyses.scene import OneAnswer

MOST = LIMITS[Plan.FREE].analyses_per_month


def count(actor: Actor) -> int:
    return services.count_analyses(str(actor.user_id))


def fill(actor: Actor, number: int, created_at: dt.datetime | None = None) -> None:
    row = {
        "user_id": actor.user_id,
        "error_data": {},
        "analysis": {},
        "suggestions": [],
        "confidence": 0.5,
        "analyzer": "rules",
        "cause": "timeout",
        "counted": True,
        "created_at": created_at or utc_now(),
    }
    db.session.execute(sa.insert(AiAnalysis), [dict(row) for _number in range(number)])
    db.session.commit()


def test_the_same_failure_is_explained_again_for_nothing(alice: Actor, execution: Execution, analyzer: OneAnswer) -> None:
    first = services.analyze_execution(alice, execution.id).id
    assert count(alice) == 1
    fill(alice, MOST - 1)
    assert services.analyze_execution(alice, execution.id).id == first
    assert count(alice) == MOST


def test_a_new_one_is_refused_once_the_month_is_used_up(alice: Actor, execution: Execution, analyzer: OneAnswer) -> None:
    fill(alice, MOST)
    execution_id = execution.id
    for refused in (
        lambda: services.analyze_execution(alice, execution_id),
        lambda: services.analyze_document(alice, failed_execution()),
    ):
        with pytest.raises(PlanLimitReached, match="The count starts anew on the 1st"):
            refused()
    assert count(alice) == MOST


def test_last_month_does_not_count(alice: Actor, execution: Execution, analyzer: OneAnswer) -> None:
    fill(alice, MOST, utc_now().replace(day=1) - dt.timedelta(days=1))
    services.analyze_execution(alice, execution.id)
    assert count(alice) == 1


def test_the_sample_counts_for_nothing(alice: Actor, execution: Execution, analyzer: OneAnswer) -> None:
    fill(alice, MOST)
    db.session.get_one(Instance, execution.instance_id).is_sample = True
    db.session.commit()
    assert services.analyze_execution(alice, execution.id).counted is False
    assert count(alice) == MOST
