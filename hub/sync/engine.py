"""One run of a sync: asks the strategy what to read, reads it from n8n, stores it, and tells the strategy the facts.

Each read is stored in one transaction together with the strategy's memory, and none is open while n8n is asked. So a run
may be killed at any point: what was stored is whole, and the next run goes on from there.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from hub.columns import utc_now
from hub.contracts.events import Failure, FailureEvent
from hub.contracts.sync import (
    ConfirmWorkflow,
    Read,
    ReadDetail,
    ReadExecution,
    ReadExecutions,
    ReadFacts,
    ReadWorkflows,
    SyncState,
    SyncStrategy,
)
from hub.executions.details import fetch_detail, write_detail
from hub.executions.ingest import ExecutionIngest, IngestedPage
from hub.executions.models import DetailState, Execution, ExecutionStatus
from hub.executions.remote import OPEN
from hub.extensions import db
from hub.identifiers import new_id
from hub.instances.client import Missing, N8nClient, NotN8n, Rejected, ServerFault
from hub.instances.models import Instance, InstanceStatus
from hub.jobs.registry import LeaseLost
from hub.pagination import Page
from hub.workflows.ingest import WorkflowRef, mark_workflow_vanished, store_workflows
from hub.workflows.models import Workflow

Json = dict[str, Any]
#: Executions whose data n8n fails to give before the run ends with its error: one broken record must not stop all others.
_FAULTS_ALLOWED = 3
_WANTED = 200
_INSTANCES: sa.Table = Instance.__table__  # type: ignore[assignment]
#: Made once and past the ORM, because it runs with every page.
_SAVE = (
    sa.update(_INSTANCES)
    .where(_INSTANCES.c.id == sa.bindparam("of_instance"))
    .where(_INSTANCES.c.sync_state["run"].as_string() == sa.bindparam("of_run"))
    .values(sync_state=sa.bindparam("state", type_=_INSTANCES.c.sync_state.type), epoch=sa.bindparam("counting"))
)


@dataclass(slots=True)
class Counts:
    """What a run has read so far, and how far down the list of executions it is (in ids, where they are numbers)."""

    phase: str = "workflows"
    workflows: int = 0
    executions: int = 0
    details: int = 0
    created: int = 0
    updated: int = 0
    position: int = 0
    span: int | None = None


def claim_run(instance: Instance) -> None:
    """Make the run that follows the instance's newest, so that any other writes no more. Commits."""
    instance.sync_state = {**instance.sync_state, "run": new_id(), "tried_at": utc_now().isoformat()}
    instance.status = InstanceStatus.SYNCING
    db.session.commit()


Report = Callable[[Counts], None]
Notify = Callable[[FailureEvent], None]


class SyncRun:
    """One run for one instance, which ``claim_run`` has opened.

    A later run of the same instance fences this one off: its next write raises LeaseLost.
    """

    def __init__(self, instance: Instance, client: N8nClient, strategy: SyncStrategy, *, max_bytes: int) -> None:
        self._instance_id = instance.id
        self._instance_name = instance.name
        self._is_initial = instance.last_sync is None
        self._epoch = instance.epoch
        self._stored: Json = instance.sync_state
        self._is_rescan = bool(self._stored.get("rescan"))
        self._client = client
        self._strategy = strategy
        self._max_bytes = max_bytes
        self._faults = 0
        self._top: int | None = None
        self.counts = Counts()

    def run(self, report: Report, notify: Notify) -> None:
        """Read until the strategy is content. Raises ``N8nError`` as it comes, with everything before it stored."""
        state = self._load_state()
        reads = self._strategy.plan(state)
        read = next(reads, None)
        while read is not None:
            answer = self._ask(read)
            read, event = self._store(read, answer, reads, state)
            report(self.counts)
            if event is not None:
                notify(event)

    def _load_state(self) -> SyncState:
        """What the strategy may know. Also learns the workflows, so that no page has to look them up."""
        own = Execution.instance_id == self._instance_id
        present = sa.and_(own, Execution.vanished_at.is_(None))
        open_ids = sa.select(Execution.n8n_execution_id).where(present, Execution.status.in_(OPEN))
        wanted = (
            sa.select(Execution.n8n_execution_id)
            .where(present, Execution.status == ExecutionStatus.FAILED, Execution.detail_state == DetailState.NONE)
            .order_by(Execution.started_at.desc(), Execution.id.desc())
            .limit(_WANTED)
        )
        columns = (Workflow.n8n_id, Workflow.id, Workflow.name, Workflow.vanished_at)
        found = db.session.execute(sa.select(*columns).where(Workflow.instance_id == self._instance_id)).all()
        self._workflows = {n8n_id: WorkflowRef(key, name) for n8n_id, key, name, _ in found}
        epoch = self._epoch - 1 if self._is_rescan else self._epoch
        self._ingest = ExecutionIngest(self._instance_id, epoch, self._workflows)
        state = SyncState(
            memory=copy.deepcopy(self._stored.get("memory") or {}),
            open_ids=tuple(db.session.scalars(open_ids)),
            wanted_details=tuple(db.session.scalars(wanted)),
            workflow_ids=frozenset(n8n_id for n8n_id, _, _, vanished_at in found if vanished_at is None),
        )
        db.session.commit()
        with contextlib.suppress(NotN8n):  # an n8n without its document: the lists will tell what works
            state.status_filters = self._client.features().status_filters
        return state

    # --- Reading: no transaction is open ------------------------------------------------------------------------------

    def _ask(self, read: Read) -> Any:
        """n8n's answer; None for a 404, and for a filter or cursor that it refuses."""
        try:
            match read:
                case ReadWorkflows(cursor):
                    return self._client.list_workflows(cursor)
                case ReadExecutions(cursor, status):
                    return self._client.list_executions(cursor, status=status)
                case ReadExecution(n8n_id):
                    return self._client.get_execution(n8n_id)
                case ReadDetail(n8n_id):
                    return self._ask_detail(n8n_id)
                case ConfirmWorkflow(n8n_id):
                    return self._client.get_workflow(n8n_id)
        except Missing:
            return None
        except Rejected:
            if isinstance(read, ReadWorkflows) or (isinstance(read, ReadExecutions) and not read.cursor and not read.status):
                raise
            return None

    def _ask_detail(self, n8n_id: str) -> Json | None:
        try:
            return fetch_detail(self._client, n8n_id, self._max_bytes)
        except ServerFault:
            self._faults += 1
            if self._faults > _FAULTS_ALLOWED:
                raise
            return None

    # --- Storing: one transaction a read ------------------------------------------------------------------------------

    def _store(
        self, read: Read, answer: Any, reads: Generator[Read, ReadFacts, None], state: SyncState
    ) -> tuple[Read | None, FailureEvent | None]:
        """Store an answer, let the strategy decide what is next, and keep its memory, all or nothing."""
        try:
            facts, page = self._record(read, answer)
            try:
                following = reads.send(facts)
            except StopIteration:
                following = None
            self._save(state.memory, restarted=facts.restarted, is_over=following is None)
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise
        return following, self._event(page)

    def _record(self, read: Read, answer: Any) -> tuple[ReadFacts, IngestedPage | None]:
        match read:
            case ReadWorkflows():
                return self._record_workflows(answer), None
            case ReadExecutions(status=status):
                self.counts.phase = "executions"
                if answer is None:
                    return ReadFacts(supported=False), None
                return self._record_executions(answer, is_list=status is None)
            case ReadExecution(n8n_id):
                if answer is None:
                    self._mark_vanished(n8n_id)
                    return ReadFacts(missing=True), None
                return self._record_executions(Page([answer], None), is_list=False)
            case ReadDetail(n8n_id):
                self.counts.phase = "details"
                if answer is not None:
                    self.counts.details += 1
                    write_detail(self._instance_id, n8n_id, answer)
                return ReadFacts(ids=(n8n_id,), missing=answer is None), None
            case ConfirmWorkflow(n8n_id):
                if answer is None:
                    mark_workflow_vanished(self._instance_id, n8n_id)
                    return ReadFacts(missing=True), None
                return self._record_workflows(Page([answer], None)), None

    def _record_workflows(self, answer: Page[Json]) -> ReadFacts:
        stored = store_workflows(self._instance_id, answer.rows)
        self._workflows.update(stored.refs)
        self.counts.workflows += len(stored.refs)
        return ReadFacts(ids=tuple(stored.refs), next_cursor=answer.next_cursor)

    def _record_executions(self, answer: Page[Json], *, is_list: bool) -> tuple[ReadFacts, IngestedPage]:
        page = self._ingest.store(answer.rows)
        self.counts.executions += len(page.rows)
        self.counts.created += len(page.created)
        self.counts.updated += page.updated
        if is_list:
            self._note_position(page)
        facts = ReadFacts(
            ids=tuple(row.n8n_id for row in page.rows),
            open_ids=tuple(row.n8n_id for row in page.rows if row.is_open),
            failed_ids=tuple(page.wanted),
            retried_ids=tuple(page.retried),
            next_cursor=answer.next_cursor,
            created_ids=tuple(page.created),
            restarted=page.restarted,
        )
        return facts, page

    def _note_position(self, page: IngestedPage) -> None:
        """How far down the list the run is. A first sync's way ends at id 1, if n8n has deleted nothing."""
        numbers = [int(row.n8n_id) for row in page.rows if row.n8n_id.isdigit()]
        if not numbers:
            return
        self._top = max(numbers) if self._top is None else max(self._top, *numbers)
        floor = (self._stored.get("memory") or {}).get("floor") or 0
        self.counts.span = max(self._top - floor, 1)
        self.counts.position = min(max(self.counts.position, self._top - min(numbers) + 1), self.counts.span)

    def _mark_vanished(self, n8n_id: str) -> None:
        db.session.execute(
            sa.update(Execution)
            .where(
                Execution.instance_id == self._instance_id,
                Execution.n8n_execution_id == n8n_id,
                Execution.vanished_at.is_(None),
            )
            .values(vanished_at=utc_now())
            .execution_options(synchronize_session=False)
        )

    def _save(self, memory: Json, *, restarted: bool, is_over: bool) -> None:
        """Keep the memory if it changed, and only while this is the instance's newest run."""
        state = {**self._stored, "memory": copy.deepcopy(memory)}
        if restarted and not self._is_rescan:
            # Executions of the old counting keep the old epoch's number until the new counting is read to its end.
            self._is_rescan, self._epoch = True, self._epoch + 1
            state["rescan"] = True
        if is_over and self._is_rescan:
            state.pop("rescan", None)
        if state == self._stored:
            return
        values = {"of_instance": self._instance_id, "of_run": self._stored["run"], "state": state, "counting": self._epoch}
        saved = db.session.execute(_SAVE, values)
        if cast("sa.CursorResult[Any]", saved).rowcount != 1:
            raise LeaseLost(self._instance_id)
        self._stored = state

    def _event(self, page: IngestedPage | None) -> FailureEvent | None:
        if page is None or not page.failures:
            return None
        now = utc_now()
        failures = tuple(
            Failure(new.execution_id, new.remote.n8n_id, new.workflow_name, new.remote.n8n_status, new.remote.started_at or now)
            for new in page.failures
        )
        return FailureEvent(self._instance_id, self._instance_name, failures, self._is_initial)
