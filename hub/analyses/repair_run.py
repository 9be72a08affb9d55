"""One repair under way: what is fixed when it starts, what each step adds, and how steps end it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any

from hub.analyses.models import RepairState, Verdict
from hub.contracts.analysis import Evidence

Json = dict[str, Any]


class ProofKind(enum.StrEnum):
    """How the repair is to be proven; the person chose it."""

    #: Retry the failed execution from the node that failed.
    RETRY = "retry"
    #: Publish, then call the workflow's webhook again with the request that failed.
    WEBHOOK = "webhook"
    #: Don't: keep the change as a draft.
    NONE = "none"


class Step(enum.StrEnum):
    """The step that is made next. Stored before it is made, and safe to make again."""

    CHECK = "check"
    SAVE = "save"
    PUBLISH_FIRST = "publish-first"
    RETRY = "retry"
    CALL = "call"
    WAIT = "wait"
    PUBLISH = "publish"
    RESTORE = "restore"
    UNDO = "undo"
    RECORD = "record"
    #: Only in the log: a later run has shown whether the change works.
    PROVE = "prove"
    DONE = "done"


@dataclass(slots=True)
class RepairRun:
    """The state machine's memory. ``facts`` holds small values that steps leave for later steps."""

    # Fixed.
    repair_id: str
    workflow_id: str
    execution_id: str
    cause: str
    evidence: Evidence
    patch: tuple[Json, ...]
    digest: str
    proof: ProofKind
    #: Nobody pressed the button, so the stop switch of automation holds.
    automatic: bool = False
    # Added by steps.
    step: Step = Step.CHECK
    verdict: Verdict | None = None
    pre_image: Json | None = None
    pre_version_id: str | None = None
    new_version_id: str | None = None
    went_live: bool = False
    run_id: str | None = None
    facts: Json = field(default_factory=dict)

    def end(self, state: RepairState, code: str, **details: Any) -> Step:
        """Decide how the repair ends; what is left is to record it."""
        self.facts["end"] = [state.value, code, details]
        return Step.RECORD


class Refusal(Exception):
    """The repair must not go on, and nothing was changed yet."""

    def __init__(self, code: str, **details: Any) -> None:
        super().__init__(code)
        self.code = code
        self.details = details
