"""Green and probably wrong: every kind of finding, and what looks like one and is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hub.contracts.actor import Actor
from hub.executions.details import read_detail, write_detail
from hub.executions.models import ExecutionStatus
from hub.executions.services import get_execution, list_executions
from hub.executions.suspicion import find_suspicions
from hub.executions.suspicion_words import present_findings
from hub.extensions import db
from tests.hub.factories import NOON, make_execution, make_instance, make_workflow

Json = dict[str, Any]

FOUND = {
    "032-success-expr-fn-undefined.json": ["null-value"],
    "033-success-expr-date-invalid.json": ["expression-failed"],
    "034-success-expr-not-a-function.json": ["null-value"],
    "055-success-set-bad-json.json": ["null-value"],
    "056-success-splitout-missing.json": ["field-not-found", "nothing-answered"],
    "058-success-read-file-missing.json": ["file-not-found", "nothing-answered"],
    "067-success-filter-regex.json": ["condition-on-missing", "nothing-answered"],
    "068-success-item-lists-limit.json": ["field-not-found"],
    "084-success-onerror-continueregularoutput.json": ["error-continued"],
    "085-success-onerror-continueerroroutput.json": ["error-continued"],
}


def test_recorded_successes_of_a_real_n8n() -> None:
    shared = Path(__file__).resolve().parents[4] / "shared"
    files = sorted((shared / "n8n-samples").glob("*-success-*.json"))
    if not files:
        pytest.skip("../shared is not here")
    found = {file.name: [each.kind for each in find_suspicions(json.loads(file.read_text()))] for file in files}
    assert {name: kinds for name, kinds in found.items() if kinds} == FOUND


def success(
    kind: str,
    parameters: Json,
    outputs: list[list[Json]],
    *,
    items: tuple[Json, ...] = ({"a": 1, "note": None, "list": [], "deep": {"b": 2}},),
    after: Json | None = None,
    trigger: Json | None = None,
    **node: Any,
) -> Json:
    """A run of ``Start`` -> ``Node`` (-> ``After``) that ended as a success."""
    start = {"name": "Start", "type": "n8n-nodes-base.webhook", "parameters": {"responseMode": "onReceived"}, **(trigger or {})}
    nodes = [start, {"name": "Node", "type": f"n8n-nodes-base.{kind}", "parameters": parameters, **node}]
    links: Json = {"Start": {"main": [[{"node": "Node", "type": "main", "index": 0}]]}}
    if after is not None:
        nodes.append({"name": "After", "type": "n8n-nodes-base.set", "parameters": after})
        links["Node"] = {
            "main": [[], [{"node": "After"}]] if node.get("onError") == "continueErrorOutput" else [[{"node": "After"}]]
        }
    runs = {
        "Start": [{"data": {"main": [[{"json": item} for item in items]]}, "source": []}],
        "Node": [
            {"data": {"main": [[{"json": each} for each in out] for out in outputs]}, "source": [{"previousNode": "Start"}]}
        ],
    }
    return {
        "id": "1",
        "status": "success",
        "workflowId": "wf",
        "workflowVersionId": "v1",
        "data": {"resultData": {"runData": runs, "lastNodeExecuted": "Node"}},
        "workflowData": {"name": "W", "nodes": nodes, "connections": links},
    }


def kinds(execution: Json) -> list[str]:
    return [finding.kind for finding in find_suspicions(execution)]


def assign(value: str) -> Json:
    return {"assignments": {"assignments": [{"name": "x", "value": value, "type": "string"}]}}


def condition(left: str, operation: str = "equals") -> Json:
    return {"conditions": {"conditions": [{"leftValue": left, "rightValue": "x", "operator": {"operation": operation}}]}}


@pytest.mark.parametrize(
    ("value", "given", "expected"),
    [
        ("={{ $json.none }}", None, ["null-value"]),
        ("={{ $json.deep.none.trim() }}", None, ["null-value"]),
        ("={{ $json['none'] }}", None, ["null-value"]),
        ("={{ $('Start').item.json.none }}", None, ["null-value"]),
        ("={{ $json.note.trim() }}", None, ["null-value"]),
        ("={{ $json.deep.shout() }}", None, ["null-value"]),
        # Near misses.
        ("={{ $json.none }}", "there", []),
        ("={{ $json.note }}", None, []),  # there, and rightly null
        ("={{ $json.none ?? null }}", None, []),
        ("={{ $json.none?.x }}", None, []),
        ("={{ $json.a ? $json.none : 1 }}", None, []),
        ("={{ $json.deep.keys() }}", None, []),
        ("={{ $('Never').item.json.none }}", None, []),
        ("none", None, []),
    ],
)
def test_fields_without_a_value(value: str, given: Any, expected: list[str]) -> None:
    assert kinds(success("set", assign(value), [[{"x": given}]])) == expected


def test_a_field_that_some_items_have_is_optional() -> None:
    execution = success("set", assign("={{ $json.mail }}"), [[{"x": None}, {"x": "m"}]], items=({"a": 1}, {"mail": "m"}))
    assert kinds(execution) == []


@pytest.mark.parametrize(
    ("field", "out", "expected"),
    [("none", [], ["field-not-found"]), ("deep.none", [], ["field-not-found"]), ("list", [], []), ("a", [{"a": 1}], [])],
)
def test_lists_that_are_not_there(field: str, out: list[Json], expected: list[str]) -> None:
    assert kinds(success("splitOut", {"fieldToSplitOut": field}, [out])) == expected


def test_files_that_are_not_there() -> None:
    assert kinds(success("readWriteFile", {"fileSelector": "/data/a.csv"}, [[]])) == ["file-not-found"]
    assert kinds(success("readWriteFile", {"fileSelector": "/data/*.csv"}, [[]])) == []
    assert kinds(success("readWriteFile", {"fileSelector": "/data/a.csv", "operation": "write"}, [[]])) == []
    assert kinds(success("readWriteFile", {"fileSelector": "/data/a.csv"}, [[]], alwaysOutputData=True)) == []
    assert kinds(success("readWriteFile", {"fileSelector": "/data/a.csv"}, [[{}]])) == []


@pytest.mark.parametrize("kind", ["filter", "if"])
def test_conditions_on_what_is_not_there(kind: str) -> None:
    dropped: list[list[Json]] = [[], [{"a": 1}]]
    assert kinds(success(kind, condition("={{ $json.none }}"), dropped)) == ["condition-on-missing"]
    assert kinds(success(kind, condition("={{ $json.a }}"), dropped)) == []  # rightly dropped
    assert kinds(success(kind, condition("={{ $json.note }}"), dropped)) == []
    assert kinds(success(kind, condition("={{ $json.none }}", "notExists"), dropped)) == []
    assert kinds(success(kind, condition("={{ $json.none }}"), [[{"a": 1}]])) == []
    old = {"conditions": {"string": [{"value1": "={{ $json.none }}", "operation": "contains", "value2": "x"}]}}
    assert kinds(success(kind, old, dropped)) == ["condition-on-missing"]


def test_errors_that_nobody_looks_at() -> None:
    failed: list[list[Json]] = [[{"error": {"message": "boom"}}]]
    assert kinds(success("httpRequest", {}, failed, onError="continueRegularOutput")) == ["error-continued"]
    assert kinds(success("httpRequest", {}, failed, continueOnFail=True)) == ["error-continued"]
    assert kinds(success("httpRequest", {}, failed)) == []  # a field of that name in good data
    handled = assign("={{ $json.error.message }}")
    assert kinds(success("httpRequest", {}, failed, onError="continueRegularOutput", after=handled)) == []
    assert kinds(success("httpRequest", {}, [[{"ok": 1}]], onError="continueRegularOutput")) == []
    apart: list[list[Json]] = [[], [{"a": 1}]]
    assert kinds(success("httpRequest", {}, apart, onError="continueErrorOutput")) == ["error-continued"]
    assert kinds(success("httpRequest", {}, apart, onError="continueErrorOutput", after={})) == []
    assert kinds(success("httpRequest", {}, [[{"a": 1}], []], onError="continueErrorOutput")) == []


def test_webhooks_that_answer_an_error() -> None:
    last = {"parameters": {"responseMode": "lastNode"}}
    assert kinds(success("noOp", {}, [[]], trigger=last)) == ["nothing-answered"]
    assert kinds(success("noOp", {}, [[{"a": 1}]], trigger=last)) == []
    assert kinds(success("noOp", {}, [[]])) == []
    every = {"parameters": {"responseMode": "lastNode", "responseData": "allEntries"}}
    assert kinds(success("noOp", {}, [[]], trigger=every)) == []


def test_cut_and_withheld_data_says_nothing() -> None:
    execution = success("splitOut", {"fieldToSplitOut": "none"}, [[]])
    for mark in ({"truncated": True}, {"redactionInfo": {"isRedacted": True}}):
        assert kinds({**execution, "data": {**execution["data"], **mark}}) == []


@pytest.mark.parametrize("broken", [None, [], "x", {"Node": None}, {"Node": [None]}, {"Node": [{"data": {"main": [None, "x"]}}]}])
def test_strange_data_is_no_trouble(broken: Any) -> None:
    execution = success("filter", condition("={{ $json.none }}"), [[]])
    execution["data"]["resultData"]["runData"] = broken
    assert kinds(execution) == []
    assert find_suspicions({}) == []


def test_findings_hold_names_and_no_values() -> None:
    secret = "sk_live_" + "a1B2c3D4" * 4
    execution = success("set", assign(f"={{{{ $json['{secret}'].x }}}}"), [[{"x": None}]], items=({"k": secret},))
    columns = read_detail(execution, 1_000_000)
    assert columns["suspicions"] == 1
    assert secret not in json.dumps(columns["suspicion"])


# --- Where people see them -------------------------------------------------------------------------------------------


def test_lists_pages_and_the_dashboard_show_them(
    alice: Actor, bob: Actor, browser_of: Callable[[Actor], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.executions.trends.utc_now", lambda: NOON)
    workflow = make_workflow(make_instance(alice))
    good = {"status": ExecutionStatus.SUCCESS, "n8n_status": "success"}
    odd, fine, unseen = (make_execution(workflow, number, **good) for number in (1, 2, 3))
    for row, payload in (
        (odd, success("splitOut", {"fieldToSplitOut": "none"}, [[]])),
        (fine, success("noOp", {}, [[{}]])),
    ):
        write_detail(row.instance_id, row.n8n_execution_id, read_detail(payload, 1_000_000))
    db.session.commit()
    assert [row.id for row in list_executions(alice, suspicious=True).rows] == [odd.id]
    assert {row.suspicions for row in list_executions(alice).rows} == {1, 0, None}
    assert list_executions(bob, suspicious=True).rows == []
    assert get_execution(alice, unseen.id).suspicion is None
    browser = browser_of(alice)
    assert "did not find the field “none”" in browser.get(f"/executions/{odd.id}").text
    assert "looks wrong" not in browser.get(f"/executions/{fine.id}").text
    listed = browser.get("/executions?status=SUSPICIOUS").text
    assert odd.id in listed
    assert fine.id not in listed
    assert "status=SUSPICIOUS" in browser.get("/").text
    assert "status=SUSPICIOUS" not in browser_of(bob).get("/").text


@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_kind_has_words(app: Flask, language: str) -> None:
    names = {kind for found in FOUND.values() for kind in found}
    rows = [{"kind": kind, "node": "N", "items_in": 3, "items_out": 0, "what": "email"} for kind in sorted(names)]
    with app.test_request_context(headers={"Accept-Language": language}):
        texts = [shown.text for shown in present_findings(rows)]
        assert len(set(texts)) == len(names)
        assert present_findings([{"kind": "newer", "node": "N"}])[0].text not in texts
