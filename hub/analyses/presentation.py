"""Repairs and differences in the form in which pages show them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask_babel import gettext as _

from hub.analyses.differences import Difference
from hub.analyses.models import Repair, RepairState, Verdict
from hub.analyses.repair_words import describe_end, describe_step


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One step of a repair. ``state`` is ``done`` or ``running``."""

    name: str
    started_at: dt.datetime
    state: str


@dataclass(frozen=True, slots=True)
class ShownRepair:
    """A repair with its steps and its outcome in words. ``is_open`` while it goes on."""

    id: str
    state: RepairState
    verdict: Verdict | None
    is_open: bool
    message: str
    steps: tuple[ShownStep, ...]
    run_n8n_id: str | None
    has_old_workflow: bool
    #: Applied without proof; the next run of its version decides.
    awaits_proof: bool
    can_undo: bool
    tone: str
    created_at: dt.datetime


_TONES = {RepairState.APPLIED: "good", RepairState.ROLLED_BACK: "warn", RepairState.REFUSED: "warn", RepairState.STUCK: "bad"}


def present_repair(repair: Repair) -> ShownRepair:
    """The repair as a page shows it."""
    is_open = repair.state in (RepairState.QUEUED, RepairState.RUNNING)
    end = (repair.log[-1].get("facts") or {}).get("end") if repair.log else None
    tone = "info" if is_open else _TONES[repair.state]
    if repair.state is RepairState.APPLIED and repair.verdict is not Verdict.VERIFIED:
        tone = "bad" if repair.verdict in (Verdict.FAILED, Verdict.REGRESSED) else "warn"
    return ShownRepair(
        id=repair.id,
        state=repair.state,
        verdict=repair.verdict,
        is_open=is_open,
        message=describe_end(end[1], end[2]) if end and not is_open else "",
        steps=tuple(_steps(repair, is_open)),
        run_n8n_id=repair.retry_n8n_execution_id,
        has_old_workflow=repair.pre_version_id is not None,
        awaits_proof=repair.awaits_version is not None,
        can_undo=repair.state is RepairState.APPLIED and repair.pre_version_id is not None,
        tone=tone,
        created_at=repair.created_at,
    )


def _steps(repair: Repair, is_open: bool) -> list[ShownStep]:
    """Each step once, with the time of its first start; steps that only end the log are left out."""
    first: dict[str, dt.datetime] = {}
    for entry in repair.log:
        first.setdefault(entry["step"], dt.datetime.fromisoformat(entry["at"]))
    names = list(first)
    return [ShownStep(describe_step(name), first[name], "running" if is_open and name == names[-1] else "done") for name in names]


def unified_lines(difference: Difference) -> tuple[str, list[str]]:
    """(title, lines that begin with their mark) of one difference."""
    titles = {
        "new-node": _("New node “%(node)s”", node=difference.node),
        "connections": _("Connections of “%(node)s”", node=difference.node),
        "settings": _("Settings: %(path)s", path=difference.path),
    }
    title = titles.get(difference.kind) or f"{difference.node} › {difference.path}"
    return title, ["@@" if line.mark == "…" else line.mark + line.text for line in difference.lines]
