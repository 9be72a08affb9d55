"""Failures over all instances of a person, counted from the executions that are there."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from hub.analyses.models import AiAnalysis, Repair, Verdict
from hub.analyses.services import enabled_signatures
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.errors import NotFound
from hub.executions.models import DetailState, Execution, ExecutionStatus
from hub.executions.services import import_execution, ingest_executions, list_executions
from hub.extensions import db
from hub.failures.credentials import list_refused_credentials
from hub.failures.explanations import Explanation, find_explanation
from hub.failures.jobs import mark_failures
from hub.failures.services import FailureGroup, Sorting, get_failure, list_failures
from hub.instances.models import Instance
from hub.jobs.registry import JobContext
from hub.workflows.ingest import store_workflows
from tests.hub.factories import make_execution, make_instance, make_workflow
from tests.hub.statements import count_statements

Json = dict[str, Any]
Session = sa.orm.scoped_session[sa.orm.Session]
CREDENTIALS = {"httpHeaderAuth": {"id": "c1", "name": "CRM key"}}


def failed(number: int, *, workflow: str = "w1", message: str = "", hours: float = 1, **error: Any) -> Json:
    """A failed execution of n8n's public API that began so many hours ago."""
    began = (utc_now() - dt.timedelta(hours=hours)).isoformat()
    parameters: Json = {"url": "https://example.com"}
    node = {"name": "Fetch", "type": "n8n-nodes-base.httpRequest", "parameters": parameters, "credentials": CREDENTIALS}
    document = {"id": workflow, "name": f"Workflow {workflow}", "nodes": [node], "connections": {}, "settings": {}}
    result = {"error": {"message": message or f"Order {number} is missing", "node": node, **error}, "runData": {}}
    return {
        **{"id": str(number), "workflowId": workflow, "status": "error", "mode": "webhook", "finished": False},
        **{"startedAt": began, "stoppedAt": began, "data": {"resultData": result}, "workflowData": document},
    }


def only(actor: Actor, **filters: Any) -> FailureGroup:
    [group] = list_failures(actor, **filters).rows
    return group


@pytest.fixture
def main(session: Session, alice: Actor) -> Instance:
    return make_instance(alice)


def test_the_same_failure_is_one_row_over_instances(main: Instance, alice: Actor) -> None:
    other = make_instance(alice, "Other")
    import_execution(main, failed(17, hours=50))
    import_execution(main, failed(18, workflow="w2", hours=26))
    newest = import_execution(other, failed(17, hours=1))
    group = only(alice)
    assert (group.count, group.workflows, group.instances) == (3, 3, 2)
    assert group.message == "Order … is missing"
    assert (group.execution_id, group.instance_name, group.error_node) == (newest.id, "Other", "Fetch")
    assert group.node_type == "n8n-nodes-base.httpRequest"
    assert group.last_seen - group.first_seen > dt.timedelta(hours=48)
    assert sum(group.trend) == 3
    assert only(alice, instance_id=other.id).count == 1
    assert only(alice, since=utc_now() - dt.timedelta(hours=30)).count == 2


def test_order_pages_and_search(main: Instance, alice: Actor) -> None:
    for number, (message, hours) in enumerate([("red", 5), ("red", 4), ("green", 3), ("50% blue", 2)]):
        import_execution(main, failed(number, message=message, hours=hours))
    assert [group.message for group in list_failures(alice).rows] == ["50% blue", "green", "red"]
    assert list_failures(alice, sorting=Sorting.COUNT).rows[0].message == "red"
    for sorting in Sorting:
        first = list_failures(alice, sorting=sorting, limit=2)
        second = list_failures(alice, sorting=sorting, limit=2, cursor=first.next_cursor)
        assert len({group.fingerprint for group in [*first.rows, *second.rows]}) == 3
        assert second.next_cursor is None
    assert only(alice, search="GREEN").message == "green"
    assert only(alice, search="0%").message == "50% blue"
    assert len(list_failures(alice, search="workflow W1").rows) == 3
    assert list_failures(alice, search="violet").rows == []


def test_nobody_sees_or_counts_the_failures_of_others(main: Instance, alice: Actor, bob: Actor) -> None:
    import_execution(main, failed(17))
    fingerprint = only(alice).fingerprint
    assert list_failures(bob).rows == []
    assert list_failures(bob, instance_id=main.id).rows == []
    with pytest.raises(NotFound):
        get_failure(bob, fingerprint)
    import_execution(make_instance(bob, "Bobs"), failed(17))
    assert (only(alice).count, only(bob).count) == (1, 1)
    assert [workflow.instance_name for workflow in get_failure(bob, fingerprint).workflows] == ["Bobs"]
    assert len(list_executions(bob, fingerprint=fingerprint).rows) == 1


def test_counts_follow_the_executions_whatever_happens(main: Instance, alice: Actor) -> None:
    payloads = {number: failed(number) for number in (17, 18, 19)}
    for payload in payloads.values():
        import_execution(main, payload)
    import_execution(main, payloads[18])
    ingest_executions(main, [payloads[19]])
    assert only(alice).count == 3
    crash_that_was_none = {**payloads[19], "status": "success", "finished": True}
    ingest_executions(main, [crash_that_was_none])
    assert only(alice).count == 2
    db.session.execute(sa.delete(Execution).where(Execution.n8n_execution_id == "17"))
    assert only(alice).count == 1
    db.session.delete(main)
    db.session.commit()
    assert list_failures(alice).rows == []


def test_a_write_that_is_lost_is_not_counted(main: Instance, alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    import_execution(main, failed(17))
    monkeypatch.setattr(db.session, "commit", db.session.rollback)
    with pytest.raises(sa.exc.NoResultFound):
        import_execution(main, failed(18))
    monkeypatch.undo()
    assert only(alice).count == 1
    import_execution(main, failed(18))
    assert only(alice).count == 2


def test_stored_failures_get_their_marks_later(main: Instance, alice: Actor) -> None:
    executions = [import_execution(main, failed(number)) for number in range(120)]
    analysis = analyse(alice, executions[0])
    wanted = executions[0].fingerprint
    db.session.execute(sa.update(Execution).values(fingerprint=None, fingerprint_case=None, error_node_type=None))
    db.session.execute(sa.update(AiAnalysis).values(fingerprint=None))
    without_data = make_execution(make_workflow(main, "Empty"), 9, detail_state=DetailState.UNAVAILABLE)
    db.session.commit()
    assert list_failures(alice).rows == []
    context = JobContext("job", 1)
    mark_failures(context)
    mark_failures(context)
    db.session.expire_all()
    group = only(alice)
    assert (group.fingerprint, group.count, group.node_type) == (wanted, 120, "n8n-nodes-base.httpRequest")
    assert (analysis.fingerprint, group.explained and group.explained.analysis_id) == (wanted, analysis.id)
    assert without_data.fingerprint is None


def test_a_list_takes_three_statements(main: Instance, alice: Actor) -> None:
    for number in range(40):
        import_execution(main, failed(number, workflow=f"w{number % 7}", message=f"kind {'abcdefgh'[number % 8]}"))
    with count_statements() as statements:
        assert len(list_failures(alice).rows) == 8
    assert len(statements) == 3


def test_a_group_is_quiet_once_all_its_workflows_succeeded(main: Instance, alice: Actor) -> None:
    first, second = (import_execution(main, failed(number, workflow=f"w{number}", hours=5)) for number in (1, 2))
    fingerprint = only(alice).fingerprint
    for execution, quiet in ((first, False), (second, True)):
        workflow = execution.workflow_id
        good = {"status": ExecutionStatus.SUCCESS, "n8n_status": "success", "started_at": utc_now()}
        row = Execution(workflow_id=workflow, instance_id=main.id, n8n_execution_id=f"9{workflow}", mode="webhook", **good)
        db.session.add(row)
        db.session.commit()
        assert (get_failure(alice, fingerprint).quiet_since is not None) == quiet


# --- Credentials ------------------------------------------------------------------------------------------------------


def test_a_refused_credential_shows_whom_it_hurts_and_who_is_next(main: Instance, alice: Actor, bob: Actor) -> None:
    for number, workflow in enumerate(("w1", "w1", "w2")):
        import_execution(main, failed(number, workflow=workflow, httpCode="401"))
    import_execution(main, failed(9, workflow="w3", httpCode="500"))
    node = {"name": "Fetch", "type": "n8n-nodes-base.httpRequest", "parameters": {}, "credentials": CREDENTIALS}
    document = {"id": "w4", "name": "Nightly", "active": True, "nodes": [node], "connections": {}, "settings": {}}
    store_workflows(main.id, [document])
    # n8n counts credentials by instance: the same id elsewhere is another one.
    elsewhere = make_instance(alice, "Elsewhere")
    store_workflows(elsewhere.id, [document])
    db.session.commit()
    [found] = list_refused_credentials(alice)
    assert (found.credential_id, found.name, found.kind, found.count) == ("c1", "CRM key", "httpHeaderAuth", 3)
    assert {(workflow.workflow_name, workflow.count) for workflow in found.hurt} == {("Workflow w1", 2), ("Workflow w2", 1)}
    assert [(workflow.workflow_name, workflow.active) for workflow in found.at_risk] == [
        ("Nightly", True),
        ("Workflow w3", False),
    ]
    assert not found.works_again
    assert list_refused_credentials(bob) == []
    with count_statements() as statements:
        list_refused_credentials(alice)
    assert len(statements) == 3


# --- Explanations -----------------------------------------------------------------------------------------------------


def analyse(actor: Actor, execution: Execution, **columns: Any) -> AiAnalysis:
    """An analysis by an enabled analyzer, with a change."""
    text = {"en": "Because.", "ar": "لأن."}
    suggestion = {"title": text, "explanation": text, "kind": "patch", "patch": [], "confidence": 0.9}
    suggestion["patch"] = [{"op": "replace", "path": "/name", "value": "x"}]
    diagnosis = {"cause": "timeout", "node": "Fetch", "confidence": 0.9, "summary": text, "suggestions": [suggestion]}
    analysis = AiAnalysis(
        user_id=actor.user_id,
        execution_id=execution.id,
        error_data={},
        analysis=diagnosis,
        suggestions=[suggestion],
        confidence=0.9,
        title="Orders",
        fingerprint=execution.fingerprint,
        fingerprint_case=execution.fingerprint_case,
        **{"analyzer": sorted(enabled_signatures())[0], "cause": "timeout", **columns},
    )
    db.session.add(analysis)
    db.session.commit()
    return analysis


def explain(actor: Actor, execution: Execution) -> Explanation | None:
    place = {"execution_id": execution.id, "workflow_id": execution.workflow_id, "case": execution.fingerprint_case}
    return find_explanation(actor, execution.fingerprint, **place)


def test_an_explanation_counts_wherever_the_failure_happens(main: Instance, alice: Actor, bob: Actor) -> None:
    analysed = import_execution(main, failed(1))
    same_case = import_execution(main, failed(2))
    elsewhere = import_execution(make_instance(alice, "Other"), failed(3, workflow="w2"))
    another = import_execution(main, failed(4, message="Something else"))
    assert explain(alice, elsewhere) is None
    analysis = analyse(alice, analysed)
    found = {execution.n8n_execution_id: explain(alice, execution) for execution in (analysed, same_case, elsewhere, another)}
    assert found.pop("4") is None
    marks = {key: each and (each.analysis_id, each.is_own, each.is_same_case) for key, each in found.items()}
    assert marks == {"1": (analysis.id, True, True), "2": (analysis.id, False, True), "3": (analysis.id, False, False)}
    assert explain(bob, same_case) is None


def test_the_same_workflow_id_on_another_instance_is_another_case(main: Instance, alice: Actor) -> None:
    analyse(alice, import_execution(main, failed(1)))
    clone = import_execution(make_instance(alice, "Clone"), failed(1))
    found = explain(alice, clone)
    assert found
    assert not found.is_same_case


@pytest.mark.parametrize("columns", [{"analyzer": "rules of yesterday"}, {"cause": "unknown"}])
def test_what_an_older_analyzer_said_or_nobody_knows_does_not_count(main: Instance, alice: Actor, columns: Json) -> None:
    execution = import_execution(main, failed(1))
    analyse(alice, execution, **columns)
    assert explain(alice, execution) is None


def test_two_unhelpful_answers_take_an_explanation_back(main: Instance, alice: Actor) -> None:
    executions = [import_execution(main, failed(number)) for number in (1, 2, 3)]
    analyse(alice, executions[0], helpful=False)
    assert explain(alice, executions[2])
    good = analyse(alice, executions[1])
    found = explain(alice, executions[2])
    assert found
    assert found.analysis_id == good.id
    good.helpful = False
    db.session.commit()
    assert explain(alice, executions[2]) is None


@pytest.mark.parametrize(("verdict", "counts"), [(Verdict.FAILED, False), (Verdict.REGRESSED, False), (Verdict.VERIFIED, True)])
def test_a_repair_that_failed_takes_its_explanation_back(main: Instance, alice: Actor, verdict: Verdict, counts: bool) -> None:
    execution = import_execution(main, failed(1))
    analysis = analyse(alice, execution)
    db.session.add(Repair(analysis_id=analysis.id, user_id=alice.user_id, suggestion_index=0, digest="0" * 64, verdict=verdict))
    db.session.commit()
    assert (explain(alice, execution) is not None) == counts
