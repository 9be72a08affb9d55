from __future__ import annotations

import pytest
import sqlalchemy as sa

from hub.contracts.actor import SYSTEM, Actor
from hub.errors import NotFound
from hub.workflows import services
from hub.workflows.models import VersionKind, WorkflowVersion
from tests.hub.factories import NOON, make_instance, make_workflow


def names(page: services.Page[services.WorkflowRow]) -> list[str]:
    return [row.name for row in page.rows]


def test_workflows_are_listed_by_name_over_all_own_instances(alice: Actor, bob: Actor) -> None:
    one, two, strange = make_instance(alice, "One"), make_instance(alice, "Two"), make_instance(bob, "Bobs")
    make_workflow(one, "Beta")
    make_workflow(two, "Alpha")
    make_workflow(strange, "Secret")
    page = services.list_workflows(alice)
    assert names(page) == ["Alpha", "Beta"]
    assert page.rows[0].instance_name == "Two"
    assert names(services.list_workflows(alice, instance_id=one.id)) == ["Beta"]
    assert names(services.list_workflows(SYSTEM)) == []
    with pytest.raises(NotFound):
        services.list_workflows(alice, instance_id=strange.id)


def test_pages_follow_each_other_without_gap_or_repeat(alice: Actor) -> None:
    instance = make_instance(alice)
    wanted = sorted(["Same", "Same", "Same", *(f"W{number:02}" for number in range(8))])
    for number, name in enumerate(wanted):
        make_workflow(instance, name, n8n_id=str(number))
    seen, cursor = [], None
    while True:
        page = services.list_workflows(alice, cursor=cursor, limit=2)
        seen += [(row.name, row.id) for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert [name for name, _ in seen] == wanted
    assert len(set(seen)) == len(wanted)


@pytest.mark.parametrize(("search", "found"), [("order", ["Orders 100%"]), ("100%", ["Orders 100%"]), ("0_", []), ("", None)])
def test_search_takes_wildcards_literally(alice: Actor, search: str, found: list[str] | None) -> None:
    instance = make_instance(alice)
    make_workflow(instance, "Orders 100%")
    make_workflow(instance, "Other 100x")
    expected = found if found is not None else ["Orders 100%", "Other 100x"]
    assert names(services.list_workflows(alice, search=search)) == expected


def test_filters_by_tag_state_and_presence(alice: Actor) -> None:
    instance = make_instance(alice)
    make_workflow(instance, "Live", active=True, tags=["billing", "o'brien"], version_id="2", active_version_id="1")
    make_workflow(instance, "Kept", is_archived=True, tags=["bill"])
    make_workflow(instance, "Gone", vanished_at=NOON, tags=["ghost"])
    assert names(services.list_workflows(alice, tag="bill")) == ["Kept"]
    assert names(services.list_workflows(alice, tag="o'brien")) == ["Live"]
    assert names(services.list_workflows(alice, active=True)) == ["Live"]
    assert names(services.list_workflows(alice, archived=False)) == ["Live"]
    assert names(services.list_workflows(alice, vanished=True)) == ["Gone"]
    assert names(services.list_workflows(alice, vanished=None)) == ["Gone", "Kept", "Live"]
    assert list(services.list_tags(alice)) == ["bill", "billing", "o'brien"]
    assert services.list_workflows(alice, active=True).rows[0].has_unpublished_draft


def test_one_workflow_comes_with_its_nodes_and_versions(
    alice: Actor, bob: Actor, session: sa.orm.scoped_session[sa.orm.Session]
) -> None:
    workflow = make_workflow(make_instance(alice))
    version = WorkflowVersion(
        workflow_id=workflow.id, kind=VersionKind.LIVE, content_hash="h", name="Orders", nodes=[], connections={}, settings={}
    )
    session.add(version)
    session.flush()
    assert services.get_workflow(alice, workflow.id).nodes[0]["name"] == "Start"
    assert [row.id for row in services.list_versions(alice, workflow.id)] == [version.id]
    assert services.get_version(alice, version.id).kind is VersionKind.LIVE
    for read, key in (
        (services.get_workflow, workflow.id),
        (services.list_versions, workflow.id),
        (services.get_version, version.id),
    ):
        with pytest.raises(NotFound):
            read(bob, key)
