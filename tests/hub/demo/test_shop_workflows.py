"""The demo's data: documents that n8n takes, and a shop that answers what they call."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hub.demo.shop import CLOSED_PORT, PORT, Shop
from hub.demo.shop_workflows import ShopWorkflow, read_workflows

WORKFLOWS = read_workflows()
each_workflow = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.slug)


@pytest.fixture
def shop() -> Any:
    server = Shop(port=0)
    yield server
    server.server_close()


def test_most_fail_and_some_work() -> None:
    working = [each.slug for each in WORKFLOWS if each.story.startswith("Works:")]
    assert (len(WORKFLOWS), len(working)) == (15, 4)


@each_workflow
def test_connections_name_nodes(workflow: ShopWorkflow) -> None:
    document = workflow.workflow
    names = [node["name"] for node in document["nodes"]]
    assert len(set(names)) == len(names)
    targets = {link["node"] for outputs in document["connections"].values() for links in outputs["main"] for link in links}
    assert targets | set(document["connections"]) == set(names)


@each_workflow
def test_webhook_is_the_one_that_the_trigger_calls(workflow: ShopWorkflow) -> None:
    webhooks = [node["parameters"] for node in workflow.workflow["nodes"] if node["type"] == "n8n-nodes-base.webhook"]
    assert [(each["httpMethod"], each["path"]) for each in webhooks] == [(workflow.trigger["method"], workflow.trigger["path"])]


@each_workflow
def test_every_call_goes_to_the_shop(workflow: ShopWorkflow) -> None:
    for node in workflow.workflow["nodes"]:
        address = node["parameters"].get("url", f"127.0.0.1:{PORT}")
        assert re.match(rf"=?(http://)?127\.0\.0\.1:({PORT}|{CLOSED_PORT})", address), address


def test_order_without_email_is_refused(shop: Shop) -> None:
    reply = shop.answer("POST", "/orders", {"product": "Kettle"})
    assert (reply.status, reply.body["message"]) == (422, "The field 'email' is required.")


def test_fourth_call_in_a_second_is_refused(shop: Shop) -> None:
    statuses = [shop.answer("GET", "/stock/MUG-4", {}).status for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


def test_unevaluated_expression_is_no_invoice(shop: Shop) -> None:
    assert shop.answer("GET", "/invoices/%7B%7B%20$json.invoice%20%7D%7D", {}).status == 404
    assert shop.answer("GET", "/invoices/1042", {}).status == 200
