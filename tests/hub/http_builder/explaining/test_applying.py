"""Applying a suggestion, undoing it, and what stands in the way; who may; and what the pages show."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from hub.analyses.brief import brief_of
from hub.analyses.models import AiAnalysis
from hub.audit.models import AuditLog
from hub.contracts.actor import Actor
from hub.contracts.analysis import Diagnosis, Evidence, LocalizedText, Suggestion
from hub.contracts.catalog import HttpMethod
from hub.errors import Conflict, NotFound
from hub.extensions import db
from hub.http_builder import services
from hub.http_builder.definitions import definition_of
from hub.http_builder.explaining.services import apply_suggestion, explain_run, find_explanation, send_again, undo_suggestion
from hub.http_builder.models import Request, RequestRun
from hub.http_builder.running import get_run
from hub.http_builder.services import Outdated
from tests.hub.egress.servers import Received, Server, Talk, answer, saying
from tests.hub.http_builder.explaining.conftest import Bench
from tests.planted_secrets import KINDS, forms_of, make_secret

Start = Callable[[Talk], Server]
WORDS = LocalizedText(en="Do it", ar="افعل")


@pytest.fixture
def failed(bench: Bench, start_server: Start) -> RequestRun:
    """A GET wpage only PATCH is allowed, explained."""
    server = start_server(saying(answer(405, b"", Allow="PATCH")))
    run = bench.send_saved(bench.save(method="GET", url=server.url("/orders/7")))
    bench.explain(run)
    return run


def saved_of(bench: Bench, run: RequestRun) -> Request:
    return services.get_request(bench.actor, str(run.request_id))


def test_undo_puts_the_former_request_back(bench: Bench, failed: RequestRun) -> None:
    before = definition_of(saved_of(bench, failed))
    bench.apply_first(failed)
    assert definition_of(saved_of(bench, failed)).method == "PATCH"
    undo_suggestion(bench.actor, failed.id)
    assert definition_of(saved_of(bench, failed)) == before
    with pytest.raises(Conflict):
        undo_suggestion(bench.actor, failed.id)


def test_what_was_changed_since_is_not_undone(bench: Bench, failed: RequestRun) -> None:
    changed = bench.apply_first(failed)
    draft = services.draft_of(changed).model_copy(update={"name": "Another name"})
    services.update_request(bench.actor, changed.id, draft)
    with pytest.raises(Conflict):
        undo_suggestion(bench.actor, failed.id)
    assert saved_of(bench, failed).name == "Another name"


def test_a_newer_request_is_not_overwritten(bench: Bench, failed: RequestRun) -> None:
    shown = bench.shown(failed)
    saved = saved_of(bench, failed)
    services.update_request(bench.actor, saved.id, services.draft_of(saved).model_copy(update={"name": "Another name"}))
    with pytest.raises(Outdated):
        apply_suggestion(bench.actor, failed.id, 0, str(shown.version))
    assert definition_of(saved_of(bench, failed)).method == "GET"


def test_a_part_that_was_changed_since_is_left_alone(bench: Bench, failed: RequestRun) -> None:
    saved = saved_of(bench, failed)
    draft = services.draft_of(saved)
    changed = draft.definition.model_copy(update={"method": HttpMethod.DELETE})
    services.update_request(bench.actor, saved.id, draft.model_copy(update={"definition": changed}))
    shown = bench.shown(failed)
    assert shown.offers[0].obstacle
    with pytest.raises(Conflict):
        apply_suggestion(bench.actor, failed.id, 0, str(shown.version))


def test_a_request_that_is_not_saved_can_be_explained_only(bench: Bench, start_server: Start) -> None:
    run = bench.send(url=start_server(saying(answer(405, b"", Allow="PATCH"))).url("/"))
    bench.explain(run)
    offer = bench.shown(run).offers[0]
    assert offer.change is not None
    assert offer.obstacle
    with pytest.raises(Conflict):
        apply_suggestion(bench.actor, run.id, 0, "")
    with pytest.raises(Conflict):
        send_again(bench.actor, run.id)


def test_asking_again_gives_the_same_analysis(bench: Bench, failed: RequestRun) -> None:
    first = get_run(bench.actor, failed.id).analysis_id
    assert explain_run(bench.actor, failed.id).id == first


def test_the_change_is_in_the_audit_log(bench: Bench, failed: RequestRun) -> None:
    bench.apply_first(failed)
    found = db.session.scalars(sa.select(AuditLog).where(AuditLog.action == "request.update")).all()
    assert [entry.details["suggestion"] for entry in found if "suggestion" in (entry.details or {})] == [0]


@pytest.mark.parametrize(
    "change",
    [
        {"op": "add", "path": "/nodes/{n}/retryOnFail", "value": True},
        {"op": "add", "path": "/nodes/{n}/parameters/options/response", "value": {"response": {"responseFormat": "text"}}},
        {"op": "replace", "path": "/nodes/{n}/parameters/url", "value": "={{ $json.url }}"},
        {"op": "replace", "path": "/nodes/{n}/parameters/url", "value": "https://elsewpage.example/"},
        {"op": "add", "path": "/nodes/{n}/parameters/options/allowUnauthorizedCerts", "value": True},
        {"op": "add", "path": "/nodes/{n}/parameters/authentication", "value": "none"},
        {"op": "add", "path": "/nodes/0/parameters/x", "value": 1},
    ],
    ids=["retries", "answer-format", "expression", "other-host", "certificates", "sign-in", "other-node"],
)
def test_what_a_request_must_not_take_over_stays_advice(bench: Bench, failed: RequestRun, change: dict[str, object]) -> None:
    analysis = db.session.get_one(AiAnalysis, get_run(bench.actor, failed.id).analysis_id)
    names = [node["name"] for node in analysis.error_data["workflow"]["nodes"]]
    step = {**change, "path": str(change["path"]).format(n=names.index("Make an order"))}
    suggestion = Suggestion(title=WORDS, explanation=WORDS, kind="patch", patch=(step,), confidence=0.9)
    diagnosis = Diagnosis.model_validate(analysis.analysis).model_copy(update={"suggestions": (suggestion,)})
    analysis.analysis = diagnosis.model_dump(mode="json")
    db.session.flush()
    assert bench.shown(failed).offers[0].change is None


def test_a_stranger_gets_nothing(bench: Bench, failed: RequestRun, bob: Actor) -> None:
    for call in (explain_run, undo_suggestion, send_again):
        with pytest.raises(NotFound):
            call(bob, failed.id)
    with pytest.raises(NotFound):
        apply_suggestion(bob, failed.id, 0, "")


@pytest.mark.parametrize("first", range(0, len(KINDS), 16))
def test_no_secret_is_in_what_is_judged_or_kept(bench: Bench, start_server: Start, first: int) -> None:
    """Secrets of a request that its server repeats in everything it says."""
    planted = [(kind, make_secret(kind)) for kind in KINDS[first : first + 16]]
    secrets = {f"VALUE_{number}": value for number, (kind, value) in enumerate(planted) if "\n" not in value and value.isascii()}

    def repeat(request: Received, connection: socket.socket) -> None:
        connection.sendall(answer(400, request.everything.encode(), Content_Type="text/plain", Location="/x"))

    server = start_server(repeat)
    headers = [{"name": f"X-Value-{name}", "value": f"{{{{{name}}}}}"} for name in secrets]
    body = {"kind": "json", "text": json.dumps({name.lower(): f"{{{{{name}}}}}" for name in secrets})}
    saved = bench.save(method="POST", url=server.url("/a"), headers=headers, body=body, secrets=secrets)
    run = bench.send_saved(saved)
    assert run.status_code == 400, run.error
    analysis, _diagnosis = bench.explain(run)
    evidence = Evidence.model_validate(analysis.error_data)
    kept = json.dumps([analysis.error_data, analysis.analysis], ensure_ascii=False) + brief_of(evidence).text()
    sent = server.received[0].everything
    assert all(value in sent or json.dumps(value)[1:-1] in sent for value in secrets.values())
    assert [name for name, value in secrets.items() for form in forms_of(value) if form in kept] == []


def test_the_page_explains_applies_and_sends_again(
    bench: Bench, start_server: Start, alice: Actor, browser_of: Callable[[Actor], FlaskClient]
) -> None:
    server = start_server(saying(answer(405, b"", Allow="PATCH")))
    run = bench.send_saved(bench.save(method="GET", url=server.url("/orders/7")))
    browser = browser_of(alice)
    page = f"/runs/{run.id}"
    assert f'action="{page}/explanation"' in browser.get(page).text
    assert browser.post(f"{page}/explanation").location == page
    shown = browser.get(page).text
    assert "Use PATCH" in shown
    assert "استخدم" in browser.get(page, headers={"Accept-Language": "ar"}).text
    version = re.search(r'name="version" value="(\w+)"', shown)
    assert version
    browser.post(f"{page}/explanation/apply", data={"suggestion": "0", "version": version[1]})
    after = browser.get(page).text
    assert f'action="{page}/again"' in after
    assert f'action="{page}/explanation/undo"' in after
    assert len(server.received) == 1
    again = browser.post(f"{page}/again").location
    new = db.session.get_one(RequestRun, again.rpartition("/")[2])
    assert (new.repeats_id, new.method) == (run.id, "PATCH")
    browser.post(f"{page}/explanation/undo")
    assert find_explanation(alice, get_run(alice, run.id)) is not None
    assert definition_of(saved_of(bench, run)).method == "GET"
    analysis = get_run(alice, run.id).analysis_id
    assert page in browser.get(f"/analyses/{analysis}").text


def test_a_good_answer_leaves_no_empty_frame(
    bench: Bench, start_server: Start, alice: Actor, browser_of: Callable[[Actor], FlaskClient]
) -> None:
    run = bench.send(url=start_server(saying(answer(200, b"{}"))).url("/"))
    shown = browser_of(alice).get(f"/runs/{run.id}")
    assert shown.status_code == 200
    assert "explanation-frame" not in shown.text
