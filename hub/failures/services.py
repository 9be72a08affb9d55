"""Failures over all of a person's instances, one row for all that are the same.

Nothing is counted in advance: an index holds all that is counted here (``ix_executions_failure``), so the counts are those of the
executions that are there, whatever was deleted, read again or read twice. Measured: ``docs/failures.md``.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hub.analyses.models import AiAnalysis
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.errors import NotFound
from hub.executions.fingerprint import generalise
from hub.executions.models import IS_FAILURE, Execution, ExecutionStatus
from hub.extensions import db
from hub.instances.models import Instance
from hub.pagination import Page, clamp_limit, keyset, make_page
from hub.workflows.models import Workflow

DAY = dt.timedelta(days=1)
#: Days of a group's trend, today included.
TREND_DAYS = 14
_SHOWN_WORKFLOWS = 100
_PLACEHOLDER = re.compile(r"‹\w+›")


class Sorting(enum.StrEnum):
    """What comes first in the list of failures."""

    LAST_SEEN = "last"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Explained:
    """The newest analysis of a failure, and how many there are."""

    analysis_id: str
    cause: str
    analyses: int


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """All failures with one fingerprint. Words, names and ids are those of the newest of them."""

    fingerprint: str
    count: int
    first_seen: dt.datetime
    last_seen: dt.datetime
    instances: int
    workflows: int
    execution_id: str
    error_message: str | None
    error_node: str | None
    error_code: str | None
    node_type: str | None
    workflow_id: str
    workflow_name: str
    instance_id: str
    instance_name: str
    #: Failures of each of the last ``TREND_DAYS`` days (UTC), oldest first.
    trend: tuple[int, ...] = (0,) * TREND_DAYS
    explained: Explained | None = None

    @property
    def message(self) -> str:
        """The error's words; of several failures what they have in common, with an ellipsis for what differs."""
        words = self.error_message or ""
        return _PLACEHOLDER.sub("…", generalise(words)) if self.count > 1 else words


@dataclass(frozen=True, slots=True)
class HurtWorkflow:
    """A workflow that a failure hit. ``succeeded_at`` is a success after the last of these failures, if there was one."""

    workflow_id: str
    workflow_name: str
    instance_id: str
    instance_name: str
    count: int
    last_seen: dt.datetime
    succeeded_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class FailureDetail:
    """A group with its workflows, those that failed last first (at most 100)."""

    group: FailureGroup
    workflows: Sequence[HurtWorkflow]

    @property
    def quiet_since(self) -> dt.datetime | None:
        """When the last of the workflows succeeded again; None while one has not."""
        successes = [workflow.succeeded_at for workflow in self.workflows]
        return None if None in successes else max(filter(None, successes), default=None)


@dataclass(frozen=True, slots=True)
class _Scope:
    """Which failures count: the actor's, of one instance and since a time where given."""

    actor: Actor
    instance_id: str | None = None
    since: dt.datetime | None = None
    fingerprint: str | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        instances = sa.select(Instance.id).where(Instance.user_id == self.actor.user_id)
        if self.instance_id is not None:
            instances = instances.where(Instance.id == self.instance_id)
        conditions: list[Any] = [Execution.instance_id.in_(instances), IS_FAILURE]
        if self.since is not None:
            conditions.append(Execution.started_at >= self.since)
        if self.fingerprint is not None:
            conditions.append(Execution.fingerprint == self.fingerprint)
        return conditions


def list_failures(
    actor: Actor,
    *,
    instance_id: str | None = None,
    since: dt.datetime | None = None,
    search: str | None = None,
    sorting: Sorting = Sorting.LAST_SEEN,
    cursor: str | None = None,
    limit: int | None = None,
) -> Page[FailureGroup]:
    """The actor's failures, one row for all that are the same. Three statements at any size.

    ``search`` looks into the newest failure's message, node and workflow.
    """
    limit = clamp_limit(limit)
    scope = _Scope(actor, instance_id, since)
    groups = [_Found(*row) for row in db.session.execute(_groups(scope, sorting, search, cursor, limit))]
    page = make_page(groups, limit, "count" if sorting is Sorting.COUNT else "last_seen", "fingerprint")
    return Page(_complete(scope, page.rows), page.next_cursor)


def get_failure(actor: Actor, fingerprint: str) -> FailureDetail:
    """One group over all times and instances of the actor."""
    scope = _Scope(actor, fingerprint=fingerprint)
    found = db.session.execute(_groups(scope)).one_or_none()
    if found is None:
        raise NotFound()
    return FailureDetail(_complete(scope, [_Found(*found)])[0], _hurt_workflows(scope))


@dataclass(frozen=True, slots=True)
class _Found:
    """A row of ``_groups``: what ``FailureGroup`` knows of the executions."""

    fingerprint: str
    count: int
    first_seen: dt.datetime
    last_seen: dt.datetime
    instances: int
    execution_id: str
    error_message: str | None
    error_node: str | None
    error_code: str | None
    node_type: str | None
    workflow_id: str
    workflow_name: str
    instance_id: str
    instance_name: str
    workflows: int


def _groups(
    scope: _Scope,
    sorting: Sorting = Sorting.LAST_SEEN,
    search: str | None = None,
    cursor: str | None = None,
    limit: int = 1,
) -> sa.Select[Any]:
    """A page of groups with their newest failure. All that is not needed to choose the page is asked for its rows only."""

    def keys(table: sa.Subquery) -> tuple[Any, Any]:
        return (table.c["count" if sorting is Sorting.COUNT else "last_seen"], table.c.fingerprint)

    def cut(statement: sa.Select[Any], table: sa.Subquery) -> sa.Select[Any]:
        kinds = (int if sorting is Sorting.COUNT else dt.datetime, str)
        return keyset(statement, keys(table), kinds, cursor=cursor, limit=limit)

    counted = _counts(scope)
    if search:
        found = (Execution.error_message, Execution.error_node, Workflow.name)
        matches = sa.or_(*(column.icontains(search, autoescape=True) for column in found))
        page = cut(_with_newest(scope, counted).where(matches), counted).subquery("page")
    else:
        page = _with_newest(scope, cut(sa.select(counted), counted).subquery("cut")).subquery("page")
    workflows = sa.select(sa.func.count(sa.distinct(Execution.workflow_id))).where(
        *scope.conditions(), Execution.fingerprint == page.c.fingerprint
    )
    ordering = [key.desc() for key in keys(page)]
    return sa.select(*page.c, workflows.correlate(page).scalar_subquery()).order_by(*ordering)


def _counts(scope: _Scope) -> sa.Subquery:
    """Each fingerprint with its counts.

    They are counted by instance first, in the order of the index, which spares sorting all failures by fingerprint.
    """
    started = Execution.started_at
    counts = (sa.func.count().label("count"), sa.func.min(started).label("first_seen"), sa.func.max(started).label("last_seen"))
    by_instance = sa.select(Execution.instance_id, Execution.fingerprint, *counts).where(*scope.conditions())
    part = by_instance.group_by(Execution.instance_id, Execution.fingerprint).subquery("part")
    return (
        sa.select(
            part.c.fingerprint,
            sa.cast(sa.func.sum(part.c["count"]), sa.Integer).label("count"),
            sa.func.min(part.c.first_seen).label("first_seen"),
            sa.func.max(part.c.last_seen).label("last_seen"),
            sa.func.count().label("instances"),
        )
        .group_by(part.c.fingerprint)
        .subquery("counted")
    )


def _with_newest(scope: _Scope, group: sa.Subquery) -> sa.Select[Any]:
    """The groups with what is shown of the newest failure of each."""
    newest = sa.select(sa.func.max(Execution.id)).where(
        *scope.conditions(), Execution.fingerprint == group.c.fingerprint, Execution.started_at == group.c.last_seen
    )
    return (
        sa.select(
            *group.c,
            Execution.id.label("execution_id"),
            *(Execution.error_message, Execution.error_node, Execution.error_code, Execution.error_node_type),
            *(Workflow.id.label("workflow_id"), Workflow.name.label("workflow_name")),
            *(Instance.id.label("instance_id"), Instance.name.label("instance_name")),
        )
        .join_from(group, Execution, Execution.id == newest.correlate(group).scalar_subquery())
        .join(Workflow, Workflow.id == Execution.workflow_id)
        .join(Instance, Instance.id == Execution.instance_id)
    )


def _complete(scope: _Scope, rows: Sequence[_Found]) -> list[FailureGroup]:
    fingerprints = [row.fingerprint for row in rows]
    if not fingerprints:
        return []
    trends = _count_days(scope, fingerprints)
    explained = find_explained(scope.actor, fingerprints)
    return [
        FailureGroup(
            **{name: getattr(row, name) for name in _Found.__slots__},
            trend=trends.get(row.fingerprint, (0,) * TREND_DAYS),
            explained=explained.get(row.fingerprint),
        )
        for row in rows
    ]


def _count_days(scope: _Scope, fingerprints: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Failures of each of the last days, by fingerprint."""
    first = utc_now().date() - (TREND_DAYS - 1) * DAY
    started = Execution.started_at
    day = sa.func.date(started if db.engine.dialect.name == "sqlite" else sa.func.timezone("UTC", started))
    recent = _Scope(scope.actor, scope.instance_id, dt.datetime.combine(first, dt.time(), dt.UTC))
    statement = (
        sa.select(Execution.fingerprint, day, sa.func.count())
        .where(*recent.conditions(), Execution.fingerprint.in_(fingerprints))
        .group_by(Execution.fingerprint, day)
    )
    counts = {(fingerprint, str(key)): count for fingerprint, key, count in db.session.execute(statement)}
    days = [(first + number * DAY).isoformat() for number in range(TREND_DAYS)]
    return {fingerprint: tuple(counts.get((fingerprint, key), 0) for key in days) for fingerprint in fingerprints}


def find_explained(actor: Actor, fingerprints: Sequence[str]) -> dict[str, Explained]:
    """The newest analysis of each failure that has one, by fingerprint."""
    place = sa.func.row_number().over(
        partition_by=AiAnalysis.fingerprint, order_by=(AiAnalysis.created_at.desc(), AiAnalysis.id.desc())
    )
    analyses = sa.func.count().over(partition_by=AiAnalysis.fingerprint)
    ranked = (
        sa.select(AiAnalysis.fingerprint, AiAnalysis.id, AiAnalysis.cause, analyses.label("analyses"), place.label("place"))
        .where(AiAnalysis.user_id == actor.user_id, AiAnalysis.fingerprint.in_(fingerprints))
        .subquery()
    )
    statement = sa.select(ranked.c.fingerprint, ranked.c.id, ranked.c.cause, ranked.c.analyses).where(ranked.c.place == 1)
    return {fingerprint: Explained(key, cause, count) for fingerprint, key, cause, count in db.session.execute(statement)}


def _hurt_workflows(scope: _Scope) -> list[HurtWorkflow]:
    hurt = (
        sa.select(Execution.workflow_id, sa.func.count().label("count"), sa.func.max(Execution.started_at).label("last_seen"))
        .where(*scope.conditions())
        .group_by(Execution.workflow_id)
        .order_by(sa.func.max(Execution.started_at).desc(), Execution.workflow_id)
        .limit(_SHOWN_WORKFLOWS)
        .subquery()
    )
    return [workflow for _, workflow in read_hurt_workflows(hurt, hurt.c.workflow_id)]


def read_hurt_workflows(hurt: sa.Subquery, key: sa.ColumnElement[str]) -> list[tuple[str, HurtWorkflow]]:
    """(key, workflow) of a subquery with ``workflow_id``, ``count`` and ``last_seen``, with its first success after that."""
    later = sa.select(sa.func.min(Execution.started_at)).where(
        Execution.workflow_id == hurt.c.workflow_id,
        Execution.started_at > hurt.c.last_seen,
        Execution.status == ExecutionStatus.SUCCESS,
    )
    statement = (
        sa.select(
            *(key, Workflow.id, Workflow.name, Instance.id, Instance.name, hurt.c.count, hurt.c.last_seen),
            later.correlate(hurt).scalar_subquery(),
        )
        .join_from(hurt, Workflow, Workflow.id == hurt.c.workflow_id)
        .join(Instance, Instance.id == Workflow.instance_id)
        .order_by(hurt.c.last_seen.desc(), Workflow.id)
    )
    return [(found, HurtWorkflow(*row)) for found, *row in db.session.execute(statement)]
