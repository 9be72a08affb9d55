"""The pages, the API and the commands say the same of failures."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from hub.accounts.models import User
from hub.cli import main
from hub.contracts.actor import Actor
from hub.executions.services import import_execution
from hub.extensions import db
from tests.hub.cli.conftest import own_app  # noqa: F401 (a fixture)
from tests.hub.factories import make_instance
from tests.hub.failures.test_failures import analyse, failed, only

Browser = Callable[[Actor], FlaskClient]
Session = sa.orm.scoped_session[sa.orm.Session]


def test_pages_lead_from_the_list_to_the_failure_and_its_executions(session: Session, alice: Actor, browser_of: Browser) -> None:
    instance = make_instance(alice)
    first = import_execution(instance, failed(1, httpCode="401", hours=3))
    second = import_execution(instance, failed(2, httpCode="401", hours=2, workflow="w2"))
    import_execution(instance, failed(3, message="<script>alert(1)</script>"))
    analysis = analyse(alice, first)
    fingerprint = only(alice, search="order").fingerprint
    browser = browser_of(alice)
    page = browser.get("/failures").text
    assert "Order … is missing" in page
    assert f"/failures/{fingerprint}" in page
    assert f"/analyses/{analysis.id}" in page
    assert "<script>alert" not in page
    assert "<html" not in browser.get("/failures?sort=count&search=order", headers={"HX-Request": "true"}).text
    shown = browser.get(f"/failures/{fingerprint}").text
    assert "Because." in shown
    assert f"/executions/{second.id}/analyses" in shown
    listed = browser.get(f"/executions?fingerprint={fingerprint}").text
    assert f"/executions/{first.id}" in listed
    assert "alert" not in listed
    execution = browser.get(f"/executions/{second.id}").text
    assert "The same failure was explained" in execution
    assert "This failure was explained" in browser.get(f"/executions/{first.id}").text
    credentials = browser.get("/failures/credentials").text
    assert "CRM key" in credentials
    assert "Workflow w2" in credentials


def test_empty_pages_say_so(session: Session, alice: Actor, browser_of: Browser) -> None:
    browser = browser_of(alice)
    assert "Nothing failed within 30 days" in browser.get("/failures").text
    assert "No failure fits" in browser.get("/failures?search=x").text
    assert "No credential was refused" in browser.get("/failures/credentials").text
    assert browser.get("/failures/0123").status_code == 404
    assert browser.get("/failures?cursor=garbage").status_code == 422


def test_the_commands_list_the_same(own_app: Flask) -> None:  # noqa: F811
    with own_app.app_context():
        user = db.session.scalars(sa.select(User)).one()
        instance = make_instance(Actor(user_id=user.id))
        import_execution(instance, failed(1, httpCode="401"))
        import_execution(instance, failed(2, httpCode="401"))
    runner = own_app.test_cli_runner()
    listed = runner.invoke(main, ["failures", "list", "--by-count", "--search", "order"])
    assert listed.exit_code == 0, listed.output
    assert "     2x" in listed.output
    assert "Workflow w1  Fetch: Order … is missing" in listed.output
    credentials = runner.invoke(main, ["failures", "credentials"])
    assert "CRM key (httpHeaderAuth) on Main: refused" in credentials.output
    assert "failed 2x: Workflow w1" in credentials.output
