"""How far a sync is, as its job tells it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask_babel import gettext as _

from hub.jobs.models import Job, JobState


def sync_key(instance_id: str) -> str:
    """The unique key of an instance's sync job: at most one is queued or runs."""
    return f"sync:{instance_id}"


@dataclass(frozen=True, slots=True)
class Progress:
    """How a sync stands. ``done`` of ``total`` make the bar; ``total`` is None where it is unknown."""

    state: JobState | None
    job_id: str | None = None
    phase: str = ""
    done: int = 0
    total: int | None = None
    workflows: int = 0
    executions: int = 0
    details: int = 0
    error: str | None = None
    #: When it runs, if it waits.
    run_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None

    @property
    def is_active(self) -> bool:
        """Whether it is queued or running: worth asking again."""
        return self.state in (JobState.QUEUED, JobState.RUNNING)

    @property
    def sentence(self) -> str:
        """What is going on, in the active language."""
        if self.state is None:
            return _("Not synced yet.")
        if self.error:
            return self.error
        if self.state is JobState.QUEUED:
            return _("Waiting for a worker.")
        if self.state is JobState.DONE:
            return _("Up to date.")
        return {
            "workflows": _("Reading workflows: %(number)s", number=self.workflows),
            "executions": _("Reading executions: %(number)s", number=self.executions),
            "details": _("Reading details of failures: %(number)s", number=self.details),
        }.get(self.phase, _("Connecting to n8n."))


def read_progress(job: Job | None) -> Progress:
    """The progress that a sync's job carries; none where there is no job."""
    if job is None:
        return Progress(None)
    phase, workflows, executions, details = (job.note or " 0 0 0").split(" ")
    return Progress(
        state=job.state,
        job_id=job.id,
        phase=phase,
        done=job.done,
        total=job.total,
        workflows=int(workflows),
        executions=int(executions),
        details=int(details),
        error=job.error,
        run_at=job.run_at if job.state is JobState.QUEUED else None,
        finished_at=job.finished_at,
    )
