"""Two thousand real workflows on a real n8n, synced: every name, tag and state right, and a second sync writes nothing."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.live_hub import LiveHub
from tests.n8n.fleet import Fleet, all_workflows, fill, read_documents
from tests.n8n.road import Person
from tests.n8n.server import N8nServer
from tests.plain_browser import Page

pytestmark = pytest.mark.n8n

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "n8n-workflows.jsonl.gz"
WATCHED = ("workflows", "workflow_versions", "executions")


@pytest.fixture(scope="module")
def fleet(n8n: N8nServer) -> Fleet:
    if not DATA.exists():
        pytest.skip("../shared/data is not here")
    return fill(n8n, read_documents(DATA))


@pytest.fixture(scope="module")
def person(hub: LiveHub) -> Person:
    person = Person(hub.url)
    assert person.register().status == 200
    return person


@pytest.fixture(scope="module")
def instance(person: Person, n8n: N8nServer, fleet: Fleet) -> Page:
    """The instance's page after its first sync."""
    page = person.connect("Fleet", n8n.url, n8n.api_key)
    return person.sync(page)


@pytest.fixture
def database(hub: LiveHub) -> Any:
    connection = sqlite3.connect(hub.folder / "hub.db", isolation_level=None)
    connection.row_factory = sqlite3.Row
    yield connection
    connection.close()


def test_every_workflow_is_as_n8n_lists_it(instance: Page, n8n: N8nServer, fleet: Fleet, database: sqlite3.Connection) -> None:
    listed = {each["id"]: state_in_n8n(each) for each in all_workflows(n8n)}
    stored = {row["n8n_id"]: state_in_hub(row) for row in database.execute("SELECT * FROM workflows")}
    assert len(listed) == len(fleet.ids)
    assert {key: (listed.get(key), stored.get(key)) for key in listed | stored if listed.get(key) != stored.get(key)} == {}


def test_the_fleet_has_every_state(instance: Page, fleet: Fleet, database: sqlite3.Connection) -> None:
    """Else the test above would prove less than it says."""
    rows = [state_in_hub(row) for row in database.execute("SELECT * FROM workflows")]
    counts = Counter(name for row in rows for name in ("active", "archived", "changed", "tagged") if row[name])
    assert counts == {
        "active": len(fleet.published),
        "archived": len(fleet.archived),
        "changed": len(fleet.changed_since),
        "tagged": len(fleet.tagged),
    }
    assert min(counts.values()) >= 20


def test_draft_and_live_are_kept_apart(instance: Page, n8n: N8nServer, fleet: Fleet, database: sqlite3.Connection) -> None:
    """The draft is the workflow's row; what runs is its newest LIVE version."""
    for n8n_id in fleet.changed_since[:20]:
        remote = n8n.api("GET", f"/workflows/{n8n_id}")
        row = database.execute("SELECT * FROM workflows WHERE n8n_id = ?", [n8n_id]).fetchone()
        live = database.execute(
            "SELECT * FROM workflow_versions WHERE workflow_id = ? AND kind = 'LIVE' ORDER BY created_at DESC LIMIT 1",
            [row["id"]],
        ).fetchone()
        notes = [node.get("notes") for node in json.loads(row["nodes"])]
        assert "changed after it was published" in notes
        assert "changed after it was published" not in [node.get("notes") for node in json.loads(live["nodes"])]
        assert names(json.loads(live["nodes"])) == names(remote["activeVersion"]["nodes"])


def test_second_sync_writes_no_row(instance: Page, person: Person, database: sqlite3.Connection) -> None:
    database.execute("CREATE TABLE watched_writes (what TEXT)")
    for table in WATCHED:
        for action in ("INSERT", "UPDATE", "DELETE"):
            database.execute(
                f"CREATE TRIGGER watch_{table}_{action} AFTER {action} ON {table} "
                f"BEGIN INSERT INTO watched_writes VALUES ('{action} {table}'); END"
            )
    before = database.execute("SELECT last_sync FROM instances").fetchone()[0]
    person.sync(instance)
    assert database.execute("SELECT last_sync FROM instances").fetchone()[0] > before
    assert [row["what"] for row in database.execute("SELECT what FROM watched_writes")] == []


def state_in_n8n(workflow: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": workflow["name"],
        "tags": sorted(tag["name"] for tag in workflow["tags"] or []),
        "active": workflow["active"],
        "archived": workflow["isArchived"],
        "changed": bool(workflow["activeVersionId"]) and workflow["activeVersionId"] != workflow["versionId"],
        "tagged": bool(workflow["tags"]),
        "nodes": names(workflow["nodes"]),
    }


def state_in_hub(row: sqlite3.Row) -> dict[str, Any]:
    tags = json.loads(row["tags"] or "[]")
    return {
        "name": row["name"],
        "tags": sorted(tags),
        "active": bool(row["active"]),
        "archived": bool(row["is_archived"]),
        "changed": bool(row["active_version_id"]) and row["active_version_id"] != row["version_id"],
        "tagged": bool(tags),
        "nodes": names(json.loads(row["nodes"])),
    }


def names(nodes: list[dict[str, Any]]) -> list[str]:
    return sorted(node["name"] for node in nodes)
