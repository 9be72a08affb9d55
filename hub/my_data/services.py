"""A person's own data: asking for the export, fetching it, and asking for the account's end."""

from __future__ import annotations

import datetime as dt
import enum
import time
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _

from hub.accounts.actors import person_of
from hub.accounts.models import User
from hub.accounts.step_up import require_recent
from hub.audit.services import record_event
from hub.config import Config
from hub.contracts.actor import Actor
from hub.errors import Conflict, Invalid, NotFound
from hub.extensions import Base, db
from hub.jobs.models import Job, JobState
from hub.jobs.services import enqueue, find_job
from hub.my_data.archive import Report, write_archive
from hub.my_data.deletion import begin_deletion, is_last_operator
from hub.my_data.ownership import Person, owned_by

EXPORT_JOB = "my_data.export"
#: How long an export waits to be fetched.
KEEP = dt.timedelta(hours=24)
#: What the page counts before the account is deleted, in this order.
COUNTED = ("instances", "workflows", "executions", "ai_analyses", "requests", "request_runs", "environments", "variables")


class ExportState(enum.StrEnum):
    """Where an export stands."""

    NONE = "NONE"
    RUNNING = "RUNNING"
    READY = "READY"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Export:
    """A person's export. ``size`` is in bytes; ``done`` of ``total`` tables are written; ``expires_at`` is when it is removed."""

    state: ExportState
    size: int | None = None
    expires_at: dt.datetime | None = None
    done: int = 0
    total: int | None = None


# --- Export --------------------------------------------------------------------------------------------------------


def request_export(actor: Actor) -> Export:
    """Queue an export; the one under way where there is one. Commits."""
    user_id = person_of(actor)
    require_recent(actor)
    _file_of(user_id).unlink(missing_ok=True)
    enqueue(EXPORT_JOB, unique_key=_job_key(user_id), user_id=user_id)
    record_event(actor, "user.export", "user", user_id)
    db.session.commit()
    return find_export(actor)


def find_export(actor: Actor) -> Export:
    """How the person's export stands."""
    user_id = person_of(actor)
    job = find_job(_job_key(user_id), active=False)
    if job is not None and job.state in (JobState.QUEUED, JobState.RUNNING):
        return Export(ExportState.RUNNING, done=job.done, total=job.total)
    file = _file_of(user_id)
    if _is_fresh(file):
        made_at = dt.datetime.fromtimestamp(file.stat().st_mtime, dt.UTC)
        return Export(ExportState.READY, size=file.stat().st_size, expires_at=made_at + KEEP)
    return Export(ExportState.FAILED if _failed_lately(job) else ExportState.NONE)


def open_export(actor: Actor) -> Path:
    """The file to send to its owner; ``NotFound`` where there is none or its day is over. Commits."""
    user_id = person_of(actor)
    require_recent(actor)
    file = _file_of(user_id)
    if not _is_fresh(file):
        raise NotFound()
    record_event(actor, "user.download_export", "user", user_id)
    db.session.commit()
    return file


def run_export(user_id: str, report: Report) -> None:
    """Write the export of somebody; of somebody who is gone meanwhile nothing is kept."""
    person = find_person(user_id)
    if person is None:
        return
    write_archive(_file_of(user_id), person, report)
    if find_person(user_id) != person:
        _file_of(user_id).unlink(missing_ok=True)


def remove_old_exports() -> None:
    """Remove the exports whose day is over, and what killed exports left."""
    for file in (*_folder().glob("*.zip"), *_folder().glob(".*.part")):
        if not _is_fresh(file):
            file.unlink(missing_ok=True)


def find_person(user_id: str) -> Person | None:
    """Somebody with an account."""
    email = db.session.scalar(sa.select(User.email).where(User.id == user_id))
    return Person(user_id, email) if email is not None else None


def _folder() -> Path:
    config: Config = current_app.extensions["hub_config"]
    return config.instance_dir / "exports"


def _file_of(user_id: str) -> Path:
    return _folder() / f"{user_id}.zip"


def _is_fresh(file: Path) -> bool:
    return file.is_file() and time.time() - file.stat().st_mtime < KEEP.total_seconds()


def _failed_lately(job: Job | None) -> bool:
    return job is not None and job.state is JobState.FAILED


def _job_key(user_id: str) -> str:
    return f"{EXPORT_JOB}:{user_id}"


# --- Deletion ------------------------------------------------------------------------------------------------------


def count_belongings(actor: Actor) -> dict[str, int]:
    """How much of each kind goes with the account, by table. One statement."""
    person = Person(person_of(actor), "")
    tables = [Base.metadata.tables[name] for name in COUNTED]
    parts = [
        sa.select(sa.literal(table.name), sa.func.count()).select_from(table).where(owned_by(table, person)) for table in tables
    ]
    return {name: number for name, number in db.session.execute(sa.union_all(*parts))}  # noqa: C416 - a result has keys()


def request_deletion(actor: Actor, email: str) -> None:
    """End the account at once and queue the deletion of all that belongs to it. ``email`` is typed as confirmation. Commits.

    ``Conflict`` for the last operator: the hub would have nobody left to look after it.
    """
    user_id = person_of(actor)
    require_recent(actor)
    person = find_person(user_id)
    if person is None:
        raise NotFound()
    if email.strip().lower() != person.email:
        raise Invalid(fields={"email": _("Type your e-mail address exactly: this cannot be undone.")})
    if is_last_operator(user_id, lock=True):
        raise Conflict(_("You are the only operator. Make somebody else an operator first."))
    counts = count_belongings(actor)
    _file_of(user_id).unlink(missing_ok=True)
    begin_deletion(actor, person, counts)
