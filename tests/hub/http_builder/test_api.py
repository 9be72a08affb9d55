"""The builder's JSON API, each answer checked against the OpenAPI document."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.audit.models import AuditLog
from hub.catalog.services import load_packs
from hub.contracts.actor import Actor
from hub.extensions import db
from hub.http_builder.models import Request, RequestRun, Variable
from hub.http_builder.running.worker import run_queued
from tests.hub.api.conftest import Json, Program
from tests.hub.api.test_routes import pointers, refused
from tests.hub.egress.servers import LOOPBACK, Server, Talk, answer, saying
from tests.hub.http_builder.running.conftest import unwatched

KEY = "Zx81-Quite.Secret_Key"


def made(program: Program, path: str, body: Json, status: int = 201) -> Json:
    found = program.call("POST", path, json=body)
    assert found.status_code == status, found.text
    assert KEY not in found.text
    return found.json


# --- Saved requests ------------------------------------------------------------------------------------------------


def test_a_request_from_cradle_to_grave_and_back(program: Program) -> None:
    body = {
        "name": "Orders",
        "method": "POST",
        "url": "https://shop.example/orders",
        "headers": {"X-One": "1"},
        "params": [{"name": "page", "value": "2", "enabled": False}],
        "body": {"kind": "raw", "text": "<a/>", "contentType": "text/xml"},
        "auth": {"type": "bearer", "token": KEY},
        "settings": {"timeoutSeconds": 5, "followRedirects": False},
        "folder": "Shop / Orders",
        "tags": ["a", "a"],
        "favorite": True,
    }
    answer = program.call("POST", "/requests", json=body)
    request = answer.json
    assert answer.headers["Location"] == f"/api/v1/requests/{request['id']}"
    assert request["headers"] == [{"name": "X-One", "value": "1", "enabled": True, "description": None}]
    assert request["body"] == {"kind": "raw", "text": "<a/>", "contentType": "text/xml"}
    assert request["settings"] == {"timeoutSeconds": 5, "followRedirects": False, "maxRedirects": 5, "verifyTls": True}
    assert (request["folder"], request["tags"], request["favorite"]) == ("Shop/Orders", ["a"], True)
    (secret,) = request["secrets"]
    assert secret["hosts"] == ["shop.example"]
    assert request["auth"]["token"] == f"{{{{{secret['name']}}}}}"
    assert KEY not in answer.text
    path = f"/requests/{request['id']}"
    assert program.get(path) == request
    copy = made(program, f"{path}/duplicate", {})
    assert (copy["name"], copy["secrets"]) == ("Orders (copy)", request["secrets"])
    assert [row["name"] for row in program.get("/requests", folder="Shop", order="changed")["data"]] == [
        "Orders (copy)",
        "Orders",
    ]
    assert [row["name"] for row in program.get("/requests", search="orders", favorite="true")["data"]] == ["Orders"]
    assert program.call("DELETE", path).status_code == 204
    refused(program, 404, "GET", path)
    assert program.call("POST", f"{path}/restore").json["version"] == request["version"]


def test_a_change_leaves_the_rest_and_is_refused_where_somebody_was_faster(program: Program) -> None:
    request = made(program, "/requests", {"name": "A", "url": "https://a.example", "headers": {"X": "1"}})
    path = f"/requests/{request['id']}"
    changed = program.call("PATCH", path, json={"name": "B", "settings": {"verifyTls": False}}).json
    assert (changed["name"], changed["url"], len(changed["headers"])) == ("B", "https://a.example", 1)
    assert changed["settings"]["verifyTls"] is False
    refused(program, 409, "PATCH", path, json={"name": "C", "version": request["version"]})
    assert program.call("PATCH", path, json={"name": "C", "version": changed["version"]}).json["name"] == "C"
    assert program.call("PATCH", path, json={"favorite": True}).json["favorite"] is True
    assert program.get(path)["name"] == "C"


def test_secrets_go_in_and_never_come_out(program: Program) -> None:
    body = {"name": "A", "url": "https://a.example", "headers": {"X": "{{MINE}}"}, "secrets": [{"name": "MINE", "value": KEY}]}
    request = made(program, "/requests", body)
    assert request["secrets"] == [{"name": "MINE", "hosts": ["a.example"]}]
    path = f"/requests/{request['id']}"
    further = {"secrets": [{"name": "MINE", "hosts": ["evil.example"]}]}
    assert pointers(refused(program, 422, "PATCH", path, json=further)) == {"#/secrets"}
    gone = program.call("PATCH", path, json={"secrets": [{"name": "MINE", "removed": True}]})
    assert gone.json["secrets"] == []
    assert KEY not in str(db.session.execute(sa.select(AuditLog.details)).all())


def test_what_is_wrong_is_pointed_to(program: Program) -> None:
    wrong = refused(program, 422, "POST", "/requests", json={"name": "A", "settings": {"timeoutSeconds": 0, "colour": 1}})
    assert pointers(wrong) == {"#/settings/timeoutSeconds", "#/settings/colour"}
    assert pointers(refused(program, 422, "POST", "/requests", json={"name": " "})) == {"#/name"}
    refused(program, 422, "POST", "/requests", json={"name": "A", "body": {"kind": "smoke"}})
    lost = {"name": "A", "body": {"kind": "binary", "fileId": "cnone"}}
    assert pointers(refused(program, 422, "POST", "/requests", json=lost)) == {"#/binary"}
    assert db.session.scalars(sa.select(Request)).all() == []


# --- Sending -------------------------------------------------------------------------------------------------------


@pytest.fixture
def work(app: Flask, alice: Actor, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Does what the worker would."""
    monkeypatch.setitem(app.extensions, "hub_egress", LOOPBACK)
    monkeypatch.setattr("hub.http_builder.running.worker.watch_run", unwatched)
    return run_queued


def test_send_a_saved_request_and_read_its_run(
    program: Program,
    work: Callable[[str], None],
    start_server: Callable[[Talk], Server],
) -> None:
    server = start_server(saying(answer(200, b'{"ok": true}', Content_Type="application/json")))
    body = {
        "name": "A",
        "url": server.url("/a"),
        "auth": {"type": "bearer", "token": KEY},
        "assertions": [{"subject": "status", "expected": "2xx"}, {"subject": "body", "path": "$.ok", "expected": "false"}],
    }
    request = made(program, "/requests", body)
    started = program.call("POST", f"/requests/{request['id']}/runs", json={})
    assert (started.status_code, started.json["state"]) == (202, "QUEUED")
    path = started.headers["Location"].removeprefix("/api/v1")
    work(started.json["id"])
    run = program.get(path)
    assert server.received[0].all("Authorization") == [f"Bearer {KEY}"]
    assert KEY not in str(run)
    assert (run["state"], run["status"], run["passed"], run["requestId"]) == ("DONE", 200, False, request["id"])
    assert [outcome["passed"] for outcome in run["assertions"]] == [True, False]
    assert run["hops"][0]["timing"]["totalMs"] >= 0
    assert program.get(f"{path}/body")["body"] == '{"ok": true}'
    assert [row["id"] for row in program.get("/runs", requestId=request["id"], status="2xx")["data"]] == [run["id"]]
    refused(program, 409, "POST", f"{path}/cancel")
    assert program.get(f"/requests/{request['id']}")["usageCount"] == 1


def test_a_failure_is_explained_mended_and_put_back(
    program: Program, work: Callable[[str], None], start_server: Callable[[Talk], Server]
) -> None:
    server = start_server(saying(answer(405, b"{}", Content_Type="application/json", Allow="POST")))
    request = made(program, "/requests", {"name": "A", "url": server.url("/a"), "method": "GET"})
    run = made(program, f"/requests/{request['id']}/runs", {}, status=202)
    path = f"/runs/{run['id']}/explanation"
    refused(program, 409, "POST", path)  # it has not ended
    work(run["id"])
    found = made(program, path, {}, status=200)
    assert found["cause"] == "wrong-method"
    place, offer = next((place, each) for place, each in enumerate(found["suggestions"]) if each["changes"])
    assert [(change["part"], change["new"]) for change in offer["changes"]] == [("method", "POST")]
    refused(program, 409, "POST", f"{path}/apply", json={"suggestion": 99, "version": found["version"]})
    chosen = {"suggestion": place, "version": found["version"]}
    assert made(program, f"{path}/apply", chosen, status=200)["method"] == "POST"
    assert made(program, f"{path}/undo", {}, status=200)["method"] == "GET"


def test_send_without_saving(
    program: Program,
    work: Callable[[str], None],
    start_server: Callable[[Talk], Server],
) -> None:
    server = start_server(saying(answer(200, b"\xff")))
    environment = made(program, "/environments", {"name": "Staging"})
    made(program, f"/environments/{environment['id']}/variables", {"name": "PLACE", "value": "b"})
    body = {"url": server.url("/{{PLACE}}"), "headers": {"X": "{{MINE}}"}, "secrets": {"MINE": KEY}, "method": "DELETE"}
    run = made(program, "/runs", {**body, "environmentId": environment["id"]}, 202)
    work(run["id"])
    assert (server.received[0].line, server.received[0].all("X")) == ("DELETE /b HTTP/1.1", [KEY])
    assert program.get(f"/runs/{run['id']}/body")["bodyBase64"] == "/w=="
    refusal = made(program, "/runs", {"url": "http://169.254.169.254/"}, 202)
    work(refusal["id"])
    refusal = program.get(f"/runs/{refusal['id']}")
    assert (refusal["state"], refusal["error"]["code"]) == ("REFUSED", "address-never")
    assert "never reaches" in refusal["reasons"][0]
    waiting = made(program, "/runs", {"url": server.url()}, 202)
    assert program.call("POST", f"/runs/{waiting['id']}/cancel").json["state"] == "CANCELED"


def test_two_answers_are_compared(program: Program, work: Callable[[str], None], start_server: Callable[[Talk], Server]) -> None:
    bodies = [b'{"total": 2}', b'{"total": 1}']

    def talk(_request: Any, connection: Any) -> None:
        connection.sendall(answer(200, bodies.pop(), Content_Type="application/json", X_Left=str(len(bodies))))

    server = start_server(talk)
    path = f"/requests/{made(program, '/requests', {'name': 'A', 'url': server.url()})['id']}/runs"
    first, second = (made(program, path, {}, 202)["id"] for _time in range(2))
    work(first)
    refused(program, 409, "GET", f"/runs/{first}/comparison")
    work(second)
    found = program.get(f"/runs/{second}/comparison")
    assert (found["before"], found["after"], found["kind"], found["complete"]) == (first, second, "json", True)
    assert found["changes"] == [{"kind": "changed", "path": "$.total", "before": "1", "after": "2"}]
    assert {"name": "x-left", "before": "1", "after": "0"} in found["headers"]
    assert program.get(f"/runs/{first}/comparison", before=first)["kind"] == "same"
    refused(program, 404, "GET", f"/runs/{first}/comparison?before=cnone")


def test_a_preview_sends_nothing_and_names_what_is_missing(program: Program) -> None:
    body = {"url": "https://a.example/{{NONE}}", "auth": {"type": "basic", "username": "u", "password": KEY}}
    shown = made(program, "/requests/preview", body, 200)
    assert (shown["url"], shown["problems"][0]["code"]) == ("https://a.example/{{NONE}}", "unresolved")
    assert "{{NONE}}" in shown["problems"][0]["says"]
    request = made(program, "/requests", {"name": "A", **body})
    assert made(program, f"/requests/{request['id']}/preview", {}, 200)["problems"][0]["place"] == "url"
    assert db.session.scalars(sa.select(RequestRun)).all() == []


# --- Environments and chains ---------------------------------------------------------------------------------------


def test_variables_are_kept_and_secrets_are_write_only(program: Program) -> None:
    first, second = (made(program, "/environments", {"name": name}) for name in ("One", "Two"))
    assert [row["active"] for row in program.get("/environments")["data"]] == [True, False]
    assert program.call("PATCH", f"/environments/{second['id']}", json={"active": True, "name": "Zwei"}).json["active"]
    assert program.get(f"/environments/{first['id']}")["active"] is False
    secret = {"name": "KEY", "value": KEY, "isSecret": True, "hosts": ["a.example"]}
    variable = made(program, f"/environments/{second['id']}/variables", secret)
    assert (variable["value"], variable["hosts"]) == (None, ["a.example"])
    path = f"/variables/{variable['id']}"
    assert program.call("PATCH", path, json={"description": "mine"}).json["description"] == "mine"
    assert pointers(refused(program, 422, "PATCH", path, json={"hosts": ["b.example"]})) == {"#/value"}
    assert pointers(refused(program, 422, "PATCH", path, json={"isSecret": False})) == {"#/value"}
    own = made(program, "/variables", {"name": "BASE", "value": "x"})
    assert [row["value"] for row in program.get("/variables")["data"]] == ["x"]
    assert program.call("DELETE", f"/variables/{own['id']}").status_code == 204
    assert program.call("DELETE", f"/environments/{second['id']}").status_code == 204
    assert db.session.scalars(sa.select(Variable)).all() == []


def test_chains(program: Program) -> None:
    ids = [made(program, "/requests", {"name": name, "url": "https://a.example"})["id"] for name in "ab"]
    chain = made(program, "/chains", {"name": "Both", "steps": ids})
    path = f"/chains/{chain['id']}"
    assert program.call("PUT", path, json={"name": "Back", "steps": ids[::-1]}).json["steps"] == ids[::-1]
    run = made(program, f"{path}/runs", {}, 202)
    assert [(step["name"], step["state"]) for step in run["steps"]] == [("b", "QUEUED"), ("a", "QUEUED")]
    assert program.get(f"/chain-runs/{run['id']}")["chainName"] == "Back"
    assert program.call("POST", f"/chain-runs/{run['id']}/cancel").json["state"] == "CANCELED"
    assert program.get("/chains")["data"][0]["lastState"] == "CANCELED"
    assert pointers(refused(program, 422, "PUT", path, json={"name": "x", "steps": []})) == {"#/steps"}
    assert program.call("DELETE", path).status_code == 204


# --- In and out ----------------------------------------------------------------------------------------------------


def test_import_is_planned_then_saved_then_brought_up_to_date(program: Program) -> None:
    operations = {method: {"operationId": method, "responses": {}} for method in ("get", "post")}
    servers = [{"url": "https://shop.example"}]
    paths = {"/orders": operations}
    document = json.dumps({"openapi": "3.1.0", "info": {"title": "Shop", "version": "1"}, "servers": servers, "paths": paths})
    plan = made(program, "/requests/import/plan", {"text": document}, 200)
    assert (plan["kind"], [item["fate"] for item in plan["items"]]) == ("openapi", ["new", "new"])
    assert program.get("/requests")["data"] == []
    report = made(program, "/requests/import", {"text": document, "chosen": [1], "folder": "Mine"}, 200)
    (item,) = report["items"]
    assert program.get(f"/requests/{item['requestId']}")["folder"].startswith("Mine")
    packed = base64.b64encode(document.encode()).decode()
    again = made(program, "/requests/import", {"contentBase64": packed, "folder": "Mine"}, 200)
    assert [item["fate"] for item in again["items"]] == ["new", "unchanged"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"text": "no format at all"}, "#/text"),
        ({"text": ""}, "#/text"),
        ({}, "#/text"),
        ({"text": "curl x", "address": "https://a.example"}, "#/text"),
        ({"contentBase64": "%%%"}, "#/contentBase64"),
        ({"contentBase64": base64.b64encode(b"\xff\xfe\x00").decode()}, "#/contentBase64"),
        ({"text": "curl https://a.example", "kind": "fax"}, "#/kind"),
    ],
)
def test_what_cannot_be_imported_says_why(program: Program, body: Json, place: str) -> None:
    assert pointers(refused(program, 422, "POST", "/requests/import/plan", json=body)) == {place}


def test_an_address_that_may_not_be_reached_is_not_fetched(program: Program) -> None:
    body = {"address": "http://169.254.169.254/openapi.json"}
    assert pointers(refused(program, 422, "POST", "/requests/import", json=body)) == {"#/address"}


def test_export_has_no_secret(program: Program) -> None:
    body = {"name": "Orders", "url": "https://a.example", "auth": {"type": "bearer", "token": KEY}}
    path = f"/requests/{made(program, '/requests', body)['id']}/export"
    for kind in ("curl", "python-requests", "postman", "n8n"):
        exported = program.get(path, kind=kind)
        assert "a.example" in exported["text"]
        assert KEY not in exported["text"]
    assert program.get(path)["text"].startswith("curl")
    refused(program, 422, "GET", f"{path}?kind=fax")


def test_an_uploaded_file_can_be_sent(program: Program) -> None:
    file = made(program, "/files", {"name": "a.png", "mediaType": "image/png", "contentBase64": "iVBORw=="})
    assert (file["size"], file["mediaType"]) == (4, "image/png")
    body = {"kind": "multipart", "parts": [{"name": "f", "isFile": True, "fileId": file["id"], "fileName": "a.png"}]}
    shown = made(program, "/requests/preview", {"url": "https://a.example", "method": "POST", "body": body}, 200)
    assert (shown["problems"], shown["bodySize"] > 4) == ([], True)
    refused(program, 422, "POST", "/files", json={"name": "a", "contentBase64": "?"})


# --- Templates -----------------------------------------------------------------------------------------------------


def test_a_template_is_found_filled_in_and_used(program: Program, alice: Actor) -> None:
    load_packs()
    (service,) = program.get("/services", search="stripe")["data"]
    assert (service["serviceId"], service["hasTest"], "api.stripe.com" in service["hosts"]) == ("stripe", True, True)
    names = [row["endpointId"] for row in program.get("/templates", service="stripe")["data"]]
    assert "create-customer" in names
    path = "/templates/stripe/create-customer"
    fields = {field["name"]: field for field in program.get(path)["fields"]}
    assert fields["STRIPE_SECRET_KEY"]["secret"]
    refused(program, 422, "POST", f"{path}/requests", json={"values": {}})
    values = {"STRIPE_SECRET_KEY": "sk_test_51abcDEFghiJKL", "STRIPE_VERSION": "2026-09-30.endive"}
    values |= {"CUSTOMER_EMAIL": "sara@example.com", "CUSTOMER_NAME": "Sara"}
    request = made(program, f"{path}/requests", {"values": values})
    assert (request["serviceId"], request["endpointId"]) == ("stripe", "create-customer")
    assert "sk_test" not in str(request)
    assert program.get(path)["fields"][0]["value"] == ""
    run = made(program, "/services/stripe/test", {"values": {"STRIPE_VERSION": "2026-09-30.endive"}}, 202)
    assert program.get(f"/services/test/{run['id']}")["isUnderWay"] is True
    refused(program, 404, "GET", "/templates/stripe/none")


def test_a_key_reaches_what_it_may_and_no_more(program_of: Callable[..., Program], alice: Actor) -> None:
    reader, sender = program_of(alice, "requests:read"), program_of(alice, "runs:write")
    assert reader.call("GET", "/requests").status_code == 200
    assert sender.call("POST", "/runs", json={"url": "https://a.example"}).status_code == 202
    calls: list[tuple[Program, str, str, Any]] = [
        (reader, "POST", "/requests", {"name": "x"}),
        (reader, "POST", "/runs", {"url": "https://a.example"}),
        (sender, "GET", "/requests", None),
        (sender, "GET", "/environments", None),
    ]
    for caller, method, path, body in calls:
        refused(caller, 403, method, path, json=body)
