from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hub.contracts.actor import Actor
from hub.contracts.http import BasicAuth, BearerAuth, JsonBody, MultipartBody, Pair
from hub.extensions import db
from hub.http_builder import services
from hub.http_builder.definitions import definition_of
from hub.http_builder.models import RequestFile, RequestRun, RunState
from hub.identifiers import new_id
from tests.hub.http_builder.test_services import URL, make_draft, opened
from tests.hub.statements import count_statements
from tests.plain_browser import read_page

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
    assert re.findall(r'name-missing"[^>]*>([^<]*)</a>', page) == ["{{SHOP}}"]


def test_a_name_without_a_value_is_marked_below_its_field_and_leads_to_where_it_gets_one(
    alice: Actor, browser: FlaskClient
) -> None:
    rows = (Pair(name="X-Shop", value="{{SHOP}}"), Pair(name="X-Off", value="{{OFF}}", enabled=False))
    draft = make_draft(headers=rows, body=JsonBody(text='{"a": "{{ITEM}}"}'), auth=BasicAuth(username="{{WHO}}", password="p"))
    page = browser.get(f"/requests/{services.create_request(alice, draft).id}").text
    marks = [mark for mark in re.findall(r'<p class="unset" data-unset>(.*?)</p>', page, re.DOTALL) if mark]
    assert [re.findall(r"{{(\w+)}}", mark) for mark in marks] == [["SHOP"], ["ITEM"], ["WHO"]]
    [link] = re.findall(r'<a [^>]*href="([^"]*)"', marks[0])
    assert link == "/environments?name=SHOP#field-name"
    assert 'name="name" value="SHOP"' in re.sub(r"\s+", " ", re.sub(r' (?:id|type|class)="[^"]*"', "", browser.get(link).text))


def test_the_last_answer_stands_in_its_place_when_a_request_is_opened_again(alice: Actor, browser: FlaskClient) -> None:
    saved = services.create_request(alice, make_draft())
    assert "Press <kbd>" in browser.get(f"/requests/{saved.id}").text
    for status in (500, 201):
        run = RequestRun(id=new_id(), user_id=alice.user_id, request_id=saved.id, name="x", method="GET", url=URL, definition={})
        run.state, run.status_code = RunState.DONE, status
        db.session.add(run)
        db.session.commit()
    page = browser.get(f"/requests/{saved.id}").text
    assert f'id="run-{run.id}"' in page
    assert "201" in page
    saving = browser.post(f"/requests/{saved.id}", data={**PLAIN, "name": ""}, headers={"HX-Request": "true"})
    assert "run-" not in saving.text


def test_pages_ask_little_of_the_database(alice: Actor, browser: FlaskClient) -> None:
    draft = make_draft(auth=BearerAuth(token="t"), folder="Shop", tags=("a",))
    saved = services.create_request(alice, draft)
    run = RequestRun(id=new_id(), user_id=alice.user_id, request_id=saved.id, name="x", method="GET", url=URL, definition={})
    run.state = RunState.DONE
    db.session.add(run)
    db.session.commit()
    for path, most in (("/requests", 5), (f"/requests/{saved.id}", 8)):
        browser.get(path)
        db.session.expire_all()
        with count_statements() as statements:
            assert browser.get(path).status_code == 200
        assert 1 < len(statements) <= most


COMMAND = (
    "curl 'https://api.example.com/v1/orders?status=open' -H 'Authorization: Bearer sk_live_abcdef123456' --json '{\"a\": 1}'"
)


def form_of(answer: TestResponse) -> dict[str, str]:
    page = read_page("http://localhost/", answer.status_code, answer.text)
    return next(form.fields for form in page.forms if "url_shown" in form.fields)


def test_a_curl_command_in_the_url_fills_the_form_and_is_saved_with_its_secret_apart(alice: Actor, browser: FlaskClient) -> None:
    filled = browser.post("/requests/send", data={**PLAIN, "url": COMMAND, "name": "From the docs"})
    assert filled.status_code == 200
    assert "sk_live_abcdef123456" not in filled.text
    assert services.list_requests(alice).rows == []
    fields = form_of(filled)
    assert (fields["method"], fields["url"]) == ("POST", "https://api.example.com/v1/orders?status=open")
    assert browser.post("/requests", data=fields).status_code == 303
    [row] = services.list_requests(alice).rows
    assert row.name == "From the docs"
    [secret] = services.list_request_secrets(alice, row.id)
    assert (opened(secret), secret.hosts) == ("sk_live_abcdef123456", ["api.example.com"])


def test_a_command_that_cannot_be_read_stays_with_its_message(browser: FlaskClient) -> None:
    answer = browser.post("/requests", data={**PLAIN, "url": "curl --no-such-thing 'x"})
    assert answer.status_code == 422
    assert "curl --no-such-thing" in answer.text
    assert 'id="error-url"' in answer.text


def test_sending_queues_a_run_of_what_is_typed(alice: Actor, browser: FlaskClient) -> None:
    saved = services.create_request(alice, make_draft())
    data = {**PLAIN, "url": "https://api.example.com/other", "auth_type": "bearer", "auth.bearer.token": "s3cret"}
    answer = browser.post(f"/requests/{saved.id}/runs", data=data)
    assert answer.status_code == 303
    [run] = db.session.scalars(sa.select(RequestRun)).all()
    assert (run.url, run.request_id, run.state) == ("https://api.example.com/other", saved.id, RunState.QUEUED)
    assert "s3cret" not in repr((run.definition, run.sent))
    assert services.get_request(alice, saved.id).url == URL
    assert "https://api.example.com/other" in browser.get(answer.location).text
    part = browser.post("/requests/send", data=data, headers={"HX-Request": "true"})
    assert 'hx-trigger="load delay:600ms"' in part.text


def test_what_will_be_sent_is_shown_without_sending(browser: FlaskClient) -> None:
    data = {**PLAIN, "url": "https://api.example.com/{{MISSING}}", "auth_type": "bearer", "auth.bearer.token": "s3cret"}
    for headers in ({}, {"HX-Request": "true"}):
        shown = browser.post("/requests/preview", data=data, headers=headers)
        assert shown.status_code == 200
        assert "What will be sent" in shown.text
        assert "MISSING" in shown.text
        assert "s3cret" not in shown.text
    assert db.session.scalars(sa.select(RequestRun)).all() == []


def test_nothing_is_sent_without_a_url(browser: FlaskClient) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        answer = browser.post("/requests/send", data={**PLAIN, "url": ""}, headers=headers)
        assert answer.status_code == 422
        assert "Enter the URL" in answer.text


def test_a_file_is_kept_even_where_another_field_is_wrong(alice: Actor, browser: FlaskClient) -> None:
    data = {
        **PLAIN,
        "timeout_seconds": "soon",
        "body_kind": "multipart",
        "multipart.new.name": "photo",
        "multipart.new.enabled": "1",
    }
    answer = browser.post("/requests", data={**data, "multipart.new.upload": (io.BytesIO(b"picture"), "a.png", "image/png")})
    assert answer.status_code == 422
    fields = {**form_of(answer), "timeout_seconds": "30"}
    assert browser.post("/requests", data=fields).status_code == 303
    [row] = services.list_requests(alice).rows
    body = definition_of(services.get_request(alice, row.id)).body
    assert isinstance(body, MultipartBody)
    [part] = body.parts
    assert (part.name, part.file_name, part.content_type, part.is_file) == ("photo", "a.png", "image/png", True)
    file = db.session.get(RequestFile, part.file_id)
    assert file is not None
    assert file.content == b"picture"


def test_import_shows_what_it_found_and_saves_what_is_chosen(alice: Actor, browser: FlaskClient) -> None:
    found = browser.post("/requests/import", data={"source": COMMAND})
    assert found.status_code == 200
    assert "1 request found" in found.text
    assert "sk_live_abcdef123456" not in found.text
    kept = re.search(r'name="import" value="([^"]+)"', found.text)
    assert kept
    nothing = browser.post("/requests/import", data={"import": kept[1]})
    assert nothing.status_code == 422
    assert services.list_requests(alice).rows == []
    saved = browser.post("/requests/import", data={"import": kept[1], "chosen": "0", "folder": "Docs"})
    [row] = services.list_requests(alice).rows
    assert (row.folder, saved.location) == ("Docs", f"/requests/{row.id}")
    assert opened(services.list_request_secrets(alice, row.id)[0]) == "sk_live_abcdef123456"


@pytest.mark.parametrize("source", ["", "hello", "{}", "curl"])
def test_what_cannot_be_imported_says_why_and_stays(browser: FlaskClient, source: str) -> None:
    answer = browser.post("/requests/import", data={"source": source})
    assert answer.status_code == 422
    assert "field-error" in answer.text


def test_another_persons_import_opens_nothing(
    alice: Actor, bob: Actor, browser: FlaskClient, browser_of: Callable[[Actor], FlaskClient]
) -> None:
    found = browser.post("/requests/import", data={"source": COMMAND})
    kept = re.search(r'name="import" value="([^"]+)"', found.text)
    assert kept
    answer = browser_of(bob).post("/requests/import", data={"import": kept[1], "chosen": "0"})
    assert answer.status_code == 422
    assert services.list_requests(bob).rows == []
