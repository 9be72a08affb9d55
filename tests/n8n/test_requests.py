"""Requests of the hub as nodes of a real n8n: it sends what the hub sends; a save into a live workflow works and goes back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from hub.analyses.patches import document_of
from hub.contracts.actor import Actor
from hub.contracts.http import (
    DigestAuth,
    OAuth2ClientCredentials,
    OAuth2Code,
    Pair,
    RequestDefinition,
    RequestDraft,
)
from hub.egress import EgressPolicy, send_exchange
from hub.errors import Conflict
from hub.extensions import db
from hub.http_builder.n8n.models import NodeSave, SaveState
from hub.http_builder.n8n.node import build_node
from hub.http_builder.n8n.placing import CredentialReference, Target, place_request
from hub.http_builder.n8n.saving import Wish, preview_save, save_to_n8n, undo_save
from hub.http_builder.rendering import Scope, Value, Values, prepare
from hub.http_builder.services import create_request
from hub.instances.services import create_instance
from hub.workflows.ingest import ingest_workflows
from hub.workflows.models import Workflow
from tests.n8n.echo import Echo, Received
from tests.n8n.nodes import FILE, links, make_credential, node, problem_of, run_workflow, workflow_with_file
from tests.n8n.server import N8nServer

pytestmark = pytest.mark.n8n

Json = dict[str, Any]
SECRET = "sk_test_0123456789"
#: Texts that break a careless conversion.
NASTY = 'a "quoted" \\ back\\\\slash, {curly} }} and é/&=?+ line'
VALUES = {"PLAIN": "plain value", "NASTY": NASTY, "NUMBER": "42", "dotted.name": "dots"}


@dataclass(frozen=True)
class Case:
    """A definition whose address leads to ``{base}/<name>``, and what a credential in n8n has to hold."""

    definition: Json
    credential: Json = field(default_factory=dict)


def json_body(text: str) -> Json:
    return {"kind": "json", "text": text}


def pairs(*rows: tuple[str, str]) -> list[Json]:
    return [{"name": name, "value": value} for name, value in rows]


TOKEN_URL = "{base}/token"
CASES: dict[str, Case] = {
    "plain": Case({"url": "{base}/plain/a%20b/c?x=1,2;3&y=%2F"}),
    "every-parameter": Case({"params": pairs(("q", "a b&c=d/é:[]@!$'()*,;+#%"), ("empty", ""), ("c[d]", "1"))}),
    "twice": Case({"params": pairs(("a", "1"), ("b", "2"), ("a", "3 4"), ("a", ""))}),
    "switched-off": Case({"params": [*pairs(("a", "1")), {"name": "b", "value": "2", "enabled": False}]}),
    "headers": Case({"headers": pairs(("X-Plain", "one, two"), ("X-Var", "v-{{PLAIN}}"), ("Accept", "application/vnd.x+json"))}),
    "equals-sign": Case({"params": pairs(("formula", "=SUM(A1)")), "headers": pairs(("X-Formula", "=1+1"))}),
    "variables": Case({"url": "{base}/variables/{{NUMBER}}/{{dotted.name}}", "params": pairs(("n{{NUMBER}}", "{{NASTY}}"))}),
    "json": Case({"method": "POST", "body": json_body('{"a": 1.5, "list": [true, null, "é\\n"], "o": {"k": "}}"}}')}),
    "json-list": Case({"method": "PUT", "body": json_body("[1, 2]")}),
    "json-text": Case({"method": "POST", "body": json_body('"only a text"')}),
    "json-large": Case({"method": "POST", "body": json_body('{"id": 12345678901234567890, "a": 1}')}),
    "json-type": Case(
        {"method": "PATCH", "headers": pairs(("Content-Type", "application/vnd.api+json")), "body": json_body('{"a": 1}')}
    ),
    "json-variables": Case(
        {"method": "POST", "body": json_body('{"s": "x {{NASTY}} y\\\\n", "n": {{NUMBER}}, "deep": {"v":{{NUMBER}}}}')}
    ),
    "json-delete": Case({"method": "DELETE", "body": json_body('{"a": 1}')}),
    "json-get": Case({"method": "GET", "body": json_body('{"query": {"match_all": {}}}')}),
    "form": Case(
        {"method": "POST", "body": {"kind": "form", "fields": pairs(("a b", "c&d=é*~"), ("m[k]", "{{NASTY}}"), ("e", ""))}}
    ),
    "form-twice": Case(
        {"method": "POST", "body": {"kind": "form", "fields": pairs(("a", "1"), ("a", "x {{NASTY}}"), ("b", "=2"))}}
    ),
    "multipart": Case(
        {"method": "POST", "body": {"kind": "multipart", "parts": pairs(("a", "1"), ("a", "2 {{PLAIN}}"), ("é", "="))}}
    ),
    "multipart-file": Case(
        {
            "method": "POST",
            "body": {"kind": "multipart", "parts": [*pairs(("a", "1")), {"name": "f", "is_file": True, "file_id": "file"}]},
        }
    ),
    "binary": Case({"method": "PUT", "body": {"kind": "binary", "file_id": "file", "content_type": "text/plain"}}),
    "raw": Case(
        {
            "method": "POST",
            "body": {"kind": "raw", "text": "line 1\n {{PLAIN}} \\\\ {{ no name }} end\\\\", "content_type": "text/csv"},
        }
    ),
    "raw-equals": Case(
        {"method": "POST", "body": {"kind": "raw", "text": "=not an expression }} {", "content_type": "text/plain"}}
    ),
    "xml": Case({"method": "POST", "body": {"kind": "xml", "text": "<a b='c'>é {{PLAIN}}</a>"}}),
    "graphql": Case(
        {
            "method": "POST",
            "body": {
                "kind": "graphql",
                "query": 'query Q($n: Int) {\n  shop(first: $n, like: "a\\"b") { name }\n}',
                "variables": '{"n": {{NUMBER}}, "t": "{{NASTY}}"}',
                "operation_name": "Q",
            },
        }
    ),
    "head": Case({"method": "HEAD"}),
    "options": Case({"method": "OPTIONS"}),
    "no-redirects": Case({"settings": {"follow_redirects": False, "timeout_seconds": 5, "verify_tls": False}}),
    "basic": Case(
        {"auth": {"type": "basic", "username": "us:er".replace(":", "-"), "password": "{{SECRET}}"}},
        {"user": "us-er", "password": SECRET},
    ),
    "bearer": Case({"auth": {"type": "bearer", "token": "{{SECRET}}"}}, {"token": SECRET}),
    "bot": Case(
        {"auth": {"type": "bearer", "token": "{{SECRET}}", "prefix": "Bot"}}, {"name": "Authorization", "value": f"Bot {SECRET}"}
    ),
    "header-key": Case({"auth": {"type": "api-key", "name": "X-Key", "value": "{{SECRET}}"}}, {"name": "X-Key", "value": SECRET}),
    "query-key": Case(
        {"auth": {"type": "api-key", "name": "key", "value": "{{SECRET}}", "place": "query"}, "params": pairs(("a", "1"))},
        {"name": "key", "value": SECRET},
    ),
    "secret-header": Case({"headers": pairs(("X-Auth", "{{SECRET}}"), ("X-B", "b"))}, {"name": "X-Auth", "value": SECRET}),
    "digest": Case({"auth": {"type": "digest", "username": "u", "password": "{{SECRET}}"}}, {"user": "u", "password": SECRET}),
    "oauth2": Case(
        {"auth": {"type": "oauth2-client-credentials", "token_url": TOKEN_URL, "client_id": "c", "client_secret": "{{SECRET}}"}},
        {
            "grantType": "clientCredentials",
            "accessTokenUrl": TOKEN_URL,
            "clientId": "c",
            "clientSecret": SECRET,
            "scope": "",
            "authUrl": "",
        },
    ),
}


def with_base(value: Any, base: str) -> Any:
    """The same with the service's address filled in."""
    if isinstance(value, dict):
        return {key: with_base(entry, base) for key, entry in value.items()}
    if isinstance(value, list):
        return [with_base(entry, base) for entry in value]
    return value.replace("{base}", base) if isinstance(value, str) else value


def make_definition(name: str, case: Case, base: str) -> RequestDefinition:
    return RequestDefinition.model_validate({"url": f"{base}/{name}", **with_base(case.definition, base)})


def known_values(hosts: tuple[str, ...]) -> Values:
    plain = [Value(name, text, scope=Scope.USER) for name, text in VALUES.items()]
    return Values([*plain, Value("SECRET", SECRET, True, hosts, Scope.REQUEST)])


def send_from_hub(definition: RequestDefinition, hosts: tuple[str, ...]) -> None:
    token = "token-1" if isinstance(definition.auth, OAuth2ClientCredentials | OAuth2Code) else None
    prepared = prepare(definition, known_values(hosts), files={"file": FILE}, token=token)
    send_exchange(EgressPolicy(loopback=True), prepared.wire, prepared.limits)


def run_in_n8n(n8n: N8nServer, name: str, definitions: dict[str, tuple[RequestDefinition, CredentialReference | None]]) -> Json:
    """Execute all of them in one workflow; what each node's run says."""
    workflow = workflow_with_file(name)
    for case, (definition, credential) in definitions.items():
        target = Target(after="File", name=case)
        values = {**VALUES, **{row.name: row.value for row in definition.variables}}
        placed = place_request(workflow, definition, target, credential=credential, secret_names={"SECRET"}, values=values)
        workflow = placed.document
    return run_workflow(n8n, workflow)


def test_n8n_sends_what_the_hub_sends(n8n: N8nServer, echo: Echo) -> None:
    definitions = {}
    for name, case in CASES.items():
        definition = make_definition(name, case, echo.url)
        built = build_node(definition, secret_names={"SECRET"})
        credential = None
        if built.credential is not None:
            credential = make_credential(n8n, built.credential.types[-1], name, with_base(case.credential, echo.url))
        definitions[name] = (definition, credential)
    runs = run_in_n8n(n8n, "all-cases", definitions)
    assert SECRET not in json.dumps([entry[0].model_dump(mode="json") for entry in definitions.values()])
    differences = {}
    for name, (definition, _) in definitions.items():
        sent_by_n8n = echo.take(name)
        send_from_hub(definition, (echo.authority,))
        sent_by_hub = echo.take(name)
        if not sent_by_n8n:
            differences[name] = problem_of(runs[name])
            continue
        theirs, ours = sent_by_n8n[-1].meaning(), sent_by_hub[-1].meaning()
        if isinstance(definition.auth, DigestAuth):  # the hub's answer to the challenge is tested with the runner
            assert 'username="u"' in dict(theirs.pop("headers"))["authorization"]
            ours.pop("headers")
        if theirs != ours:
            differences[name] = {key: (theirs[key], ours[key]) for key in theirs if theirs[key] != ours[key]}
    assert differences == {}


class Bed:
    """One person with the n8n connected."""

    def __init__(self, actor: Actor, n8n: N8nServer) -> None:
        self.actor, self.n8n = actor, n8n
        self.instance = create_instance(actor, name="Real", url=n8n.url, api_key=n8n.api_key)

    def bring(self, document: Json, *, publish: bool = True) -> Workflow:
        """Make a workflow in n8n, known to the hub."""
        n8n_id = self.n8n.create_workflow(document, publish=publish)
        ingest_workflows(self.instance, [self.read(n8n_id)])
        return db.session.query(Workflow).filter_by(instance_id=self.instance.id, n8n_id=n8n_id).one()

    def read(self, n8n_id: str) -> Json:
        found: Json = self.n8n.api("GET", f"/workflows/{n8n_id}")
        return found

    def save(self, request_id: str, workflow: Workflow, wish: Wish) -> NodeSave:
        """Look and save."""
        preview = preview_save(self.actor, request_id, workflow.id, wish)
        assert preview.obstacle is None, preview.obstacle
        return save_to_n8n(self.actor, request_id, workflow.id, wish, str(preview.digest))

    def run(self, workflow: Workflow, echo: Echo, case: str) -> list[Received]:
        """Call the workflow until what runs live has changed: publishing goes on in the background. What the echo got."""
        for _attempt in range(40):
            self.n8n.run_webhook(workflow.n8n_id, {"method": "GET", "path": workflow.name})
            if found := echo.take(case):
                return found
        return []


@pytest.fixture
def bed(alice: Actor, n8n: N8nServer) -> Bed:
    return Bed(alice, n8n)


def live_workflow(name: str, echo: Echo, credential: CredentialReference) -> Json:
    """A webhook, an HTTP Request node with options of its own, and a node after it."""
    hook = node("Webhook", "webhook", 2, {"path": name, "httpMethod": "GET", "options": {}}, webhookId=name)
    parameters = {"url": f"{echo.url}/{name}-old", "options": {"batching": {"batch": {"batchSize": 1}}}, **BEARER}
    reference = {credential.type: {"id": credential.id, "name": credential.name}}
    fetch = node("Fetch", "httpRequest", 4.2, parameters, credentials=reference, retryOnFail=True)
    after = node("After", "noOp", 1, {})
    connections = {"Webhook": links("Fetch"), "Fetch": links("After")}
    return {"name": name, "nodes": [hook, fetch, after], "connections": connections, "settings": {"executionOrder": "v1"}}


BEARER = {"authentication": "genericCredentialType", "genericAuthType": "httpBearerAuth"}


def content(workflow: Json) -> str:
    return json.dumps([document_of(workflow), document_of({**workflow, **(workflow.get("activeVersion") or {}), "name": ""})])


def test_a_save_into_a_live_workflow_works_and_goes_back(bed: Bed, n8n: N8nServer, echo: Echo) -> None:
    credential = make_credential(n8n, "httpBearerAuth", "Echo", {"token": SECRET})
    workflow = bed.bring(live_workflow("save-live", echo, credential))
    before = bed.read(workflow.n8n_id)
    body = {"kind": "json", "text": '{"to": "{{CITY}}"}'}
    draft = RequestDraft(
        name="Send",
        definition=RequestDefinition(
            method="POST",
            url=f"{echo.url}/save-live-new",
            body=body,
            auth={"type": "bearer", "token": SECRET},
            variables=(Pair(name="CITY", value="Jeddah"),),
        ),
    )
    request = create_request(bed.actor, draft)
    saved = bed.save(request.id, workflow, Wish(Target(node="Fetch"), live=True))
    assert (saved.state, saved.problem, saved.went_live) == (SaveState.SAVED, None, True)
    after = bed.read(workflow.n8n_id)
    assert after["activeVersionId"] == after["versionId"] == saved.version_id
    assert SECRET not in json.dumps(after)
    fetch = next(entry for entry in after["nodes"] if entry["name"] == "Fetch")
    assert fetch["credentials"] == {"httpBearerAuth": {"id": credential.id, "name": "Echo"}}
    assert fetch["retryOnFail"]
    assert "batching" in fetch["parameters"]["options"]
    received = bed.run(workflow, echo, "save-live-new")
    assert received[0].method == "POST"
    assert json.loads(received[0].body) == {"to": "Jeddah"}
    assert received[0].header("authorization") == f"Bearer {SECRET}"
    undone = undo_save(bed.actor, saved.id)
    assert (undone.state, undone.problem) == (SaveState.UNDONE, None)
    assert content(bed.read(workflow.n8n_id)) == content(before)
    assert bed.run(workflow, echo, "save-live-old")[0].method == "GET"


def test_a_new_node_is_saved_as_a_draft_and_goes_back(bed: Bed, n8n: N8nServer, echo: Echo) -> None:
    credential = make_credential(n8n, "httpBearerAuth", "Echo 2", {"token": SECRET})
    workflow = bed.bring(live_workflow("save-draft", echo, credential))
    before = bed.read(workflow.n8n_id)
    request = create_request(bed.actor, RequestDraft(name="Ping", definition=RequestDefinition(url=f"{echo.url}/{{{{PATH}}}}")))
    saved = bed.save(request.id, workflow, Wish(Target(after="Fetch", name="Ping")))
    after = bed.read(workflow.n8n_id)
    assert after["activeVersionId"] == before["activeVersionId"] != after["versionId"]
    assert [entry["name"] for entry in after["nodes"]] == ["Webhook", "Fetch", "After", "Ping", "Variables"]
    assert after["connections"]["Fetch"]["main"][0][1]["node"] == "Variables"
    theirs = {**document_of(after), "nodes": [*after["nodes"][:2], {**after["nodes"][2], "notes": "theirs"}, *after["nodes"][3:]]}
    n8n.api("PUT", f"/workflows/{workflow.n8n_id}", params={"publishIfActive": "false"}, json=theirs)
    undo_save(bed.actor, saved.id)
    last = bed.read(workflow.n8n_id)
    assert [entry.get("notes") for entry in last["nodes"]] == [None, None, "theirs"], "what others changed stays"
    assert last["connections"] == before["connections"]
    assert last["activeVersionId"] == before["activeVersionId"]


def test_what_changed_meanwhile_is_not_overwritten(bed: Bed, n8n: N8nServer, echo: Echo) -> None:
    credential = make_credential(n8n, "httpBearerAuth", "Echo 3", {"token": SECRET})
    workflow = bed.bring(live_workflow("save-late", echo, credential), publish=False)
    request = create_request(bed.actor, RequestDraft(name="Ping", definition=RequestDefinition(url=f"{echo.url}/late")))
    wish = Wish(Target(node="Fetch"))
    preview = preview_save(bed.actor, request.id, workflow.id, wish)
    theirs = document_of(bed.read(workflow.n8n_id))
    theirs["nodes"][2]["notes"] = "theirs"
    n8n.api("PUT", f"/workflows/{workflow.n8n_id}", json=theirs)
    before = bed.read(workflow.n8n_id)
    with pytest.raises(Conflict):
        save_to_n8n(bed.actor, request.id, workflow.id, wish, str(preview.digest))
    assert bed.read(workflow.n8n_id) == before
    saved = bed.save(request.id, workflow, wish)
    theirs = document_of(bed.read(workflow.n8n_id))
    theirs["nodes"][1]["parameters"]["url"] = "https://example.com/theirs"
    n8n.api("PUT", f"/workflows/{workflow.n8n_id}", json=theirs)
    before = bed.read(workflow.n8n_id)
    with pytest.raises(Conflict, match="Fetch"):
        undo_save(bed.actor, saved.id)
    assert bed.read(workflow.n8n_id) == before
