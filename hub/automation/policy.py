"""What may be done without a click. Pure: facts in, a reason to leave it to a person out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from hub.analyses.learning import Confidence
from hub.analyses.repair import RepairPreview
from hub.analyses.repair_guards import writes
from hub.analyses.repair_run import ProofKind
from hub.contracts.analysis import Evidence

Json = dict[str, Any]

#: What a preview may warn of where nobody reads it. Any other warning, also one to come, needs a person.
_HARMLESS_WARNINGS = frozenset({"publishes", "puts-back", "writes"})
#: Client errors after which a service has done nothing; 408 and 409 leave it open.
_REFUSED = re.compile(r"4(?!08|09)\d\d")


@dataclass(frozen=True, slots=True)
class Reason:
    """A code of ``automation.words`` with what its sentence needs."""

    code: str
    details: Json = field(default_factory=dict)


def why_not_alone(
    preview: RepairPreview, evidence: Evidence, fix: Confidence, *, needs_labels: bool, least: float
) -> Reason | None:
    """Why a change that may be applied must wait for a person; None where it need not.

    ``needs_labels`` says that the number is a model's, which counts only once it is calibrated. ``least`` is the least
    P(fix works).
    """
    codes = {notice.code: notice.details for notice in preview.warnings}
    if "goes-live" in codes:
        return Reason("no-drafts")
    if "draft-differs" in codes:
        return Reason("draft-differs")
    if ProofKind.RETRY not in preview.proofs:
        return Reason("no-retry")
    repeated = repeated_write(evidence, codes.get("writes", {}).get("nodes", []))
    if repeated is not None:
        return Reason("repeats", {"node": repeated})
    if codes.keys() - _HARMLESS_WARNINGS:
        return Reason("risky")
    if needs_labels and not fix.is_calibrated:
        return Reason("uncalibrated", {"labels": fix.labels})
    if fix.value < least:
        return Reason("unsure")
    return None


def repeated_write(evidence: Evidence, writers: list[str]) -> str | None:
    """The node whose work elsewhere a retry might do twice; ``writers`` are the nodes that a retry runs and that write."""
    for name in writers:
        if evidence.input_count > 1:
            return name
        if name == evidence.failing_node:
            if not _was_refused(evidence):
                return name
        elif name in evidence.node_data and evidence.node_data[name].executed:
            return name
    failing = evidence.node(evidence.failing_node)
    if failing is not None and writes(failing) and not _was_refused(evidence):
        return str(failing["name"])
    return None


def _was_refused(evidence: Evidence) -> bool:
    """Whether the failed node surely changed nothing: the service refused, or the expression failed before it was asked."""
    error = evidence.error
    return bool(_REFUSED.fullmatch(error.code or "")) or "Expression" in (error.class_name or "")
