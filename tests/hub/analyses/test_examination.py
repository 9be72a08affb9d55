"""What is found out about a patch before anybody sees it, and the risks that are named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from hub.analyses import services
from hub.analyses.examination import examine
from hub.analyses.models import AiAnalysis
from hub.analyses.patches import apply_change
from hub.analyses.repair import preview_repair, request_repair
from hub.analyses.repair_run import ProofKind
from hub.analyses.repair_words import describe_end, describe_warning
from hub.analyses.risks import find_risks
from hub.contracts.actor import Actor
from hub.contracts.analysis import Cause, Diagnosis, Evidence, Objection, Trial
from hub.errors import Conflict
from hub.executions.models import Execution
from hub.extensions import db
from hub.i18n import current_language
from hub.instances.features import Features
from tests.hub.analyses.fake_n8n import FakeN8n
from tests.hub.analyses.scene import TEXT, OneAnswer, suggestion
from tests.hub.analyses.test_trials import evidence, node, replace

Json = dict[str, Any]
BASE: Json = {"active": True, "draft_only": True, "draft_differs": False, "archived": False}


def objection(facts: Evidence, *operations: Json, features: Features | None = None) -> Objection | None:
    diagnosis = Diagnosis(cause=Cause.UNKNOWN, node=None, confidence=0.5, summary=TEXT, suggestions=(suggestion(operations),))
    return examine(diagnosis, facts, features).suggestions[0].objection


def risks(facts: Evidence, *operations: Json, proof: ProofKind = ProofKind.RETRY, **base: Any) -> dict[str, Json]:
    change = apply_change(operations, base=facts.workflow, current=facts.workflow)
    return {notice.code: notice.details for notice in find_risks(change, facts, {**BASE, **base}, (proof,))}


def test_good_changes_meet_no_objection() -> None:
    facts = evidence(node("Pick", a="={{ $json.x.y }}"))
    assert objection(facts, replace(1, "a", "={{ $json.v }}"), features=Features(node_keys=frozenset({"parameters"}))) is None


@pytest.mark.parametrize(
    ("value", "code"),
    [("={{ $json.v ) }}", "syntax"), ("={{ $json.none.y }}", "trial-failed"), ("={{ [...Array(1e9)].length }}", "trial-")],
)
def test_what_fails_on_the_recorded_data_is_objected_to(value: str, code: str) -> None:
    found = objection(evidence(node("Pick", a="={{ $json.x.y }}")), replace(1, "a", value))
    assert found is not None
    assert found.code.startswith(code)
    assert found.details["node"] == "Pick"


def test_keys_that_the_n8n_does_not_accept_are_objected_to() -> None:
    facts = evidence(node("Pick", a="b"))
    retry = {"op": "add", "path": "/nodes/1/retryOnFail", "value": True}
    known = Features(node_keys=frozenset({"name", "parameters"}))
    assert objection(facts, retry, features=known) == Objection(code="unaccepted-key", details={"field": "retryOnFail"})
    assert objection(facts, retry, features=Features(node_keys=frozenset({"retryOnFail"}))) is None
    assert objection(facts, retry, features=Features()) is None  # its document does not list them
    facts = facts.model_copy(update={"workflow": {**facts.workflow, "settings": {"timezone": "UTC", "secret": 1}}})
    zone = {"op": "replace", "path": "/settings/timezone", "value": "Asia/Amman"}
    assert objection(facts, zone, features=Features(settings_keys=frozenset())) is not None
    assert objection(facts, zone, features=Features()) is None


def test_what_an_analyzer_claims_of_trials_is_replaced() -> None:
    lying = suggestion((replace(1, "a", "={{ $json.none.y }}"),)).model_copy(
        update={"trials": (Trial(node="Pick", path="a", status="worked", value="fine"),)}
    )
    diagnosis = Diagnosis(cause=Cause.UNKNOWN, node=None, confidence=0.5, summary=TEXT, suggestions=(lying,))
    [trial] = examine(diagnosis, evidence(node("Pick", a="x"))).suggestions[0].trials
    assert trial.status == "failed"


def test_an_objection_stands_against_one_click(alice: Actor, execution: Execution, analyzer: OneAnswer, n8n: FakeN8n) -> None:
    broken = {"op": "replace", "path": "/nodes/2/parameters/value", "value": "={{ $json.name ) }}"}
    analyzer.suggestions = (suggestion((broken,)),)
    analysis = services.analyze_execution(alice, execution.id)
    stored = db.session.get_one(AiAnalysis, analysis.id, populate_existing=True).suggestions[0]
    assert stored["trials"][0]["status"] == "failed"
    preview = preview_repair(alice, analysis.id, 0)
    assert preview.obstacle is not None
    assert preview.obstacle.details["reason"] == "syntax"
    assert preview.differences
    assert "SyntaxError" in describe_end(preview.obstacle.code, preview.obstacle.details)
    with pytest.raises(Conflict):
        request_repair(alice, analysis.id, 0, preview.digest or "")


def test_rows_of_an_earlier_hub_still_load(alice: Actor, analysis: AiAnalysis) -> None:
    old = [{key: value for key, value in each.items() if key not in ("trials", "objection")} for each in analysis.suggestions]
    analysis.suggestions = old
    analysis.analysis = {**analysis.analysis, "suggestions": old}
    db.session.commit()
    assert preview_repair(alice, analysis.id, 0).obstacle is None
    assert Diagnosis.model_validate(analysis.analysis).suggestions[0].trials == ()


# --- Risks -----------------------------------------------------------------------------------------------------------


def test_repeated_work_is_counted() -> None:
    post = node("Send", "httpRequest", method="POST", url="http://a.example")
    facts = evidence(post, items=40)
    retry = {"op": "add", "path": "/nodes/1/retryOnFail", "value": True}
    tries = {"op": "add", "path": "/nodes/1/maxTries", "value": 5}
    found = risks(facts, retry, tries)
    assert found["retries-write"] == {"node": "Send", "tries": 5, "count": 200}
    assert found["may-repeat"] == {"node": "Send", "count": 40}
    assert found["writes"] == {"nodes": ["Send"]}
    reading = evidence(node("Read", "httpRequest", method="GET", url="http://a.example"), items=40)
    assert not {"retries-write", "may-repeat", "writes"} & set(risks(reading, retry, tries))


def test_writing_nodes_after_the_failed_one_are_named() -> None:
    facts = evidence(node("Pick", a="x"), node("Mail", "emailSend"))
    facts = facts.model_copy(update={"failing_node": "Pick"})
    assert risks(facts, replace(1, "a", "y"))["writes"] == {"nodes": ["Mail"]}


def test_methods_code_and_live_changes_are_marked() -> None:
    facts = evidence(node("Get", "httpRequest", method="GET"), node("Code", "code", jsCode="return []"))
    found = risks(facts, replace(1, "method", "POST"), replace(2, "jsCode", "return [{}]"), draft_only=False)
    assert {"goes-live", "request-writes", "code"} <= set(found)
    assert "upstream" in risks(facts, replace(1, "method", "POST"), proof=ProofKind.NONE)
    assert "code" not in risks(evidence(node("Pick", postcode="1")), replace(1, "postcode", "2"))


def test_reading_more_is_marked() -> None:
    facts = evidence(node("Pick", a="={{ $json.v }} {{ $('Start').first().json.v }}"))
    assert risks(facts, replace(1, "a", "={{ $('Start').first().json.w }}")).keys() == {"publishes"}
    more = risks(evidence(node("Pick", a="={{ $json.v }}")), replace(1, "a", "={{ $('Start').first().json.v }}"))
    assert more["reads-more"] == {"node": "Pick", "nodes": ["Start"]}


@pytest.mark.parametrize("kind", ["if", "filter", "switch"])
def test_looser_conditions_are_marked(kind: str) -> None:
    strict = {"options": {"typeValidation": "strict"}, "conditions": [{"id": 1}, {"id": 2}], "combinator": "and"}
    facts = evidence(node("Route", kind, conditions=strict))
    for loose in (
        {**strict, "options": {"typeValidation": "loose"}},
        {**strict, "combinator": "or"},
        {**strict, "conditions": [{"id": 1}]},
    ):
        assert "routes-differently" in risks(facts, replace(1, "conditions", loose))
    same = {**strict, "conditions": [{"id": 1, "leftValue": "x"}, {"id": 2}]}
    assert "routes-differently" not in risks(facts, replace(1, "conditions", same))


def test_first_item_only_is_marked() -> None:
    once = {"op": "add", "path": "/nodes/1/executeOnce", "value": True}
    assert "first-item-only" in risks(evidence(node("Pick", a="x")), once)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_risk_has_words(app: Any, language: str) -> None:
    details = {"node": "Knoten", "nodes": ["Knoten"], "count": 7, "tries": 3}
    codes = ("goes-live", "writes", "may-repeat", "retries-write", "first-item-only", "routes-differently", "reads-more", "code")
    with app.test_request_context(headers={"Accept-Language": language}):
        assert current_language() == language
        said = [describe_warning(code, details) for code in codes]
    assert all(text and text not in codes for text in said)
    assert all("Knoten" in text for text in said[1:-1])


def test_the_card_says_what_a_trial_gave(
    alice: Actor, execution: Execution, analyzer: OneAnswer, browser_of: Callable[[Actor], FlaskClient]
) -> None:
    fine = {"op": "add", "path": "/nodes/1/parameters/note", "value": "={{ $json.body.n + 41 }}"}
    broken = {"op": "add", "path": "/nodes/1/parameters/note", "value": "={{ $json.none.x }}"}
    analyzer.suggestions = (suggestion((broken,)), suggestion((fine,)))
    analysis = services.analyze_execution(alice, execution.id)
    page = browser_of(alice).get(f"/analyses/{analysis.id}").text
    assert "Tried on the recorded data: “note” of “Fetch” gives" in page
    assert '<code class="code-inline" dir="ltr">42</code>' in page
    assert "still fails" in page
    assert "By hand" in page
    assert 'name="suggestion" value="1"' in page  # the one without an objection is offered first
