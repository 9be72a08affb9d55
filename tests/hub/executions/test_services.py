from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from hub.contracts.actor import SYSTEM, Actor
from hub.errors import NotFound
from hub.executions import services
from hub.executions.models import ExecutionStatus
from hub.extensions import db
from tests.hub.factories import NOON, make_execution, make_instance, make_workflow


def numbers(page: services.Page[services.ExecutionRow]) -> list[int]:
    return [int(row.n8n_execution_id) for row in page.rows]


def test_lists_merge_own_instances_newest_first(alice: Actor, bob: Actor) -> None:
    first, second = make_workflow(make_instance(alice, "One")), make_workflow(make_instance(alice, "Two"), "Mail")
    strange = make_workflow(make_instance(bob, "Bobs"))
    for number in range(9):
        make_execution((first, second, strange)[number % 3], number)
    page = services.list_executions(alice)
    assert numbers(page) == [7, 6, 4, 3, 1, 0]
    assert (page.rows[0].workflow_name, page.rows[0].instance_name) == ("Mail", "Two")
    assert numbers(services.list_executions(alice, instance_id=first.instance_id)) == [6, 3, 0]
    assert numbers(services.list_executions(alice, workflow_id=second.id)) == [7, 4, 1]
    assert numbers(services.list_executions(SYSTEM)) == []
    for foreign in ({"instance_id": strange.instance_id}, {"workflow_id": strange.id}):
        with pytest.raises(NotFound):
            services.list_executions(alice, **foreign)
    with pytest.raises(NotFound):
        services.list_executions(alice, instance_id=first.instance_id, workflow_id=second.id)


@pytest.mark.parametrize("instances", [1, 3])
def test_pages_follow_each_other_without_gap_or_repeat(alice: Actor, instances: int) -> None:
    workflows = [make_workflow(make_instance(alice, f"I{number}")) for number in range(instances)]
    for number in range(23):
        # Several executions share a start time: the id decides then.
        make_execution(workflows[number % instances], number, started_at=NOON + dt.timedelta(minutes=number // 4))
    seen: list[services.ExecutionRow] = []
    cursor = None
    while True:
        page = services.list_executions(alice, cursor=cursor, limit=4)
        seen += page.rows
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len({row.id for row in seen}) == len(seen) == 23
    assert [(row.started_at, row.id) for row in seen] == sorted(((row.started_at, row.id) for row in seen), reverse=True)


def test_filters(alice: Actor) -> None:
    workflow = make_workflow(make_instance(alice))
    for number in range(6):
        make_execution(workflow, number)
    make_execution(workflow, 10, status=ExecutionStatus.SUCCESS, n8n_status="success")
    assert numbers(services.list_executions(alice, status=ExecutionStatus.SUCCESS)) == [10]
    assert numbers(services.list_executions(alice, mode="manual")) == []
    after, before = NOON + dt.timedelta(minutes=2), NOON + dt.timedelta(minutes=4)
    assert numbers(services.list_executions(alice, started_after=after, started_before=before)) == [3, 2]


def test_a_list_takes_two_queries_and_reads_no_data(alice: Actor) -> None:
    for name in ("One", "Two", "Three"):
        workflow = make_workflow(make_instance(alice, name))
        for number in range(5):
            make_execution(workflow, number, data={"large": True})
    statements: list[str] = []
    engine = db.session.get_bind()

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        assert len(services.list_executions(alice).rows) == 15
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    selects = [statement for statement in statements if "SELECT" in statement]
    assert len(selects) == 2
    assert "executions.data" not in selects[-1]


def test_one_execution_belongs_to_its_owner(alice: Actor, bob: Actor) -> None:
    execution = make_execution(make_workflow(make_instance(alice)), 1, data={"a": 1})
    assert services.get_execution(alice, execution.id).data == {"a": 1}
    with pytest.raises(NotFound):
        services.get_execution(bob, execution.id)
