"""The pages of an analysis, as a person without JavaScript uses them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from hub.analyses.models import AiAnalysis, Repair
from hub.contracts.actor import Actor
from hub.executions.models import Execution
from hub.extensions import db
from tests.hub.analyses.fake_n8n import FakeN8n, failed_execution, make_workflow
from tests.hub.analyses.scene import OneAnswer, agree, work
from tests.hub.statements import count_statements

Browser = Callable[[Actor], FlaskClient]
Json = dict[str, Any]


@pytest.fixture
def page(alice: Actor, browser_of: Browser) -> FlaskClient:
    """Alice's browser."""
    return browser_of(alice)


def form_values(html: str, action: str) -> Json:
    """What a form on the page sends as it stands."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', html, re.DOTALL)
    assert form, f"no form {action}"
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form.group()))


def test_analyse_button_leads_to_the_analysis(page: FlaskClient, execution: Execution, analyzer: OneAnswer) -> None:
    answer = page.post(f"/executions/{execution.id}/analyses")
    assert answer.status_code == 303
    assert answer.location.startswith("/analyses/")
    html = page.get(answer.location).text
    for words in ("Timeout", "Fetch", "high", "options.timeout", "5000"):
        assert words in html
    assert "INLINESECRET" not in html


def test_apply_and_watch_to_the_end(page: FlaskClient, analysis: AiAnalysis, n8n: FakeN8n) -> None:
    address = f"/analyses/{analysis.id}"
    values = form_values(page.get(address).text, f"{address}/repairs")
    assert page.post(f"{address}/repairs", data=values).location == address
    waiting = page.get(address).text
    assert "HX-Refresh" not in page.get(address, headers={"HX-Request": "true"}).headers
    assert 'hx-trigger="every 1s"' in waiting
    assert '<noscript><meta http-equiv="refresh"' in waiting
    assert f'action="{address}/repairs"' not in waiting
    work(db.session.query(Repair).one().id)
    answer = page.get(address, headers={"HX-Request": "true"})
    assert answer.headers["HX-Refresh"] == "true"
    fragment = answer.text
    assert fragment.lstrip().startswith('<div id="repair"')
    assert "Verified" in fragment
    assert "every 1s" not in fragment
    done = page.get(address).text
    new = re.search(r'href="(/executions/\w+)"[^>]*>[^<]*(?:<[^>]*>)*[^<]*Open the new execution|Open the new execution', done)
    assert new
    assert f'action="{address}/repairs"' not in done


def test_rolled_back_says_that_the_old_workflow_is_back(
    page: FlaskClient, alice: Actor, analysis: AiAnalysis, n8n: FakeN8n
) -> None:
    n8n.outcome = FakeN8n().outcome
    done = work(agree(alice, analysis).id)
    html = page.get(f"/analyses/{analysis.id}").text
    assert "The old workflow is back." in html
    answer = page.get(f"/repairs/{done.id}/old-workflow.json")
    assert json.loads(answer.data)["nodes"] == make_workflow()["nodes"]
    assert "attachment" in answer.headers["Content-Disposition"]


def test_stale_digest_changes_nothing_and_says_so(page: FlaskClient, analysis: AiAnalysis) -> None:
    address = f"/analyses/{analysis.id}"
    page.post(f"{address}/repairs", data={"suggestion": "0", "digest": "0" * 64})
    assert "not the one that was shown" in page.get(address).text
    assert db.session.query(Repair).count() == 0


@pytest.mark.parametrize("values", [{}, {"suggestion": "x"}, {"suggestion": "0", "proof": "magic"}])
def test_broken_forms_change_nothing(page: FlaskClient, analysis: AiAnalysis, values: Json) -> None:
    assert page.post(f"/analyses/{analysis.id}/repairs", data=values).status_code == 303
    assert db.session.query(Repair).count() == 0


def test_upstream_change_asks_how_to_prove_it(page: FlaskClient, analysis: AiAnalysis) -> None:
    html = page.get(f"/analyses/{analysis.id}?suggestion=2").text
    assert 'name="proof"' in html
    assert 'value="webhook"' in html
    assert 'name="proof"' not in page.get(f"/analyses/{analysis.id}").text


def test_hostile_change_has_no_button(page: FlaskClient, analysis: AiAnalysis) -> None:
    html = page.get(f"/analyses/{analysis.id}?suggestion=3").text
    assert "evil.example" in html
    assert f'action="/analyses/{analysis.id}/repairs"' not in html


def test_feedback(page: FlaskClient, analysis: AiAnalysis) -> None:
    page.post(f"/analyses/{analysis.id}/feedback", data={"helpful": "no"})
    assert analysis.helpful is False
    assert 'value="no" aria-pressed="true"' in page.get(f"/analyses/{analysis.id}").text


def test_arabic(page: FlaskClient, analysis: AiAnalysis) -> None:
    page.set_cookie("hub_language", "ar")
    html = page.get(f"/analyses/{analysis.id}").text
    assert 'dir="rtl"' in html
    assert "نص" in html


def upload(page: FlaskClient, content: bytes) -> Any:
    data = {"document": (io.BytesIO(content), "execution.json")}
    return page.post("/analyses/upload", data=data, content_type="multipart/form-data")


def test_file_is_analysed_without_an_n8n(page: FlaskClient, analyzer: OneAnswer) -> None:
    assert 'type="file"' in page.get("/analyses/upload").text
    answer = upload(page, json.dumps({"execution": failed_execution(), "workflow": make_workflow()}).encode())
    html = page.get(answer.location).text
    assert "from a file" in html
    assert "no n8n in which to apply" in html


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"{}", b'{"execution": 1}', b"[" * 100_000])
def test_bad_files_are_explained_beside_the_field(page: FlaskClient, content: bytes) -> None:
    answer = upload(page, content)
    assert answer.status_code == 422
    assert 'id="error-document"' in answer.text


def test_strangers_find_nothing(alice: Actor, bob: Actor, browser_of: Browser, analysis: AiAnalysis) -> None:
    mine = work(agree(alice, analysis).id)
    stranger = browser_of(bob)
    for method, address in (
        ("GET", f"/analyses/{analysis.id}"),
        ("POST", f"/analyses/{analysis.id}/feedback"),
        ("POST", f"/analyses/{analysis.id}/repairs?"),
        ("GET", f"/repairs/{mine.id}/old-workflow.json"),
        ("POST", f"/executions/{analysis.execution_id}/analyses"),
    ):
        data = {"suggestion": "0", "digest": mine.digest} if method == "POST" else None
        assert stranger.open(address, method=method, data=data).status_code == 404, address
    fragment = stranger.get(f"/analyses/{analysis.id}", headers={"HX-Request": "true"})
    assert fragment.status_code == 404
    assert analysis.title not in stranger.get("/analyses").text


def test_pages_keep_to_their_number_of_queries(page: FlaskClient, alice: Actor, analysis: AiAnalysis) -> None:
    work(agree(alice, analysis).id)
    for address, most in (("/analyses", 6), (f"/analyses/{analysis.id}", 12), ("/analyses/upload", 12)):
        db.session.expire_all()
        with count_statements() as statements:
            assert page.get(address).status_code == 200
        assert len(statements) <= most, statements
