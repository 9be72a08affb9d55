"""What leaves: no secret of any kind in any place, and no personal data to a server outside."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hub.analyses.evidence import build_evidence
from plugins.analyzers.openai_compatible.analyzer import OpenAiCompatibleAnalyzer
from plugins.analyzers.openai_compatible.options import Options
from tests.planted_secrets import KINDS, executions, forms_of, make_secret
from tests.plugins.openai_compatible.failure import failure
from tests.plugins.openai_compatible.scripted import GOOD, Listener, ScriptedServer, completion

Serve = Callable[..., ScriptedServer]
GROUP = 8


def readable(body: bytes) -> str:
    """The bytes as they are, and what the JSON in the JSON means."""
    text = body.decode()
    said = "\n".join(message["content"] for message in json.loads(body)["messages"])
    return "\n".join((text, said, said.replace('\\"', '"').replace("\\\\", "\\")))


@pytest.mark.parametrize("first", range(0, len(KINDS), GROUP))
def test_no_planted_secret_leaves_in_the_bytes(serve: Serve, analyzer: OpenAiCompatibleAnalyzer, first: int) -> None:
    planted = [(kind, make_secret(kind)) for kind in KINDS[first : first + GROUP]]
    found = []
    for place, execution in executions(*planted):
        server = serve(completion("no json"), completion(GOOD))
        analyzer.ask(analyzer.prepare(build_evidence(execution)), Listener())
        assert len(server.bodies) == 2
        text = "\n".join(map(readable, server.bodies))
        found += [(kind.name, place, form) for kind, secret in planted for form in forms_of(secret) if form in text]
    assert found == []


def test_personal_data_stays_here(serve: Serve, analyzer: OpenAiCompatibleAnalyzer, values: dict[str, Any]) -> None:
    evidence = failure(body={"email": "layla.h@example.org", "phone": "+966 55 123 4567", "card": "4111 1111 1111 1111"})
    server = serve(completion(GOOD))
    for base_url, masked in (("https://api.example.com/v1", True), ("http://localhost:11434/v1", False)):
        values["base_url"] = base_url
        analyzer.ask(analyzer.prepare(evidence), Listener())
        assert ("layla.h@example.org" not in server.bodies[-1].decode()) == masked
        assert ("55 123 4567" not in server.bodies[-1].decode()) == masked
    values["mask_always"] = True
    analyzer.ask(analyzer.prepare(evidence), Listener())
    assert "layla.h@example.org" not in server.bodies[-1].decode()


def test_masked_words_come_back_in_prose_and_never_in_a_change(analyzer: OpenAiCompatibleAnalyzer, values: Any) -> None:
    evidence = failure(body={"email": "layla.h@example.org"})
    question = analyzer.prepare(evidence)
    assert "<EMAIL_1>" in question.brief
    edit = {**GOOD["edits"][0], "new_value_json": '"https://api.example.com/<EMAIL_1>"'}
    quotes = [{"quote": '"email":"<EMAIL_1>"', "shows": ""}, {"quote": "<EMAIL_1>", "shows": ""}]
    said = {**GOOD, "explanation_en": "<EMAIL_1> is not known.", "evidence": quotes, "edits": [edit]}
    reading = analyzer.read(evidence, question, json.dumps(said))
    assert reading.diagnosis.summary.en == "layla.h@example.org is not known."
    assert reading.diagnosis.evidence[1].quote == "layla.h@example.org"
    assert [suggestion.patch for suggestion in reading.diagnosis.suggestions] == [None]


@pytest.mark.parametrize(
    ("base_url", "remote"),
    [
        ("https://api.openai.com/v1", True),
        ("http://8.8.8.8/v1", True),
        ("http://gpu.company.example:8000/v1", True),
        ("http://localhost:11434/v1", False),
        ("http://127.0.0.1:8080/v1", False),
        ("http://10.1.2.3:8080/v1", False),
        ("http://[::1]:8080/v1", False),
        ("http://ollama:11434/v1", False),
        ("http://gpu.internal/v1", False),
    ],
)
def test_what_counts_as_outside(values: dict[str, Any], base_url: str, remote: bool) -> None:
    assert Options.from_values({**values, "base_url": base_url}).is_remote is remote
