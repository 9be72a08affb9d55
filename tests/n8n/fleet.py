"""Fills an n8n with many workflows in the states that occur: tagged, published, changed since, archived."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.n8n.server import N8nRefused, N8nServer

TAGS = ("crm", "finance", "marketing", "shop", "stock", "support")
#: Workflows that only a call from outside starts can be published without doing anything by themselves.
QUIET_TRIGGERS = {"n8n-nodes-base.webhook", "n8n-nodes-base.formTrigger"}
CONCURRENT_CALLS = 8


@dataclass
class Fleet:
    """The ids of what was made, by state."""

    ids: list[str] = field(default_factory=list)
    tagged: list[str] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    changed_since: list[str] = field(default_factory=list)
    archived: list[str] = field(default_factory=list)


def read_documents(file: Path) -> list[dict[str, Any]]:
    """The workflows of a file with one JSON object a line."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def fill(n8n: N8nServer, documents: list[dict[str, Any]]) -> Fleet:
    """Create all documents, then give every fifth a tag, publish what is quiet, change some of it, archive others."""
    with ThreadPoolExecutor(CONCURRENT_CALLS) as pool:
        ids = list(pool.map(lambda document: n8n.create_workflow(document, publish=False), documents))
        tag_ids = [n8n.api("POST", "/tags", json={"name": name})["id"] for name in TAGS]
        tagged = ids[::5]
        for each in pool.map(lambda pair: tag(n8n, *pair), [(each, tag_ids[i % len(TAGS)]) for i, each in enumerate(tagged)]):
            assert each
        quiet = [pair for pair in zip(ids, documents, strict=True) if is_quiet(pair[1])]
        published = [each for each in pool.map(lambda pair: publish(n8n, pair[0]), quiet) if each]
        by_id = dict(quiet)
        changed = published[::3]
        list(pool.map(lambda each: change(n8n, each, by_id[each]), changed))
        taken = set(published)
        archived = [each for each in ids[::25] if each not in taken]
        list(pool.map(lambda each: n8n.api("POST", f"/workflows/{each}/archive"), archived))
    return Fleet(ids, tagged, published, changed, archived)


def tag(n8n: N8nServer, workflow_id: str, tag_id: str) -> bool:
    n8n.api("PUT", f"/workflows/{workflow_id}/tags", json=[{"id": tag_id}])
    return True


def is_quiet(document: dict[str, Any]) -> bool:
    """Whether every trigger of the workflow waits for a call."""
    triggers = {
        node["type"] for node in document["nodes"] if "trigger" in node["type"].lower() or "webhook" in node["type"].lower()
    }
    return bool(triggers) and triggers <= QUIET_TRIGGERS


def publish(n8n: N8nServer, workflow_id: str) -> str | None:
    """Publish; None where n8n refuses it (credentials that are not here, a path that another one uses)."""
    try:
        n8n.api("POST", f"/workflows/{workflow_id}/activate", json={})
    except N8nRefused:
        return None
    return workflow_id


def change(n8n: N8nServer, workflow_id: str, document: dict[str, Any]) -> None:
    """Save a draft that differs from what is published."""
    changed = json.loads(json.dumps(document))
    changed["nodes"][0]["notes"] = "changed after it was published"
    n8n.api(
        "PUT",
        f"/workflows/{workflow_id}",
        json={key: changed[key] for key in ("name", "nodes", "connections", "settings")},
        params={"publishIfActive": "false"},
    )


def all_workflows(n8n: N8nServer) -> Iterator[dict[str, Any]]:
    """What n8n itself lists, page by page."""
    cursor = None
    while True:
        parameters = {"limit": 250} | ({"cursor": cursor} if cursor else {})
        page = n8n.api("GET", "/workflows", params=parameters)
        yield from page["data"]
        cursor = page["nextCursor"]
        if not cursor:
            return
