"""How well stated confidences hold, as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.accounts.web import current_actor
from hub.analyses.calibration import Reliability
from hub.analyses.learning import Target, read_calibration
from hub.json_api import Resource, operation


class BinResource(Resource):
    """Cases with stated probabilities from low to high."""

    low: float
    high: float
    weight: float = Field(description="A verdict weighs 1, a thumb 0.5.")
    stated: float = Field(description="Mean of the stated probabilities.")
    came_true: float = Field(description="Share that came true.")
    lowest: float = Field(description="Lower bound of that share (95 %).")
    highest: float = Field(description="Upper bound of that share (95 %).")


class ReliabilityResource(Resource):
    """How well probabilities hold; 0 is perfect, null means that there are no cases."""

    brier: float | None
    ece: float | None
    bins: list[BinResource]


class SourceResource(Resource):
    """One rule or model version."""

    source: str
    labels: int
    came_true: float


class CalibrationResource(Resource):
    """Calibration of causes or of fixes."""

    target: Target
    source: str | None
    labels: int
    shown: ReliabilityResource = Field(description="Of the numbers as people saw them.")
    stated: ReliabilityResource = Field(description="Of the analyzers' own numbers.")
    sources: list[SourceResource]
    analyses: int
    unknown: int
    coverage: float | None = Field(description="Share of analyses that named a cause.")


class CalibrationQuery(Resource):
    """Which labels."""

    target: Target = Target.CAUSE
    source: str | None = None


@operation("GET", "/calibration", scope="analyses:read", answer=CalibrationResource)
def get_calibration(query: CalibrationQuery) -> Any:
    """How well confidences hold, by your own feedback and repairs; by everybody's for an operator."""
    report = read_calibration(current_actor(), query.target, query.source)
    return CalibrationResource(
        target=report.target,
        source=report.source,
        labels=report.labels,
        shown=_reliability(report.shown),
        stated=_reliability(report.stated),
        sources=[SourceResource.model_validate(row) for row in report.sources],
        analyses=report.analyses,
        unknown=report.unknown,
        coverage=report.coverage,
    )


def _reliability(found: Reliability) -> ReliabilityResource:
    bins = [BinResource.model_validate(row) for row in found.bins]
    return ReliabilityResource(brier=found.brier, ece=found.ece, bins=bins)
