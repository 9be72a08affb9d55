"""What each plan allows, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hub.accounts.models import Plan


@dataclass(frozen=True, slots=True)
class PlanLimits:
    """The limits of one plan."""

    api_requests_per_minute: int
    """Of all keys and programs of an account together."""


LIMITS: Mapping[Plan, PlanLimits] = MappingProxyType(
    {
        Plan.FREE: PlanLimits(api_requests_per_minute=60),
        Plan.PRO: PlanLimits(api_requests_per_minute=300),
        Plan.TEAM: PlanLimits(api_requests_per_minute=1_000),
        Plan.ENTERPRISE: PlanLimits(api_requests_per_minute=3_000),
    }
)
