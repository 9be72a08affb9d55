"""``hub sync``: read workflows and executions from n8n now, in the foreground."""

from __future__ import annotations

import sys
import time

import click
from flask import Flask, current_app

from hub.cli.actor import as_user
from hub.cli.instances import find_instance
from hub.contracts.actor import Actor
from hub.extensions import db
from hub.instances.models import Instance
from hub.instances.services import list_instances
from hub.jobs.models import JobState
from hub.jobs.registry import JobContext
from hub.jobs.services import claim_job, renew_lease
from hub.jobs.worker import database_kept_open, run_job
from hub.sync.progress import Progress
from hub.sync.services import get_progress, request_sync

_RENEW_SECONDS = 10.0
_LOOK_SECONDS = 0.5


@click.command()
@click.argument("name_or_id", required=False)
@click.option("--all", "every", is_flag=True, help="Sync all instances.")
@as_user
def sync(actor: Actor, name_or_id: str | None, every: bool) -> None:
    """Bring the instance NAME_OR_ID up to date and show how it goes; exits 1 when one cannot be synced."""
    if bool(name_or_id) == every:
        raise click.UsageError("Name one instance, or say --all.")
    instances = _own_instances(actor) if every else [find_instance(actor, name_or_id or "")]
    targets = [(instance.id, instance.name) for instance in instances]
    db.session.rollback()  # reading has taken SQLite's write lock, which the jobs need
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    with database_kept_open(app):
        results = [_sync_one(app, actor, instance_id, name) for instance_id, name in targets]
    sys.exit(0 if all(results) else 1)


def _own_instances(actor: Actor) -> list[Instance]:
    rows: list[Instance] = []
    cursor = None
    while True:
        page = list_instances(actor, cursor=cursor, limit=250)
        rows += page.rows
        cursor = page.next_cursor
        if cursor is None:
            return [row for row in rows if not row.is_sample]


class _Foreground(JobContext):
    """A run in this process: it renews its own lease and draws its own bar."""

    def __init__(self, job_id: str, attempt: int, app: Flask, line: _Line) -> None:
        super().__init__(job_id, attempt)
        self._app = app
        self._line = line
        self._renewed = time.monotonic()

    def report(self, done: int, total: int | None = None, note: str | None = None) -> None:
        super().report(done, total, note)
        _phase, workflows, executions, details = (note or " 0 0 0").split(" ")
        self._line.draw(f"{workflows} workflows, {executions} executions, {details} details", done, total)
        if time.monotonic() - self._renewed > _RENEW_SECONDS:
            self._renewed = time.monotonic()
            with self._app.app_context():
                if not renew_lease(self):
                    self.lost.set()


class _Line:
    """One line of the terminal that is drawn again and again; without a terminal only its last state is printed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._text = ""

    def draw(self, text: str, done: int = 0, total: int | None = None) -> None:
        bar = "" if not total else f"[{'#' * (20 * done // total):20}] "
        self._text = f"{self._name}: {bar}{text}"
        if sys.stdout.isatty():
            click.echo(f"\r\x1b[K{self._text}", nl=False)

    def end(self, problem: str | None) -> None:
        click.echo(("\r\x1b[K" if sys.stdout.isatty() else "") + (f"{self._name}: {problem}" if problem else self._text))


def _sync_one(app: Flask, actor: Actor, instance_id: str, name: str) -> bool:
    """Queue the sync and run it here, or watch the worker that was faster. Whether it succeeded."""
    with app.app_context():
        job_id = request_sync(actor, instance_id).id
    line = _Line(name)
    while True:
        _run_here(app, job_id, line)
        with app.app_context():
            progress = get_progress(actor, instance_id)
        if not progress.is_active:
            line.end(progress.error if progress.state is JobState.FAILED else None)
            return progress.state is JobState.DONE
        _show(line, progress)
        time.sleep(_LOOK_SECONDS)


def _run_here(app: Flask, job_id: str, line: _Line) -> None:
    """Run the job in this process if no worker has it and its time has come."""
    with app.app_context():
        job = claim_job(job_id)
        if job is None:
            return
        context, name, arguments = _Foreground(job.id, job.attempts, app, line), job.name, dict(job.arguments)
    run_job(app, context, name, arguments)


def _show(line: _Line, progress: Progress) -> None:
    line.draw(progress.sentence, progress.done, progress.total)
