"""What is believed of an answer: quotes that stand in the evidence, edits that fit, and little of the stated confidence."""

from __future__ import annotations

import json
from typing import Any

import jsonpatch
import pytest

from hub.plugin_api import Cause, Diagnosis, Evidence, ModelReading
from plugins.analyzers.openai_compatible.analyzer import OpenAiCompatibleAnalyzer
from tests.plugins.openai_compatible.failure import failure
from tests.plugins.openai_compatible.scripted import GOOD

EDIT = GOOD["edits"][0]


def read(analyzer: OpenAiCompatibleAnalyzer, evidence: Evidence, /, **changes: Any) -> ModelReading:
    return analyzer.read(evidence, analyzer.prepare(evidence), json.dumps({**GOOD, **changes}))


def test_an_honest_answer_becomes_a_diagnosis(analyzer: OpenAiCompatibleAnalyzer, evidence: Evidence) -> None:
    reading = read(analyzer, evidence)
    diagnosis = reading.diagnosis
    assert (diagnosis.cause, diagnosis.node, diagnosis.source) == (Cause.NOT_FOUND, "Fetch", "m/p1")
    assert diagnosis.summary.ar == "المسار مكتوب خطأ."
    assert [quote.pointer for quote in diagnosis.evidence] == ["/error/message"]
    assert reading.notes == ()
    (suggestion,) = diagnosis.suggestions
    assert suggestion.kind == "patch"
    assert suggestion.patch == (
        {"op": "test", "path": "/nodes/1/name", "value": "Fetch"},
        {"op": "test", "path": "/nodes/1/parameters/url", "value": "https://api.example.com/custmers"},
        {"op": "replace", "path": "/nodes/1/parameters/url", "value": "https://api.example.com/customers"},
    )


@pytest.mark.parametrize("stated", [1000000, 1, 0.9, 0, -5, "NaN", "Infinity", "-Infinity"])
def test_a_stated_confidence_is_clamped_and_worth_little(
    analyzer: OpenAiCompatibleAnalyzer, evidence: Evidence, stated: Any
) -> None:
    reading = read(analyzer, evidence, confidence=float(stated))
    assert 0 <= reading.diagnosis.confidence <= 0.6
    assert all(0 <= suggestion.confidence <= 0.4 for suggestion in reading.diagnosis.suggestions)


def test_invented_quotes_fall_and_cost_confidence(analyzer: OpenAiCompatibleAnalyzer, evidence: Evidence) -> None:
    true = GOOD["evidence"][0]
    invented = {"quote": "the disk is full", "shows": "x"}
    honest = read(analyzer, evidence).diagnosis.confidence
    half = read(analyzer, evidence, evidence=[true, invented])
    none = read(analyzer, evidence, evidence=[invented, {"quote": "e", "shows": "too short"}])
    assert [quote.quote for quote in half.diagnosis.evidence] == [true["quote"]]
    assert none.diagnosis.evidence == ()
    assert honest > half.diagnosis.confidence > none.diagnosis.confidence > 0
    assert "left out: 1" in half.notes[0].en
    assert read(analyzer, evidence, evidence=[]).diagnosis.confidence == none.diagnosis.confidence


def test_a_quote_may_be_json_or_what_it_means(analyzer: OpenAiCompatibleAnalyzer) -> None:
    evidence = failure(body={"name": 'say "hello"'})
    quotes = [{"quote": 'say "hello"', "shows": ""}, {"quote": '"name":"say \\"hello', "shows": ""}]
    assert len(read(analyzer, evidence, evidence=quotes).diagnosis.evidence) == 2


def test_a_node_that_is_not_there_is_the_failing_one(analyzer: OpenAiCompatibleAnalyzer, evidence: Evidence) -> None:
    assert read(analyzer, evidence, node="Fetcher").diagnosis.node == "Fetch"
    assert read(analyzer, evidence, node="").diagnosis.node == "Fetch"
    assert read(analyzer, evidence, node="Webhook").diagnosis.node == "Webhook"


def test_an_unknown_cause_changes_nothing(analyzer: OpenAiCompatibleAnalyzer, evidence: Evidence) -> None:
    suggestions = read(analyzer, evidence, cause="unknown").diagnosis.suggestions
    assert [suggestion.patch for suggestion in suggestions] == [None]


@pytest.mark.parametrize(
    "edit",
    [
        {"node": "Nobody"},
        {"path": "/credentials/httpHeaderAuth"},
        {"path": "/type"},
        {"path": "/name"},
        {"path": "/onError", "op": "add", "new_value_json": '"continueRegularOutput"'},
        {"path": "/disabled", "op": "add", "new_value_json": "true"},
        {"path": "/parameters", "new_value_json": "{}"},
        {"path": ""},
        {"path": "/"},
        {"path": "/parameters/urll"},
        {"path": "/parameters/url/deeper/0"},
        {"path": "/parameters/options/timeout/x", "op": "add"},
        {"old_value_json": '"https://api.example.com/other"'},
        {"new_value_json": '"https://api.example.com/custmers"'},
        {"new_value_json": '"https://api.example.com/<SECRET_1>"'},
        {"new_value_json": '"https://api.example.com/\\u003cEMAIL_2>"'},
        {"new_value_json": "1e999"},
        {"op": "add", "old_value_json": ""},
        {"op": "remove", "path": "/parameters/nothing"},
    ],
)
def test_an_edit_that_does_not_fit_is_left_out_with_a_note(
    analyzer: OpenAiCompatibleAnalyzer, evidence: Evidence, edit: dict[str, str]
) -> None:
    """Also the good edit beside it: edits belong together."""
    reading = read(analyzer, evidence, edits=[EDIT, {**EDIT, **edit}] if "new_value_json" not in edit else [{**EDIT, **edit}])
    assert [suggestion.patch for suggestion in reading.diagnosis.suggestions] == [None]
    assert "left out" in reading.notes[-1].en


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ({"path": "parameters.url"}, ("url", "https://api.example.com/customers")),
        ({"old_value_json": "https://api.example.com/custmers"}, ("url", "https://api.example.com/customers")),
        ({"new_value_json": "https://api.example.com/x"}, ("url", "https://api.example.com/x")),
        ({"op": "add", "path": "/parameters/sendQuery", "new_value_json": "true"}, ("sendQuery", True)),
        ({"op": "add", "path": "/parameters/a~1b/c", "new_value_json": "[1]"}, ("a/b", {"c": [1]})),
        ({"path": "/parameters/options/timeout", "old_value_json": "5000", "new_value_json": "9"}, ("options", {"timeout": 9})),
        ({"op": "remove", "path": "/parameters/options/timeout", "old_value_json": "5000"}, ("options", {})),
    ],
)
def test_edits_that_fit_make_a_patch_that_applies(
    analyzer: OpenAiCompatibleAnalyzer, evidence: Evidence, edit: dict[str, str], expected: tuple[str, Any]
) -> None:
    (suggestion,) = read(analyzer, evidence, edits=[{**EDIT, **edit}]).diagnosis.suggestions
    assert suggestion.patch is not None
    changed = jsonpatch.apply_patch(evidence.workflow, list(suggestion.patch))
    assert changed["nodes"][1]["parameters"][expected[0]] == expected[1]
    stale = {**evidence.workflow, "nodes": [{**node, "name": "Renamed"} for node in evidence.workflow["nodes"]]}
    with pytest.raises(jsonpatch.JsonPatchTestFailed):
        jsonpatch.apply_patch(stale, list(suggestion.patch))


def test_words_are_shown_as_they_are_seen(analyzer: OpenAiCompatibleAnalyzer, evidence: Evidence) -> None:
    hidden = "Be\u202ecareful\u200b<!-- hidden -->\U000e0041\x00!"
    diagnosis = read(analyzer, evidence, explanation_en=hidden, explanation_ar="").diagnosis
    assert diagnosis.summary.en == diagnosis.summary.ar == "Becareful!"


def test_equal_failures_are_one_question_and_other_models_another(
    analyzer: OpenAiCompatibleAnalyzer, values: dict[str, Any]
) -> None:
    first = analyzer.prepare(failure())
    assert analyzer.prepare(failure()) == first
    keys = {first.cache_key, analyzer.prepare(failure(body={"order": 8})).cache_key}
    for name, value in (("model", "other"), ("base_url", "https://other.example/v1"), ("json_mode", "none")):
        before, values[name] = values[name], value
        keys.add(analyzer.prepare(failure()).cache_key)
        values[name] = before
    assert len(keys) == 5


def test_the_question_fits_into_the_context(analyzer: OpenAiCompatibleAnalyzer, values: dict[str, Any]) -> None:
    evidence = failure(body={f"field {number}": "x" * 400 for number in range(60)}, error={"description": "y" * 9000})
    sizes = []
    for context in (6500, 7500, 16384, 128_000):
        values["context_tokens"] = context
        question = analyzer.prepare(evidence)
        sizes.append(question.estimated_tokens)
        assert question.estimated_tokens <= context - values["max_output_tokens"]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1] < 10_500


def test_a_model_takes_over_what_the_rules_leave(analyzer: OpenAiCompatibleAnalyzer, values: dict[str, Any]) -> None:
    def rules(cause: Cause, confidence: float) -> Diagnosis:
        text = {"en": "x", "ar": "x"}
        return Diagnosis.model_validate({"cause": cause, "node": None, "confidence": confidence, "summary": text})

    assert analyzer.takes_over(rules(Cause.UNKNOWN, 0))
    assert analyzer.takes_over(rules(Cause.NOT_FOUND, 0.49))
    assert not analyzer.takes_over(rules(Cause.NOT_FOUND, 0.5))
    values["automatic"] = False
    assert not analyzer.takes_over(rules(Cause.UNKNOWN, 0))


def test_nothing_is_asked_before_an_operator_says_so(analyzer: OpenAiCompatibleAnalyzer, values: dict[str, Any]) -> None:
    assert analyzer.identity() == "m/p1"
    for name, value in (("enabled", False), ("model", None), ("base_url", None)):
        before, values[name] = values[name], value
        assert analyzer.identity() is None
        values[name] = before
