"""The page that shows how well stated confidences hold. It shares the blueprint of the room's other pages."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from hub.accounts.web import current_actor
from hub.analyses.calibration import LABELS_NEEDED
from hub.analyses.learning import Target, read_calibration
from hub.analyses.views import bp
from hub.htmx import read_filters, render

__all__ = ["bp", "calibration"]


@bp.get("/analyses/calibration")
def calibration() -> ResponseReturnValue:
    """Reliability diagram, Brier score, calibration error and coverage, of causes or of fixes."""
    actor = current_actor()
    chosen = read_filters(("target", "source"))
    target = Target(chosen["target"]) if chosen["target"] in set(Target) else Target.CAUSE
    report = read_calibration(actor, target, chosen["source"] or None)
    return render(
        "analyses/calibration.html",
        block="report",
        report=report,
        chosen={**chosen, "target": target.value},
        everybody=actor.is_operator,
        needed=LABELS_NEEDED,
        is_filtered=bool(request.args.get("source")),
    )
