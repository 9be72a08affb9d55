"""The main road on a real n8n from the command line alone: no web server and no worker runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.demo.shop import Shop
from hub.demo.shop_workflows import create_workflows, read_workflows, run_workflows
from tests.live_hub import LiveHub
from tests.n8n.server import N8nServer, free_port

pytestmark = pytest.mark.n8n


@pytest.fixture
def shop() -> Iterator[Shop]:
    server = Shop(free_port())
    server.start()
    yield server
    server.shutdown()
    server.server_close()


def test_the_road(n8n: N8nServer, shop: Shop, tmp_path: Path) -> None:
    workflows = [each for each in read_workflows(port=shop.server_port, closed_port=free_port()) if each.slug == "order-intake"]
    ids = create_workflows(n8n, workflows)
    assert {execution["status"] for _, execution in run_workflows(n8n, workflows, ids)} == {"error"}
    hub = LiveHub(tmp_path / "hub", {"HUB_SAMPLE": "false", "HUB_NEW_PLAN": "ENTERPRISE"})
    hub.folder.mkdir()

    hub.command("db", "upgrade")
    hub.command("user", "create", "rana@example.com", "--password-stdin", text="a long enough password\n")
    assert "ok    API key" in hub.command("instance", "add", "Shop", n8n.url, text=f"{n8n.api_key}\n")
    assert re.search(r"Shop: .*1 workflows, \d+ executions", hub.command("sync", "Shop"))

    failed = hub.command("execution", "list", "--instance", "Shop", "--status", "failed").splitlines()
    explained = hub.command("execution", "analyze", failed[0].split()[0])
    assert "Cause: wrong-field-path" in explained
    assert "+={{ $json.body.email }}" in explained
    applied = re.search(r"hub (repair \w+ 1)\n", explained)
    assert applied, explained
    before = n8n.api("GET", f"/workflows/{ids['order-intake']}")
    assert "APPLIED, verified" in hub.command(*applied[1].split(), "--yes")

    after = n8n.api("GET", f"/workflows/{ids['order-intake']}")
    assert after["activeVersionId"] not in (None, before["activeVersionId"])
    newest = n8n.newest_execution(ids["order-intake"])
    assert newest
    assert newest["status"] == "success"
    assert n8n.api_key not in explained + applied[0]
