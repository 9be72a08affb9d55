"""Runs a queued job in a command's own process, where no worker was faster."""

from __future__ import annotations

import threading
from collections.abc import Callable

from flask import Flask, current_app

from hub.jobs.registry import JobContext, Progress
from hub.jobs.services import claim_job, renew_lease
from hub.jobs.worker import run_job

_RENEW_SECONDS = 10.0
#: Between two looks at a job that another process runs.
LOOK_SECONDS = 0.5


def own_app() -> Flask:
    """The app itself, for the contexts that a job opens."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return app


class _Foreground(JobContext):
    """A run that tells its progress at once."""

    def __init__(self, job_id: str, attempt: int, tell: Callable[[Progress], None]) -> None:
        super().__init__(job_id, attempt)
        self._tell = tell

    def report(self, done: int, total: int | None = None, note: str | None = None) -> None:
        super().report(done, total, note)
        self._tell(self.progress)


def run_here(app: Flask, job_id: str, tell: Callable[[Progress], None] = lambda _progress: None) -> None:
    """Run the job in this process if no worker has it and its time has come."""
    with app.app_context():
        job = claim_job(job_id)
        if job is None:
            return
        context, name, arguments = _Foreground(job.id, job.attempts, tell), job.name, dict(job.arguments)
    ended = threading.Event()
    keeper = threading.Thread(target=_keep_lease, args=(app, context, ended), daemon=True)
    keeper.start()
    try:
        run_job(app, context, name, arguments)
    finally:
        ended.set()
        keeper.join()


def _keep_lease(app: Flask, context: JobContext, ended: threading.Event) -> None:
    """Renew the run's lease until it has ended, or tell it that another worker took it over."""
    while not ended.wait(_RENEW_SECONDS):
        with app.app_context():
            if not renew_lease(context):
                context.lost.set()
                return
