"""Reads an n8n incrementally. n8n lists executions by id, newest first, hides those that run, and tells no changes.

How nothing is missed: an execution that runs while the list is read is hidden from it, and may end later with an id below
the newest one. So the list is never trusted up to its newest id. Each run notes the newest id known *before* it asks for
open executions (the bound) and only then reads the list down. Whatever has an id up to the bound was created before, so it
was either among the open ones, which are followed one by one, or had ended by the time that the list was read. The bound is
where the next run may stop reading (the floor).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

from hub.plugin_api import (
    ConfirmWorkflow,
    Read,
    ReadDetail,
    ReadExecution,
    ReadExecutions,
    ReadFacts,
    ReadWorkflows,
    SyncState,
)

Reads = Generator[Read, ReadFacts, None]
Place = dict[str, Any]

OPEN_STATUSES = ("running", "new", "waiting")
#: Reads of failed executions' data in one run; the rest is read by the following runs, newest first.
DETAILS_A_RUN = 200
CONFIRMS_A_RUN = 100
#: Transactions of n8n commit ids a little out of order.
_MARGIN = 100
#: Where n8n cannot list running executions, the last ids are read again each time.
_WINDOW = 2000
#: Ids that are no numbers have no order: such a scan stops after this many pages that brought nothing new.
_QUIET_PAGES = 2


class Incremental:
    """Keeps in its memory: ``floor`` (ids up to it are settled or followed), ``head`` (the newest id of the last run),
    ``resume`` (where a scan was interrupted) and ``retried`` (executions that a retry repaired, to be read again)."""

    name = "incremental"

    def plan(self, state: SyncState) -> Reads:
        """Yield reads until the instance is up to date."""
        yield from _read_workflows(state)
        run = _Run(state)
        yield from run.read_executions()
        yield from run.follow_open()
        yield from run.refresh_retried()
        yield from run.read_details()


def _read_workflows(state: SyncState) -> Reads:
    """All workflows; those that a complete scan does not show are asked for one by one, because paging may skip a row."""
    seen: set[str] = set()
    used: set[str | None] = {None}
    cursor = None
    while True:
        facts = yield ReadWorkflows(cursor)
        seen.update(facts.ids)
        cursor = facts.next_cursor
        if cursor is None:
            break
        if cursor in used:
            return
        used.add(cursor)
    # An empty list may mean a lost permission: it proves nothing about any workflow.
    if seen:
        for n8n_id in sorted(state.workflow_ids - seen)[:CONFIRMS_A_RUN]:
            yield ConfirmWorkflow(n8n_id)


def _numbers(ids: Iterable[str]) -> list[int]:
    return [int(n8n_id) for n8n_id in ids if n8n_id.isdigit()]


class _Scan:
    """One way down the list: where it is, and what it has covered."""

    def __init__(self, bound: int | None) -> None:
        self.bound = bound
        self.cursor: str | None = None
        self.top: int | None = None
        #: The lowest id down to which this run itself has read without a gap.
        self.lowest: int | None = None
        self.quiet_pages = 0
        self.has_jumped = False
        self.has_ended = False
        #: The server gave out a cursor twice: what lies below cannot be reached, so nothing is known about it.
        self.is_circling = False
        self._used: set[str] = set()

    def take(self, facts: ReadFacts) -> None:
        """Note a page and move on to the next one."""
        numbers = _numbers(facts.ids)
        if numbers:
            self.top = max(numbers) if self.top is None else max(self.top, *numbers)
            if not self.has_jumped:
                self.lowest = min(numbers) if self.lowest is None else min(self.lowest, *numbers)
        self.quiet_pages = 0 if facts.created_ids else self.quiet_pages + 1
        self.cursor = facts.next_cursor
        self.is_circling = self.cursor in self._used
        self.has_ended = self.cursor is None or self.is_circling
        self._used.add(self.cursor or "")

    def position(self) -> Place:
        """Where a later run may go on."""
        return {"cursor": self.cursor, "top": self.top, "bound": self.bound}

    def jump(self, place: Place) -> None:
        """Go on where an interrupted scan stopped. It covers all from its top to there, as far as its own bound vouches."""
        self.cursor = place["cursor"]
        self.has_jumped = True
        if place["bound"] is not None:
            self.bound = place["bound"] if self.bound is None else min(self.bound, place["bound"])


class _Run:
    """The executions' part of one run."""

    def __init__(self, state: SyncState) -> None:
        self._state = state
        self._memory = state.memory
        self._unseen = dict.fromkeys(state.open_ids)
        self._failed: dict[str, None] = {}
        #: Executions with this id or a higher one were listed by this run.
        self._listed_from: int | None = None

    def read_executions(self) -> Reads:
        """The open ones, then the list from the newest down; both again where n8n turns out to count anew."""
        for _ in range(2):
            bound = self._memory.get("head")
            if bound is None:
                facts = yield ReadExecutions()
                self._note(facts)
                bound = max(_numbers(facts.ids), default=None)
            yield from self._read_open()
            if (yield from self._read_list(_Scan(bound))):
                return

    def _note(self, facts: ReadFacts) -> None:
        for n8n_id in facts.ids:
            self._unseen.pop(n8n_id, None)
        if len(self._failed) < DETAILS_A_RUN:
            self._failed.update(dict.fromkeys(facts.failed_ids))
        if facts.retried_ids:
            self._memory["retried"] = sorted({*self._memory.get("retried", ()), *facts.retried_ids})

    def _read_open(self) -> Reads:
        for status in OPEN_STATUSES:
            if self._state.status_filters and status not in self._state.status_filters:
                continue
            scan = _Scan(None)
            while not scan.has_ended:
                facts = yield ReadExecutions(scan.cursor, status)
                self._note(facts)
                scan.take(facts)

    def _read_list(self, scan: _Scan) -> Generator[Read, ReadFacts, bool]:
        """Read the list down to the floor, or on from where an interrupted scan stopped. False where n8n counts anew."""
        memory = self._memory
        resume: Place | None = memory.get("resume")
        while True:
            facts = yield ReadExecutions(scan.cursor)
            if facts.restarted and "rescan" not in memory:
                memory.clear()
                memory["rescan"] = True
                return False
            self._note(facts)
            if not facts.supported and scan.cursor is not None:
                # The kept cursor is not accepted any more: read everything without a gap.
                memory.pop("resume", None)
                scan, resume = _Scan(scan.bound), None
                continue
            scan.take(facts)
            if scan.is_circling:
                memory.pop("resume", None)
                return True
            if scan.has_ended or self._is_settled(facts, scan):
                self._settle(scan)
                return True
            if resume is not None and scan.lowest is not None and scan.lowest <= resume["top"]:
                scan.jump(resume)
                resume = None
            if resume is None and scan.top is not None:
                memory["resume"] = scan.position()

    def _is_settled(self, facts: ReadFacts, scan: _Scan) -> bool:
        """Whether all below the page is known."""
        numbers = _numbers(facts.ids)
        floor: int | None = self._memory.get("floor")
        if floor is None:
            return False
        if not numbers:
            return scan.quiet_pages >= _QUIET_PAGES
        # A row below the floor that is new after all means that the floor does not hold (another server, say).
        return min(numbers) <= floor and min(_numbers(facts.created_ids), default=floor + 1) > floor

    def _settle(self, scan: _Scan) -> None:
        """Note how far everything is known now."""
        self._listed_from = scan.lowest
        self._memory.pop("resume", None)
        self._memory.pop("rescan", None)
        if scan.top is None:
            self._memory.setdefault("floor", 0)
            return
        filters = self._state.status_filters
        reach = _MARGIN if not filters or "running" in filters else _WINDOW
        self._memory["head"] = scan.top
        self._memory["floor"] = min(scan.top if scan.bound is None else scan.bound, scan.top) - reach

    def follow_open(self) -> Reads:
        """Executions that the hub holds as open and that no list showed: they have ended, vanished, or are hidden."""
        for n8n_id in list(self._unseen):
            self._note((yield ReadExecution(n8n_id)))

    def refresh_retried(self) -> Reads:
        """Executions that a retry repaired: n8n notes it on the old row, which may lie far below the floor."""
        pending = list(self._memory.get("retried", ()))
        while pending:
            n8n_id = pending.pop()
            if not self._is_listed(n8n_id):
                yield ReadExecution(n8n_id)
            self._memory["retried"] = list(pending)
        self._memory.pop("retried", None)

    def _is_listed(self, n8n_id: str) -> bool:
        return self._listed_from is not None and n8n_id.isdigit() and int(n8n_id) >= self._listed_from

    def read_details(self) -> Reads:
        """The data of failures, the newest first."""
        for n8n_id in list(dict.fromkeys([*self._failed, *self._state.wanted_details]))[:DETAILS_A_RUN]:
            yield ReadDetail(n8n_id)
