"""A question to a model from the rules' answer to its own: queued, limited, journalled, contained, counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from hub.accounts.models import Plan
from hub.analyses import model_limits, model_questions, services
from hub.analyses.model_answers import answer_call
from hub.analyses.model_limits import Limit
from hub.analyses.model_tables import CallState, ModelCall
from hub.analyses.models import AiAnalysis
from hub.cli.ask_model import ask_model
from hub.contracts.actor import Actor
from hub.contracts.analysis import Cause, Evidence
from hub.errors import Conflict, Invalid, NotAllowed, TooMany
from hub.executions.models import Execution
from hub.extensions import db
from hub.jobs.models import Job
from hub.jobs.registry import LeaseLost
from hub.plugin_settings.models import PluginSetting
from hub.plugin_settings.services import save_settings
from plugins.analyzers.openai_compatible import client
from tests.hub.analyses.scene import OneAnswer
from tests.plugins.openai_compatible.scripted import GOOD, ScriptedServer, answer, completion

PATH_EDIT = {
    "node": "Fetch",
    "path": "/parameters/options/timeout",
    "op": "add",
    "old_value_json": "",
    "new_value_json": "5000",
    "why": "It takes longer.",
}
SAID = {**GOOD, "cause": "timeout", "evidence": [{"quote": "Fetch", "shows": "the node"}], "edits": [PATH_EDIT]}
VALUES: dict[str, str] = {
    "enabled": "1",
    "automatic": "1",
    "threshold": "0.5",
    "base_url": "https://api.example.com/v1",
    "api_key": "sk-operators-own-key",
    "model": "gpt-test",
    "json_mode": "schema",
    "context_tokens": "16384",
    "max_output_tokens": "3000",
    "max_tokens_parameter": "max_completion_tokens",
    "timeout": "90",
    "price_in": "2",
    "price_out": "10",
}


@pytest.fixture
def set_up(operator: Actor) -> Callable[..., None]:
    """An operator sets the model up, through the page's own service."""
    return lambda **values: save_settings(operator, "openai_compatible", {**VALUES, **values})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    scripted = ScriptedServer(completion(SAID))
    monkeypatch.setattr(client, "fetch", scripted.fetch)
    monkeypatch.setattr(client, "sleep", lambda _seconds: None)
    return scripted


@pytest.fixture
def puzzled(analyzer: OneAnswer) -> OneAnswer:
    """Rules that do not know."""
    analyzer.cause, analyzer.suggestions = Cause.UNKNOWN, ()
    return analyzer


@pytest.fixture
def asked(
    alice: Actor, execution: Execution, puzzled: OneAnswer, set_up: Callable[..., None], server: ScriptedServer
) -> AiAnalysis:
    """Alice's analysis that the rules left open, with a question that waits for the worker."""
    set_up()
    return services.analyze_execution(alice, execution.id)


def calls() -> list[ModelCall]:
    return list(db.session.scalars(sa.select(ModelCall).order_by(ModelCall.created_at)))


def work(call: ModelCall, beat: Callable[[], None] = lambda: None) -> ModelCall:
    answer_call(call.id, beat=beat)
    return db.session.get_one(ModelCall, call.id, populate_existing=True)


def test_what_the_rules_leave_is_asked_and_answered(alice: Actor, asked: AiAnalysis, server: ScriptedServer) -> None:
    (call,) = calls()
    assert (call.state, call.analysis_id, server.asked) == (CallState.QUEUED, asked.id, 0)
    assert db.session.scalars(sa.select(Job.arguments).where(Job.name == "analysis.ask_model")).all() == [{"call_id": call.id}]
    call = work(call)
    assert (call.state, call.failure, call.notes) == (CallState.DONE, None, [])
    assert (call.tokens_in, call.tokens_out, call.is_estimate) == (1000, 200, False)
    assert call.cost == pytest.approx(0.004)
    assert [body.encode() for body in call.sent] == server.bodies
    answered = services.get_analysis(alice, str(call.answer_id))
    assert (answered.cause, answered.node, answered.analyzer) == ("timeout", "Fetch", "openai_compatible gpt-test/p1")
    assert answered.error_data == services.get_analysis(alice, asked.id).error_data
    assert answered.suggestions[0]["patch"][-1] == {"op": "add", "path": "/nodes/1/parameters/options/timeout", "value": 5000}
    assert asked.cause == "unknown"


def test_the_answer_stands_for_the_failure_from_then_on(alice: Actor, asked: AiAnalysis, execution: Execution) -> None:
    call = work(calls()[0])
    assert services.analyze_execution(alice, execution.id).id == call.answer_id
    assert len(calls()) == 1


def test_nothing_is_asked_that_the_rules_know_or_while_it_is_off(
    alice: Actor, execution: Execution, analyzer: OneAnswer, set_up: Callable[..., None], server: ScriptedServer
) -> None:
    analysis = services.analyze_execution(alice, execution.id)
    with pytest.raises(Conflict, match="No model is set up"):
        model_questions.ask_model(alice, analysis)
    set_up()
    services.analyze_execution(alice, execution.id)
    assert calls() == []
    call = model_questions.ask_model(alice, analysis)
    assert model_questions.ask_model(alice, analysis).id == call.id  # a double click
    assert work(call).state is CallState.DONE


def test_a_model_that_is_switched_off_meanwhile_is_not_asked(asked: AiAnalysis, server: ScriptedServer) -> None:
    db.session.execute(sa.delete(PluginSetting))
    call = work(calls()[0])
    assert (call.state, call.failure["code"], server.asked) == (CallState.FAILED, "not-set-up", 0)


def test_a_harmful_change_is_never_offered(alice: Actor, asked: AiAnalysis, server: ScriptedServer) -> None:
    harm = {**PATH_EDIT, "path": "/parameters/url", "op": "replace", "new_value_json": '"https://evil.example/"'}
    url = services.get_analysis(alice, asked.id).error_data["workflow"]["nodes"][1]["parameters"]["url"]
    server.replies = [completion({**SAID, "edits": [{**harm, "old_value_json": json.dumps(url)}]})]
    call = work(calls()[0])
    answered = services.get_analysis(alice, str(call.answer_id))
    assert [suggestion["patch"] for suggestion in answered.suggestions] == [None]
    assert call.notes[0]["en"] != call.notes[0]["ar"]


def test_a_model_does_not_lift_a_block(
    alice: Actor, execution: Execution, analyzer: OneAnswer, set_up: Callable[..., None], server: ScriptedServer
) -> None:
    """The rules found bad credentials; the model says timeout and wants to change something."""
    analyzer.cause = Cause.BAD_CREDENTIALS
    set_up()
    analysis = services.analyze_execution(alice, execution.id)
    call = work(model_questions.ask_model(alice, analysis))
    answered = services.get_analysis(alice, str(call.answer_id))
    assert [suggestion["patch"] for suggestion in answered.suggestions] == [None]


@pytest.mark.parametrize(
    ("reply", "code", "tokens"),
    [
        (completion("x" * 16_000), "unreadable", (2000, 400)),
        (completion(None), "empty", (1000, 200)),
        (answer(401), "wrong-key", None),
        ("timeout", "timeout", None),
    ],
)
def test_no_answer_is_said_and_counted(
    asked: AiAnalysis, server: ScriptedServer, reply: Any, code: str, tokens: tuple[int, int] | None
) -> None:
    server.replies = [reply]
    call = work(calls()[0])
    assert (call.state, call.failure["code"], call.answer_id) == (CallState.FAILED, code, None)
    if tokens is None:  # nobody counted: what left is estimated
        assert call.is_estimate
        assert call.tokens_in == sum(-(-len(body) // 3) for body in call.sent) > 1000
    else:
        assert (call.tokens_in, call.tokens_out) == tokens
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AiAnalysis)) == 1


def test_the_same_question_is_paid_once(alice: Actor, asked: AiAnalysis, server: ScriptedServer) -> None:
    work(calls()[0])
    again = AiAnalysis(
        **{
            name: getattr(services.get_analysis(alice, asked.id), name)
            for name in ("user_id", "error_data", "analysis", "suggestions", "confidence", "analyzer", "cause", "title")
        }
    )
    db.session.add(again)
    db.session.commit()
    call = work(model_questions.ask_model(alice, again))
    assert (call.state, call.from_cache, call.tokens_in, call.cost, server.asked) == (CallState.DONE, True, 0, None, 1)
    fresh = work(model_questions.ask_model(alice, again))
    assert (fresh.state, fresh.from_cache, server.asked) == (CallState.DONE, False, 2)


class Killed(BaseException):
    """The worker's process ends here: no handler of the hub sees it."""


def test_a_killed_worker_asks_once_more_and_says_so(asked: AiAnalysis, server: ScriptedServer) -> None:
    def die(*_arguments: Any, **_options: Any) -> None:
        raise Killed

    fetch, client_fetch = server.fetch, die
    (call,) = calls()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "fetch", client_fetch)
        with pytest.raises(Killed):
            work(call)
        db.session.rollback()
        left = db.session.get_one(ModelCall, call.id, populate_existing=True)
        assert (left.state, left.attempts, len(left.sent)) == (CallState.RUNNING, 1, 1)
        assert left.tokens_in > 1000  # counted before it left
    estimate = left.tokens_in
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "fetch", fetch)
        done = work(call)
    assert (done.state, done.attempts, done.tokens_in, done.is_estimate) == (CallState.DONE, 2, estimate + 1000, True)
    assert "may have been billed" in done.notes[0]["en"]


def test_a_question_that_kills_twice_is_given_up(asked: AiAnalysis, server: ScriptedServer) -> None:
    (call,) = calls()
    call.state, call.attempts, call.sent = CallState.RUNNING, 2, ["{}", "{}"]
    db.session.commit()
    call = work(call)
    assert (call.state, call.failure["code"], server.asked) == (CallState.FAILED, "lost", 0)
    assert work(call).state is CallState.FAILED


def test_a_run_that_was_taken_over_sends_and_writes_nothing(asked: AiAnalysis, server: ScriptedServer) -> None:
    def lost() -> None:
        raise LeaseLost

    (call,) = calls()
    with pytest.raises(LeaseLost):
        work(call, beat=lost)
    db.session.rollback()
    assert server.asked == 0
    assert db.session.get_one(ModelCall, call.id, populate_existing=True).state is CallState.RUNNING


def test_an_error_of_the_hub_itself_ends_the_question(asked: AiAnalysis, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any) -> None:
        raise RuntimeError("out of paper")

    monkeypatch.setattr("hub.analyses.model_answers.contain", fail)
    (call,) = calls()
    with pytest.raises(RuntimeError):
        work(call)
    call = db.session.get_one(ModelCall, call.id, populate_existing=True)
    assert (call.state, call.failure["code"]) == (CallState.FAILED, "internal")


# --- Limits --------------------------------------------------------------------------------------------------------


def test_limits_hold_by_plan_and_by_person(alice: Actor, operator: Actor, asked: AiAnalysis) -> None:
    work(calls()[0])
    model_limits.set_plan_limit(operator, Plan.FREE, Limit(1, None))
    with pytest.raises(TooMany, match="1 times this month") as refused:
        model_questions.ask_model(alice, asked)
    assert 0 < refused.value.retry_after <= 31 * 86400
    model_limits.set_person_limit(operator, "Alice@example.com", Limit(5, 1200))
    with pytest.raises(TooMany, match="1200 tokens"):
        model_questions.ask_model(alice, asked)
    model_limits.set_person_limit(operator, "alice@example.com", Limit(None, None))
    assert work(model_questions.ask_model(alice, asked)).state is CallState.DONE
    model_limits.set_person_limit(operator, "alice@example.com", None)
    with pytest.raises(TooMany):
        model_questions.ask_model(alice, asked)


def test_over_the_limit_the_rules_still_answer(
    alice: Actor, operator: Actor, execution: Execution, puzzled: OneAnswer, set_up: Callable[..., None]
) -> None:
    set_up()
    model_limits.set_plan_limit(operator, Plan.FREE, Limit(0, None))
    assert services.analyze_execution(alice, execution.id).cause == "unknown"
    assert calls() == []


def test_every_plan_has_a_limit_or_none_on_purpose() -> None:
    assert set(model_limits.DEFAULTS) == set(Plan)


def test_operators_see_the_use_and_others_do_not(alice: Actor, operator: Actor, asked: AiAnalysis) -> None:
    work(calls()[0])
    (row,) = model_limits.show_usage(operator).rows
    assert (row.email, row.questions, row.tokens_in, row.tokens_out, row.failed) == ("alice@example.com", 1, 1000, 200, 0)
    assert row.cost == pytest.approx(0.004)
    for refused in (
        lambda: model_limits.show_usage(alice),
        lambda: model_limits.set_plan_limit(alice, Plan.FREE, Limit(None, None)),
        lambda: model_limits.set_person_limit(alice, "alice@example.com", None),
    ):
        with pytest.raises(NotAllowed):
            refused()
    with pytest.raises(Invalid):
        model_limits.set_person_limit(operator, "nobody@example.com", None)


# --- Pages ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def page(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> FlaskClient:
    return browser_of(alice)


def test_the_page_waits_and_leads_to_the_answer(page: FlaskClient, asked: AiAnalysis) -> None:
    address = f"/analyses/{asked.id}"
    waiting = page.get(address).text
    assert "Asking gpt-test" in waiting
    assert 'hx-target="#model"' in waiting
    assert '<noscript><meta http-equiv="refresh"' in waiting
    assert "the rules" in waiting
    fragment = {"HX-Request": "true", "HX-Target": "model"}
    part = page.get(address, headers=fragment)
    assert "Waiting for the worker" in part.text
    assert "<html" not in part.text
    call = work(calls()[0])
    assert page.get(address, headers=fragment).headers["HX-Redirect"] == f"/analyses/{call.answer_id}"
    assert f'href="/analyses/{call.answer_id}"' in page.get(address).text
    answered = page.get(f"/analyses/{call.answer_id}").text
    for words in ("the model gpt-test", "1,000 sent, 200 received", "0.00400", "What was sent", "What the rules said"):
        assert words in answered
    assert "HX-Redirect" not in page.get(f"/analyses/{call.answer_id}", headers=fragment).headers


def test_what_a_model_says_is_shown_as_text(page: FlaskClient, asked: AiAnalysis, server: ScriptedServer) -> None:
    nasty = "![x](https://evil.example/a.png) <img src=x onerror=alert(1)> [click](javascript:alert(1)) {{ 7*7 }}"
    server.replies = [completion({**SAID, "explanation_en": nasty, "fix_en": nasty, "fix_title_en": nasty, "edits": []})]
    call = work(calls()[0])
    html = page.get(f"/analyses/{call.answer_id}").text
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "<img src=x" not in html
    assert "evil.example" in html
    assert 'href="https://evil.example' not in html
    assert 'href="javascript' not in html
    assert "{{ 7*7 }}" in html


def test_asking_by_hand_and_its_refusals(
    page: FlaskClient,
    alice: Actor,
    operator: Actor,
    execution: Execution,
    analyzer: OneAnswer,
    set_up: Any,
    server: ScriptedServer,
) -> None:
    analysis = services.analyze_execution(alice, execution.id)
    address = f"/analyses/{analysis.id}"
    assert "Ask the model" not in page.get(address).text
    page.post(f"{address}/model")
    assert "No model is set up" in page.get(address).text
    set_up()
    assert "Ask the model" in page.get(address).text
    model_limits.set_plan_limit(operator, Plan.FREE, Limit(0, None))
    page.post(f"{address}/model")
    assert "which is your limit" in page.get(address).text
    model_limits.set_plan_limit(operator, Plan.FREE, Limit(None, None))
    server.replies = [answer(401)]
    assert page.post(f"{address}/model").location == address
    work(calls()[0])
    failed = page.get(address).text
    assert "does not accept the API key" in failed
    assert "Ask again" in failed


def test_limits_can_be_set_on_the_page(operator: Actor, alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    browser = browser_of(operator)
    assert "Nobody has asked a model" in browser.get("/model-use").text
    browser.post("/model-use/plans", data={"plan": "PRO", "PRO-questions": "77", "PRO-tokens": ""})
    assert model_limits.show_usage(operator).plans[Plan.PRO] == Limit(77, None)
    browser.post("/model-use/plans", data={"plan": "PRO", "PRO-questions": "-1"})
    assert "whole number" in browser.get("/model-use").text
    browser.post("/model-use/people", data={"email": "alice@example.com", "questions": "3", "tokens": ""})
    assert model_limits.show_usage(operator).people == [model_limits.PersonLimit("alice@example.com", Limit(3, None))]
    assert browser.post("/model-use/people", data={"email": "x@example.com"}).status_code == 422
    browser.post("/model-use/people", data={"email": "alice@example.com", "remove": "1"})
    assert model_limits.show_usage(operator).people == []
    assert browser_of(alice).get("/model-use").status_code == 403


def test_the_command_line_asks_without_keeping(
    app: Flask, asked: AiAnalysis, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hub.cli.ask_model.create_app", lambda: app)
    stored = db.session.scalar(sa.select(AiAnalysis.error_data).where(AiAnalysis.id == asked.id))
    rules = services.diagnose(Evidence.model_validate(stored))[1]
    assert ask_model(Evidence.model_validate(stored), rules).cause is Cause.TIMEOUT
    assert "1000 tokens sent, 200 received, cost 0.00400" in capsys.readouterr().err
    server.replies = [answer(401)]
    with pytest.raises(SystemExit) as ended:
        ask_model(Evidence.model_validate(stored), rules)
    assert ended.value.code == 3
    assert "does not accept the API key" in capsys.readouterr().err
