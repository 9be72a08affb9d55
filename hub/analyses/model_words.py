"""What is being done while a model is asked, in words."""

from __future__ import annotations

from flask_babel import gettext as _

from hub.analyses.model_tables import CallState, ModelCall


def describe_stage(call: ModelCall) -> str:
    """The stage of an open question."""
    words = {
        "preparing": _("Preparing the question"),
        "waiting": _("Waiting for the model"),
        "asking-again": _("The answer could not be read; asking once more"),
        "checking": _("Checking the answer against the evidence"),
    }
    waiting = _("Waiting for the worker")
    return waiting if call.state is CallState.QUEUED else words.get(call.stage or "", waiting)
