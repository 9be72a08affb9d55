"""The same by pages, by the API and by the command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug import Response

from hub.accounts.models import User
from hub.cli import main
from hub.contracts.actor import Actor
from hub.extensions import db
from hub.webhooks import services
from hub.webhooks.models import Webhook
from hub.webhooks.sending import open_secrets
from tests.hub.api.conftest import Program
from tests.hub.factories import make_instance
from tests.hub.webhooks.conftest import Receiver, make_webhook

SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{40,}")


@pytest.fixture
def browser(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> FlaskClient:
    return browser_of(alice)


# --- Pages --------------------------------------------------------------------------------------------------------------


def test_the_way_of_a_person(browser: FlaskClient, alice: Actor, receiver: Receiver) -> None:
    assert "No webhooks yet" in browser.get("/webhooks").text
    form = {"name": "Chat", "url": receiver.url, "events": ["execution.failed"], "all_instances": "1", "enabled": "1"}
    made = browser.post("/webhooks", data=form)
    assert made.status_code == 201
    (secret,) = set(SECRET.findall(made.text))
    webhook = db.session.scalars(sa.select(Webhook)).one()
    assert open_secrets(webhook) == (secret,)
    page = browser.get(f"/webhooks/{webhook.id}").text
    assert "Nothing was sent yet" in page
    assert not SECRET.search(page)
    tested = browser.post(f"/webhooks/{webhook.id}/test", follow_redirects=True)
    assert "Answered 204" in tested.text
    assert webhook.id in tested.text, "the message is shown"
    assert "Answered 204" in browser.get(f"/webhooks/{webhook.id}?state=DELIVERED").text
    assert "No delivery fits" in browser.get(f"/webhooks/{webhook.id}?state=PENDING").text
    again = browser.post(tested.request.path + "/redeliver", follow_redirects=True)
    assert "It is sent again in a moment." in again.text
    assert 'hx-trigger="every 3s"' in again.text
    twice = browser.post(tested.request.path + "/redeliver", follow_redirects=True)
    assert "still waiting to be sent" in twice.text
    renewed = browser.post(f"/webhooks/{webhook.id}/secret")
    (new,) = set(SECRET.findall(renewed.text))
    assert new != secret
    assert "old secret too" in renewed.text
    changed = browser.post(f"/webhooks/{webhook.id}/edit", data={**form, "name": "Pager", "enabled": ""}, follow_redirects=True)
    assert "Saved." in changed.text
    assert "It is disabled." in changed.text
    assert "Pager" in browser.get("/webhooks").text
    browser.post(f"/webhooks/{webhook.id}/delete")
    assert services.list_webhooks(alice) == []


def test_what_was_typed_is_kept(browser: FlaskClient, alice: Actor) -> None:
    instance = make_instance(alice, "Shop")
    db.session.commit()
    form = {"name": "Chat", "url": "http://169.254.169.254/", "events": ["sync.failed"], "instances": [instance.id]}
    page = browser.post("/webhooks", data=form)
    assert page.status_code == 422
    assert 'value="http://169.254.169.254/"' in page.text
    assert re.search(r'value="sync.failed" checked', page.text)
    assert re.search(rf'value="{instance.id}" checked', page.text)
    assert not re.search(r'value="execution.failed" checked', page.text)
    assert db.session.scalars(sa.select(Webhook)).all() == []


def test_one_too_many_is_said_on_the_form(browser: FlaskClient, alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MAX_WEBHOOKS", 1)
    make_webhook(alice, "https://127.0.0.1:8443/")
    form = {"name": "Chat", "url": "https://127.0.0.1:8443/", "events": ["sync.failed"], "all_instances": "1"}
    page = browser.post("/webhooks", data=form)
    assert page.status_code == 409
    assert "which is the most" in page.text
    assert "/webhooks/new" not in browser.get("/webhooks").text


def test_an_answer_is_no_markup(browser: FlaskClient, alice: Actor, receiver: Receiver) -> None:
    receiver.answers = [Response("<script>alert(1)</script>", status=500)]
    webhook, _secret = make_webhook(alice, receiver.url, name="<b>Chat</b>")
    page = browser.post(f"/webhooks/{webhook.id}/test", follow_redirects=True).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "<b>Chat" not in page


# --- The API ------------------------------------------------------------------------------------------------------------


def test_the_way_of_a_program(program: Program, alice: Actor, receiver: Receiver) -> None:
    instance = make_instance(alice)
    db.session.commit()
    body: dict[str, Any] = {"name": "Chat", "url": receiver.url, "events": ["execution.failed"], "instanceIds": [instance.id]}
    made = program.call("POST", "/webhooks", json=body)
    assert made.status_code == 201
    path = f"/webhooks/{made.json['id']}"
    assert made.headers["Location"] == f"/api/v1{path}"
    assert SECRET.fullmatch(made.json["secret"])
    one = program.get(path)
    assert (one["instanceIds"], one["enabled"], one["disabledReason"]) == ([instance.id], True, None)
    assert "secret" not in one
    assert [row["id"] for row in program.get("/webhooks")["data"]] == [one["id"]]
    assert program.call("PATCH", path, json={"name": "Pager"}).json["instanceIds"] == [instance.id]
    assert program.call("PATCH", path, json={"instanceIds": None}).json["instanceIds"] is None
    tested = program.call("POST", f"{path}/test").json
    assert (tested["state"], tested["type"], tested["attempts"][0]["status"]) == ("DELIVERED", "ping", 204)
    assert receiver.messages[0]["type"] == "ping"
    listed = program.get(f"{path}/deliveries", state="DELIVERED")
    assert [row["id"] for row in listed["data"]] == [tested["id"]]
    assert program.get(f"{path}/deliveries", state="FAILED")["data"] == []
    assert program.get(f"{path}/deliveries/{tested['id']}")["body"] == tested["body"]
    assert program.call("POST", f"{path}/deliveries/{tested['id']}/redeliver").json["state"] == "PENDING"
    assert program.call("POST", f"{path}/deliveries/{tested['id']}/redeliver").status_code == 409
    renewed = program.call("POST", f"{path}/secret")
    assert renewed.json["secret"] != made.json["secret"]
    assert renewed.json["oldSecretUntil"]
    off = program.call("PATCH", path, json={"enabled": False}).json
    assert (off["enabled"], off["disabledReason"]) == (False, "by-hand")
    assert program.call("DELETE", path).status_code == 204
    assert program.call("GET", path).status_code == 404


def test_what_is_wrong_is_pointed_to(program: Program) -> None:
    answer = program.call("POST", "/webhooks", json={"name": " ", "url": "http://10.0.0.1", "events": [], "instanceIds": []})
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json["errors"]} == {"#/name", "#/url", "#/events", "#/instanceIds"}
    assert program.call("POST", "/webhooks", json={"name": "x", "url": "y", "events": ["ping-pong"]}).status_code == 422
    none = {"name": "x", "url": "https://127.0.0.1:8443/", "events": ["sync.failed"], "instanceIds": ["cnone"]}
    assert program.call("POST", "/webhooks", json=none).status_code == 404


def test_a_key_needs_the_permission(program_of: Callable[..., Program], alice: Actor) -> None:
    webhook, _secret = make_webhook(alice, "https://127.0.0.1:8443/")
    reader = program_of(alice, "webhooks:read")
    assert reader.call("GET", f"/webhooks/{webhook.id}").status_code == 200
    for path in ("test", "secret"):
        assert reader.call("POST", f"/webhooks/{webhook.id}/{path}").status_code == 403
    assert program_of(alice, "requests:write").call("GET", "/webhooks").status_code == 403


# --- The command line ---------------------------------------------------------------------------------------------------


@pytest.fixture
def run(app: Flask, alice: Actor) -> Callable[..., Any]:
    email = db.session.scalars(sa.select(User.email).where(User.id == alice.user_id)).one()

    def invoke(*arguments: str) -> Any:
        return app.test_cli_runner().invoke(main, ["webhook", *arguments, "--user", email])

    return invoke


def test_the_way_of_a_shell(run: Callable[..., Any], alice: Actor, receiver: Receiver) -> None:
    instance = make_instance(alice, "Shop")
    db.session.commit()
    made = run("create", "Chat", receiver.url, "--event", "sync.failed", "--instance", "Shop")
    assert made.exit_code == 0, made.output
    assert SECRET.search(made.output)
    webhook = db.session.scalars(sa.select(Webhook)).one()
    assert (webhook.events, webhook.instance_ids) == (["sync.failed"], [instance.id])
    assert run("list").output.split() == [webhook.id, "enabled", "Chat", receiver.url, "sync.failed"]
    tested = run("test", "Chat")
    assert tested.exit_code == 0
    assert "Answered 204" in tested.output
    receiver.answers = [Response(status=500)]
    failed = run("test", webhook.id)
    assert failed.exit_code == 1
    assert "FAILED" in failed.output
    lines = run("deliveries", "Chat", "--limit", "1").output.splitlines()
    assert len(lines) == 1
    assert "Answered 500" in lines[0]
    assert run("test", "nobody").exit_code == 1
