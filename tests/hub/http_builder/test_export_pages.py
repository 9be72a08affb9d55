"""Export: every format of one request, one document of many, clear words where a format can't hold it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from hub.contracts.actor import Actor
from hub.contracts.http import BearerAuth, RequestDraft
from hub.http_builder import services
from hub.http_builder.exporting import FORMATS
from tests.hub.http_builder.test_services import make_draft
from tests.plain_browser import read_page


@pytest.fixture
def browser(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> FlaskClient:
    return browser_of(alice)


def links_of(text: str) -> dict[str, str]:
    return {label: address.removeprefix("http://localhost") for address, label in read_page("http://localhost/", 200, text).links}


@pytest.mark.parametrize("kind", [known.kind for known in FORMATS])
def test_every_format_is_shown_and_downloaded(alice: Actor, browser: FlaskClient, kind: str) -> None:
    saved = services.create_request(alice, make_draft(auth=BearerAuth(token="s3cret-token-77")))
    page = browser.get(f"/requests/{saved.id}/export?kind={kind}")
    assert page.status_code == 200
    assert "api.example.com" in page.text
    assert "s3cret-token-77" not in page.text
    name = next(known.name for known in FORMATS if known.kind == kind)
    links = links_of(page.text)
    assert {known.name for known in FORMATS} <= set(links)
    assert links[name] == f"/requests/{saved.id}/export?kind={kind}"
    file = browser.get(links["Download"])
    assert file.headers["Content-Disposition"].startswith("attachment; filename=")
    assert "api.example.com" in file.text
    assert "s3cret-token-77" not in file.text


def test_the_builder_and_the_list_lead_to_the_export(alice: Actor, browser: FlaskClient) -> None:
    saved = services.create_request(alice, make_draft())
    assert f"/requests/{saved.id}/export" in links_of(browser.get(f"/requests/{saved.id}").text)["Export as…"]
    assert f'href="/requests/{saved.id}/export"' in browser.get("/requests").text


@pytest.mark.parametrize("url", ["={{ $json.url }}", "https://api.example.com:{{PORT}}/"])
def test_what_a_format_cannot_hold_is_said_in_words(alice: Actor, browser: FlaskClient, url: str) -> None:
    saved = services.create_request(alice, make_draft(url=url))
    for known in FORMATS:
        for more in ("", "&download=1"):
            page = browser.get(f"/requests/{saved.id}/export?kind={known.kind}{more}")
            assert page.status_code == 200
    page = browser.get(f"/requests/{saved.id}/export?kind=curl")
    assert "can’t be written as cURL (bash)" in page.text
    assert "URL: " in page.text


def test_an_unknown_format_shows_the_first(alice: Actor, browser: FlaskClient) -> None:
    saved = services.create_request(alice, make_draft())
    assert "curl" in browser.get(f"/requests/{saved.id}/export?kind=fortran").text


@pytest.fixture
def three(alice: Actor) -> list[str]:
    def draft(name: str, folder: str) -> RequestDraft:
        return make_draft(name=name, folder=folder, url=f"https://api.example.com/{name}")

    drafts = (draft("one", "Shop"), draft("two", "Shop/Orders"), draft("three", "Other"))
    return [services.create_request(alice, each).id for each in drafts]


def test_chosen_requests_become_one_document(three: list[str], browser: FlaskClient) -> None:
    path = f"/requests/export?kind=openapi&request={three[0]}&request={three[2]}"
    page = browser.get(path)
    assert "2 requests" in page.text
    links = links_of(page.text)
    assert set(json.loads(browser.get(links["Download"]).text)["paths"]) == {"/one", "/three"}
    assert links["Postman"] == path.replace("openapi", "").replace("kind=&", "") + "&kind=postman"


def test_a_folder_becomes_one_collection(three: list[str], browser: FlaskClient) -> None:
    file = browser.get("/requests/export?kind=postman&folder=Shop&download=1")
    collection = json.loads(file.text)
    assert collection["info"]["name"] == "Shop"
    assert "one" in file.text
    assert "two" in file.text
    assert "three" not in file.text
    assert len(three) == 3


def test_nothing_to_export_leads_back_with_a_word(browser: FlaskClient) -> None:
    answer = browser.get("/requests/export?kind=postman", follow_redirects=True)
    assert "There is no request to export here." in answer.text


def test_a_strangers_request_is_not_found(three: list[str], bob: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    stranger = browser_of(bob)
    assert stranger.get(f"/requests/export?kind=postman&request={three[0]}").status_code == 404
    assert stranger.get(f"/requests/{three[0]}/export").status_code == 404
