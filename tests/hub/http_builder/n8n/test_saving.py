"""Saving a request into a workflow, against an n8n that is played: real ones are in tests/n8n."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Self

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from hub.audit.models import AuditLog
from hub.contracts.actor import Actor
from hub.contracts.http import RequestDefinition, RequestDraft
from hub.errors import Conflict, Invalid, NotFound, Unavailable
from hub.extensions import db
from hub.http_builder.models import Request
from hub.http_builder.n8n import saving
from hub.http_builder.n8n.models import NodeSave, SaveState
from hub.http_builder.n8n.placing import Target
from hub.http_builder.n8n.saving import Wish, credential_choices, get_save, preview_save, save_to_n8n, undo_save
from hub.http_builder.services import create_request
from hub.instances.errors import Forbidden, Rejected, TimedOut
from hub.workflows.ingest import store_workflows
from hub.workflows.models import Workflow
from tests.hub.api.conftest import Program
from tests.hub.factories import make_instance, make_workflow

Json = dict[str, Any]


def node(name: str, kind: str, **more: Any) -> Json:
    return {
        "id": name,
        "name": name,
        "type": f"n8n-nodes-base.{kind}",
        "typeVersion": 4.2,
        "position": [0, 0],
        "parameters": {},
        **more,
    }


def links(target: str) -> Json:
    return {"main": [[{"node": target, "type": "main", "index": 0}]]}


class PlayedN8n:
    """One workflow with drafts and versions; ``fail`` is raised by the named call."""

    def __init__(self) -> None:
        fetch = node("Fetch", "httpRequest", credentials={"httpBearerAuth": {"id": "c1", "name": "Shop"}})
        fetch["parameters"] = {
            "url": "https://old.example",
            "authentication": "genericCredentialType",
            "genericAuthType": "httpBearerAuth",
        }
        nodes = [node("Start", "manualTrigger"), fetch, node("End", "noOp")]
        self.workflow: Json = {
            "id": "7",
            "name": "Orders",
            "nodes": nodes,
            "connections": {"Start": links("Fetch"), "Fetch": links("End")},
            "settings": {},
            "active": True,
            "versionId": "v1",
            "activeVersionId": "v1",
        }
        self.workflow["activeVersion"] = self._version()
        self.drafts = True
        self.fail: dict[str, Exception] = {}
        self.keeps_anyway = False

    def _version(self) -> Json:
        kept = copy.deepcopy({key: self.workflow[key] for key in ("nodes", "connections")})
        return {**kept, "versionId": self.workflow["versionId"]}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def features(self) -> SimpleNamespace:
        return SimpleNamespace(publish_if_active=self.drafts)

    def get_workflow(self, _workflow_id: str) -> Json:
        self._may("get")
        return copy.deepcopy(self.workflow)

    def update_workflow(self, _workflow_id: str, document: Json, *, publish_if_active: bool) -> Json:
        if not self.keeps_anyway:
            self._may("update")
        self.workflow.update(copy.deepcopy(document), versionId=f"v{int(self.workflow['versionId'][1:]) + 1}")
        if publish_if_active:
            self.publish_workflow("7")
        self._may("update")
        return self.workflow

    def publish_workflow(self, _workflow_id: str, _version_id: str | None = None) -> Json:
        self._may("publish")
        self.workflow.update(active=True, activeVersionId=self.workflow["versionId"], activeVersion=self._version())
        return self.workflow

    def _may(self, call: str) -> None:
        if call in self.fail:
            raise self.fail[call]

    def named(self, name: str) -> Json:
        found: Json = next(node for node in self.workflow["nodes"] if node["name"] == name)
        return found


@pytest.fixture
def n8n(monkeypatch: pytest.MonkeyPatch) -> PlayedN8n:
    played = PlayedN8n()
    monkeypatch.setattr(saving, "open_client", lambda _instance: played)
    return played


@pytest.fixture
def workflow(alice: Actor, n8n: PlayedN8n) -> Workflow:
    instance = make_instance(alice)
    store_workflows(instance.id, [n8n.workflow])
    db.session.commit()
    return db.session.scalars(sa.select(Workflow)).one()


@pytest.fixture
def request_(alice: Actor) -> Request:
    definition = RequestDefinition.model_validate(
        {
            "method": "POST",
            "url": "https://shop.example/{{CITY}}",
            "auth": {"type": "bearer", "token": "sk-live-123456"},
            "variables": [{"name": "CITY", "value": "Jeddah"}],
        }
    )
    return create_request(alice, RequestDraft(name="Order", definition=definition))


INTO_FETCH = Wish(Target(node="Fetch"))
AFTER_FETCH = Wish(Target(after="Fetch", name="Order"))


def save(actor: Actor, request: Request, workflow: Workflow, wish: Wish) -> NodeSave:
    preview = preview_save(actor, request.id, workflow.id, wish)
    assert preview.digest, preview.obstacle
    return save_to_n8n(actor, request.id, workflow.id, wish, preview.digest)


def test_a_preview_changes_nothing_and_shows_no_secret(
    alice: Actor, n8n: PlayedN8n, workflow: Workflow, request_: Request
) -> None:
    n8n.named("Fetch")["parameters"]["sendHeaders"] = True
    n8n.named("Fetch")["parameters"]["headerParameters"] = {"parameters": [{"name": "X-Api-Key", "value": "planted-secret-1"}]}
    before = copy.deepcopy(n8n.workflow)
    preview = preview_save(alice, request_.id, workflow.id, INTO_FETCH)
    assert n8n.workflow == before
    assert "planted-secret-1" not in str(preview)
    assert "sk-live-123456" not in str(preview)
    assert {(change.kind, change.node) for change in preview.differences} >= {("node", "Fetch"), ("new-node", "Variables")}


def test_a_save_keeps_what_the_request_says_nothing_about(
    alice: Actor, n8n: PlayedN8n, workflow: Workflow, request_: Request
) -> None:
    saved = save(alice, request_, workflow, INTO_FETCH)
    fetch = n8n.named("Fetch")
    assert fetch["parameters"]["url"] == "=https://shop.example/{{ $('Variables').item.json.CITY }}"
    assert (fetch["id"], fetch["credentials"]) == ("Fetch", {"httpBearerAuth": {"id": "c1", "name": "Shop"}})
    assert n8n.workflow["connections"] == {"Start": links("Variables"), "Fetch": links("End"), "Variables": links("Fetch")}
    assert (saved.state, saved.version_id, saved.went_live, saved.is_new) == (SaveState.SAVED, "v2", False, False)
    assert n8n.workflow["activeVersionId"] == "v1"
    assert "sk-live-123456" not in str(n8n.workflow)
    events = db.session.scalars(sa.select(AuditLog).where(AuditLog.action == "request.save_to_n8n")).all()
    assert [(event.resource_id, event.details["node"]) for event in events] == [(request_.id, "Fetch")]
    assert "sk-live" not in saved.changes


@pytest.mark.parametrize("wish", [INTO_FETCH, AFTER_FETCH, Wish(Target(name="Order"))])
@pytest.mark.parametrize("live", [False, True])
def test_taking_back_gives_what_was_there(
    alice: Actor, n8n: PlayedN8n, workflow: Workflow, request_: Request, wish: Wish, live: bool
) -> None:
    before = copy.deepcopy(n8n.workflow)
    saved = save(alice, request_, workflow, Wish(wish.target, live=live))
    assert saved.went_live is live
    assert (n8n.workflow["activeVersion"]["nodes"] != before["nodes"]) is live
    undone = undo_save(alice, saved.id)
    assert (undone.state, undone.problem) == (SaveState.UNDONE, None)
    for key in ("nodes", "connections", "settings"):
        assert n8n.workflow[key] == before[key]
    assert n8n.workflow["activeVersion"]["nodes"] == before["nodes"]
    with pytest.raises(Conflict):
        undo_save(alice, saved.id)


def test_what_others_did_since_stays(alice: Actor, n8n: PlayedN8n, workflow: Workflow, request_: Request) -> None:
    saved = save(alice, request_, workflow, INTO_FETCH)
    n8n.named("End")["notes"] = "theirs"
    n8n.named("Fetch")["position"] = [900, 900]
    undo_save(alice, saved.id)
    assert n8n.named("End")["notes"] == "theirs"
    assert n8n.named("Fetch")["position"] == [900, 900]
    assert n8n.named("Fetch")["parameters"]["url"] == "https://old.example"


def test_a_node_that_was_changed_since_is_not_taken_back(
    alice: Actor, n8n: PlayedN8n, workflow: Workflow, request_: Request
) -> None:
    saved = save(alice, request_, workflow, AFTER_FETCH)
    n8n.workflow["connections"]["Order"] = links("End")
    after = copy.deepcopy(n8n.workflow)
    with pytest.raises(Conflict, match="Order"):
        undo_save(alice, saved.id)
    assert n8n.workflow == after
    del n8n.workflow["connections"]["Order"]
    n8n.named("Order")["disabled"] = True
    with pytest.raises(Conflict, match="Order"):
        undo_save(alice, saved.id)


@pytest.mark.parametrize("change", ["workflow", "request"])
def test_what_was_not_shown_is_not_saved(
    alice: Actor, n8n: PlayedN8n, workflow: Workflow, request_: Request, change: str
) -> None:
    preview = preview_save(alice, request_.id, workflow.id, INTO_FETCH)
    if change == "workflow":
        n8n.named("End")["notes"] = "theirs"
    else:
        db.session.get_one(Request, request_.id).url = "https://other.example"
    before = copy.deepcopy(n8n.workflow)
    with pytest.raises(Conflict):
        save_to_n8n(alice, request_.id, workflow.id, INTO_FETCH, str(preview.digest))
    assert n8n.workflow == before


def test_an_n8n_without_drafts_puts_live_only_what_is_to_go_live(
    alice: Actor, n8n: PlayedN8n, workflow: Workflow, request_: Request
) -> None:
    n8n.drafts = False
    assert preview_save(alice, request_.id, workflow.id, INTO_FETCH).obstacle is not None
    saved = save(alice, request_, workflow, Wish(INTO_FETCH.target, live=True))
    assert saved.went_live
    undo_save(alice, saved.id)
    assert n8n.named("Fetch")["parameters"]["url"] == "https://old.example"


def test_the_draft_of_others_is_warned_of_and_not_published_on_the_way_back(
    alice: Actor, n8n: PlayedN8n, workflow: Workflow, request_: Request
) -> None:
    n8n.named("End")["notes"] = "a draft of theirs"
    wish = Wish(INTO_FETCH.target, live=True)
    assert len(preview_save(alice, request_.id, workflow.id, wish).warnings) == 1
    saved = save(alice, request_, workflow, wish)
    n8n.named("End")["notes"] = "another draft"
    assert undo_save(alice, saved.id).problem == "live-keeps-it"
    assert next(n for n in n8n.workflow["activeVersion"]["nodes"] if n["name"] == "End")["notes"] == "a draft of theirs"


def test_a_refusal_is_told_and_leaves_nothing_to_take_back(
    alice: Actor, n8n: PlayedN8n, workflow: Workflow, request_: Request
) -> None:
    n8n.fail["update"] = Rejected("request/body is odd", 400, {})
    saved = save(alice, request_, workflow, INTO_FETCH)
    assert (saved.state, saved.problem, saved.message) == (SaveState.REFUSED, "n8n-refused", "request/body is odd")
    with pytest.raises(Conflict):
        undo_save(alice, saved.id)


@pytest.mark.parametrize("arrived", [True, False])
def test_an_answer_that_never_came_is_found_out_on_the_way_back(
    alice: Actor, n8n: PlayedN8n, workflow: Workflow, request_: Request, arrived: bool
) -> None:
    n8n.fail["update"], n8n.keeps_anyway = TimedOut(host="n8n.example", seconds=30.0), arrived
    saved = save(alice, request_, workflow, INTO_FETCH)
    assert (saved.state, saved.problem) == (SaveState.SAVING, "no-answer")
    n8n.fail.clear()
    assert undo_save(alice, saved.id).problem == (None if arrived else "was-not-there")
    assert n8n.named("Fetch")["parameters"]["url"] == "https://old.example"


def test_a_key_that_may_not_publish_leaves_a_draft(alice: Actor, n8n: PlayedN8n, workflow: Workflow, request_: Request) -> None:
    n8n.fail["publish"] = Forbidden({}, message="needs workflow:activate")
    saved = save(alice, request_, workflow, Wish(INTO_FETCH.target, live=True))
    assert (saved.state, saved.problem, saved.went_live) == (SaveState.SAVED, "not-published", False)


def test_trouble_before_anything_is_saved_is_said(alice: Actor, n8n: PlayedN8n, workflow: Workflow, request_: Request) -> None:
    with pytest.raises(Invalid):
        preview_save(alice, request_.id, workflow.id, Wish(Target(node="Gone")))
    n8n.workflow["isArchived"] = True
    assert preview_save(alice, request_.id, workflow.id, INTO_FETCH).obstacle is not None
    n8n.fail["get"] = TimedOut(host="n8n.example", seconds=30.0)
    with pytest.raises(Unavailable):
        preview_save(alice, request_.id, workflow.id, INTO_FETCH)


def test_nothing_is_offered_twice(alice: Actor, n8n: PlayedN8n, workflow: Workflow, request_: Request) -> None:
    save(alice, request_, workflow, INTO_FETCH)
    preview = preview_save(alice, request_.id, workflow.id, INTO_FETCH)
    assert (preview.digest, preview.differences) == (None, ())


def test_credentials_of_the_needed_type_are_offered(alice: Actor, workflow: Workflow, request_: Request) -> None:
    assert [(known.id, known.type) for known in credential_choices(alice, request_.id, workflow.id)] == [("c1", "httpBearerAuth")]


def test_a_stranger_finds_nothing(alice: Actor, bob: Actor, n8n: PlayedN8n, workflow: Workflow, request_: Request) -> None:
    saved = save(alice, request_, workflow, INTO_FETCH)
    for attempt in (
        lambda: preview_save(bob, request_.id, workflow.id, INTO_FETCH),
        lambda: get_save(bob, saved.id),
        lambda: undo_save(bob, saved.id),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_only_what_can_be_saved_into_is_offered(
    alice: Actor, workflow: Workflow, request_: Request, browser_of: Callable[[Actor], FlaskClient]
) -> None:
    sample = make_instance(alice, "Sample shop", is_sample=True)
    rehearsed = make_workflow(sample, "Rehearsed")
    page = browser_of(alice).get(f"/requests/{request_.id}/n8n").text
    assert f"/{workflow.id}" in page
    assert rehearsed.id not in page
    assert sample.name not in page


def test_the_pages_lead_from_the_request_to_n8n_and_back(
    alice: Actor, n8n: PlayedN8n, workflow: Workflow, request_: Request, browser_of: Callable[[Actor], FlaskClient]
) -> None:
    browser = browser_of(alice)
    start = f"/requests/{request_.id}/n8n"
    page = browser.get(start).text
    assert f"{start}/{workflow.id}" in page
    assert "httpBearerAuth" in page
    assert "sk-live-123456" not in page
    assert "Fetch" in browser.get(f"{start}/{workflow.id}").text
    chosen = {"node": "Fetch", "name": "", "credential": "c1"}
    shown = browser.get(f"{start}/{workflow.id}", query_string={**chosen, "preview": "1"}).text
    digest = shown.partition('name="digest" value="')[2].partition('"')[0]
    assert len(digest) == 64
    stale = browser.post(f"{start}/{workflow.id}", data={**chosen, "digest": "0" * 64})
    assert stale.status_code == 409
    assert digest in stale.text
    done = browser.post(f"{start}/{workflow.id}", data={**chosen, "digest": digest})
    assert done.status_code == 303
    saved = browser.get(done.location).text
    assert "Saved as a draft" in saved
    assert browser.post(f"{done.location}/undo").status_code == 303
    assert "The workflow is as it was before" in browser.get(done.location).text
    nameless = browser.get(f"{start}/{workflow.id}", query_string={"preview": "1"})
    assert nameless.status_code == 422
    assert "Enter a name" in nameless.text


def test_the_api_leads_there_too(program: Program, n8n: PlayedN8n, workflow: Workflow, request_: Request) -> None:
    path = f"/requests/{request_.id}/n8n/{workflow.id}"
    credentials = program.get(f"{path}/credentials")["data"]
    assert credentials == [{"id": "c1", "type": "httpBearerAuth", "name": "Shop"}]
    wish = {"node": "Fetch", "credentialId": "c1"}
    preview = program.call("POST", f"{path}/preview", json=wish).json
    assert preview["differences"]
    before = copy.deepcopy(n8n.workflow)
    assert program.call("POST", path, json={**wish, "digest": "0" * 64}).status_code == 409
    assert n8n.workflow == before
    saved = program.call("POST", path, json={**wish, "digest": preview["digest"]})
    assert (saved.status_code, saved.json["state"], saved.json["node"]) == (201, "SAVED", "Fetch")
    assert program.get(saved.headers["Location"].removeprefix("/api/v1")) == saved.json
    undone = program.call("POST", f"/n8n-saves/{saved.json['id']}/undo").json
    assert undone["state"] == "UNDONE"
    assert program.get(f"/requests/{request_.id}/n8n-saves")["data"] == [undone]
    assert program.call("POST", f"{path}/preview", json={"name": ""}).status_code == 422
