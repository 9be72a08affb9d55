from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from hub.contracts.actor import Actor
from hub.contracts.http import Comparison
from hub.extensions import db
from hub.http_builder import services
from hub.http_builder.definitions import definition_of
from hub.http_builder.models import RequestRun, RunState
from tests.hub.http_builder.responses.conftest import MakeRun
from tests.hub.http_builder.responses.test_contents import PNG
from tests.hub.http_builder.test_services import make_draft

FRAGMENT = {"HX-Request": "true"}
MAX_PAGE = 600_000
ORDERS = json.dumps({"data": [{"id": "A-1", "total": 12.50, "note": "<b>Tea</b>"}], "next": None}).encode()


def open_page(browser: FlaskClient, path: str, **options: Any) -> str:
    answer = browser.get(path, **options)
    assert answer.status_code == 200, path
    assert len(answer.data) < MAX_PAGE
    return answer.text


def test_a_json_body_is_a_tree_whose_nodes_tell_their_names(browser: FlaskClient, make_run: MakeRun) -> None:
    run = make_run(ORDERS)
    page = open_page(browser, f"/runs/{run.id}")
    assert "200 OK" in page
    assert "It worked." in page
    assert "&lt;b&gt;Tea&lt;/b&gt;" in page
    assert "<b>Tea" not in page
    assert f'href="/runs/{run.id}/node?node=0.0.0"' in page
    # Without script the link leads to the page with the same card; with htmx it brings the card alone.
    assert browser.get(f"/runs/{run.id}/node?node=0.0.0").location == f"/runs/{run.id}?node=0.0.0"
    for card in (
        open_page(browser, f"/runs/{run.id}?node=0.0.0"),
        open_page(browser, f"/runs/{run.id}/node?node=0.0.0", headers=FRAGMENT),
    ):
        assert "$.data[0].id" in card
        assert "{{ $json.data[0].id }}" in card
    assert "<html" not in open_page(browser, f"/runs/{run.id}/node?node=0.0.0", headers=FRAGMENT)


def test_large_containers_come_piece_by_piece(browser: FlaskClient, make_run: MakeRun) -> None:
    run = make_run(json.dumps({"rows": list(range(250)), "deep": [[[[["found"]]]]]}).encode())
    page = open_page(browser, f"/runs/{run.id}")
    assert "150 more entries" in page
    more = open_page(browser, f"/runs/{run.id}/branch?at=0&from=100", headers=FRAGMENT)
    assert "50 more entries" in more
    assert '<span class="json-number">100</span>' in more
    assert '<span class="json-number">99</span>' not in more
    alone = open_page(browser, f"/runs/{run.id}?at=0&from=200")
    assert '<span class="json-number">249</span>' in alone
    assert browser.get(f"/runs/{run.id}/branch?at=0").location == f"/runs/{run.id}?at=0"


def test_search_finds_words_and_paths_and_leads_there(browser: FlaskClient, make_run: MakeRun) -> None:
    run = make_run(ORDERS)
    page = open_page(browser, f"/runs/{run.id}?find=tea")
    assert "1 place" in page
    assert "node=0.0.2" in page
    assert "<mark>Tea</mark>" in page
    assert "12.5" in open_page(browser, f"/runs/{run.id}", query_string={"find": "$.data[?@.id=='A-1'].total"})
    assert "no JSONPath" in open_page(browser, f"/runs/{run.id}", query_string={"find": "$.["})
    assert "Not found" in open_page(browser, f"/runs/{run.id}?find=coffee")
    text = make_run(b"one\ntwo\n", "text/plain")
    assert "<mark>two</mark>" in open_page(browser, f"/runs/{text.id}?find=TWO")


def test_html_is_shown_as_text_in_colours(browser: FlaskClient, make_run: MakeRun) -> None:
    run = make_run(b"<script>alert(1)</script>", "text/html")
    page = open_page(browser, f"/runs/{run.id}")
    assert "<script>alert" not in page
    assert 'class="hl-nt"' in page


def test_pictures_are_served_so_that_nothing_in_them_runs(browser: FlaskClient, make_run: MakeRun) -> None:
    run = make_run(PNG, "image/png")
    assert f'src="/runs/{run.id}/image"' in open_page(browser, f"/runs/{run.id}")
    answer = browser.get(f"/runs/{run.id}/image")
    assert (answer.data, answer.content_type) == (PNG, "image/png")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    svg = make_run(b"<svg onload='alert(1)'/>", "image/svg+xml")
    assert browser.get(f"/runs/{svg.id}/image").status_code == 303


@pytest.mark.parametrize("media_type", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript"])
def test_a_download_never_opens_in_the_browser(browser: FlaskClient, make_run: MakeRun, media_type: str) -> None:
    run = make_run(b"<svg onload='alert(1)'/>", media_type)
    answer = browser.get(f"/runs/{run.id}/body")
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_the_connection_tells_time_encryption_and_the_way(browser: FlaskClient, make_run: MakeRun) -> None:
    timing = {"dns_ms": 1.5, "connect_ms": 20.0, "tls_ms": 30.0, "first_byte_ms": 100.0, "download_ms": 5.0, "total_ms": 300.0}
    hop = {"method": "GET", "reason": "OK", "address": "192.0.2.1", "timing": timing}
    hops = [
        {**hop, "url": "https://a.example/", "status": 302, "stripped": []},
        {**hop, "url": "https://b.example/", "status": 200, "stripped": ["Authorization"]},
    ]
    tls = {
        "version": "TLSv1.3",
        "cipher": "AES",
        "subject": "b.example",
        "issuer": "CA",
        "valid_until": "2020-01-01",
        "verified": False,
    }
    run = make_run(b"{}", timing=timing, hops=hops, tls=tls, http_version="HTTP/1.1")
    page = open_page(browser, f"/runs/{run.id}?part=connection")
    for words in (
        "TLSv1.3",
        "Expired",
        "Authorization",
        "302",
        "300 ms",
        "1.5 ms",
        "HTTP/1.1",
        "The certificate was not checked",
    ):
        assert words in page
    assert page.count('<rect class="waterfall-') == 5


def test_headers_cookies_and_what_was_sent(browser: FlaskClient, make_run: MakeRun) -> None:
    headers = [["X-Evil", "<script>\u202e"], ["Set-Cookie", "sid=1; HttpOnly; Path=/"]]
    sent = {"method": "GET", "url": "https://a.example/", "headers": [["Authorization", "Bearer ***"]], "body": "hello"}
    run = make_run(b"{}", response_headers=headers, sent=sent)
    page = open_page(browser, f"/runs/{run.id}?part=headers")
    assert "&lt;script&gt;[U+202E]" in page
    assert "HttpOnly" in page
    page = open_page(browser, f"/runs/{run.id}?part=sent")
    assert "Bearer ***" in page
    assert "hello" in page


def test_failed_tests_come_first(browser: FlaskClient, make_run: MakeRun) -> None:
    def check(path: str, passed: bool) -> dict[str, Any]:
        return {
            "subject": "body",
            "path": path,
            "comparison": "equals",
            "expected": "1",
            "passed": passed,
            "found": "2",
            "problem": None,
        }

    run = make_run(b"{}", assertions=[check("$.good", True), check("$.bad", False)], passed=False)
    page = open_page(browser, f"/runs/{run.id}?part=checks")
    assert page.index("$.bad") < page.index("$.good")
    assert "Found: 2" in page
    body = open_page(browser, f"/runs/{run.id}")
    assert "$.bad is 1" in body
    assert "$.good" not in body


@pytest.mark.parametrize("state", list(RunState))
def test_every_state_is_drawn_and_only_those_under_way_ask_again(
    browser: FlaskClient, make_run: MakeRun, state: RunState
) -> None:
    columns: dict[str, Any] = {} if state is RunState.DONE else {"status_code": None, "reason": None}
    if state in (RunState.FAILED, RunState.REFUSED):
        details = {"host": "a.example", "port": 443, "reason": "refused"}
        columns["error"] = {"code": "connect", "details": details, "phase": "connect"}
        columns["timing"] = {"dns_ms": 1.0, "connect_ms": 2.0, "total_ms": 3.0}
    run = make_run(b"", state=state, **columns)
    page = open_page(browser, f"/runs/{run.id}")
    pane = open_page(browser, f"/runs/{run.id}", headers=FRAGMENT)
    waits = state in (RunState.QUEUED, RunState.RUNNING)
    assert ('hx-trigger="load' in pane) == waits
    assert ('http-equiv="refresh"' in page) == waits
    assert (f"/runs/{run.id}/cancel" in pane) == waits
    if state is RunState.FAILED:
        assert "Nothing listens at a.example:443" in page
        assert "at this step: Connecting" in page
    if state is RunState.DONE:
        assert "The answer has no body" in page


def test_cancelling_shows_what_became_of_it(browser: FlaskClient, make_run: MakeRun) -> None:
    run = make_run(state=RunState.QUEUED, status_code=None)
    assert browser.post(f"/runs/{run.id}/cancel", headers=FRAGMENT).text.count("Canceled") >= 1
    late = browser.post(f"/runs/{run.id}/cancel")
    assert late.location == f"/runs/{run.id}"
    assert "ended already" in browser.get(late.location).text
    assert browser.post(f"/runs/{run.id}/cancel", data={"next": "//evil.example"}).location == "/"


# --- From an answer to the request ---------------------------------------------------------------------------------


@pytest.fixture
def sent(alice: Actor, make_run: MakeRun) -> RequestRun:
    saved = services.create_request(alice, make_draft())
    return make_run(ORDERS, request_id=saved.id)


def test_a_node_becomes_a_test(alice: Actor, browser: FlaskClient, sent: RequestRun) -> None:
    answer = browser.post(f"/runs/{sent.id}/keep?node=0.0.1", data={"as": "test"})
    assert answer.location == f"/requests/{sent.request_id}?tab=tests"
    assert sent.request_id
    [assertion] = definition_of(services.get_request(alice, sent.request_id)).assertions
    assert (assertion.path, assertion.comparison, assertion.expected) == ("$.data[0].total", Comparison.EQUALS, "12.5")
    browser.post(f"/runs/{sent.id}/keep?node=0", data={"as": "test"})
    assert definition_of(services.get_request(alice, sent.request_id)).assertions[1].comparison is Comparison.EXISTS


def test_a_node_becomes_a_variable(alice: Actor, browser: FlaskClient, sent: RequestRun) -> None:
    refused = browser.post(f"/runs/{sent.id}/keep?node=0.0.0", data={"as": "variable", "variable": "no name"})
    assert refused.location == f"/runs/{sent.id}?node=0.0.0"
    assert "no name for a variable" in browser.get(refused.location).text
    browser.post(f"/runs/{sent.id}/keep?node=0.0.0", data={"as": "variable", "variable": "order", "secret": "1"})
    assert sent.request_id
    [extraction] = definition_of(services.get_request(alice, sent.request_id)).extractions
    assert (extraction.variable, extraction.path, extraction.secret) == ("order", "$.data[0].id", True)


def test_in_the_builder_a_node_becomes_a_row_beside_what_is_not_saved(
    alice: Actor, bob: Actor, browser: FlaskClient, browser_of: Callable[[Actor], FlaskClient], sent: RequestRun
) -> None:
    assert sent.request_id
    saved = services.get_request(alice, sent.request_id)
    typed = {"url": "https://typed.example.com/x", "method": "PUT", "name": "Typed", "version": services.version_of(saved)}
    typed |= {"timeout_seconds": "30", "max_redirects": "5", "action": "save"}
    page = browser.post(f"/requests/{saved.id}", data={**typed, "keep": f"test:{sent.id}:0.0.1"}).text
    assert 'value="https://typed.example.com/x"' in page
    assert re.search(r'name="assertions\.r1\.path"[^>]*value="\$\.data\[0\]\.total"', page)
    assert 'class="tab tab-open" id="tab-tests"' in page
    variable = {"keep": f"variable:{sent.id}:0.0.0", "keep_variable": "order", "keep_secret": "1"}
    page = browser.post(f"/requests/{saved.id}", data={**typed, **variable}).text
    assert 'value="https://typed.example.com/x"' in page
    assert re.search(r'name="extractions\.r1\.variable"[^>]*value="order"', page)
    assert re.search(r'name="extractions\.r1\.secret" value="1" checked', page)
    for nonsense in ("test", f"test:{sent.id}:9.9", f"test:{sent.id}"):
        assert browser.post(f"/requests/{saved.id}", data={**typed, "keep": nonsense}).status_code in (200, 404)
    stored = definition_of(services.get_request(alice, saved.id))
    assert (stored.assertions, stored.extractions, stored.method) == ((), (), "GET")
    stranger = browser_of(bob)
    assert stranger.post("/requests", data={**typed, "keep": f"test:{sent.id}:0.0.1"}).status_code == 404


def test_a_node_of_what_was_sent_unsaved_tells_where_its_test_goes(alice: Actor, browser: FlaskClient, make_run: MakeRun) -> None:
    saved = services.create_request(alice, make_draft())
    definition = definition_of(saved)
    same = make_run(ORDERS, request_id=saved.id, definition=definition.model_dump(mode="json"))
    changed = definition.model_copy(update={"url": "https://changed.example.com"})
    other = make_run(ORDERS, request_id=saved.id, definition=changed.model_dump(mode="json"))
    assert "node-apart" not in browser.get(f"/runs/{same.id}?node=0").text
    assert "node-apart" in browser.get(f"/runs/{other.id}?node=0").text
    assert "node-apart" in browser.get(f"/runs/{other.id}/node?node=0", headers=FRAGMENT).text
    services.delete_request(alice, saved.id)
    assert browser.get(f"/runs/{other.id}?node=0").status_code == 200


def test_what_is_not_saved_says_so(browser: FlaskClient, make_run: MakeRun) -> None:
    run = make_run(ORDERS)
    back = browser.post(f"/runs/{run.id}/keep?node=0", data={"as": "test"})
    assert "Save the request first" in browser.get(back.location).text


def test_the_strip_and_the_list_of_a_request(browser: FlaskClient, sent: RequestRun, make_run: MakeRun) -> None:
    bad = make_run(b"{}", request_id=sent.request_id, status_code=500)
    page = open_page(browser, f"/runs/{bad.id}")
    assert f"/runs/{sent.id}" in page
    assert f"/runs/compare?b={bad.id}&amp;green=1" in page
    assert f"/requests/{sent.request_id}/runs" in open_page(browser, f"/requests/{sent.request_id}")
    listed = open_page(browser, f"/requests/{sent.request_id}/runs")
    assert f"/runs/{sent.id}" in listed
    assert f"/runs/{bad.id}" in listed


# --- Comparing -----------------------------------------------------------------------------------------------------


def test_comparing_takes_the_run_before_or_the_last_good_one(browser: FlaskClient, sent: RequestRun, make_run: MakeRun) -> None:
    bad = make_run(b'{"data": [], "error": "gone"}', request_id=sent.request_id, status_code=500)
    worse = make_run(b'{"data": []}', request_id=sent.request_id, status_code=502)
    page = open_page(browser, f"/runs/compare?b={worse.id}")
    assert "$.error" in page
    assert "$.data[0]" not in page
    page = open_page(browser, f"/runs/compare?b={worse.id}&green=1")
    assert "$.data[0]" in page
    assert f"/runs/{bad.id}" not in page
    assert "No earlier run" in open_page(browser, f"/runs/compare?b={sent.id}")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ((b"{}", "application/json"), (b"{ }", "application/json"), "The values are the same"),
        ((b"one\ntwo", "text/plain"), (b"one\n<three>", "text/plain"), "&lt;three&gt;"),
        ((PNG, "image/png"), (PNG + b"1", "image/png"), "no text"),
        ((b"{", "application/json"), (b"[", "application/json"), 'class="added"'),
        ((b"same", "text/plain"), (b"same", "text/plain"), "byte for byte"),
        ((b"", "text/plain"), (b"", "text/plain"), "Neither has a body"),
    ],
)
def test_comparing_bodies_of_any_kind(
    browser: FlaskClient, make_run: MakeRun, before: tuple[bytes, str], after: tuple[bytes, str], words: str
) -> None:
    old, new = make_run(*before), make_run(*after)
    assert words in open_page(browser, f"/runs/compare?a={old.id}&b={new.id}")


def test_a_strangers_run_cannot_be_compared(browser: FlaskClient, bob: Actor, make_run: MakeRun) -> None:
    own, other = make_run(b"1"), make_run(b"2", owner=bob)
    assert browser.get(f"/runs/compare?a={other.id}&b={own.id}").status_code == 404
    assert browser.get(f"/runs/compare?a={own.id}&b={other.id}").status_code == 404


def test_comparing_without_runs_says_what_to_do(browser: FlaskClient) -> None:
    assert "Send a request twice" in open_page(browser, "/runs/compare")


# --- Whatever comes ------------------------------------------------------------------------------------------------

HOSTILE: dict[str, Callable[[], tuple[bytes, str]]] = {
    "deep": lambda: (b"[" * 100 + b"]" * 100, "application/json"),
    "too deep": lambda: (b"[" * 100_000, "application/json"),
    "many keys": lambda: (json.dumps({f"k{number}": number for number in range(100_000)}).encode(), "application/json"),
    "huge string": lambda: (json.dumps({"a": "<" * 4_000_000}).encode(), "application/json"),
    "huge key": lambda: (json.dumps({"\"'<&" * 100_000: ["<script>" * 200] * 400}).encode(), "application/json"),
    "escapes": lambda: (json.dumps([{"<script>alert(1)</script>" * 9: "'\"<>&" * 99}] * 500).encode(), "application/json"),
    "no json": lambda: (b'{"a": <script>alert(1)</script>', "application/json"),
    "digits": lambda: (b"[" + b"9" * 1_000_000 + b"]", "application/json"),
    "nul": lambda: (b'{"a": "\x00\x01<script>alert(1)</script>"}', "text/html; charset=\x01"),
    "broken utf-8": lambda: (b"\xff\xc0<script>alert(1)</script>" * 1000, "text/plain; charset=utf-8"),
    "one line": lambda: (b"<a>" * 1_000_000, "text/html"),
    "lines": lambda: (b'{"<script>": 1}\n' * 100_000, "application/x-ndjson"),
    "events": lambda: (b"event: <script>\ndata: <script>\n\n" * 20_000, "text/event-stream"),
    "binary": lambda: (bytes(range(256)) * 4000, "<script>"),
    "surrogates": lambda: (b'{"\\ud800": "\\udfff<script>"}', "application/json"),
    "utf-7": lambda: (b"+ADw-script+AD4-alert(1)", "text/html; charset=utf-7"),
    "recursive json": lambda: (json.dumps([[{}]] * 50_000).encode(), "text/plain"),
}
PARTS = (
    "",
    "?view=raw",
    "?view=hex",
    "?find=script",
    "?find=$..*",
    "?at=0&node=0",
    "?at=0.0&from=50",
    "?part=headers",
    "?part=sent",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_answer_breaks_a_page(browser: FlaskClient, make_run: MakeRun, name: str) -> None:
    body, media_type = HOSTILE[name]()
    run = make_run(body, media_type, response_headers=[["Content-Type", media_type]])
    other = make_run(b'{"a": 1}', "application/json")
    for part in PARTS:
        page = open_page(browser, f"/runs/{run.id}{part}")
        assert "<script>alert" not in page
        assert not re.search(r"<script(?! src=)", page)
        assert "\0" not in page
    for path in (f"/runs/{run.id}/branch?at=0", f"/runs/{run.id}/node?node=0"):
        assert browser.get(path, headers=FRAGMENT).status_code in (200, 204)
    for pair in (f"a={run.id}&b={other.id}", f"a={other.id}&b={run.id}"):
        assert "<script>alert" not in open_page(browser, f"/runs/compare?{pair}")
    assert browser.get(f"/runs/{run.id}/body").data == body


def test_ten_thousand_headers_fit_on_a_page(browser: FlaskClient, make_run: MakeRun) -> None:
    headers = [[f"X-<script>-{number}", "'\"<&" * 50] for number in range(10_000)]
    cookies = [["Set-Cookie", "<script>=" + "<" * 3000] for _number in range(500)]
    run = make_run(b"{}", response_headers=headers + cookies)
    page = open_page(browser, f"/runs/{run.id}?part=headers")
    assert "more headers are not shown" in page
    other = make_run(b"{}", response_headers=[["X-A", "1"]])
    open_page(browser, f"/runs/compare?a={run.id}&b={other.id}")


def test_a_cut_off_body_says_what_to_do(browser: FlaskClient, make_run: MakeRun) -> None:
    run = make_run(b'{"a": [1, 2', truncated=True)
    page = open_page(browser, f"/runs/{run.id}")
    assert "cut off" in page
    assert "Ask for less" in page


def test_both_languages_keep_code_from_left_to_right(browser: FlaskClient, make_run: MakeRun) -> None:
    run = make_run(ORDERS)
    browser.set_cookie("hub_language", "ar")
    page = open_page(browser, f"/runs/{run.id}")
    assert 'dir="rtl"' in page
    assert re.search(r'class="json json-tree" dir="ltr"', page)
    assert db.session.get(RequestRun, run.id) is not None
