"""``hub sync``: read workflows and executions from n8n now, in the foreground."""

from __future__ import annotations

import sys
import time

import click
from flask import Flask

from hub.cli.actor import as_user
from hub.cli.foreground import LOOK_SECONDS, own_app, run_here
from hub.cli.instances import find_instance
from hub.contracts.actor import Actor
from hub.extensions import db
from hub.instances.models import Instance
from hub.instances.services import list_instances
from hub.jobs.models import JobState
from hub.jobs.registry import Progress as JobProgress
from hub.jobs.worker import database_kept_open
from hub.sync.progress import Progress
from hub.sync.services import get_progress, request_sync


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
    app = own_app()
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

    def tell(self, progress: JobProgress) -> None:
        """Draw what the running sync reports."""
        _phase, workflows, executions, details = (progress.note or " 0 0 0").split(" ")
        self.draw(f"{workflows} workflows, {executions} executions, {details} details", progress.done, progress.total)

    def end(self, problem: str | None) -> None:
        click.echo(("\r\x1b[K" if sys.stdout.isatty() else "") + (f"{self._name}: {problem}" if problem else self._text))


def _sync_one(app: Flask, actor: Actor, instance_id: str, name: str) -> bool:
    """Queue the sync and run it here, or watch the worker that was faster. Whether it succeeded."""
    with app.app_context():
        job_id = request_sync(actor, instance_id).id
    line = _Line(name)
    while True:
        run_here(app, job_id, line.tell)
        with app.app_context():
            progress = get_progress(actor, instance_id)
        if not progress.is_active:
            line.end(progress.error if progress.state is JobState.FAILED else None)
            return progress.state is JobState.DONE
        _show(line, progress)
        time.sleep(LOOK_SECONDS)


def _show(line: _Line, progress: Progress) -> None:
    line.draw(progress.sentence, progress.done, progress.total)
