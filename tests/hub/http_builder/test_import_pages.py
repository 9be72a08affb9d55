"""The import page with files, addresses and documents of a thousand operations."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from pytest_httpserver import HTTPServer
from werkzeug.test import TestResponse

from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.extensions import db
from hub.http_builder import services
from hub.http_builder.definitions import definition_of
from hub.http_builder.importing.sources import KEEP, MAX_KEPT, remove_old_sources
from hub.http_builder.models import ImportSource
from tests.hub.http_builder.importing.test_bruno import FILES
from tests.hub.http_builder.importing.test_uploads import pack

OPERATIONS, TAGS = 1_000, 20


def make_document(operations: int = 4, tags: int = 2, **parts: Any) -> bytes:
    paths = {
        f"/things/{number}": {
            "get": {"operationId": f"get{number}", "summary": f"Get {number}", "tags": [f"tag {number % tags}"]}
        }
        for number in range(operations)
    }
    document = {"openapi": "3.1.0", "info": {"title": "Many", "version": "1"}, "paths": paths, **parts}
    return json.dumps({"servers": [{"url": "https://many.example.com"}], **document}).encode()


@pytest.fixture
def browser(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> FlaskClient:
    return browser_of(alice)


def upload(browser: FlaskClient, content: bytes, name: str = "openapi.json") -> TestResponse:
    return browser.post("/requests/import", data={"file": (io.BytesIO(content), name)})


def kept_of(answer: TestResponse) -> str:
    found = re.search(r'name="import" value="([^"]+)"', answer.text)
    assert found, answer.text
    return found[1]


def chosen_of(answer: TestResponse) -> list[int]:
    return [int(number) for number in re.findall(r'name="chosen" value="(\d+)" checked', answer.text)]


def sources() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(ImportSource)) or 0


def test_an_archive_is_imported(alice: Actor, browser: FlaskClient) -> None:
    found = upload(browser, pack(FILES), "shop.zip")
    assert found.status_code == 200
    assert browser.post("/requests/import", data={"import": kept_of(found), "chosen": "0"}).status_code == 303
    assert [row.name for row in services.list_requests(alice).rows] == ["List"]
    assert sources() == 0


@pytest.mark.parametrize("field", ["address", "source"])
def test_a_document_behind_an_address_is_imported(alice: Actor, browser: FlaskClient, httpserver: HTTPServer, field: str) -> None:
    httpserver.expect_request("/docs/openapi.json").respond_with_data(make_document(1, servers=[{"url": "/v1"}]))
    found = browser.post("/requests/import", data={field: httpserver.url_for("/docs/openapi.json")})
    assert browser.post("/requests/import", data={"import": kept_of(found), "chosen": "0"}).status_code == 303
    [row] = services.list_requests(alice).rows
    definition = definition_of(services.get_request(alice, row.id))
    assert f"localhost:{httpserver.port}/v1" in definition.model_dump_json()


def test_an_address_without_a_document_says_why_and_stays(browser: FlaskClient, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/gone").respond_with_data("", status=410)
    address = httpserver.url_for("/gone")
    answer = browser.post("/requests/import", data={"address": address})
    assert answer.status_code == 422
    assert "410" in answer.text
    assert f'value="{address}"' in answer.text
    refused = browser.post("/requests/import", data={"address": "http://169.254.169.254/latest"})
    assert refused.status_code == 422
    assert 'id="error-address"' in refused.text
    assert sources() == 0


def test_a_thousand_operations_travel_once(alice: Actor, browser: FlaskClient) -> None:
    document = make_document(OPERATIONS, TAGS)
    found = upload(browser, document)
    assert sorted(chosen_of(found)) == list(range(OPERATIONS))
    assert found.text.count("data-shelf") == TAGS
    assert "<details open" not in found.text
    none = browser.post("/requests/import", data={"import": kept_of(found), "chosen": chosen_of(found), "pick": "none"})
    assert chosen_of(none) == []
    some = browser.post("/requests/import", data={"import": kept_of(none), "search": "/things/77", "pick": "all"})
    assert sorted(chosen_of(some)) == [77, *range(770, 780)]
    assert some.text.count("data-row hidden") == OPERATIONS - 11
    shelf = browser.post("/requests/import", data={"import": kept_of(some), "chosen": ["77", "78"], "pick": "all:0"})
    assert len(chosen_of(shelf)) == OPERATIONS // TAGS + 2
    saved = browser.post("/requests/import", data={"import": kept_of(some), "chosen": chosen_of(some)})
    assert saved.status_code == 303
    assert services.count_requests(str(alice.user_id)) == 11


def test_what_is_kept_is_encrypted_bounded_and_forgotten(browser: FlaskClient) -> None:
    for number in range(MAX_KEPT + 2):
        browser.post(
            "/requests/import", data={"source": f"curl https://api.example.com/{number} -H 'X-Api-Key: sk-{number:020}'"}
        )
    assert sources() == MAX_KEPT
    rows = db.session.scalars(sa.select(ImportSource)).all()
    assert not any("api.example.com" in row.content for row in rows)
    remove_old_sources(utc_now() + KEEP - dt.timedelta(minutes=1))
    assert sources() == MAX_KEPT
    remove_old_sources(utc_now() + KEEP + dt.timedelta(minutes=1))
    assert sources() == 0


def test_what_is_gone_is_said(browser: FlaskClient) -> None:
    answer = browser.post("/requests/import", data={"import": "no-such-one", "chosen": "0"})
    assert answer.status_code == 422
    assert "no longer here" in answer.text


def test_an_environment_comes_along_once(alice: Actor, browser: FlaskClient) -> None:
    environment = {
        "name": "Staging",
        "_postman_variable_scope": "environment",
        "values": [
            {"key": "base", "value": "https://staging.example.com", "enabled": True},
            {"key": "token", "value": "", "type": "secret", "enabled": True},
        ],
    }
    found = upload(browser, json.dumps(environment).encode(), "staging.json")
    saved = browser.post("/requests/import", data={"import": kept_of(found)}, follow_redirects=True)
    assert "“Staging” was imported" in saved.text
    assert "not imported" not in saved.text


@pytest.mark.parametrize("with_folder", [False, True])
def test_enter_searches_where_the_search_is_new_else_saves(alice: Actor, browser: FlaskClient, with_folder: bool) -> None:
    """Without JavaScript the key presses the first button of the form, in whichever field it is pressed."""
    found = upload(browser, make_document(4))
    assert re.search(r"<button[^>]*>", found.text[found.text.index("data-import") :])[0].find('value="enter"') > 0  # type: ignore[index]
    form = {"import": kept_of(found), "pick": "enter", "searched": "", "folder": "Mine" if with_folder else ""}
    shown = browser.post("/requests/import", data={**form, "search": "/things/3", "chosen": ["0", "3"]})
    assert shown.status_code == 200
    assert 'name="searched" value="/things/3"' in shown.text
    assert services.count_requests(str(alice.user_id)) == 0
    saved = browser.post("/requests/import", data={**form, "search": "/things/3", "searched": "/things/3", "chosen": ["0", "3"]})
    assert saved.status_code == 303
    rows = services.list_requests(alice).rows
    assert sorted(row.name for row in rows) == ["Get 0", "Get 3"]
    assert all((row.folder or "").startswith("Mine") is with_folder for row in rows)


@pytest.mark.parametrize(
    ("source", "english", "arabic"),
    [
        (make_document(1).decode(), "OpenAPI 3.1", "OpenAPI 3.1"),
        ('{"swagger": "2.0", "host": "one.test", "paths": {"/a": {"get": {}}}}', "Swagger 2.0", "Swagger 2.0"),
        ("curl https://one.test", "cURL command", "أمر cURL"),
        ("Invoke-WebRequest -Uri https://one.test", "PowerShell command", "أمر PowerShell"),
        (
            '{"info": {"name": "A", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},'
            ' "item": [{"name": "B", "request": "https://one.test"}]}',
            "Postman collection 2.1",
            "مجموعة Postman 2.1",
        ),
        (
            '{"log": {"version": "1.2", "entries": [{"request": {"method": "GET", "url": "https://one.test/"}}]}}',
            "HAR 1.2",
            "HAR 1.2",
        ),
        (
            '{"_type": "export", "__export_format": 4, "resources":'
            ' [{"_id": "r", "_type": "request", "url": "https://one.test", "method": "GET"}]}',
            "Insomnia export 4",
            "تصدير Insomnia 4",
        ),
        ("meta {\n  name: A\n}\n\nget {\n  url: https://one.test\n}\n", "Bruno collection", "مجموعة Bruno"),
        (
            '{"nodes": [{"type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "name": "A",'
            ' "parameters": {"url": "https://one.test"}}]}',
            "n8n node",
            "عقدة n8n",
        ),
    ],
)  # fmt: skip
def test_the_format_has_the_name_that_people_call_it(browser: FlaskClient, source: str, english: str, arabic: str) -> None:
    for language, name, words in (("en", english, "Read as: "), ("ar", arabic, "قُرئ بصيغة: ")):
        browser.set_cookie("hub_language", language)
        found = browser.post("/requests/import", data={"source": source})
        assert found.status_code == 200
        assert f"{words}{name}<" in found.text
