"""What pages cost the database, counted: at most 6 queries for a list, at most 12 for any other page."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException

from hub.analyses.services import analyze_execution
from hub.contracts.actor import Actor
from hub.executions.models import ExecutionStatus
from hub.executions.services import import_execution
from hub.instances.models import Instance
from hub.sample import read_sample
from tests.plain_browser import read_page

LIST_QUERIES, PAGE_QUERIES = 6, 12
EXAMPLES = 2
SITE = "http://localhost"


@pytest.fixture
def filled(session: Any, alice: Actor) -> Actor:
    """Alice with the sample's executions as if they were her own instance's."""
    instance = Instance(user_id=alice.user_id, name="Shop", url="https://n8n.example.com", api_key="sealed")
    session.add(instance)
    session.commit()
    for recording in read_sample(datetime.now(UTC)):
        execution = import_execution(instance, recording["execution"] | {"workflowData": recording["workflow"]})
        if execution.status is ExecutionStatus.FAILED:
            failed = execution.id
    analyze_execution(alice, failed)
    return alice


def test_no_page_asks_more_than_it_may(app: Flask, filled: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    costs = measure(app, browser_of(filled))
    print("\n".join(f"{endpoint:28} {queries:3} queries  {path}" for endpoint, path, queries in costs))
    assert {"dashboard.index", "executions.show", "workflows.show", "analyses.show", "instances.show"} <= {
        endpoint for endpoint, _, _ in costs
    }
    lists = {endpoint for endpoint, _, _ in costs if endpoint.endswith(".index")} - {"dashboard.index"}
    assert [cost for cost in costs if cost[2] > (LIST_QUERIES if cost[0] in lists else PAGE_QUERIES)] == []


def measure(app: Flask, browser: FlaskClient) -> list[tuple[str, str, int]]:
    """(endpoint, path, queries) of every page that links lead to, from the first page on."""
    routes = app.url_map.bind("localhost")
    costs: list[tuple[str, str, int]] = []
    waiting, seen = deque(["/"]), {"/"}
    while waiting:
        path = waiting.popleft()
        try:
            endpoint = routes.match(path.partition("?")[0])[0]
        except HTTPException:
            continue
        if endpoint == "static" or sum(cost[0] == endpoint for cost in costs) >= EXAMPLES:
            continue
        with counted() as statements:
            reply = browser.get(path, base_url=SITE)
        if "html" not in (reply.content_type or ""):
            continue
        costs.append((endpoint, path, len(statements)))
        for address, _ in read_page(SITE + path, reply.status_code, reply.text).links:
            parts = urlsplit(address)
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            if address.startswith(SITE) and target not in seen:
                seen.add(target)
                waiting.append(target)
    return costs


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that reach the database in the meantime; savepoints are of the tests."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            statements.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
