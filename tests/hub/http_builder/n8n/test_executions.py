"""A failed HTTP Request node becomes a request, filled in from what its execution recorded and from nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from hub.contracts.actor import Actor
from hub.contracts.http import JsonBody
from hub.errors import Conflict, NotFound
from hub.executions.models import DetailState, Execution
from hub.extensions import db
from hub.http_builder.models import Request
from hub.http_builder.n8n.executions import draft_from_execution
from tests.hub.factories import make_execution, make_instance, make_workflow

Json = dict[str, Any]


def run(items: list[Json], source: str | None = None, **more: Any) -> Json:
    return {
        "source": [{"previousNode": source}] if source else [],
        "data": {"main": [[{"json": item} for item in items]]},
        **more,
    }


def make_failure(actor: Actor, parameters: Json, given: list[Json], item_index: int = 0) -> Execution:
    """An execution in which ``Fetch`` failed after ``Hook`` (one item) and ``List`` (``given``)."""
    node = {"name": "Fetch", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "parameters": parameters}
    nodes = [{"name": "Hook", "type": "n8n-nodes-base.webhook"}, {"name": "List", "type": "n8n-nodes-base.set"}, node]
    error = {"message": "404", "node": {"name": "Fetch"}, "context": {"itemIndex": item_index}}
    runs = {
        "Hook": [run([{"body": {"city": "Jeddah"}}])],
        "List": [run(given, "Hook")],
        "Fetch": [{"source": [{"previousNode": "List"}], "error": error}],
    }
    stored = {"data": {"resultData": {"error": error, "runData": runs}}, "workflowData": {"name": "Flow", "nodes": nodes}}
    execution = make_execution(
        make_workflow(make_instance(actor)),
        1,
        data=stored,
        error=error,
        error_node="Fetch",
        error_node_type="n8n-nodes-base.httpRequest",
        detail_state=DetailState.STORED,
    )
    db.session.commit()
    return execution


PARAMETERS: Json = {
    "method": "POST",
    "url": "=https://api.example.com/{{ $json.id }}/{{ $('Hook').item.json.body.city }}",
    "sendHeaders": True,
    "headerParameters": {
        "parameters": [{"name": "X-Api-Key", "value": "<SECRET_1>"}, {"name": "X-When", "value": "={{ $now.toISO() }}"}]
    },
    "sendBody": True,
    "specifyBody": "json",
    "jsonBody": "={{ $json.order }}",
}


def test_plain_reads_are_filled_in_for_the_item_that_failed(alice: Actor) -> None:
    given = [{"id": 1, "order": {"n": 1}}, {"id": 2, "order": {"n": 2, "name": "é"}}]
    execution = make_failure(alice, PARAMETERS, given, item_index=1)
    draft = draft_from_execution(alice, execution.id)
    definition = draft.definition
    assert definition.url == "https://api.example.com/2/Jeddah"
    assert definition.body == JsonBody(text='{"n": 2, "name": "é"}')
    assert definition.headers[-1].value == "={{ $now.toISO() }}"
    assert (draft.name, draft.secrets) == ("Fetch", {})
    notes = {note.code: note.details for note in draft.notes}
    assert notes == {"n8n-expression": {"place": "header X-When"}, "n8n-hidden": {"names": "X_API_KEY"}}


@pytest.mark.parametrize(
    "expression",
    [
        "={{ $json.missing }}",
        "={{ $json.id + 1 }}",
        "={{ $('Nobody').item.json.id }}",
        "={{ $json.secret }}",
        "={{ $json.braces }}",
    ],
)
def test_what_can_not_be_told_stays_an_expression(alice: Actor, expression: str) -> None:
    given = [{"id": 1, "secret": "<SECRET_2>", "braces": "{{NAME}}"}]
    draft = draft_from_execution(alice, make_failure(alice, {"url": expression}, given).id)
    assert draft.definition.url == expression
    assert [note.code for note in draft.notes] == ["n8n-expression"]


def test_other_nodes_and_strangers_are_refused(alice: Actor, bob: Actor) -> None:
    execution = make_failure(alice, PARAMETERS, [{"id": 1}])
    with pytest.raises(NotFound):
        draft_from_execution(bob, execution.id)
    with pytest.raises(NotFound):
        draft_from_execution(alice, execution.id, "Nobody")
    with pytest.raises(Conflict):
        draft_from_execution(alice, execution.id, "Hook")


def test_the_execution_page_leads_to_the_builder(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    execution = make_failure(alice, PARAMETERS, [{"id": 1, "order": {}}])
    browser = browser_of(alice)
    address = f"/executions/{execution.id}/request"
    assert f'action="{address}"' in browser.get(f"/executions/{execution.id}").text
    answer = browser.post(address)
    request = db.session.scalars(sa.select(Request)).one()
    assert answer.location == f"/requests/{request.id}"
    assert request.url == "https://api.example.com/1/Jeddah"
