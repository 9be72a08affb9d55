"""Evidence is small, redacted and made from whatever n8n gives."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.analyses.evidence import build_evidence


def node(name: str, kind: str = "set", **parameters: Any) -> dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "type": f"n8n-nodes-base.{kind}",
        "typeVersion": 1,
        "position": [0, 0],
        "parameters": parameters,
    }


def link(*names: str) -> dict[str, Any]:
    return {first: {"main": [[{"node": second, "type": "main", "index": 0}]]} for first, second in pairwise(names)}


def workflow(**changes: Any) -> dict[str, Any]:
    nodes = [node("Hook", "webhook"), node("Call", "httpRequest", url="https://a.example/x")]
    return {
        "id": "w1",
        "name": "Flow",
        "nodes": nodes,
        "connections": link("Hook", "Call"),
        "settings": {},
        "active": True,
        **changes,
    }


def run(items: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "executionStatus": "success",
        "executionTime": 4,
        "source": [],
        "data": {"main": [[{"json": item} for item in items]]},
        **more,
    }


def execution(error: Any = None, runs: Any = None, stack: Any = None, **changes: Any) -> dict[str, Any]:
    data = {
        "resultData": {"error": error, "runData": runs or {}, "lastNodeExecuted": "Call"},
        "executionData": {"nodeExecutionStack": stack or []},
    }
    return {"id": "7", "status": "error", "mode": "webhook", "workflowData": workflow(), "data": data, **changes}


ERROR = {
    "name": "NodeApiError",
    "message": "Bad request",
    "httpCode": "400",
    "node": node("Call", "httpRequest"),
    "context": {"itemIndex": 0},
}


def test_the_facts_of_an_http_error() -> None:
    error = {
        **ERROR,
        "messages": ['400 - "{}"'],
        "description": "no",
        "stack": "E: x\n at /n/node_modules/a.js:1\n at run (own.js:3)",
        "lineNumber": 2,
    }
    evidence = build_evidence(execution(error))
    assert (evidence.error.class_name, evidence.error.code, evidence.error.item_index) == ("NodeApiError", "400", 0)
    assert evidence.error.messages == ('400 - "{}"',)
    assert evidence.error.stack == ("E: x", "at run (own.js:3)")
    assert evidence.failing_node == "Call"
    assert evidence.limits == ()


def test_the_input_comes_from_the_stack_else_from_the_source() -> None:
    stack = [{"node": node("Call"), "data": {"main": [[{"json": {"a": 1}, "binary": {"file": {}}}]]}}]
    from_stack = build_evidence(execution(ERROR, {"Hook": [run([{"b": 2}])]}, stack))
    assert (from_stack.input_items, from_stack.input_binary_keys, from_stack.input_count) == (({"a": 1},), ("file",), 1)
    failed = {"error": ERROR, "source": [{"previousNode": "Hook", "previousNodeOutput": 0, "previousNodeRun": 0}]}
    from_source = build_evidence(execution(ERROR, {"Hook": [run([{"b": 2}])], "Call": [failed]}))
    assert from_source.input_items == ({"b": 2},)
    assert from_source.node_data["Hook"].outputs == (({"b": 2},),)


@pytest.mark.parametrize(
    ("given", "limit"),
    [
        ({"id": 1, "status": "error", "workflowData": workflow()}, "no-data"),
        ({"id": 1, "status": "error", "data": {}, "dataTooLargeToDisplay": True}, "too-large"),
        (
            {"id": 1, "status": "error", "data": {"resultData": {"redactedError": {"type": "NodeApiError", "httpCode": "401"}}}},
            "redacted-by-n8n",
        ),
        ({**execution(ERROR), "truncated": True}, "truncated"),
    ],
)
def test_incomplete_executions_say_so(given: dict[str, Any], limit: str) -> None:
    assert limit in build_evidence(given).limits


def test_a_withheld_error_keeps_its_class_and_code() -> None:
    given = {"status": "error", "data": {"resultData": {"redactedError": {"type": "NodeApiError", "httpCode": "401"}}}}
    evidence = build_evidence(given)
    assert (evidence.error.withheld, evidence.error.class_name, evidence.error.code) == (True, "NodeApiError", "401")


def test_a_cancelled_run_without_an_error_and_an_error_without_a_name() -> None:
    assert build_evidence(execution(None, status="canceled")).error.message == ""
    assert build_evidence(execution({"message": "odd"})).error.class_name is None


def test_an_error_of_a_subworkflow_does_not_name_a_foreign_node() -> None:
    evidence = build_evidence(
        execution({"message": "boom", "node": node("Elsewhere"), "errorResponse": {"node": node("Elsewhere")}})
    )
    assert evidence.failing_node == "Call"
    assert evidence.error.response == {"node": node("Elsewhere")}


def test_patches_are_made_against_the_current_workflow() -> None:
    changed = workflow(nodes=[node("Hook", "webhook"), node("Call", "httpRequest", url="https://b.example/")])
    evidence = build_evidence(execution(ERROR), changed)
    assert evidence.workflow["nodes"][1]["parameters"]["url"] == "https://b.example/"
    assert set(evidence.workflow) == {"name", "nodes", "connections", "settings"}
    assert "workflow-changed" in evidence.limits


def test_default_values_of_the_version_that_ran_are_no_change() -> None:
    ran = workflow(
        nodes=[node("Hook", "webhook", notice=""), node("Call", "httpRequest", url="https://a.example/x", sendBody=False)]
    )
    assert build_evidence(execution(ERROR, workflowData=ran), workflow()).limits == ()


def test_secrets_leave_every_part() -> None:
    stack = [{"node": node("Call"), "data": {"main": [[{"json": {"headers": {"authorization": "Bearer abc-123456"}}}]]}}]
    error = {**ERROR, "message": "token abc-123456 refused"}
    text = build_evidence(
        execution(error, {"Hook": [run([{"note": "known-one"}])]}, stack), known_secrets=["known-one"]
    ).model_dump_json()
    assert "abc-123456" not in text
    assert "known-one" not in text


def test_a_secret_is_taken_out_before_texts_are_cut() -> None:
    secret = "sk-" + "Zz9" * 20
    text = build_evidence(execution(ERROR, {"Hook": [run([{"note": "x" * 480 + " " + secret}])]})).model_dump_json()
    assert secret[:12] not in text


def test_large_executions_become_small_but_the_workflow_stays_whole() -> None:
    code = "x" * 50_000
    items = [
        {"text": "y" * 5000, "rows": list(range(1000)), "deep": {str(key): "z" * 300 for key in range(200)}} for _ in range(30)
    ]
    runs = {f"Node {number}": [run(items)] for number in range(4)}
    flow = workflow(nodes=[node("Hook", "webhook"), node("Call", "code", jsCode=code)])
    evidence = build_evidence(
        execution(ERROR, runs, [{"node": node("Call"), "data": {"main": [[{"json": item} for item in items]]}}]), flow
    )
    assert evidence.workflow["nodes"][1]["parameters"]["jsCode"] == code
    assert len(evidence.model_dump_json()) < 200_000
    assert "truncated" in evidence.limits
    assert evidence.input_count == 30


def test_the_item_that_failed_is_kept() -> None:
    items = [{"json": {"n": number}} for number in range(10)]
    error = {**ERROR, "context": {"itemIndex": 8}}
    assert {"n": 8} in build_evidence(execution(error, None, [{"node": node("Call"), "data": {"main": [items]}}])).input_items


@pytest.mark.parametrize(
    "broken",
    [{}, {"data": None}, {"data": {"resultData": None}}, {"data": {"resultData": {"runData": {"A": None, "B": [None]}}}}],
)
def test_anything_missing_is_survived(broken: dict[str, Any]) -> None:
    assert build_evidence({"status": "error", **broken}).status == "error"


def test_equal_input_gives_equal_evidence() -> None:
    given = execution(ERROR, {"Hook": [run([{"token": "abc-123456"}])]})
    assert build_evidence(given) == build_evidence(json.loads(json.dumps(given)))


def test_real_executions_give_small_evidence(shared: Path) -> None:
    for file in sorted((shared / "n8n-samples").glob("[0-9]*.json")):
        payload = json.loads(file.read_text())
        evidence = build_evidence(payload.get("execution", payload))
        assert len(evidence.model_dump_json()) < 200_000, file.name
        assert evidence.workflow["nodes"], file.name
        if evidence.status == "error":
            assert evidence.error.message, file.name
            assert evidence.failing_node, file.name


#: Names that mean something in n8n's data, so that what is generated gets past the first look.
KEYS = ("json", "main", "error", "source", "data", "previousNode", "previousNodeRun", "name", "node", "type", "parameters")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=500, deadline=None)
@given(runs=JSON, error=JSON, stack=JSON, nodes=JSON, connections=JSON)
def test_whatever_a_file_holds_it_can_be_pictured(runs: Any, error: Any, stack: Any, nodes: Any, connections: Any) -> None:
    """People upload files, and n8n's versions differ: a wrong shape is missing evidence, never an exception."""
    data = {
        "resultData": {"error": error, "runData": {"A": runs}, "lastNodeExecuted": "A"},
        "executionData": {"nodeExecutionStack": stack},
    }
    ran = {"name": "x", "nodes": nodes, "connections": connections}
    evidence = build_evidence({"id": "1", "status": "error", "data": data, "workflowData": ran}, {"name": "y", "nodes": [{}]})
    assert evidence.status == "error"


@pytest.mark.parametrize("word", ["error", "status", "executed", "workflow", "node_data", "nodes", "connections", "outputs"])
def test_a_secret_spelled_like_the_pictures_own_words_breaks_nothing(word: str) -> None:
    document = workflow()
    document["nodes"][0]["parameters"]["password"] = word
    evidence = build_evidence(execution(), document)
    assert [each["name"] for each in evidence.workflow["nodes"]] == [each["name"] for each in document["nodes"]]
    assert evidence.workflow["nodes"][0]["parameters"]["password"] == "<SECRET_1>"


def test_connections_come_in_n8ns_shape_whatever_a_file_holds() -> None:
    link_to_b = {"node": "B", "type": "main", "index": 0}
    odd = {"A": {"main": [None, [link_to_b, "C"], 7]}, "B": "main", "C": {"main": True}}
    evidence = build_evidence(execution(), workflow(connections=odd))
    assert evidence.workflow["connections"] == {"A": {"main": [None, [link_to_b], []]}, "B": {}, "C": {"main": []}}
