"""Every refused request leaves an event, from pages and API, and a flood of them leaves few."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from hub import refusals
from hub.accounts.api_keys import create_api_key
from hub.audit.models import AuditLog
from hub.cli import main
from hub.contracts.actor import Actor
from hub.extensions import db
from tests.security.estate import build_estate


@pytest.fixture(autouse=True)
def meter(app: Flask, monkeypatch: pytest.MonkeyPatch) -> refusals.Meter:
    """Counts from nothing."""
    meter = refusals.Meter()
    monkeypatch.setitem(app.extensions, "hub_refusals", meter)
    return meter


def refused() -> list[tuple[str | None, str, str | None, str]]:
    found = db.session.scalars(sa.select(AuditLog).where(AuditLog.action == refusals.ACTION).order_by(AuditLog.created_at)).all()
    assert not any(event.success for event in found)
    return [(event.user_id, event.resource, event.resource_id, event.details["reason"]) for event in found]


def test_pages_tell_of_what_they_refuse(
    app: Flask, alice: Actor, bob: Actor, browser_of: Callable[[Actor], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    estate, browser, who = build_estate(alice), browser_of(bob), bob.user_id
    browser.get(f"/workflows/{estate['workflow_id']}")
    browser.get("/plugins")
    browser.post("/account", headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"})
    assert refused() == [
        (who, "workflows.show", estate["workflow_id"], "not_found"),
        (who, "system.plugins", None, "not_allowed"),
        (who, "accounts.submit_account", None, "cross_site"),
    ]
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    browser.post("/account", data={"name": "x"})
    assert refused()[-1][3] == "bad_token"
    event = db.session.scalars(sa.select(AuditLog).where(AuditLog.resource == "accounts.submit_account")).first()
    assert event is not None
    assert (event.ip_address, event.details["origin"]) == ("127.0.0.1", "https://evil.example")


def test_the_api_tells_of_what_it_refuses(app: Flask, alice: Actor, bob: Actor, client: FlaskClient) -> None:
    estate = build_estate(alice)
    _key, secret = create_api_key(bob, "Reader", ["read"])
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get(f"/api/v1/instances/{estate['instance_id']}", headers=headers).status_code == 404
    assert client.delete(f"/api/v1/instances/{estate['instance_id']}", headers=headers).status_code == 403
    assert client.get("/api/v1/me", headers={"Authorization": "Bearer hub_wrong"}).status_code == 401
    assert client.get("/api/v1/me").status_code == 401
    assert [(who, reason) for who, _resource, _id, reason in refused()] == [
        (bob.user_id, "not_found"),
        (bob.user_id, "not_allowed"),
        (None, "bad_key"),
    ]


def test_what_is_no_refusal_leaves_nothing(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    browser = browser_of(alice)
    for path in ("/", "/there-is-no-such-page", "/static/none.css", "/audit?since=nonsense"):
        browser.get(path)
    assert refused() == []


def test_a_flood_is_counted(
    bob: Actor, browser_of: Callable[[Actor], FlaskClient], meter: refusals.Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = browser_of(bob)
    for number in range(refusals.PER_SOURCE + 7):
        assert browser.get(f"/workflows/c{number}").status_code == 404
    assert len(refused()) == refusals.PER_SOURCE
    now = refusals.time.monotonic()
    monkeypatch.setattr(refusals.time, "monotonic", lambda: now + refusals.WINDOW_SECONDS)
    browser.get("/")
    event: Any = db.session.scalars(
        sa.select(AuditLog).where(AuditLog.action == refusals.ACTION, AuditLog.user_id.is_(None))
    ).one()
    assert (event.details["count"], event.details["reason"]) == (7, "too_many_to_list")
    browser.get("/workflows/c1")
    assert len(refused()) == refusals.PER_SOURCE + 2


def test_many_sources_are_bounded_together(meter: refusals.Meter) -> None:
    admitted = [meter.admit(f"2001:db8:{number:x}::/64") for number in range(refusals.PER_PROCESS + 50)]
    assert sum(admitted) == refusals.PER_PROCESS


def test_a_log_that_cannot_be_written_refuses_no_less(
    bob: Actor, browser_of: Callable[[Actor], FlaskClient], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    browser = browser_of(bob)
    monkeypatch.setattr(refusals, "record_event", lambda *_arguments, **_options: 1 / 0)
    assert browser.get("/plugins").status_code == 403
    assert "could not be recorded" in caplog.text


def test_the_command_line_tells_too(app: Flask, alice: Actor, operator: Actor) -> None:
    db.session.commit()
    arguments = ["audit", "prune", "--user", "alice@example.com", "--before", "2026-01-01", "--yes"]
    assert app.test_cli_runner().invoke(main, arguments).exit_code == 1
    assert refused() == [(alice.user_id, "audit prune", None, "not_allowed")]
