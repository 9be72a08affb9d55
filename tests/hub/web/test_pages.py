from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from hub.analyses.models import AiAnalysis
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.executions.models import DetailState, Execution, ExecutionStatus
from hub.executions.trends import count_by_day, count_recent, list_most_failing
from hub.extensions import db
from hub.workflows.models import VersionKind, Workflow, WorkflowVersion
from tests.hub.factories import make_execution, make_instance, make_workflow
from tests.hub.statements import count_statements

SignIn = Callable[[Actor], FlaskClient]
LIST_BUDGET, PAGE_BUDGET = 6, 12

NODES = [
    {"name": "Hook", "type": "n8n-nodes-base.webhook", "position": [0, 0], "parameters": {}},
    {
        "name": "Call <API>",
        "type": "n8n-nodes-base.httpRequest",
        "position": [300, 0],
        "parameters": {"url": "https://x.example"},
    },
    {"name": "Later", "type": "n8n-nodes-base.set", "position": [600, 0], "parameters": {}},
]
CONNECTIONS = {"Hook": {"main": [[{"node": "Call <API>", "type": "main", "index": 0}]]}}
ERROR = {
    "message": "The service refused",
    "description": "Try <b>later</b>",
    "httpCode": "503",
    "name": "NodeApiError",
    "node": {"name": "Call <API>"},
    "stack": "Error: refused\n    at call (x.js:1)",
}
DATA = {
    "resultData": {
        "error": ERROR,
        "lastNodeExecuted": "Call <API>",
        "runData": {
            "Hook": [
                {
                    "startTime": 1_795_362_769_048,
                    "executionTime": 1,
                    "executionStatus": "success",
                    "source": [],
                    "data": {"main": [[{"json": {"customer": "Maha <3"}}]]},
                }
            ],
            "Call <API>": [
                {
                    "startTime": 1_795_362_769_050,
                    "executionTime": 40,
                    "executionStatus": "error",
                    "error": ERROR,
                    "source": [{"previousNode": "Hook"}],
                }
            ],
        },
    }
}


@pytest.fixture
def browser(browser_of: SignIn, alice: Actor) -> FlaskClient:
    return browser_of(alice)


@pytest.fixture
def failure(alice: Actor) -> Execution:
    """One failed execution with its data, among others."""
    workflow = make_workflow(make_instance(alice), "Orders & more", tags=["billing"])
    make_execution(workflow, 1, status=ExecutionStatus.SUCCESS, n8n_status="success", started_at=utc_now())
    return make_execution(
        workflow,
        2,
        started_at=utc_now(),
        data={"data": DATA, "workflowData": {"nodes": NODES, "connections": CONNECTIONS}},
        error=ERROR,
        detail_state=DetailState.STORED,
        error_message=ERROR["message"],
        error_node="Call <API>",
        duration=0.04,
    )


def fill(alice: Actor, count: int = 60) -> None:
    """Two instances with so many workflows, executions, versions and analyses that every list has a next page."""
    for name in ("Alpha", "Beta"):
        instance = make_instance(alice, name)
        for number in range(count):
            workflow = make_workflow(instance, f"{name} {number}", tags=["t1", "t2"])
            execution = make_execution(workflow, number, started_at=utc_now() - dt.timedelta(minutes=number))
            content = {"nodes": [], "connections": {}, "settings": {}}
            db.session.add(
                WorkflowVersion(workflow_id=workflow.id, kind=VersionKind.LIVE, content_hash=str(number), name=name, **content)
            )
            db.session.add(
                AiAnalysis(
                    user_id=alice.user_id, execution_id=execution.id, error_data={}, analysis={}, suggestions=[],
                    confidence=0.9, analyzer="rules", cause="rate-limited", title="",
                )
            )  # fmt: skip
    db.session.flush()


def get_counted(browser: FlaskClient, path: str, **headers: str) -> tuple[str, int]:
    db.session.expire_all()
    with count_statements() as statements:
        page = browser.get(path, headers=headers)
    assert page.status_code == 200
    return page.text, len(statements)


def test_a_new_account_is_led_to_its_first_n8n(browser: FlaskClient) -> None:
    page = browser.get("/").text
    assert "Connect your n8n" in page
    assert 'href="/instances/new"' in page


def test_the_dashboard_shows_what_failed_and_where(browser: FlaskClient, failure: Execution) -> None:
    page = browser.get("/").text
    assert "Orders &amp; more" in page
    assert "The service refused" in page
    assert f"/executions/{failure.id}" in page
    assert "50%" in page


@pytest.mark.parametrize("path", ["/workflows", "/executions"])
def test_lists_cost_the_same_number_of_statements_at_any_size(browser: FlaskClient, alice: Actor, path: str) -> None:
    fill(alice, 4)
    _, few = get_counted(browser, path)
    fill_more = make_instance(alice, "Gamma")
    for number in range(60):
        make_execution(make_workflow(fill_more, f"G {number}"), 1000 + number)
    text, many = get_counted(browser, path)
    assert few == many <= LIST_BUDGET
    assert "cursor=" in text


def test_other_pages_stay_in_their_budget(browser: FlaskClient, alice: Actor, failure: Execution) -> None:
    fill(alice, 10)
    failure.retry_of = "1"
    for path in ("/", f"/workflows/{failure.workflow_id}", f"/executions/{failure.id}"):
        _, count = get_counted(browser, path)
        assert count <= PAGE_BUDGET, path


def test_pages_follow_each_other_without_gap_or_repetition(browser: FlaskClient, alice: Actor) -> None:
    fill(alice, 40)
    seen: list[str] = []
    path = "/workflows"
    while path:
        page = browser.get(path).text
        seen += [part.split('"')[0] for part in page.split('href="/workflows/')[1:]]
        path = page.split('rel="next" href="')[1].split('"')[0] if 'rel="next"' in page else ""
    assert len(seen) == len(set(seen)) == 80


def test_filters_choose_and_stay_chosen(browser: FlaskClient, alice: Actor, failure: Execution) -> None:
    other = make_instance(alice, "Other")
    make_workflow(other, "Lonely", active=True)
    page = browser.get("/workflows?search=orders&tag=billing").text
    assert "Orders &amp; more" in page
    assert "Lonely" not in page
    assert 'value="orders"' in page
    page = browser.get(f"/workflows?instance={other.id}&state=active").text
    assert "Lonely" in page
    assert "Orders &amp; more" not in page
    page = browser.get("/executions?status=FAILED&period=24h&mode=webhook").text
    assert f"/executions/{failure.id}" in page
    assert "#1<" not in page
    assert "No execution fits" in browser.get("/executions?status=WAITING").text


@pytest.mark.parametrize("query", ["status=nonsense", "period=1y", "live=1", "search=%25", "state=x"])
def test_odd_filters_do_no_harm(browser: FlaskClient, failure: Execution, query: str) -> None:
    assert browser.get(f"/executions?{query}").status_code == 200
    assert browser.get(f"/workflows?{query}").status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/executions/%00", 404),
        ("/workflows/a%00", 404),
        ("/executions?mode=%00", 422),
        ("/workflows?tag=a%00b", 422),
        ("/audit?action=%00", 422),
    ],
)
def test_a_nul_character_finds_nothing(browser: FlaskClient, path: str, status: int) -> None:
    assert browser.get(path).status_code == status


def test_a_wrong_cursor_is_said_so(browser: FlaskClient, failure: Execution) -> None:
    assert browser.get("/executions?cursor=nonsense").status_code == 422
    assert browser.get("/workflows?cursor=nonsense").status_code == 422


def test_htmx_gets_the_list_alone(browser: FlaskClient, failure: Execution) -> None:
    for path in ("/executions", "/workflows"):
        fragment = browser.get(path, headers={"HX-Request": "true"}).text.strip()
        assert fragment.startswith('<div id="list"')
        assert "<html" not in fragment


def test_a_live_list_asks_again_and_its_answer_does_too(browser: FlaskClient, failure: Execution) -> None:
    assert 'hx-trigger="every 10s"' not in browser.get("/executions").text
    assert 'hx-trigger="every 10s"' in browser.get("/executions?live=1", headers={"HX-Request": "true"}).text


def test_an_execution_says_what_went_wrong(browser: FlaskClient, failure: Execution) -> None:
    page = browser.get(f"/executions/{failure.id}").text
    assert "The service refused" in page
    assert "Try later" in page
    assert "503" in page
    assert "Call &lt;API&gt;" in page
    assert "<API>" not in page
    assert f'action="/executions/{failure.id}/analyses"' in page
    assert "node-failed" in page
    assert "node-not-reached" in page


def test_the_data_of_a_node_is_a_link_away_with_and_without_htmx(browser: FlaskClient, failure: Execution) -> None:
    path = f"/executions/{failure.id}?node=Hook"
    whole = browser.get(path).text
    part = browser.get(path, headers={"HX-Request": "true"}).text
    assert part.strip().startswith('<div id="node-data"')
    for page in (whole, part):
        assert "Maha &lt;3" in page
    assert "was not reached" in browser.get(f"/executions/{failure.id}?node=Later").text
    assert browser.get(f"/executions/{failure.id}?node=Hook&run=99").status_code == 200


@pytest.mark.parametrize("data", [None, {}, {"data": {}}, {"data": {"resultData": {"runData": None}}, "workflowData": None}])
def test_an_execution_without_data_is_still_a_page(browser: FlaskClient, failure: Execution, data: Any) -> None:
    failure.data, failure.error = data, None
    failure.detail_state = DetailState.NONE
    db.session.flush()
    page = browser.get(f"/executions/{failure.id}")
    assert page.status_code == 200
    assert f"/executions/{failure.id}/detail" in page.text


def test_a_workflow_shows_its_picture_versions_and_draft(browser: FlaskClient, failure: Execution) -> None:
    workflow = db.session.get_one(Workflow, failure.workflow_id)
    workflow.version_id, workflow.active_version_id = "v2", "v1"
    old = [{"name": "Old start", "type": "n8n-nodes-base.cron", "position": [0, 0], "parameters": {}}]
    version = WorkflowVersion(
        workflow_id=workflow.id, kind=VersionKind.LIVE, content_hash="h", name="x", nodes=old, connections={}, settings={}
    )
    db.session.add(version)
    db.session.flush()
    page = browser.get(f"/workflows/{workflow.id}").text
    assert "The draft differs from what runs" in page
    assert 'role="img"' in page
    assert "Old start" not in page
    assert "Old start" in browser.get(f"/workflows/{workflow.id}?version={version.id}").text


def test_a_version_of_another_workflow_is_not_shown(browser: FlaskClient, alice: Actor, failure: Execution) -> None:
    other = make_workflow(make_instance(alice, "Other"), "Other")
    version = WorkflowVersion(
        workflow_id=other.id, kind=VersionKind.LIVE, content_hash="h", name="x", nodes=[], connections={}, settings={}
    )
    db.session.add(version)
    db.session.flush()
    assert browser.get(f"/workflows/{failure.workflow_id}?version={version.id}").status_code == 404


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_stranger_finds_nothing(browser_of: SignIn, bob: Actor, failure: Execution, headers: dict[str, str]) -> None:
    stranger = browser_of(bob)
    for path in (f"/executions/{failure.id}", f"/workflows/{failure.workflow_id}"):
        assert stranger.get(path, headers=headers).status_code == 404
    for query in (f"instance={failure.instance_id}", f"workflow={failure.workflow_id}"):
        assert stranger.get(f"/executions?{query}", headers=headers).status_code == 404
    assert stranger.post(f"/executions/{failure.id}/detail").status_code == 404
    assert "Orders" not in stranger.get("/").text
    assert "Orders" not in stranger.get("/workflows", headers=headers).text


def test_days_without_executions_are_zero(alice: Actor, bob: Actor) -> None:
    workflow = make_workflow(make_instance(alice))
    now = utc_now()
    for number, (status, age) in enumerate([("SUCCESS", 0), ("FAILED", 0), ("FAILED", 3), ("FAILED", 40), ("RUNNING", 0)]):
        make_execution(workflow, number, status=ExecutionStatus(status), started_at=now - dt.timedelta(days=age))
    days = count_by_day(alice)
    assert len(days) == 14
    assert days[-1].day == now.date()
    assert [(day.good, day.bad) for day in days if day.total] == [(0, 1), (1, 1)]
    assert sum(day.total for day in count_by_day(bob)) == 0
    assert sum(day.total for day in count_by_day(alice, workflow_id="other")) == 0


def test_the_last_day_is_compared_with_the_one_before(alice: Actor) -> None:
    workflow = make_workflow(make_instance(alice))
    ages = [("SUCCESS", 1), ("SUCCESS", 2), ("FAILED", 3), ("RUNNING", 0), ("SUCCESS", 30), ("FAILED", 60)]
    for number, (status, hours) in enumerate(ages):
        make_execution(workflow, number, status=ExecutionStatus(status), started_at=utc_now() - dt.timedelta(hours=hours))
    recent = count_recent(alice)
    assert (recent.total, recent.failed, recent.finished, recent.total_before) == (4, 1, 3, 1)
    assert recent.failure_rate == pytest.approx(1 / 3)


def test_the_most_failing_workflow_comes_first(alice: Actor, bob: Actor) -> None:
    instance = make_instance(alice)
    for name, count in (("Rarely", 1), ("Often", 3)):
        workflow = make_workflow(instance, name)
        for number in range(count):
            make_execution(workflow, number, started_at=utc_now())
    assert [(row.name, row.failures) for row in list_most_failing(alice)] == [("Often", 3), ("Rarely", 1)]
    assert list_most_failing(bob) == []
