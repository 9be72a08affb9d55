"""The demo's workflows: data files with a story, a document for n8n, and the webhook call that starts it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.demo.n8n_server import N8nServer
from hub.demo.shop import CLOSED_PORT, PORT

FOLDER = Path(__file__).parent / "workflows"


@dataclass(frozen=True)
class ShopWorkflow:
    """One workflow of the demo. `runs` says how often it is started."""

    slug: str
    story: str
    tags: list[str]
    runs: int
    trigger: dict[str, Any]
    workflow: dict[str, Any]


def read_workflows(port: int = PORT, closed_port: int = CLOSED_PORT) -> list[ShopWorkflow]:
    """All workflows of the demo, by file name, for a shop on `port`; nothing listens on `closed_port`."""
    ports = {f":{PORT}": f":{port}", f":{CLOSED_PORT}": f":{closed_port}"}
    return [
        ShopWorkflow(
            slug=path.stem, **json.loads(re.sub(r"(?<=127\.0\.0\.1):\d+", lambda found: ports[found[0]], path.read_text()))
        )
        for path in sorted(FOLDER.glob("*.json"))
    ]


def create_workflows(n8n: N8nServer, workflows: list[ShopWorkflow]) -> dict[str, str]:
    """Create, tag and publish the workflows; n8n's ids by slug."""
    tag_ids: dict[str, str] = {}
    ids = {}
    for each in workflows:
        for tag in each.tags:
            if tag not in tag_ids:
                tag_ids[tag] = n8n.api("POST", "/tags", json={"name": tag})["id"]
        ids[each.slug] = n8n.create_workflow(each.workflow)
        n8n.api("PUT", f"/workflows/{ids[each.slug]}/tags", json=[{"id": tag_ids[tag]} for tag in each.tags])
    return ids


def run_workflows(
    n8n: N8nServer, workflows: list[ShopWorkflow], ids: dict[str, str]
) -> Iterator[tuple[ShopWorkflow, dict[str, Any]]]:
    """Start every workflow as often as it says, in turns, and yield the executions as they end."""
    for turn in range(max(each.runs for each in workflows)):
        for each in workflows:
            if turn < each.runs:
                yield each, n8n.run_webhook(ids[each.slug], each.trigger)
