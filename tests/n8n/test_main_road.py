"""The main road on a real n8n: connect, sync, open a failure, analyse it, apply the change, see it proven, or taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.demo.shop import Shop
from hub.demo.shop_workflows import create_workflows, read_workflows, run_workflows
from tests.live_hub import LiveHub
from tests.n8n.bench import Bench
from tests.n8n.road import Person, offers_change
from tests.n8n.server import N8nServer, free_port
from tests.plain_browser import Page

pytestmark = pytest.mark.n8n

#: Only a person can cure these: a token that has expired, a stop that is meant, a service that is down.
BY_HAND = {"ledger-export", "payment-check", "parcel-label"}


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    server = Shop(free_port())
    server.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def person(hub: LiveHub) -> Person:
    person = Person(hub.url)
    assert person.register().status == 200
    return person


@pytest.fixture(scope="module")
def shop_ids(n8n: N8nServer, shop: Shop) -> dict[str, str]:
    """The demo's workflows on the n8n, each run as often as it says; n8n's ids by slug."""
    workflows = read_workflows(port=shop.server_port, closed_port=free_port())
    ids = create_workflows(n8n, workflows)
    for workflow, execution in run_workflows(n8n, workflows, ids):
        wanted = "success" if workflow.story.startswith("Works:") else "error"
        assert execution["status"] == wanted, workflow.slug
    return ids


@pytest.fixture(scope="module")
def instance(person: Person, n8n: N8nServer, shop_ids: dict[str, str]) -> Page:
    """The instance's page after the first sync."""
    page = person.connect("Corner shop", n8n.url, n8n.api_key)
    assert "Corner shop" in page.text
    page = person.press(page, "/test")
    assert n8n.api_key not in page.html
    return person.sync(page)


def test_everything_is_there_after_the_sync(person: Person, instance: Page, n8n: N8nServer) -> None:
    names = {workflow.workflow["name"] for workflow in read_workflows()}
    listed = person.browser.get("/workflows").text
    assert {name for name in names if name not in listed} == set()
    person.sync(instance)
    failed = n8n.api("GET", "/executions", params={"status": "error", "limit": 250})["data"]
    assert len(person.failed_executions()) == len(failed) >= 20


@pytest.mark.parametrize(
    "workflow", [each for each in read_workflows() if not each.story.startswith("Works:")], ids=lambda each: each.slug
)
def test_failure_of_the_shop(workflow: Any, person: Person, instance: Page, n8n: N8nServer, shop_ids: dict[str, str]) -> None:
    """What a change can cure is cured and proven; for the rest the hub says what to do and changes nothing."""
    newest = n8n.newest_execution(shop_ids[workflow.slug])
    execution = open_execution(person, workflow.workflow["name"])
    analysis = person.analyse(execution)
    before = n8n.api("GET", f"/workflows/{shop_ids[workflow.slug]}")
    if workflow.slug in BY_HAND:
        assert not offers_change(analysis)
        return
    assert offers_change(analysis), analysis.text
    page = person.apply(analysis)
    assert "Verified" in page.text, page.text
    after = n8n.api("GET", f"/workflows/{shop_ids[workflow.slug]}")
    assert after["activeVersionId"] not in (None, before["activeVersionId"])
    last = n8n.newest_execution(shop_ids[workflow.slug])
    assert newest
    assert last
    assert (last["status"], int(last["id"]) > int(newest["id"])) == ("success", True)


def test_every_step_is_in_the_audit_log(person: Person, instance: Page) -> None:
    log = "".join(page.text for page in person.pages("/audit"))
    for action in ("instance.create", "analysis.create", "repair.request"):
        assert action in log


def test_cases_of_the_bench(person: Person, instance: Page, n8n: N8nServer, bench: Path) -> None:
    """Judged by the bench itself: at least ten repaired, nothing harmed."""
    cases = Bench(bench)
    cases.start()
    try:
        outcomes = {case["id"]: repair_case(cases, case, person, instance, n8n) for case in cases.cases}
    finally:
        cases.stop()
    print("\n".join(f"{name:32} {outcome}" for name, outcome in outcomes.items()))
    assert "harmful" not in outcomes.values()
    assert list(outcomes.values()).count("repaired") >= 10


def repair_case(bench: Bench, case: dict[str, Any], person: Person, instance: Page, n8n: N8nServer) -> str:
    """Let a case fail, sync, analyse, apply what is offered: repaired, harmful, taken back, or by hand."""
    bench.install(case)
    workflow_id = n8n.create_workflow(case["workflow"])
    execution = n8n.run_webhook(workflow_id, case["trigger"])
    assert execution["status"] == "error", case["id"]
    person.sync(instance)
    analysis = person.analyse(open_execution(person, case["workflow"]["name"]))
    if not offers_change(analysis):
        return "by hand"
    if case["expect"]["must_not_patch"]:
        return "harmful"
    bench.install(case)
    page = person.apply(analysis)
    if "Verified" not in page.text:
        return "taken back"
    last = n8n.newest_execution(workflow_id)
    assert last
    if bench.passes(case, n8n.execution(last["id"])):
        return "repaired"
    # As the bench does: a retry goes on from the failed node, so what lies before it shows in a new run only.
    bench.install(case)
    return "repaired" if bench.passes(case, n8n.run_webhook(workflow_id, case["trigger"])) else "harmful"


def open_execution(person: Person, workflow_name: str) -> Page:
    """The newest failed execution of a workflow, by clicking on it in the list."""
    for address in person.failed_executions():
        page = person.browser.get(address)
        if workflow_name in page.text:
            return page
    raise AssertionError(f"no failed execution of {workflow_name} is listed")
