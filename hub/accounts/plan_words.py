"""Plans in words."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext

from hub.accounts.plan_limits import Limit

_LIMITS: dict[Limit, Any] = {
    Limit.INSTANCES: lazy_gettext("n8n instances"),
    Limit.SAVED_REQUESTS: lazy_gettext("Saved requests"),
    Limit.ANALYSES: lazy_gettext("Analyses this month"),
    Limit.MEMBERS: lazy_gettext("Members"),
}

#: The rows of the comparison of plans: field of ``PlanLimits``, name.
TABLE: tuple[tuple[str, Any], ...] = (
    ("instances", lazy_gettext("n8n instances")),
    ("saved_requests", lazy_gettext("Saved requests")),
    ("analyses_per_month", lazy_gettext("Analyses a month")),
    ("retention_days", lazy_gettext("Days that data is kept")),
    ("api_requests_per_minute", lazy_gettext("API calls a minute")),
    ("members", lazy_gettext("Members")),
)


def name_limit(limit: Limit) -> str:
    """What is counted."""
    return str(_LIMITS[limit])
