"""The brief says the most telling things first, within its bound, and the same for the same evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.analyses.brief import MOST_TOKENS, Brief, Part, brief_of, count_tokens, fit_in
from hub.analyses.evidence import build_evidence
from tests.hub.analyses.fake_n8n import failed_execution
from tests.hub.analyses.test_evidence import ERROR, execution, link, node, run, workflow

Json = dict[str, Any]


def parts_of(brief: Brief) -> Json:
    parts: Json = json.loads(brief.text())
    return parts


def test_the_parts_stand_in_the_order_of_their_worth() -> None:
    parts = parts_of(brief_of(build_evidence(failed_execution())))
    assert list(parts) == ["execution", "error", "node", "input", "upstream", "path"]
    assert parts["error"]["code"] == "404"
    assert parts["node"]["credential_types"] == ["httpHeaderAuth"]
    assert "credentials" not in parts["node"]
    assert parts["upstream"][0]["shape"]["body"] == {"n": "number"}
    assert parts["path"] == {
        "nodes": [
            {"name": "Webhook", "type": "n8n-nodes-base.webhook"},
            {"name": "Fetch", "type": "n8n-nodes-base.httpRequest"},
        ],
        "other_nodes": ["Store"],
    }


def test_ids_and_times_do_not_stand_in_it() -> None:
    first, second = failed_execution(), {**failed_execution(), "id": "11", "startedAt": "2026-11-02T00:00:00Z"}
    assert brief_of(build_evidence(first)).text() == brief_of(build_evidence(second)).text()


def test_a_node_with_long_code_leaves_room_for_the_item() -> None:
    long = workflow(nodes=[node("Hook", "webhook"), node("Call", "code", jsCode="const a = 1;\n" * 5000)])
    brief = brief_of(
        build_evidence(
            execution(
                ERROR,
                {"Hook": [run([{"city": "Oslo"}])]},
                [{"data": {"main": [[{"json": {"city": "Oslo"}}]]}}],
                workflowData=long,
            )
        )
    )
    parts = parts_of(brief)
    assert parts["node"]["parameters"]["jsCode"].endswith("…")
    assert parts["input"]["item"] == {"city": "Oslo"}
    assert brief.tokens <= MOST_TOKENS


def test_what_does_not_fit_is_dropped_from_the_bottom_and_named() -> None:
    brief = brief_of(build_evidence(failed_execution()), most_tokens=250)
    assert brief.tokens <= 250
    names = [part.name for part in brief.parts]
    assert names[:2] == ["execution", "error"]
    assert names[-1] == "left_out"
    assert "path" in parts_of(brief)["left_out"]


@pytest.mark.parametrize(
    ("quote", "pointer", "holds"),
    [
        ("could not be found", None, True),
        ("could not be found", "/error/message", True),
        ("could not be found", "/node", False),
        ("could not be found", "/nowhere", False),
        ('404 - "no such path"', "/error/messages/0", True),
        ("never said", None, False),
        ("  ", None, False),
    ],
)
def test_a_quote_is_looked_for_in_what_was_sent(quote: str, pointer: str | None, holds: bool) -> None:
    assert brief_of(build_evidence(failed_execution())).holds(quote, pointer) is holds


def test_parts_know_their_pointer() -> None:
    assert Part("error", {}).pointer == "/error"


def test_personal_values_are_masked_the_same_everywhere_and_come_back_in_prose() -> None:
    item = {"email": "sara@shop.example", "phone": "+966 50 123 4567", "card": "4111 1111 1111 1111", "ip": "203.0.113.9"}
    error = {**ERROR, "message": "sara@shop.example is unknown"}
    evidence = build_evidence(execution(error, stack=[{"data": {"main": [[{"json": item}]]}}]))
    brief = brief_of(evidence, mask_personal=True)
    parts = parts_of(brief)
    assert parts["error"]["message"] == "<EMAIL_1> is unknown"
    assert parts["input"]["item"] == {"email": "<EMAIL_1>", "phone": "<PHONE_1>", "card": "<CARD_1>", "ip": "<IP_1>"}
    assert brief.restore("Ask <EMAIL_1>, not <EMAIL_2>") == "Ask sara@shop.example, not <EMAIL_2>"
    assert "sara@shop.example" in brief_of(evidence).text()


def test_values_are_cut_no_more_than_needed() -> None:
    value = {"text": "x" * 1000, "list": list(range(100))}
    assert fit_in(value, 10_000) is value
    small = fit_in(value, 500)
    assert len(json.dumps(small, separators=(",", ":"), ensure_ascii=False)) <= 500
    assert small["list"] == [0, 1, 2, 3, 4, 5]
    assert fit_in(value, 20) is None


def test_tokens_are_counted_on_the_safe_side() -> None:
    assert [count_tokens(text) for text in ("", "abc", "abcd")] == [0, 1, 2]


def test_real_executions_give_small_briefs(shared: Path) -> None:
    for file in sorted((shared / "n8n-samples").glob("[0-9]*.json")):
        given = json.loads(file.read_text())
        evidence = build_evidence(given)
        for masked in (False, True):
            brief = brief_of(evidence, mask_personal=masked)
            assert brief.tokens <= MOST_TOKENS
            assert brief.text() == brief_of(build_evidence(given), mask_personal=masked).text()
            assert [secret for secret in ("INLINESECRET", "QSECRET") if secret in brief.text()] == []


def large(count: int) -> list[Json]:
    return [{"id": number, "note": f"{number} " + "lorem ipsum " * 60, "tags": ["a", "b"]} for number in range(count)]


SHAPES: dict[str, Json] = {
    "with-data": failed_execution(),
    "without-data": {**failed_execution(), "data": None},
    "too-large": {**failed_execution(), "data": {}, "dataTooLargeToDisplay": True, "jsonSizeBytes": 60_000_000},
    "redacted-by-n8n": {
        **failed_execution(),
        "data": {
            "redactionInfo": {"isRedacted": True, "reason": "policy"},
            "resultData": {
                "redactedError": {"type": "NodeApiError", "httpCode": "401"},
                "lastNodeExecuted": "Fetch",
                "runData": {
                    "Webhook": [run([{}])],
                    "Fetch": [{"executionStatus": "error", "source": [{"previousNode": "Webhook"}]}],
                },
            },
        },
    },
    "crashed": {**failed_execution(), "status": "crashed", "data": {"resultData": {"runData": {}, "lastNodeExecuted": "Fetch"}}},
    "timed-out": {
        **failed_execution(),
        "status": "canceled",
        "data": {
            "resultData": {
                "runData": {"Webhook": [run([{"n": 1}])]},
                "lastNodeExecuted": "Webhook",
                "error": {
                    "name": "TimeoutExecutionCancelledError",
                    "message": "The execution was cancelled because it timed out",
                },
            }
        },
    },
    "large": execution(ERROR, {"Hook": [run(large(12_000))]}, [{"data": {"main": [[{"json": item} for item in large(12_000)]]}}]),
    "wide": execution(
        ERROR,
        {f"N{number}": [run(large(3))] for number in range(400)},
        workflowData=workflow(
            nodes=[node(f"N{number}") for number in range(400)] + [node("Call", "httpRequest", url="x")],
            connections=link("N1", "N2", "Call"),
        ),
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_of_execution_gives_evidence_and_a_brief(name: str) -> None:
    given = SHAPES[name]
    before = json.dumps(given)
    evidence = build_evidence(given)
    brief = brief_of(evidence)
    assert json.dumps(given) == before
    assert brief.tokens <= MOST_TOKENS
    assert brief.text() == brief_of(build_evidence(json.loads(before))).text()
    parts = parts_of(brief)
    assert parts["execution"]["status"] == given["status"]
    assert ("incomplete" in parts["execution"]) is (name not in ("with-data", "crashed", "timed-out"))
    assert parts.get("node", {}).get("name", "Call") in ("Call", "Fetch", "Webhook")
