from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from hub.contracts.actor import Actor
from hub.contracts.http import BearerAuth, JsonBody, Pair
from hub.http_builder import services
from hub.http_builder.definitions import definition_of
from tests.hub.http_builder.test_services import make_draft, opened

PLAIN = {
    "name": "Orders",
    "method": "GET",
    "url": "https://api.example.com/orders",
    "timeout_seconds": "30",
    "max_redirects": "5",
}


@pytest.fixture
def browser(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> FlaskClient:
    return browser_of(alice)


def test_an_empty_list_says_what_to_do(browser: FlaskClient) -> None:
    page = browser.get("/requests").text
    assert all(path in page for path in ('href="/requests/new"', 'href="/requests/import"', 'href="/templates"'))


def test_a_request_is_saved_from_the_form(alice: Actor, browser: FlaskClient) -> None:
    answer = browser.post(
        "/requests", data={**PLAIN, "headers.new.name": "Accept", "headers.new.value": "*/*", "headers.new.enabled": "1"}
    )
    assert answer.status_code == 303
    [row] = services.list_requests(alice).rows
    saved = services.get_request(alice, row.id)
    assert definition_of(saved).headers == (Pair(name="Accept", value="*/*"),)
    page = browser.get(answer.location).text
    assert "https://api.example.com/orders" in page


def test_wrong_input_stays_beside_its_message(browser: FlaskClient) -> None:
    answer = browser.post(
        "/requests",
        data={
            **PLAIN,
            "name": "",
            "timeout_seconds": "soon",
            "body_kind": "json",
            "body.json": '{"kept": 1',
            "auth.bearer.token": "s3cret",
        },
    )
    assert answer.status_code == 422
    assert 'value="soon"' in answer.text
    assert "{&#34;kept&#34;: 1" in answer.text
    assert "Line 1, column 11" in answer.text
    assert "from 1 to 120" in answer.text
    assert "s3cret" not in answer.text


def test_a_typed_secret_survives_a_message_and_is_never_shown(alice: Actor, browser: FlaskClient) -> None:
    import re

    first = browser.post("/requests", data={**PLAIN, "name": "", "auth_type": "bearer", "auth.bearer.token": "s3cret"})
    sealed = re.search(r'name="auth.bearer.token.sealed" value="([^"]+)"', first.text)
    assert sealed
    data = {**PLAIN, "auth_type": "bearer", "auth.bearer.token.sealed": sealed[1], "auth.bearer.prefix": "Bearer"}
    assert browser.post("/requests", data=data).status_code == 303
    [row] = services.list_requests(alice).rows
    [secret] = services.list_request_secrets(alice, row.id)
    assert opened(secret) == "s3cret"
    page = browser.get(f"/requests/{row.id}").text
    assert "s3cret" not in page
    assert "Set. Type to replace" in page


def test_a_save_over_a_newer_state_shows_both(alice: Actor, browser: FlaskClient) -> None:
    saved = services.create_request(alice, make_draft(body=JsonBody(text="1")))
    version = services.version_of(saved)
    services.update_request(alice, saved.id, make_draft(name="Theirs"))
    answer = browser.post(f"/requests/{saved.id}", data={**PLAIN, "name": "Mine", "version": version})
    assert answer.status_code == 409
    assert "Theirs" in answer.text
    assert 'value="Mine"' in answer.text
    assert services.get_request(alice, saved.id).name == "Theirs"


def test_buttons_without_script_change_the_form_alone(alice: Actor, browser: FlaskClient) -> None:
    saved = services.create_request(alice, make_draft())
    data = {**PLAIN, "name": "Typed", "body_kind": "json", "body.json": '{"a":1}', "action": "format:body.json"}
    page = browser.post(f"/requests/{saved.id}", data=data).text
    assert "{\n  &#34;a&#34;: 1\n}" in page
    assert 'value="Typed"' in page
    assert services.get_request(alice, saved.id).name == "List orders"


def test_the_list_page_filters_and_undoes_a_delete(alice: Actor, browser: FlaskClient) -> None:
    saved = services.create_request(alice, make_draft(folder="Shop", tags=("new",)))
    assert "List orders" in browser.get("/requests?folder=Shop&tag=new&search=orders&method=GET&order=used").text
    assert "No request fits" in browser.get("/requests?method=POST").text
    gone = browser.post(f"/requests/{saved.id}/delete", data={"next": "/requests?folder=Shop"})
    assert gone.location == f"/requests?folder=Shop&deleted={saved.id}"
    assert f"/requests/{saved.id}/restore" in browser.get(gone.location).text
    browser.post(f"/requests/{saved.id}/restore")
    assert services.get_request(alice, saved.id).name == "List orders"


def test_a_favourite_and_a_copy_are_made_from_the_list(alice: Actor, browser: FlaskClient) -> None:
    saved = services.create_request(alice, make_draft(auth=BearerAuth(token="t")))
    browser.post(f"/requests/{saved.id}/arrange", data={"favorite": "1", "folder": "A", "tags": "x,y"})
    assert (saved.favorite, saved.folder, saved.tags) == (True, "A", ["x", "y"])
    answer = browser.post(f"/requests/{saved.id}/duplicate")
    assert "List orders (copy)" in browser.get(answer.location).text


def test_what_has_no_value_is_named(alice: Actor, browser: FlaskClient) -> None:
    draft = make_draft(
        url="https://api.example.com/{{SHOP}}/{{MINE}}", variables=(Pair(name="MINE", value="1"),), auth=BearerAuth(token="t")
    )
    page = browser.get(f"/requests/{services.create_request(alice, draft).id}").text
    assert '<code class="code-inline name-missing" dir="ltr">{{SHOP}}</code>' in page
    assert page.count("name-missing") == 1
