"""Stores pages of n8n's execution list: three statements a page at any size, idempotent, safe to repeat after a crash.

What the hub holds is read first, so that only rows that changed are written and counted. The upsert holds the rules that
must hold whoever else writes at the same time: one row per execution, and an ended execution never runs again.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from blinker import Signal

from hub.bulk import BulkWrite, is_one_of
from hub.columns import utc_now
from hub.executions.models import DetailState, Execution, ExecutionStatus
from hub.executions.remote import OPEN, RemoteExecution, read_execution
from hub.extensions import db
from hub.identifiers import new_id
from hub.instances.models import Instance
from hub.workflows.ingest import WorkflowRef, find_or_add_workflows
from hub.workflows.models import Workflow

#: Sent with the instance's id and ``failures`` (``NewFailure``s) in the transaction that stores them.
failures_stored = Signal("Executions are known to have failed.")


@dataclass(frozen=True, slots=True)
class IngestCounts:
    """How many rows a page had, and how many of them were new and changed."""

    seen: int
    created: int
    updated: int


@dataclass(frozen=True, slots=True)
class NewFailure:
    """An execution that is known to have failed since this page."""

    execution_id: str
    remote: RemoteExecution
    workflow_id: str
    workflow_name: str


@dataclass(slots=True)
class IngestedPage:
    """What a page brought. ``rows`` are its executions in n8n's order, each once."""

    rows: list[RemoteExecution]
    #: n8n ids of the executions that the hub did not have.
    created: list[str] = field(default_factory=list)
    updated: int = 0
    failures: list[NewFailure] = field(default_factory=list)
    #: n8n ids of the failed executions of the page whose data was not read.
    wanted: list[str] = field(default_factory=list)
    #: n8n ids of executions that a retry repaired, as said by successful retries that this page brought.
    retried: list[str] = field(default_factory=list)
    #: Ids of the page stood for other executions before: n8n counts anew.
    restarted: bool = False

    @property
    def counts(self) -> IngestCounts:
        return IngestCounts(len(self.rows), len(self.created), self.updated)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the hub holds of an execution."""

    id: str
    workflow_id: str
    status: ExecutionStatus
    content: tuple[Any, ...]
    detail_state: DetailState
    vanished: bool

    def is_other_than(self, remote: RemoteExecution, workflow: WorkflowRef) -> bool:
        """Whether the same id means another execution now. Only an ended one never changes its start."""
        if self.workflow_id != workflow.id:
            return True
        started_at = self.content[1]
        return self.status not in OPEN and remote.started_at is not None and remote.started_at != started_at


#: What n8n may change about an execution, as it is compared and written.
_CONTENT = ("n8n_status", "started_at", "finished_at", "retry_of", "retry_success_id", "wait_till")
_KNOWN_COLUMNS = [
    Execution.__table__.c[name]
    for name in ("n8n_execution_id", "id", "workflow_id", "status", "detail_state", "vanished_at", *_CONTENT)
]


class ExecutionIngest:
    """Stores pages of one instance. ``epoch`` marks the executions that a restart of n8n's counting leaves behind.

    ``workflows`` are those known already, by n8n's id; others are looked up when they are met.
    """

    def __init__(self, instance_id: str, epoch: int, workflows: dict[str, WorkflowRef] | None = None) -> None:
        self._instance_id = instance_id
        self._epoch = epoch
        self._workflows = {} if workflows is None else workflows
        # Once, because making a statement costs as much as running it.
        self._known = sa.select(*_KNOWN_COLUMNS).where(
            Execution.__table__.c.instance_id == sa.bindparam("instance_id"),
            is_one_of(Execution.__table__.c.n8n_execution_id, "n8n_ids"),
        )

    def store(self, payloads: Sequence[Mapping[str, Any]]) -> IngestedPage:
        """Write what is new or changed. Does not commit."""
        remotes = {remote.n8n_id: remote for remote in map(read_execution, payloads) if remote is not None}
        page = IngestedPage(list(remotes.values()))
        if not remotes:
            return page
        self._learn_workflows({remote.n8n_workflow_id for remote in page.rows})
        known = self._read_known(list(remotes))
        if strangers := [
            n8n_id for n8n_id, row in known.items() if row.is_other_than(remotes[n8n_id], self._workflow(remotes[n8n_id]))
        ]:
            self._leave_behind(strangers, known, page)
        self._write(page, known)
        if page.failures:
            failures_stored.send(self._instance_id, failures=page.failures)
        return page

    def _workflow(self, remote: RemoteExecution) -> WorkflowRef:
        return self._workflows[remote.n8n_workflow_id]

    def _learn_workflows(self, n8n_ids: set[str]) -> None:
        """Look up workflows not met before; one that n8n's list does not show gets a row that stands for it."""
        unknown = n8n_ids - self._workflows.keys()
        if not unknown:
            return
        self._workflows.update(find_or_add_workflows(self._instance_id, unknown))

    def _read_known(self, n8n_ids: Sequence[str]) -> dict[str, _Known]:
        found = db.session.execute(self._known, {"instance_id": self._instance_id, "n8n_ids": json.dumps(n8n_ids)})
        return {
            n8n_id: _Known(key, workflow_id, status, tuple(content), detail_state, vanished_at is not None)
            for n8n_id, key, workflow_id, status, detail_state, vanished_at, *content in found
        }

    def _leave_behind(self, strangers: list[str], known: dict[str, _Known], page: IngestedPage) -> None:
        """Give old executions whose ids n8n uses again the ids "<epoch>:<id>", also those that it has yet to reach."""
        page.restarted = True
        for n8n_id in strangers:
            del known[n8n_id]
        left: sa.ColumnElement[bool] = Execution.n8n_execution_id.in_(strangers)
        numbers = [int(remote.n8n_id) for remote in page.rows if remote.n8n_id.isdigit()]
        if numbers:
            left = sa.or_(left, self._is_beyond(max(numbers)))
        label = sa.literal(f"{self._epoch}:") + Execution.n8n_execution_id
        db.session.execute(
            sa.update(Execution)
            .where(Execution.instance_id == self._instance_id, left)
            .values(n8n_execution_id=label, vanished_at=sa.func.coalesce(Execution.vanished_at, utc_now()))
            .execution_options(synchronize_session=False)
        )

    @staticmethod
    def _is_beyond(newest: int) -> sa.ColumnElement[bool]:
        """Whether an id is a number above ``newest``; compared as text by length first, for an id may be no number."""
        column, text = Execution.n8n_execution_id, str(newest)
        longer = sa.func.length(column) > len(text)
        greater = sa.and_(sa.func.length(column) == len(text), column > text)
        return sa.and_(
            sa.or_(longer, greater), column.regexp_match("^[0-9]+$") if _is_postgresql() else column.op("NOT GLOB")("*[^0-9]*")
        )

    def _write(self, page: IngestedPage, known: dict[str, _Known]) -> None:
        now = utc_now()
        rows: list[list[Any]] = []
        for remote in page.rows:
            old = known.get(remote.n8n_id)
            content = _content(remote, old, now)
            if old is None or old.vanished or content != old.content:
                rows.append([old.id if old else new_id(), self._workflow(remote).id, remote, content])
            if remote.status is ExecutionStatus.FAILED and (old is None or old.detail_state is DetailState.NONE):
                page.wanted.append(remote.n8n_id)
        if not rows:
            return
        values = [
            [key, self._instance_id, workflow_id, remote.n8n_id, *_written(remote, content)]
            for key, workflow_id, remote, content in rows
        ]
        written = _UPSERT.execute_returning_pairs(values)
        self._count(page, rows, written, known)

    def _count(self, page: IngestedPage, rows: list[list[Any]], written: dict[str, str], known: dict[str, _Known]) -> None:
        """Bring the workflows' counters up to what was written: a row that another writer added first counts as changed."""
        changes: dict[str, _Change] = {}
        for key, workflow_id, remote, content in rows:
            stored_id = written.get(remote.n8n_id)
            if stored_id is None:
                continue
            old = known.get(remote.n8n_id)
            is_new = old is None and stored_id == key
            change = changes.setdefault(workflow_id, _Change())
            change.add(is_new, old.status if old else None, remote.status, content[1])
            if is_new:
                page.created.append(remote.n8n_id)
            page.updated += not is_new
            self._note(page, stored_id, remote, old)
        if changes:
            # Always in the same order, so that two writers never wait for each other.
            _COUNT.execute([[key, change.total, change.successful, change.last] for key, change in sorted(changes.items())])

    def _note(self, page: IngestedPage, stored_id: str, remote: RemoteExecution, old: _Known | None) -> None:
        if old is not None and old.status is remote.status:
            return
        if remote.status is ExecutionStatus.FAILED:
            workflow = self._workflow(remote)
            page.failures.append(NewFailure(stored_id, remote, workflow.id, workflow.name))
        elif remote.status is ExecutionStatus.SUCCESS and remote.retry_of:
            page.retried.append(remote.retry_of)


def _content(remote: RemoteExecution, old: _Known | None, now: dt.datetime) -> tuple[Any, ...]:
    """The values of ``_CONTENT``. A queued execution starts when it was first seen until n8n knows better, and what n8n once
    said of retries stays said."""
    _, known_start, _, known_retry_of, known_success, _ = old.content if old else (None, now, None, None, None, None)
    return (
        remote.n8n_status,
        remote.started_at or known_start,
        remote.finished_at,
        remote.retry_of or known_retry_of,
        remote.retry_success_id or known_success,
        remote.wait_till,
    )


def _written(remote: RemoteExecution, content: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values of ``_WRITTEN``."""
    return (remote.status, *content, remote.mode, remote.duration)


@dataclass(slots=True)
class _Change:
    """What a page changes about a workflow's counters."""

    total: int = 0
    successful: int = 0
    last: dt.datetime | None = None

    def add(self, is_new: bool, before: ExecutionStatus | None, after: ExecutionStatus, started_at: dt.datetime) -> None:
        self.total += is_new
        self.successful += (after is ExecutionStatus.SUCCESS) - (before is ExecutionStatus.SUCCESS)
        self.last = max(self.last, started_at) if self.last else started_at


def _is_postgresql() -> bool:
    return db.engine.dialect.name == "postgresql"


_WRITTEN = ("status", *_CONTENT, "mode", "duration")
_ASSIGNMENTS = ", ".join(f"{name} = excluded.{name}" for name in _WRITTEN)
#: A failure that n8n no longer calls one (a crash that was none) leaves its group.
_FORGET = (
    "fingerprint = CASE WHEN executions.status = excluded.status THEN executions.fingerprint END, "
    "credential_id = CASE WHEN executions.status = excluded.status THEN executions.credential_id END"
)
_DIFFERENCE = " OR ".join(f"executions.{name} {{differs}} excluded.{name}" for name in ("status", *_CONTENT))
_UPSERT = BulkWrite(
    Execution,
    ("id", "instance_id", "workflow_id", "n8n_execution_id", *_WRITTEN),
    "INSERT INTO executions ({columns}) SELECT {columns} FROM {rows} WHERE true "  # noqa: S608 (names of columns, no input)
    f"ON CONFLICT (workflow_id, n8n_execution_id) DO UPDATE SET {_ASSIGNMENTS}, {_FORGET}, vanished_at = NULL "
    f"WHERE ({_DIFFERENCE} OR executions.vanished_at IS NOT NULL) "
    "AND NOT (executions.status IN ('SUCCESS', 'FAILED', 'CANCELED') AND excluded.status IN ('RUNNING', 'WAITING')) "
    "RETURNING n8n_execution_id, id",
)
_COUNT = BulkWrite(
    Workflow,
    ("id", "total_executions", "successful_executions", "last_execution_at"),
    "UPDATE workflows SET total_executions = workflows.total_executions + source.total_executions, "
    "successful_executions = workflows.successful_executions + source.successful_executions, "
    "last_execution_at = CASE WHEN workflows.last_execution_at > source.last_execution_at "
    "THEN workflows.last_execution_at ELSE source.last_execution_at END FROM {rows} WHERE workflows.id = source.id",
)


def ingest_executions(instance: Instance, page: Sequence[Mapping[str, Any]]) -> IngestCounts:
    """Store executions as n8n's list gives them, outside of a sync. Commits."""
    counts = ExecutionIngest(instance.id, instance.epoch).store(page).counts
    db.session.commit()
    return counts
