from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask, render_template_string
from flask.testing import FlaskClient
from flask_babel import force_locale

from hub.analyses.models import RepairState, Verdict
from hub.columns import utc_now
from hub.executions.models import ExecutionStatus
from hub.instances.models import InstanceStatus
from hub.jobs.models import JobState
from hub.json_tree import render_json
from hub.templating import STATUSES, format_ago, format_duration, is_current, render_attributes, status_of


@pytest.mark.parametrize("states", [ExecutionStatus, InstanceStatus, JobState, RepairState, Verdict])
def test_every_state_has_words_icon_and_tone(states: Any) -> None:
    for state in states:
        assert str(state).lower() in STATUSES
        assert status_of(state).icon


def test_an_unknown_state_is_shown_by_name(app: Flask) -> None:
    with app.test_request_context():
        assert status_of("BRAND_NEW").label == "Brand new"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (0.0004, "0 ms"), (0.34, "340 ms"), (3.14, "3.1 s"), (83, "1 min 23 s"), (7380, "2 h 3 min")],
)
def test_durations_read_as_people_say_them(app: Flask, seconds: float | None, words: str) -> None:
    with app.test_request_context():
        assert format_duration(seconds) == words


def test_times_are_said_in_both_languages(app: Flask) -> None:
    with app.test_request_context():
        assert format_ago(utc_now()) == "just now"
        assert format_ago(utc_now() - dt.timedelta(minutes=3)) == "3 minutes ago"
        assert format_ago(utc_now() + dt.timedelta(hours=5, seconds=5)) == "in 5 hours"
        with force_locale("ar"):
            assert format_ago(utc_now() - dt.timedelta(minutes=3)) == "قبل 3 دقائق"


def test_attributes_are_escaped_and_named_as_in_html() -> None:
    html = render_attributes({"hx_get": '/x?a="b"', "disabled": True, "title": None, "data_n": 0})
    assert html == ' hx-get="/x?a=&#34;b&#34;" disabled data-n="0"'


def test_a_json_tree_escapes_and_folds(app: Flask) -> None:
    with app.test_request_context():
        html = render_json({"<b>": "</span><script>", "n": [1, True, None], "deep": {"a": {"b": {"c": 1}}}})
    assert "<script>" not in html
    assert "&lt;b&gt;" in html
    assert html.count("<details open>") == 3
    assert html.count("<details>") == 2


def test_a_json_tree_is_bounded(app: Flask) -> None:
    deep: Any = "end"
    for _ in range(500):
        deep = [deep]
    with app.test_request_context():
        wide = render_json(list(range(100_000)), max_nodes=50)
        nested = render_json(deep)
        long = render_json("x" * 1_000_000)
    assert wide.count("<li>") <= 50
    assert "more entries are not shown" in wide
    assert len(nested) < 20_000
    assert len(long) < 10_000


def test_a_field_keeps_its_value_and_ties_its_error(app: Flask) -> None:
    template = """{{ ui.field('url', 'URL', value='"><b>', hint='Hint', error='Wrong', dir='ltr') }}"""
    with app.test_request_context():
        html = render_template_string(template)
    assert 'value="&#34;&gt;&lt;b&gt;"' in html
    assert 'aria-invalid="true" aria-describedby="error-url hint-url"' in html
    assert 'id="error-url"' in html
    assert 'dir="ltr"' in html


def test_the_present_page_is_marked_in_the_navigation() -> None:
    assert is_current("workflows.index", "workflows.show")
    assert is_current("accounts.sessions", "accounts.sessions")
    assert not is_current("accounts.sessions", "accounts.api_keys")
    assert not is_current("workflows.index", None)
    assert all(is_current("requests.index", f"{room}.index") for room in ("requests", "runs", "chains", "environments", "to_n8n"))
    assert not is_current("catalog.index", "chains.index")


def choose(client: FlaskClient, **form: str) -> Any:
    return client.post("/preferences/", data=form)


def test_language_and_theme_are_kept_and_written_into_the_page(client: FlaskClient) -> None:
    answer = choose(client, language="ar", next="/login?next=/workflows")
    assert (answer.status_code, answer.location) == (303, "/login?next=/workflows")
    choose(client, theme="dark", next="/login")
    page = client.get("/login").text
    assert '<html lang="ar" dir="rtl" data-theme="dark">' in page


def test_unknown_choices_are_ignored(client: FlaskClient) -> None:
    answer = choose(client, language="xx", theme='"><script>', next="/login")
    assert "Set-Cookie" not in answer.headers or "hub_theme" not in answer.headers["Set-Cookie"]
    assert 'data-theme="system"' in client.get("/login").text


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "/a\\b", "", "/x\r\nSet-Cookie: a"]
)
def test_the_way_back_never_leaves_the_site(client: FlaskClient, target: str) -> None:
    assert choose(client, theme="dark", next=target).location == "/"


def test_files_are_kept_by_their_content(client: FlaskClient) -> None:
    page = client.get("/login").text
    address = page.split('href="')[1:]
    sheet = next(part.split('"')[0] for part in address if "/css/tokens.css" in part)
    assert "?v=" in sheet
    with client.get(sheet) as kept, client.get("/static/css/tokens.css") as asked_for_again:
        assert "immutable" in kept.headers["Cache-Control"]
        assert "immutable" not in asked_for_again.headers["Cache-Control"]
