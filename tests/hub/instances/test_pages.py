from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.extensions import db
from hub.instances import services
from hub.instances.errors import Unauthorized
from hub.instances.models import Instance
from hub.jobs.services import enqueue
from hub.sync.progress import sync_key
from tests.hub.factories import make_execution, make_instance, make_workflow
from tests.hub.statements import count_statements

SignIn = Callable[[Actor], FlaskClient]


@pytest.fixture
def browser(browser_of: SignIn, alice: Actor) -> FlaskClient:
    return browser_of(alice)


def form(**changes: str) -> dict[str, str]:
    return {"name": "Shop", "url": "http://127.0.0.1:9", "api_key": "key-1", **changes}


def only_instance() -> Instance:
    return db.session.scalars(sa.select(Instance)).one()


def test_connecting_tests_at_once_and_shows_the_report(browser: FlaskClient, fake_n8n: Callable[..., str]) -> None:
    page = browser.post("/instances", data=form(url=fake_n8n()), follow_redirects=True)
    assert page.status_code == 200
    assert page.request.path == f"/instances/{only_instance().id}"
    assert "The connection works." in page.text
    assert "n8n accepts the key." in page.text
    assert "key-1" not in page.text


def test_a_wrong_form_keeps_what_was_typed_but_the_key(browser: FlaskClient) -> None:
    page = browser.post("/instances", data=form(url="http://10.0.0.1:5678", name="My <b>n8n</b>"))
    assert page.status_code == 422
    assert "HUB_ALLOWED_ADDRESSES" in page.text
    assert "My &lt;b&gt;n8n&lt;/b&gt;" in page.text
    assert "key-1" not in page.text
    assert db.session.scalars(sa.select(Instance)).all() == []


def test_an_instance_that_cannot_be_reached_is_kept_with_the_reason(browser: FlaskClient) -> None:
    page = browser.post("/instances", data=form(url="http://127.0.0.1:1025"), follow_redirects=True)
    assert page.status_code == 200
    assert "Nothing listens at 127.0.0.1:1025" in page.text
    assert "Nothing listens at 127.0.0.1:1025" in browser.get("/instances").text


def test_the_reason_is_in_the_readers_language(browser: FlaskClient, alice: Actor) -> None:
    instance = make_instance(alice)
    services.mark_error(instance, Unauthorized())
    assert "n8n does not accept the API key" in browser.get(f"/instances/{instance.id}").text
    browser.set_cookie("hub_language", "ar")
    assert browser.get(f"/instances/{instance.id}").status_code == 200


def test_editing(browser: FlaskClient, alice: Actor) -> None:
    instance = services.create_instance(alice, name="Shop", url="http://127.0.0.1:1025", api_key="key-1")
    address = f"/instances/{instance.id}/edit"
    page = browser.get(address)
    assert page.status_code == 200
    assert "key-1" not in page.text
    refused = browser.post(address, data=form(url="http://127.0.0.1:1026", api_key="", sync_interval_minutes="5"))
    assert refused.status_code == 422
    assert "enter its API key too" in refused.text
    saved = browser.post(address, data=form(url=instance.url, name="New", api_key="", sync_interval_minutes="60"))
    assert saved.status_code == 303
    assert (instance.name, instance.sync_interval_minutes) == ("New", 60)


def test_deleting_asks_first_and_works_without_script(browser: FlaskClient, alice: Actor) -> None:
    instance = make_instance(alice)
    assert f'action="/instances/{instance.id}/delete"' in browser.get(f"/instances/{instance.id}").text
    page = browser.post(f"/instances/{instance.id}/delete", follow_redirects=True)
    assert "was deleted" in page.text
    assert db.session.scalars(sa.select(Instance)).all() == []


def test_a_stranger_gets_404_everywhere(browser_of: SignIn, alice: Actor, bob: Actor) -> None:
    instance = make_instance(alice, "Secret")
    stranger = browser_of(bob)
    for path in ("", "/edit", "/progress"):
        assert stranger.get(f"/instances/{instance.id}{path}").status_code == 404
    for path in ("/edit", "/test", "/sync", "/delete"):
        assert stranger.post(f"/instances/{instance.id}{path}", data=form()).status_code == 404
    assert instance.name not in stranger.get("/instances").text


def test_a_sample_offers_nothing_that_it_cannot_do(browser: FlaskClient, alice: Actor) -> None:
    sample = make_instance(alice, "Sample", is_sample=True)
    page = browser.get(f"/instances/{sample.id}").text
    assert "/test" not in page
    assert "/sync" not in page
    for path in ("/edit", "/test", "/sync"):
        assert browser.post(f"/instances/{sample.id}{path}", data=form()).status_code == 409


def test_progress_is_polled_until_the_sync_is_over(browser: FlaskClient, alice: Actor) -> None:
    instance = make_instance(alice)
    job = enqueue("sync.instance", unique_key=sync_key(instance.id), instance_id=instance.id)
    job.done, job.total, job.note = 250, 1000, "executions 3 250 0"
    db.session.commit()
    page = browser.get("/instances").text
    assert f'hx-get="/instances/{instance.id}/progress"' in page
    assert "250 / 1,000" in page
    part = browser.get(f"/instances/{instance.id}/progress", headers={"HX-Request": "true"})
    assert "<progress" in part.text
    assert "<html" not in part.text
    assert "HX-Refresh" not in part.headers
    db.session.delete(job)
    db.session.commit()
    end = browser.get(f"/instances/{instance.id}/progress", headers={"HX-Request": "true"})
    assert end.headers["HX-Refresh"] == "true"
    assert "hx-trigger" not in end.text
    assert browser.get(f"/instances/{instance.id}/progress").status_code == 303


def test_pressing_sync_answers_with_its_progress(browser: FlaskClient, alice: Actor) -> None:
    instance = services.create_instance(alice, name="Shop", url="http://127.0.0.1:1025", api_key="key-1")
    part = browser.post(f"/instances/{instance.id}/sync", headers={"HX-Request": "true"})
    assert (part.status_code, "<progress" in part.text) == (200, True)
    assert browser.post(f"/instances/{instance.id}/sync").status_code == 303


def test_the_list_costs_the_same_at_any_size(browser: FlaskClient, alice: Actor) -> None:
    for number in range(12):
        instance = make_instance(alice, f"I{number}")
        for name in ("A", "B"):
            make_execution(make_workflow(instance, name), number + 1, started_at=utc_now())
    with count_statements() as statements:
        page = browser.get("/instances")
    assert page.text.count(">2</a>") == 24
    assert len(statements) <= 6
    with count_statements() as statements:
        browser.get(f"/instances/{instance.id}")
    assert len(statements) <= 12


def test_an_empty_list_says_what_to_do(browser: FlaskClient) -> None:
    assert "/instances/new" in browser.get("/instances").text
    assert browser.get("/instances/new").status_code == 200
