"""How a sync strategy and the hub talk: the strategy asks for reads, the hub makes them, stores what came, and tells the facts.

A strategy is a generator function without network or database. Each ``yield`` is one read; what the ``yield`` answers are
the facts about what was read. It keeps what it needs for the next run in ``SyncState.memory`` (JSON), which the hub stores in
the same transaction as the rows of the read that it follows from.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class ReadWorkflows:
    """Read one page of the workflow list. ``cursor`` None begins a scan."""

    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class ReadExecutions:
    """Read one page of the execution list, newest first. ``status`` is n8n's word; the cursor carries no filter."""

    cursor: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class ReadExecution:
    """Read one execution without data, by n8n's id, to see how it ended. A 404 marks it vanished."""

    n8n_execution_id: str


@dataclass(frozen=True, slots=True)
class ReadDetail:
    """Read one failed execution with its data: size-capped, redacted, then stored."""

    n8n_execution_id: str


@dataclass(frozen=True, slots=True)
class ConfirmWorkflow:
    """Ask for one workflow by id that a complete scan did not show. Only a 404 marks it vanished."""

    n8n_id: str


Read = ReadWorkflows | ReadExecutions | ReadExecution | ReadDetail | ConfirmWorkflow


@dataclass(frozen=True, slots=True)
class ReadFacts:
    """What a read showed. ``ids`` are n8n's, in the order given; ``open_ids`` those of executions not finished yet."""

    ids: tuple[str, ...] = ()
    open_ids: tuple[str, ...] = ()
    #: Failed executions of this read whose data the hub has not read.
    failed_ids: tuple[str, ...] = ()
    #: Failed executions that a successful retry of this read, not known before, points to.
    retried_ids: tuple[str, ...] = ()
    next_cursor: str | None = None
    #: Those of ``ids`` that the hub did not know before this read.
    created_ids: tuple[str, ...] = ()
    #: False where the instance's n8n does not know this filter, or no longer this cursor.
    supported: bool = True
    #: A 404: the object is gone, or the key may no longer see it.
    missing: bool = False
    #: This n8n began to count its executions anew (a restored or new database): ids that the hub knew mean others now.
    restarted: bool = False


@dataclass(slots=True)
class SyncState:
    """What the strategy may know. ``memory`` is its own and is kept between runs; the rest stands as at the run's start."""

    memory: dict[str, Any] = field(default_factory=dict)
    #: n8n ids of executions that the hub holds as not finished.
    open_ids: tuple[str, ...] = ()
    #: n8n ids of failed executions whose data was not read yet, newest first.
    wanted_details: tuple[str, ...] = ()
    #: n8n ids of workflows that the hub holds and that have not vanished.
    workflow_ids: frozenset[str] = frozenset()
    #: Execution statuses that the instance's list can filter by; empty where it does not tell.
    status_filters: frozenset[str] = frozenset()


class SyncStrategy(Protocol):
    """Decides what a sync reads."""

    name: str

    def plan(self, state: SyncState) -> Generator[Read, ReadFacts, None]:
        """Yield reads until the instance is up to date."""
        ...
