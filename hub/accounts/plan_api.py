"""The account's plan and what is used of it, as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.accounts import plans
from hub.accounts.models import Plan
from hub.accounts.plan_limits import Limit
from hub.accounts.web import current_actor
from hub.json_api import Resource, Time, operation


class UseResource(Resource):
    """How much of one limit is used."""

    limit: Limit
    used: int
    allowed: int | None = Field(description="null: as much as wanted.")


class PlanLimitsResource(Resource):
    """What a plan allows; null: as much as wanted."""

    instances: int | None
    saved_requests: int
    analyses_per_month: int | None
    retention_days: int
    api_requests_per_minute: int
    members: int | None


class PlanResource(Resource):
    """One plan."""

    plan: Plan
    limits: PlanLimitsResource


class UsageResource(Resource):
    """The plan that holds for you, what is used of it, and all plans from the smallest to the largest."""

    plan: Plan
    uses: list[UseResource]
    resets_at: Time = Field(description="When the month's count starts anew.")
    kept_plan: Plan | None = Field(description="Until keptUntil, data is kept as long as this plan says.")
    kept_until: Time | None
    plans: list[PlanResource]


@operation("GET", "/account/usage", scope="account:read", answer=UsageResource)
def get_usage() -> Any:
    """Your plan and what is used of it."""
    usage = plans.show_usage(current_actor())
    return UsageResource(
        plan=usage.plan,
        uses=[UseResource.model_validate(use) for use in usage.uses],
        resets_at=usage.resets_at,
        kept_plan=usage.kept_plan,
        kept_until=usage.kept_until,
        plans=[
            PlanResource(plan=plan, limits=PlanLimitsResource.model_validate(limits))
            for plan, limits in plans.promised_limits().items()
        ],
    )
