"""Every rule recognises its failures, repairs them as it says, and leaves near misses alone."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from hub.plugin_api import Cause
from plugins.analyzers.rules.catalogue import RULES
from tests.plugins.rules import examples, examples_by_reasoning, examples_of_code, examples_of_services, examples_of_slips
from tests.plugins.rules.examples import Hit, Miss
from tests.plugins.rules.failures import code, failure, http, judge, node, pairs, patched

EXAMPLES = (examples, examples_by_reasoning, examples_of_code, examples_of_services, examples_of_slips)
HITS = tuple(hit for module in EXAMPLES for hit in module.HITS)
MISSES = tuple(miss for module in EXAMPLES for miss in module.MISSES)


def value_at(nodes: dict[str, Any], hit: Hit) -> Any:
    found: Any = nodes[hit.node]
    for key in hit.path or ():
        found = found[key]
    return found


@pytest.mark.parametrize("hit", HITS, ids=[f"{index}-{hit.rule}" for index, hit in enumerate(HITS)])
def test_a_rule_recognises_its_failure(hit: Hit) -> None:
    evidence = hit.make()
    diagnosis = judge(evidence)
    assert diagnosis.source == hit.rule
    nodes = patched(evidence, diagnosis)
    if hit.path is None:
        assert nodes is None
    else:
        assert nodes is not None
        assert value_at(nodes, hit) == hit.value
        assert diagnosis.node in evidence.node_data or diagnosis.node == evidence.failing_node


@pytest.mark.parametrize("miss", MISSES, ids=[f"{index}-{miss.rule}" for index, miss in enumerate(MISSES)])
def test_a_rule_leaves_a_near_miss_alone(miss: Miss) -> None:
    assert judge(miss.make()).source != miss.rule


def test_every_rule_has_examples_on_both_sides() -> None:
    rules = {rule.id for rule in RULES}
    assert len(rules) == len(RULES)
    assert rules == {hit.rule for hit in HITS} == {miss.rule for miss in MISSES}


@pytest.mark.parametrize("hit", HITS, ids=[f"{index}-{hit.rule}" for index, hit in enumerate(HITS)])
def test_what_is_shown_is_complete_in_both_languages(hit: Hit) -> None:
    diagnosis = judge(hit.make())
    texts = [diagnosis.summary, *(text for entry in diagnosis.suggestions for text in (entry.title, entry.explanation))]
    assert diagnosis.suggestions
    assert diagnosis.evidence
    for text in texts:
        assert not re.search(r"(?<!\{)\{[a-z]+\}", text.en), text.en
        assert not re.search(r"(?<!\{)\{[a-z]+\}", text.ar), text.ar
        assert re.search(r"[\u0600-\u06ff]", text.ar), text.ar


@pytest.mark.parametrize("hit", HITS, ids=[f"{index}-{hit.rule}" for index, hit in enumerate(HITS)])
def test_no_two_rules_tie(hit: Hit) -> None:
    from plugins.analyzers.rules.case import Case

    case = Case(hit.make())
    ranks = [rule.rank for rule in RULES if rule.examine(case) is not None]
    assert ranks.count(max(ranks)) == 1


@pytest.mark.parametrize("hit", HITS, ids=[f"{index}-{hit.rule}" for index, hit in enumerate(HITS)])
def test_no_patch_hides_an_error_or_touches_identity(hit: Hit) -> None:
    for suggestion in judge(hit.make()).suggestions:
        for operation in suggestion.patch or ():
            assert operation["op"] in ("test", "add", "replace")
            changed = [] if operation["op"] == "test" else operation["path"].split("/")[3:]
            assert not set(changed[:1]) & {
                "credentials",
                "id",
                "name",
                "type",
                "webhookId",
                "onError",
                "disabled",
                "alwaysOutputData",
            }
            assert "<SECRET_" not in json.dumps(operation)


def test_what_no_rule_knows_is_unknown_with_little_confidence() -> None:
    diagnosis = judge(failure("set", "a failure that nobody has seen"))
    assert (diagnosis.cause, diagnosis.source) == (Cause.UNKNOWN, "none")
    assert diagnosis.confidence < 0.2


def test_a_redacted_value_stays_out_of_patches() -> None:
    secret = "const key = 'api_key: \"abc-123456\"';\nconst apiKey = 'abc-123456';\nreturn [{ json: { a: Math.max(1, 2 } }];"
    diagnosis = judge(code(secret, "missing ) after argument list", line=None, description="SyntaxError"))
    assert diagnosis.source == "code-syntax"
    assert all(suggestion.kind == "manual" for suggestion in diagnosis.suggestions)


def test_a_narrow_edit_works_beside_a_redacted_value() -> None:
    parameters = pairs(**{"X-Api-Key": "abc-123456", "X Id:": "7"})
    evidence = http(
        None, 'Header name must be a valid HTTP token ["x id:"]', httpCode="ERR_INVALID_HTTP_TOKEN", headerParameters=parameters
    )
    nodes = patched(evidence, judge(evidence))
    assert nodes is not None
    assert nodes["Step"]["parameters"]["headerParameters"]["parameters"][1]["name"] == "X-Id"


def test_a_patch_tests_what_it_replaces() -> None:
    patch = next(entry.patch for entry in judge(http((405, {"message": "Allowed: PUT"}))).suggestions if entry.patch)
    assert [(operation["op"], operation["path"]) for operation in patch] == [
        ("test", "/nodes/1/name"),
        ("test", "/nodes/1/parameters/method"),
        ("replace", "/nodes/1/parameters/method"),
    ]


def test_the_order_of_branches_is_the_only_thing_changed() -> None:
    patch = next(entry.patch for entry in judge(examples_of_slips.branches()).suggestions if entry.patch)
    assert [operation for operation in patch if operation["op"] != "test"] == [
        {"op": "replace", "path": "/settings/executionOrder", "value": "v1"}
    ]


def test_a_workflow_that_changed_since_lowers_the_confidence() -> None:
    evidence = http((405, {"message": "Allowed: PUT"}))
    changed = evidence.model_copy(update={"limits": ("workflow-changed",)})
    assert judge(changed).suggestions[0].confidence < judge(evidence).suggestions[0].confidence


def test_words_of_the_data_are_not_taken_for_placeholders() -> None:
    evidence = http(None, "Invalid URL: {message}. URL must", url="{message}")
    assert "{message}" in judge(evidence).summary.en


def test_a_renamed_node_is_followed_in_every_node() -> None:
    reference = {"value": "={{ $('Old orders').item.json.x }}"}
    evidence = failure(
        "set",
        "Referenced node doesn't exist",
        reference,
        before=[(node("Orders", "set"), [{"x": 1}])],
        after=[node("Later", "set", **reference)],
        context={"nodeCause": "Old orders", "descriptionKey": "nodeNotFound"},
    )
    nodes = patched(evidence, judge(evidence))
    assert nodes is not None
    assert {nodes[name]["parameters"]["value"] for name in ("Step", "Later")} == {"={{ $('Orders').item.json.x }}"}


def test_fields_that_went_the_same_way_are_mended_together() -> None:
    """A service names the first field that it misses; the next one would fail the retry."""
    evidence = http(
        (422, {"message": "email is required"}),
        method="POST",
        sendBody=True,
        bodyParameters=pairs(email="={{ $json.email }}", product="={{ $json.product }}", note="as typed"),
        body={"email": "a@b.example", "product": "Kettle"},
        request={"body": {"note": "as typed"}},
    )
    nodes = patched(evidence, judge(evidence))
    assert nodes is not None
    fields = {
        entry["name"]: entry["value"] for entry in nodes[str(evidence.failing_node)]["parameters"]["bodyParameters"]["parameters"]
    }
    assert fields == {"email": "={{ $json.body.email }}", "product": "={{ $json.body.product }}", "note": "as typed"}


def test_code_in_an_arabic_sentence_keeps_its_order() -> None:
    """Without isolates the dollar of ``$json.email`` would stand at its other end."""
    diagnosis = judge(next(hit.make() for hit in HITS if hit.rule == "field-missing"))
    texts = [diagnosis.summary.ar, *(entry.title.ar for entry in diagnosis.suggestions)]
    assert any("$" in text for text in texts)
    for hit in HITS:
        judged = judge(hit.make())
        for text in (judged.summary, *(words for entry in judged.suggestions for words in (entry.title, entry.explanation))):
            assert text.ar.count("\u2068") == text.ar.count("\u2069")
            outside = re.sub("\u2068[^\u2068\u2069]*\u2069", "", re.sub("\u2068[^\u2068\u2069]*\u2069", "", text.ar))
            assert "$" not in outside, text.ar
            assert "\u2068" not in text.en
