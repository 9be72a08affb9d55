"""The settings of plans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.settings import Setting, at_least, one_of

PLAN_SETTINGS: tuple[Setting, ...] = (
    Setting("HUB_NEW_PLAN", "FREE", "The plan of new accounts.", one_of("FREE", "PRO", "TEAM", "ENTERPRISE")),
    Setting("HUB_EXECUTION_KEEP_DAYS", "365", "Most days that the data of executions is kept; a plan may say less.", at_least(1)),
)


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """What the operator says about plans. ``execution_keep_days`` bounds what plans say of it."""

    new_plan: str
    execution_keep_days: int

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> PlanSettings:
        """From the parsed settings by name."""
        return cls(new_plan=values["HUB_NEW_PLAN"], execution_keep_days=values["HUB_EXECUTION_KEEP_DAYS"])
