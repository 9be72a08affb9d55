"""Stores pages of n8n's workflow list, with the versions seen on the way. Unchanged workflows are not written at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from hub.bulk import BulkWrite
from hub.columns import utc_now
from hub.extensions import db
from hub.identifiers import new_id
from hub.instances.models import Instance
from hub.redaction import redact
from hub.workflows.models import Workflow, WorkflowVersion
from hub.workflows.remote import RemoteVersion, RemoteWorkflow, read_credentials


class WorkflowRef(NamedTuple):
    """The hub's id and the name of a workflow."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class IngestedWorkflows:
    """What a page brought: its workflows by n8n's id, in its order, and how many of them were new and changed."""

    refs: dict[str, WorkflowRef]
    created: int = 0
    updated: int = 0


_STATE = ("name", "active", "is_archived", "tags", "nodes", "connections", "settings", "node_count", "version_id", "credentials")
_FACTS = (*_STATE, "active_version_id", "content_hash", "n8n_created_at", "n8n_updated_at", "updated_at")
_ASSIGNMENTS = ", ".join(f"{name} = excluded.{name}" for name in _FACTS)
_UPSERT = BulkWrite(
    Workflow,
    ("id", "instance_id", "n8n_id", *_FACTS),
    "INSERT INTO workflows ({columns}) SELECT {columns} FROM {rows} WHERE true "  # noqa: S608 (names of columns, no input)
    f"ON CONFLICT (instance_id, n8n_id) DO UPDATE SET {_ASSIGNMENTS}, vanished_at = NULL "
    "WHERE workflows.content_hash {differs} excluded.content_hash OR workflows.vanished_at IS NOT NULL "
    "RETURNING n8n_id, id",
)
# A version that comes back (an undone change) counts as the newest of its kind again.
_ADD_VERSIONS = BulkWrite(
    WorkflowVersion,
    ("id", "workflow_id", "kind", "content_hash", "n8n_version_id", "name", "nodes", "connections", "settings", "created_at"),
    "INSERT INTO workflow_versions ({columns}) SELECT {columns} FROM {rows} WHERE true "
    "ON CONFLICT (workflow_id, kind, content_hash) DO UPDATE SET created_at = excluded.created_at, "
    "n8n_version_id = excluded.n8n_version_id WHERE workflow_versions.created_at < (SELECT max(newer.created_at) "
    "FROM workflow_versions AS newer WHERE newer.workflow_id = workflow_versions.workflow_id "
    "AND newer.kind = workflow_versions.kind)",
)
_ADD_PLACEHOLDERS = BulkWrite(
    Workflow,
    ("id", "instance_id", "n8n_id", "name", "nodes", "connections", "created_at", "updated_at"),
    # The update changes nothing: it is there so that rows which exist are returned too.
    "INSERT INTO workflows ({columns}) SELECT {columns} FROM {rows} WHERE true "
    "ON CONFLICT (instance_id, n8n_id) DO UPDATE SET n8n_id = excluded.n8n_id RETURNING n8n_id, id, name",
)


def store_workflows(instance_id: str, payloads: Sequence[Mapping[str, Any]]) -> IngestedWorkflows:
    """Write what is new or changed on a page: at most three statements, one where nothing changed. Does not commit."""
    remotes = {remote.n8n_id: remote for remote in map(RemoteWorkflow, (row for row in payloads if row.get("id")))}
    known = {
        n8n_id: (key, None if vanished_at else content_hash)
        for n8n_id, key, content_hash, vanished_at in db.session.execute(
            sa.select(Workflow.n8n_id, Workflow.id, Workflow.content_hash, Workflow.vanished_at).where(
                Workflow.instance_id == instance_id, Workflow.n8n_id.in_(list(remotes))
            )
        )
    }
    hashes = {n8n_id: remote.content_hash() for n8n_id, remote in remotes.items()}
    keys = {n8n_id: key for n8n_id, (key, _) in known.items()}
    changed = [n8n_id for n8n_id, digest in hashes.items() if known.get(n8n_id, ("", None))[1] != digest]
    if changed:
        contents = {n8n_id: [_without_secrets(version) for version in remotes[n8n_id].versions()] for n8n_id in changed}
        rows = [_workflow_row(instance_id, remotes[n8n_id], contents[n8n_id], hashes[n8n_id]) for n8n_id in changed]
        written = _UPSERT.execute_returning_pairs(rows)
        _ADD_VERSIONS.execute([_version_row(key, version) for n8n_id, key in written.items() for version in contents[n8n_id]])
        keys |= written
    created = sum(n8n_id not in known for n8n_id in changed)
    refs = {n8n_id: WorkflowRef(keys[n8n_id], remote.name) for n8n_id, remote in remotes.items() if n8n_id in keys}
    return IngestedWorkflows(refs, created, len(changed) - created)


@dataclass(frozen=True, slots=True)
class _Stored:
    """A version as it is stored: without secrets, under the hash of what n8n has, so that a changed secret is a change."""

    version: RemoteVersion
    nodes: list[Any]
    connections: dict[str, Any]
    settings: dict[str, Any]


def _without_secrets(version: RemoteVersion) -> _Stored:
    nodes, connections, settings = redact([version.nodes, version.connections, version.settings]).value
    return _Stored(version, nodes, connections, settings)


def _workflow_row(instance_id: str, remote: RemoteWorkflow, versions: list[_Stored], content_hash: str) -> list[Any]:
    draft = versions[0]
    credentials = read_credentials(node for version in versions for node in version.nodes)
    state = [remote.name, remote.active, remote.is_archived, remote.tags, draft.nodes, draft.connections, draft.settings]
    facts = [*state, len(draft.nodes), remote.version_id, credentials, remote.active_version_id, content_hash]
    return [new_id(), instance_id, remote.n8n_id, *facts, remote.created_at, remote.updated_at, utc_now()]


def _version_row(workflow_id: str, stored: _Stored) -> list[Any]:
    version = stored.version
    head = [new_id(), workflow_id, version.kind, version.content_hash, version.n8n_version_id, version.name]
    return [*head, stored.nodes, stored.connections, stored.settings, utc_now()]


def has_workflow(instance_id: str, n8n_id: str) -> bool:
    """Whether the hub holds the workflow, be it as a placeholder."""
    own = sa.select(Workflow.id).where(Workflow.instance_id == instance_id, Workflow.n8n_id == n8n_id)
    return db.session.scalar(own) is not None


def find_or_add_workflows(instance_id: str, n8n_ids: Collection[str]) -> dict[str, WorkflowRef]:
    """The workflows, with rows that stand for those that only executions speak of; n8n's list fills them once it shows them.

    One statement. Does not commit.
    """
    now = utc_now()
    rows = [[new_id(), instance_id, n8n_id, n8n_id, [], {}, now, now] for n8n_id in sorted(n8n_ids)]
    return {n8n_id: WorkflowRef(key, name) for n8n_id, key, name in _ADD_PLACEHOLDERS.execute(rows)}


def mark_workflow_vanished(instance_id: str, n8n_id: str) -> None:
    """Note that n8n no longer has the workflow; the row and its executions stay. Does not commit."""
    db.session.execute(
        sa.update(Workflow)
        .where(Workflow.instance_id == instance_id, Workflow.n8n_id == n8n_id, Workflow.vanished_at.is_(None))
        .values(vanished_at=utc_now(), updated_at=utc_now(), active=False)
        .execution_options(synchronize_session=False)
    )


def ingest_workflows(instance: Instance, page: Sequence[Mapping[str, Any]]) -> IngestedWorkflows:
    """Store workflows as n8n's list gives them, outside of a sync. Commits."""
    stored = store_workflows(instance.id, page)
    db.session.commit()
    return stored
