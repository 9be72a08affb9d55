from __future__ import annotations

import copy
from typing import Any

import pytest
import sqlalchemy as sa

from hub.contracts.actor import Actor
from hub.workflows import services
from hub.workflows.ingest import ingest_workflows, mark_workflow_vanished, store_workflows
from hub.workflows.models import VersionKind, Workflow, WorkflowVersion
from tests.hub.factories import make_instance
from tests.hub.statements import count_statements

Session = sa.orm.scoped_session[sa.orm.Session]


def document(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A workflow as n8n 2 lists it: not published."""
    return {
        "id": f"wf{number}",
        "name": f"Flow {number}",
        "active": False,
        "isArchived": False,
        "versionId": "v1",
        "activeVersionId": None,
        "activeVersion": None,
        "nodes": [{"id": "a", "name": "Start", "type": "n8n-nodes-base.manualTrigger", "parameters": {}}],
        "connections": {},
        "settings": {"executionOrder": "v1"},
        "tags": [{"id": "t1", "name": "billing"}, {"id": "t2", "name": "art"}],
        "createdAt": "2026-10-01T08:00:00.000Z",
        "updatedAt": "2026-10-02T08:00:00.000Z",
        **changes,
    }


def published(number: int = 1, **changes: Any) -> dict[str, Any]:
    flow = document(number, active=True, activeVersionId="v1", **changes)
    flow["activeVersion"] = {"versionId": "v1", "nodes": copy.deepcopy(flow["nodes"]), "connections": {}}
    return flow


def only(session: Session) -> Workflow:
    session.expire_all()
    return session.scalars(sa.select(Workflow)).one()


def test_a_workflow_is_stored_as_n8n_has_it(session: Session, alice: Actor) -> None:
    stored = ingest_workflows(make_instance(alice), [document()])
    assert (list(stored.refs), stored.created, stored.updated) == (["wf1"], 1, 0)
    workflow = only(session)
    assert (workflow.name, workflow.tags, workflow.active, workflow.node_count) == ("Flow 1", ["art", "billing"], False, 1)
    assert workflow.settings == {"executionOrder": "v1"}
    assert workflow.nodes[0]["name"] == "Start"
    assert workflow.n8n_created_at is not None
    assert workflow.n8n_created_at.isoformat() == "2026-10-01T08:00:00+00:00"


def test_nothing_is_written_when_nothing_changed(session: Session, alice: Actor) -> None:
    instance = make_instance(alice)
    ingest_workflows(instance, [document(), published(2)])
    before = session.execute(sa.select(Workflow.id, Workflow.updated_at).order_by(Workflow.id)).all()
    again = ingest_workflows(instance, [document(updatedAt="2026-11-11T00:00:00.000Z"), published(2)])
    assert (again.created, again.updated) == (0, 0)
    session.expire_all()
    assert session.execute(sa.select(Workflow.id, Workflow.updated_at).order_by(Workflow.id)).all() == before


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Renamed"},
        {"active": True},
        {"isArchived": True},
        {"tags": []},
        {"versionId": "v2"},
        {"activeVersionId": "v0"},
        {"settings": {}},
        {"nodes": []},
        {"connections": {"Start": {"main": []}}},
    ],
)
def test_every_kind_of_change_is_noticed(session: Session, alice: Actor, change: dict[str, Any]) -> None:
    instance = make_instance(alice)
    ingest_workflows(instance, [document()])
    before = only(session).id
    assert ingest_workflows(instance, [document(**change)]).updated == 1
    assert only(session).id == before


def test_draft_and_live_are_kept_apart(session: Session, alice: Actor) -> None:
    instance = make_instance(alice)
    ingest_workflows(instance, [published()])
    edited = published(versionId="v2", nodes=[])
    edited["activeVersion"] = published()["activeVersion"]
    ingest_workflows(instance, [edited])
    workflow = only(session)
    assert workflow.nodes == []
    rows = services.list_versions(alice, workflow.id)
    assert sorted((row.kind, row.n8n_version_id) for row in rows) == [
        (VersionKind.DRAFT, "v1"),
        (VersionKind.DRAFT, "v2"),
        (VersionKind.LIVE, "v1"),
    ]
    live = next(row for row in rows if row.kind is VersionKind.LIVE)
    assert services.get_version(alice, live.id).nodes == published()["nodes"]


def test_before_n8n_2_the_draft_of_an_active_workflow_is_live(session: Session, alice: Actor) -> None:
    old = {key: value for key, value in document(active=True).items() if key not in ("activeVersion", "activeVersionId")}
    ingest_workflows(make_instance(alice), [old])
    kinds = session.scalars(sa.select(WorkflowVersion.kind)).all()
    assert sorted(kinds) == [VersionKind.DRAFT, VersionKind.LIVE]


def test_an_undone_change_is_the_newest_version_again(session: Session, alice: Actor) -> None:
    instance = make_instance(alice)
    for number, nodes in enumerate(([], document()["nodes"], [])):
        ingest_workflows(instance, [document(versionId=f"v{number}", nodes=nodes)])
    versions = services.list_versions(alice, only(session).id)
    assert [version.n8n_version_id for version in versions] == ["v2", "v1"]


def test_secrets_are_not_stored_and_their_change_is_a_change(session: Session, alice: Actor) -> None:
    def with_key(key: str) -> dict[str, Any]:
        header = {"name": "Authorization", "value": f"Bearer {key}"}
        return document(nodes=[{"name": "Call", "parameters": {"headerParameters": {"parameters": [header]}}}])

    instance = make_instance(alice)
    ingest_workflows(instance, [with_key("abcdef0123456789abcdef")])
    assert ingest_workflows(instance, [with_key("fedcba9876543210fedcba")]).updated == 1
    stored = str([only(session).nodes, session.scalars(sa.select(WorkflowVersion.nodes)).all()])
    assert "Call" in stored
    assert "abcdef0123456789" not in stored
    assert "fedcba9876543210" not in stored


def test_a_vanished_workflow_comes_back_when_it_is_seen_again(session: Session, alice: Actor) -> None:
    instance = make_instance(alice)
    ingest_workflows(instance, [published()])
    mark_workflow_vanished(instance.id, "wf1")
    workflow = only(session)
    assert workflow.vanished_at is not None
    assert not workflow.active
    ingest_workflows(instance, [published()])
    workflow = only(session)
    assert workflow.vanished_at is None
    assert workflow.active


def test_odd_characters_and_numbers_as_ids_are_stored(session: Session, alice: Actor) -> None:
    odd = document(name="Nul\0 \ud800 عربي", nodes=[{"name": "N\0", "parameters": {"a": "\ud83d\ude00 \udfff"}}], id=7)
    ingest_workflows(make_instance(alice), [odd, {"name": "no id"}])
    workflow = only(session)
    assert (workflow.n8n_id, workflow.name) == ("7", "Nul ? عربي")
    assert workflow.nodes[0]["name"] == "N"


def test_a_page_takes_three_statements_and_one_when_unchanged(session: Session, alice: Actor) -> None:
    instance_id = make_instance(alice).id
    page = [published(number) for number in range(250)]
    with count_statements() as first:
        store_workflows(instance_id, page)
    with count_statements() as second:
        store_workflows(instance_id, page)
    assert len(first) == 3
    assert len(second) == 1
