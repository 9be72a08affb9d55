from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from pytest_httpserver import HTTPServer

from hub.accounts.models import Plan
from hub.audit.models import AuditLog
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.crypto import DecryptionError
from hub.egress import EgressPolicy
from hub.errors import Invalid, NotFound, ReadOnly
from hub.extensions import db
from hub.instances import services
from hub.instances.errors import KeyUnreadable, RateLimited, Unauthorized
from hub.instances.models import Instance, InstanceStatus
from tests.hub.accounts.people import give_plan
from tests.hub.factories import make_instance
from tests.hub.instances.conftest import ALL_SCOPES, make_spec

URL = "https://n8n.example.com"
Session = sa.orm.scoped_session[sa.orm.Session]


@pytest.fixture(autouse=True)
def no_dns(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names under example.com are public here; nothing is looked up. Loopback is open, as in development."""

    def resolve(host: str, _port: int) -> list[str]:
        return ["127.0.0.1"] if host == "localhost" else ["93.184.215.14"]

    policy = EgressPolicy(loopback=True, resolver=resolve)
    monkeypatch.setitem(app.extensions, "hub_egress", policy)


def make_key(expires_at: dt.datetime | None = None) -> str:
    claims: dict[str, Any] = {"sub": "1", "iss": "n8n"}
    if expires_at:
        claims["exp"] = int(expires_at.timestamp())
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{middle}.signature"


def create(actor: Actor, url: str = URL, name: str = "Shop", api_key: str = "key-1") -> Instance:
    return services.create_instance(actor, name=name, url=url, api_key=api_key)


def events(action: str) -> list[AuditLog]:
    return list(db.session.scalars(sa.select(AuditLog).where(AuditLog.action == action)))


def test_the_key_is_sealed_to_its_row(alice: Actor) -> None:
    one, other = create(alice), create(alice, "https://other.example.com")
    assert "key-1" not in one.api_key
    with services.open_client(one) as client:
        assert client._headers["X-N8N-API-KEY"] == "key-1"
    one.api_key = other.api_key
    with pytest.raises(KeyUnreadable) as unreadable:
        services.open_client(one)
    assert isinstance(unreadable.value.__cause__, DecryptionError)
    assert events("instance.create")[0].details == {"name": "Shop", "url": URL, "via": "web"}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://N8N.example.com/", "https://n8n.example.com"),
        ("n8n.example.com", "https://n8n.example.com"),
        (" https://n8n.example.com:443/api/v1/ ", "https://n8n.example.com"),
        ("https://n8n.example.com/tools//n8n/api/v1", "https://n8n.example.com/tools/n8n"),
        ("https://n8n.example.com/home/workflows?x=1#y", "https://n8n.example.com"),
        ("https://n8n.example.com/workflow/abc123", "https://n8n.example.com"),
        ("http://127.0.0.1:5678/signin", "http://127.0.0.1:5678"),
        ("http://[::1]:5678", "http://[::1]:5678"),
    ],
)
def test_what_people_paste_becomes_one_form(app: Flask, session: Session, typed: str, kept: str) -> None:
    assert services.normalize_url(typed) == kept


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": "  "}, {"name"}),
        ({"name": "x" * 201}, {"name"}),
        ({"name": "a\nb"}, {"name"}),
        ({"url": ""}, {"url"}),
        ({"url": "ftp://n8n.example.com"}, {"url"}),
        ({"url": "http://169.254.169.254/"}, {"url"}),
        ({"url": "http://10.0.0.1:5678"}, {"url"}),
        ({"url": "https://user:word@n8n.example.com"}, {"url"}),
        ({"api_key": ""}, {"api_key"}),
        ({"api_key": "two words"}, {"api_key"}),
        ({"api_key": "ключ"}, {"api_key"}),
        ({"api_key": "k" * 5000}, {"api_key"}),
        ({"name": "", "url": "x y", "api_key": ""}, {"name", "url", "api_key"}),
    ],
)
def test_wrong_fields_are_named_and_nothing_is_kept(alice: Actor, fields: dict[str, str], wrong: set[str]) -> None:
    with pytest.raises(Invalid) as invalid:
        services.create_instance(alice, **{"name": "Shop", "url": URL, "api_key": "key-1", **fields})
    assert set(invalid.value.fields) == wrong
    assert services.list_instances(alice).rows == []


def test_a_private_address_says_what_the_operator_must_do(alice: Actor) -> None:
    with pytest.raises(Invalid) as invalid:
        create(alice, "http://10.0.0.1:5678")
    assert "HUB_ALLOWED_ADDRESSES" in invalid.value.fields["url"]
    assert "10.0.0.1:5678" in invalid.value.fields["url"]


def test_an_address_is_connected_once_per_person(alice: Actor, bob: Actor) -> None:
    create(alice)
    with pytest.raises(Invalid) as invalid:
        create(alice, "https://n8n.example.com/api/v1")
    assert set(invalid.value.fields) == {"url"}
    assert create(bob).url == URL
    second = create(alice, "https://second.example.com")
    with pytest.raises(Invalid):
        services.update_instance(alice, second.id, name="S", url=URL, api_key="key-2")


def test_two_requests_at_once_meet_the_unique_rule(alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    create(alice)
    monkeypatch.setattr(services, "_is_taken", lambda *_args, **_options: False)
    with pytest.raises(Invalid) as invalid:
        create(alice)
    assert set(invalid.value.fields) == {"url"}


def test_a_new_origin_asks_for_the_key_again(alice: Actor) -> None:
    instance = create(alice)
    sealed = instance.api_key
    with pytest.raises(Invalid) as invalid:
        services.update_instance(alice, instance.id, name="Shop", url="https://evil.example.com")
    assert set(invalid.value.fields) == {"api_key"}
    db.session.refresh(instance)
    assert (instance.url, instance.api_key) == (URL, sealed)
    with pytest.raises(Invalid):
        services.update_instance(alice, instance.id, name="Shop", url="http://n8n.example.com")
    services.update_instance(alice, instance.id, name="Shop", url=f"{URL}/n8n")
    assert instance.api_key == sealed
    services.update_instance(alice, instance.id, name="Shop", url="https://new.example.com", api_key="key-2")
    with services.open_client(instance) as client:
        assert client._headers["X-N8N-API-KEY"] == "key-2"
    assert [event.details["changed"] for event in events("instance.update") if event.details] == [["url"], ["url", "api_key"]]


def test_a_change_of_key_or_address_forgets_what_was_known(alice: Actor) -> None:
    instance = create(alice)
    services.mark_error(instance, Unauthorized())
    assert (instance.status, instance.error_code) == (InstanceStatus.ERROR, "unauthorized")
    services.update_instance(alice, instance.id, name="New name", url=URL, sync_interval_minutes=60)
    assert (instance.error_code, instance.sync_interval_minutes) == ("unauthorized", 60)
    services.update_instance(alice, instance.id, name="New name", url=URL, api_key="key-2")
    assert (instance.status, instance.error_code, instance.last_error) == (InstanceStatus.DISCONNECTED, None, None)
    with pytest.raises(Invalid):
        services.update_instance(alice, instance.id, name="N", url=URL, sync_interval_minutes=7)


def test_a_stranger_finds_nothing(alice: Actor, bob: Actor) -> None:
    instance = create(alice)
    for call in (
        lambda: services.get_instance(bob, instance.id),
        lambda: services.update_instance(bob, instance.id, name="x", url=URL),
        lambda: services.delete_instance(bob, instance.id),
        lambda: services.check_connection(bob, instance.id),
    ):
        with pytest.raises(NotFound):
            call()
    assert services.list_instances(bob).rows == []


def test_a_sample_is_read_only(alice: Actor) -> None:
    sample = make_instance(alice, "Sample", is_sample=True)
    for call in (
        lambda: services.update_instance(alice, sample.id, name="x", url=URL, api_key="k"),
        lambda: services.check_connection(alice, sample.id),
        lambda: services.open_client(sample),
    ):
        with pytest.raises(ReadOnly) as refused:
            call()
        assert refused.value.status == 409
    services.delete_instance(alice, sample.id)
    assert services.list_instances(alice).rows == []


def test_lists_come_in_pages(alice: Actor) -> None:
    give_plan(alice, Plan.PRO)
    for name in "CAEBD":
        create(alice, f"https://{name.lower()}.example.com", name)
    first = services.list_instances(alice, limit=2)
    second = services.list_instances(alice, cursor=first.next_cursor, limit=2)
    third = services.list_instances(alice, cursor=second.next_cursor, limit=2)
    assert [row.name for page in (first, second, third) for row in page.rows] == list("ABCDE")
    assert third.next_cursor is None


def test_delete_leaves_an_event(alice: Actor) -> None:
    instance = create(alice)
    services.delete_instance(alice, instance.id)
    assert [event.resource_id for event in events("instance.delete")] == [instance.id]


def states(report: services.ConnectionReport) -> dict[str, str]:
    return {check.name: check.state for check in report.checks}


def test_a_good_connection(alice: Actor, fake_n8n: Callable[..., str]) -> None:
    instance = create(alice, fake_n8n(), api_key=make_key(utc_now() + dt.timedelta(days=90, hours=1)))
    report = services.check_connection(alice, instance.id)
    assert set(states(report).values()) == {"ok"}
    assert report.ok
    assert report.latency_ms
    assert (instance.status, instance.version, instance.last_error) == (InstanceStatus.CONNECTED, "2.39+", None)
    assert services.last_report(instance) == report
    assert "90" in {check.name: check.sentence for check in report.checks}["expiry"]
    with services.open_client(instance) as client:
        assert client.features().retry, "found once, then known"
    assert [event.success for event in events("instance.test")] == [True]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"scopes": None}, {"permissions": "ok"}),
        ({"scopes": None, "forbidden": ("executions",)}, {"permissions": "fail"}),
        ({"scopes": [scope for scope in ALL_SCOPES if scope != "execution:retry"]}, {"permissions": "warn"}),
        ({"scopes": [], "forbidden": ("workflows", "executions")}, {"permissions": "fail"}),
        ({"spec": make_spec(publish_if_active=False)}, {"features": "warn"}),
        ({"spec": make_spec(retry=False)}, {"features": "warn"}),
    ],
)
def test_what_is_missing_is_named(
    alice: Actor, fake_n8n: Callable[..., str], options: dict[str, Any], expected: dict[str, str]
) -> None:
    instance = create(alice, fake_n8n(**options))
    report = services.check_connection(alice, instance.id)
    assert states(report).items() >= expected.items()
    assert report.ok is ("fail" not in expected.values())
    assert (instance.status is InstanceStatus.ERROR) is ("fail" in expected.values())
    for check in report.checks:
        assert len(check.sentence) > 15
        assert check.title


def test_missing_scopes_are_listed_by_their_n8n_names(alice: Actor, fake_n8n: Callable[..., str]) -> None:
    instance = create(alice, fake_n8n(scopes=["workflow:list", "workflow:read", "execution:list", "execution:read"]))
    report = services.check_connection(alice, instance.id)
    sentence = {check.name: check.sentence for check in report.checks}["permissions"]
    for scope in ("workflow:update", "execution:retry", "workflow:activate"):
        assert scope in sentence


@pytest.mark.parametrize(
    ("answer", "step", "code"),
    [
        (
            {"status": 401, "response_data": '{"message": "Unauthorized"}', "content_type": "application/json"},
            "key",
            "unauthorized",
        ),
        ({"status": 200, "response_data": "<!doctype html>", "content_type": "text/html"}, "api", "not-n8n"),
        ({"status": 200, "response_data": "n8n is starting up. Please wait", "content_type": "text/html"}, "api", "starting"),
        ({"status": 503, "response_data": "", "content_type": "text/plain"}, "api", "server-fault"),
        ({"status": 301, "response_data": "", "headers": {"Location": "https://x.example.com/"}}, "api", "not-n8n"),
    ],
)
def test_a_bad_connection_names_the_step(
    alice: Actor, httpserver: HTTPServer, answer: dict[str, Any], step: str, code: str
) -> None:
    httpserver.expect_request("/api/v1/workflows").respond_with_data(**answer)
    instance = create(alice, httpserver.url_for("/"))
    report = services.check_connection(alice, instance.id)
    failed = [check.name for check in report.checks if check.state == "fail"]
    assert failed == [step]
    assert (instance.status, instance.error_code) == (InstanceStatus.ERROR, code)
    assert instance.last_error
    assert "key-1" not in json.dumps(instance.capabilities)
    assert [event.success for event in events("instance.test")] == [False]


def test_an_expired_key_is_said_before_anything_is_asked(alice: Actor, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/v1/workflows").respond_with_json({"message": "Unauthorized"}, status=401)
    instance = create(alice, httpserver.url_for("/"), api_key=make_key(utc_now() - dt.timedelta(days=1)))
    assert instance.key_expires_at is not None
    assert states(services.check_connection(alice, instance.id)) == {
        "reachable": "ok",
        "api": "ok",
        "key": "fail",
        "expiry": "fail",
    }


def test_a_key_that_cannot_be_opened_asks_for_a_new_one(alice: Actor) -> None:
    instance = create(alice)
    instance.api_key = "v1.00000000.aaaa.bbbb"
    with pytest.raises(Invalid) as invalid:
        services.check_connection(alice, instance.id)
    assert set(invalid.value.fields) == {"api_key"}
    assert instance.error_code == "key-unreadable"


def test_marks_keep_code_details_and_english_words(alice: Actor) -> None:
    instance = create(alice)
    services.mark_error(instance, RateLimited(12.4))
    assert instance.error_details == {"seconds": 12}
    assert instance.last_error == "n8n asks to wait 12 seconds before the next request."
    services.mark_connected(instance)
    assert (instance.status, instance.error_code, instance.error_details) == (InstanceStatus.CONNECTED, None, {})
