"""Speaks first about requests that the hub sent: where it knows nothing more than n8n would, the analyzers for executions do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hub.contracts.analysis import Diagnosis, Evidence
from hub.http_builder.explaining import access, answers, refusals
from hub.http_builder.explaining.findings import Look

#: The surest first.
LOOKS: Sequence[Callable[[Look], Diagnosis | None]] = (
    refusals.own_refusal,
    refusals.timeout,
    answers.expired_token,
    answers.wrong_clock,
    answers.unfilled_address,
    answers.lost_body,
    answers.allowed_method,
    answers.body_format,
    answers.retry_after,
    answers.web_page,
    access.refused_sign_in,
    answers.failed_in_words,
    answers.failed_checks,
)


class RequestAnalyzer:
    """Judges evidence with an ``exchange``; leaves every other to the next analyzer. Pure."""

    name = "requests"

    def diagnose(self, evidence: Evidence) -> Diagnosis | None:
        """The first cause that is known by what only the hub saw."""
        look = Look.at(evidence)
        return next((found for rule in LOOKS if (found := rule(look)) is not None), None) if look else None
