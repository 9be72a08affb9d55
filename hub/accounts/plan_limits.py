"""What each plan allows, in one table."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hub.accounts.models import Plan


class Limit(enum.StrEnum):
    """What a plan limits by count; the values are the fields of ``PlanLimits``."""

    INSTANCES = "instances"
    SAVED_REQUESTS = "saved_requests"
    ANALYSES = "analyses_per_month"
    MEMBERS = "members"


@dataclass(frozen=True, slots=True)
class PlanLimits:
    """The limits of one plan. None: as many as wanted."""

    instances: int | None
    """Connected n8n servers; the sample is none."""

    saved_requests: int
    """Those that were deleted and can be had back do not count."""

    analyses_per_month: int | None
    """New explanations in a calendar month (UTC). What a model adds is limited apart (``hub.analyses.model_limits``)."""

    retention_days: int
    """How long the data of executions and the answers of requests are kept, where the operator does not say less."""

    api_requests_per_minute: int
    """Of all keys and programs of an account together."""

    members: int | None
    """People who share the account's things, its owner among them."""

    def of(self, limit: Limit) -> int | None:
        """The number of one limit."""
        number: int | None = getattr(self, limit.value)
        return number


LIMITS: Mapping[Plan, PlanLimits] = MappingProxyType(
    {
        Plan.FREE: PlanLimits(
            instances=3,
            saved_requests=200,
            analyses_per_month=200,
            retention_days=30,
            api_requests_per_minute=60,
            members=1,
        ),
        Plan.PRO: PlanLimits(
            instances=10,
            saved_requests=1_000,
            analyses_per_month=2_000,
            retention_days=90,
            api_requests_per_minute=300,
            members=1,
        ),
        Plan.TEAM: PlanLimits(
            instances=50,
            saved_requests=2_500,
            analyses_per_month=10_000,
            retention_days=180,
            api_requests_per_minute=1_000,
            members=25,
        ),
        Plan.ENTERPRISE: PlanLimits(
            instances=None,
            saved_requests=5_000,
            analyses_per_month=None,
            retention_days=365,
            api_requests_per_minute=3_000,
            members=None,
        ),
    }
)

#: From the smallest to the largest.
ORDER: tuple[Plan, ...] = tuple(LIMITS)


def next_plan_with(limit: Limit, plan: Plan) -> Plan | None:
    """The smallest larger plan that allows more of it; None where there is none."""
    present = LIMITS[plan].of(limit)
    for larger in ORDER[ORDER.index(plan) + 1 :]:
        number = LIMITS[larger].of(limit)
        if present is not None and (number is None or number > present):
            return larger
    return None
