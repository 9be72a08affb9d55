"""The settings of sending requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.settings import Setting, at_least

REQUEST_SETTINGS: tuple[Setting, ...] = (
    Setting("HUB_REQUEST_THREADS", "32", "HTTP requests of people that a worker sends at the same time.", at_least(1)),
    Setting("HUB_REQUEST_ACTIVE", "16", "Requests of one person that may wait or be under way.", at_least(1)),
    Setting("HUB_REQUEST_PER_MINUTE", "60", "Requests that one person may send in a minute.", at_least(1)),
    Setting("HUB_REQUEST_KEEP_DAYS", "365", "Most days that answers of requests are kept; a plan may say less.", at_least(1)),
    Setting("HUB_REQUEST_KEEP_RUNS", "200", "Answers of one request that are kept.", at_least(1)),
)


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """How much people may send, and how long the answers are kept. ``active`` and ``per_minute`` are for one person."""

    threads: int
    active: int
    per_minute: int
    keep_days: int
    keep_runs: int

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> RequestLimits:
        """From the parsed settings by name."""
        return cls(
            threads=values["HUB_REQUEST_THREADS"],
            active=values["HUB_REQUEST_ACTIVE"],
            per_minute=values["HUB_REQUEST_PER_MINUTE"],
            keep_days=values["HUB_REQUEST_KEEP_DAYS"],
            keep_runs=values["HUB_REQUEST_KEEP_RUNS"],
        )
