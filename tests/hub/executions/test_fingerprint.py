"""Failures that are the same have one mark; those that only look alike do not."""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.executions.details import read_detail
from hub.executions.fingerprint import Fingerprint, generalise, take_fingerprint

Json = dict[str, Any]


def stored(message: str = "Order 17 is missing", *, node: Json | None = None, **error: Any) -> Json:
    """What the hub stores of a failed run."""
    node = {"name": "Fetch", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "parameters": {"url": "x"}, **(node or {})}
    result = {"error": {"name": "NodeApiError", "message": message, "node": node, **error}, "lastNodeExecuted": node["name"]}
    return {"data": {"resultData": result}, "workflowData": {"nodes": [node]}}


def mark(data: Json | None, status: str = "error", workflow: str = "w1") -> Fingerprint:
    return take_fingerprint(data, status, workflow)


VALUES = st.one_of(
    st.integers(0, 10**12).map(str),
    st.decimals(0, 10**6, places=2, allow_nan=False).map(str),
    st.uuids().map(str),
    st.emails(domains=st.sampled_from(["example.com", "mail.example.org"])).filter(
        lambda text: text.isascii() and "'" not in text
    ),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.binary(min_size=16, max_size=16).map(lambda value: value.hex()),
    st.ip_addresses(v=4).map(str),
    st.sampled_from(
        ["https://api.example.com/v1/orders/17?page=2", "api.example.com", "0x7ffe12", "12 seconds", "400ms", "2026-11-01"]
    ),
)
#: What the strategies above may be told apart by: the kind of a value is part of the words, its content is not.
KINDS = ("number", "id", "email", "time", "address", "url", "duration")


@given(VALUES, VALUES)
def test_values_never_split_failures_of_one_kind(first: str, second: str) -> None:
    left, right = (generalise(f"Item {value} could not be stored [line {len(value)}]") for value in (first, second))
    kinds = [next((kind for kind in KINDS if f"‹{kind}›" in text.partition("[")[0]), "") for text in (left, right)]
    assert all(kinds), (left, right)
    assert (left == right) == (kinds[0] == kinds[1])


NAMES = st.from_regex(r"[A-Za-z][A-Za-z]{0,8}( [A-Z][a-z]{1,6})?[0-9]{0,2}", fullmatch=True)


@given(NAMES, NAMES, st.sampled_from("'\"`"))
def test_names_in_quotes_always_split(first: str, second: str, quote: str) -> None:
    left, right = (generalise(f"Cannot read {quote}{name}{quote} of item 3") for name in (first, second))
    assert (left == right) == (first == second)


@given(st.text(max_size=900))
def test_any_text_gives_a_short_one(text: str) -> None:
    assert len(generalise(text)) <= 300


@pytest.mark.parametrize(
    ("message", "general"),
    [
        (
            "Cannot read properties of undefined (reading 'email') [line 4]",
            "Cannot read properties of undefined (reading 'email') [line ‹number›]",
        ),
        ("Node 'Step 2' hasn't been executed", "Node 'Step 2' hasn't been executed"),
        ("Wrong type: '50' is a string", "Wrong type: '‹number›' is a string"),
        ("connect ECONNREFUSED 127.0.0.1:5432", "connect ECONNREFUSED ‹address›"),
        ("getaddrinfo ENOTFOUND db.cluster", "getaddrinfo ENOTFOUND ‹address›"),
        ("$json.items.map is not a function", "$json.items.map is not a function"),
        ("Invalid key <SECRET_3>", "Invalid key ‹secret›"),
        ('{"code": 17, "id": "A-17"}', '{"code": ‹number›, "id": "A-‹number›"}'),
        ("Run on Nov 3, 2026 at 12:30 failed", "Run on ‹time› at ‹time› failed"),
        ('The value in the "JSON Body" field is not valid JSON', 'The value in the "JSON Body" field is not valid JSON'),
        ("Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON", "Unexpected token '<', ‹snippet› is not valid JSON"),
        ("The sub-workflow (215zaxj8nbrKTqjm) cannot be called", "The sub-workflow (‹id›) cannot be called"),
    ],
)
def test_words_keep_names_and_lose_values(message: str, general: str) -> None:
    assert generalise(message) == general


def test_the_same_failure_has_one_mark_everywhere() -> None:
    here = mark(stored("Order 17 is missing"))
    there = mark(
        stored("Order 18 is missing", node={"name": "Other", "typeVersion": 4.1, "parameters": {"url": "y"}}), workflow="w2"
    )
    assert here.error == there.error
    assert here.case != there.case


@pytest.mark.parametrize(
    "other",
    [
        stored("Order 17 is late"),
        stored(httpCode="404"),
        stored(description="Not in this shop"),
        stored(failure={"cause": "rate-limited"}),
        stored(name="NodeOperationError"),
        stored(node={"type": "n8n-nodes-base.postgres"}),
        stored(node={"typeVersion": 3}),
        stored(node={"parameters": {"url": "x", "operation": "delete"}}),
        stored(node={"parameters": {"url": "x", "resource": "order"}}),
    ],
)
def test_each_part_of_the_mark_counts(other: Json) -> None:
    assert mark(other).error != mark(stored()).error


def test_a_case_is_one_workflow_node_and_its_parameters() -> None:
    case = mark(stored()).case
    assert mark(stored("Order 99 is missing")).case == case
    assert mark(stored(), workflow="w2").case != case
    assert mark(stored(node={"name": "Fetch more"})).case != case
    assert mark(stored(node={"parameters": {"url": "z"}})).case != case


def test_runs_that_did_not_fail_or_were_stopped_have_none() -> None:
    assert mark(None) == mark({}) == mark(stored(), "success") == Fingerprint()
    assert mark(stored(name="ManualExecutionCancelledError"), "canceled") == Fingerprint()
    assert mark({"data": {"resultData": {"runData": {}}}}, "error") == Fingerprint()


def test_failures_without_an_error_object_are_told_apart() -> None:
    nodes = [{"name": "Wait", "type": "n8n-nodes-base.wait"}]
    bare = {"data": {"resultData": {"lastNodeExecuted": "Wait", "runData": {}}}, "workflowData": {"nodes": nodes}}
    timeout, crash = mark(bare, "canceled"), mark(bare, "crashed")
    assert timeout.error
    assert crash.error
    assert timeout.error != crash.error
    assert timeout.node_type == "n8n-nodes-base.wait"
    withheld = copy.deepcopy(bare)
    withheld["data"]["resultData"]["redactedError"] = {"type": "NodeApiError", "httpCode": "429"}
    assert mark(withheld).code == "429"
    in_node = copy.deepcopy(bare)
    in_node["data"]["resultData"]["runData"] = {"Wait": [{"error": {"message": "boom"}}]}
    assert mark(in_node).error not in ("", timeout.error, mark(withheld).error)


CREDENTIALS = {"httpHeaderAuth": {"id": "c1", "name": "CRM"}, "oAuth2Api": {"id": "c2", "name": "Google"}}


@pytest.mark.parametrize(
    ("error", "credential"),
    [
        ({"httpCode": "401"}, "c1"),
        ({"httpCode": "403"}, "c1"),
        ({"httpCode": "500"}, None),
        ({"message": 'Credential with ID "c2" does not exist for type "oAuth2Api".'}, "c2"),
        ({"description": "invalid_grant: Token has been expired or revoked."}, "c1"),
        ({"message": "The field 'token' is missing"}, None),
    ],
)
def test_refused_credentials_are_known(error: Json, credential: str | None) -> None:
    node = {"credentials": CREDENTIALS}
    assert mark(stored(error.pop("message", "boom"), node=node, **error)).credential_id == credential
    assert mark(stored("Unauthorized", httpCode="401")).credential_id is None


def test_the_credential_in_use_counts_where_several_are_set() -> None:
    node = {"credentials": CREDENTIALS, "parameters": {"nodeCredentialType": "oAuth2Api"}}
    assert mark(stored(node=node, httpCode="401")).credential_id == "c2"


def test_recorded_failures_share_a_mark_only_with_their_own_cause(shared: Path) -> None:
    causes: dict[str, set[str]] = defaultdict(set)
    files = sorted((shared / "repair-bench" / "recorded").glob("*.json"))
    for file in files:
        execution = json.loads(file.read_text())["execution"]
        case = json.loads((shared / "repair-bench" / "cases" / file.name).read_text())
        found = mark(read_detail(execution, 10**7)["data"], execution["status"])
        assert found.error, file.name
        causes[found.error].add(",".join(sorted(case["expect"]["causes"])))
    assert {key: names for key, names in causes.items() if len(names) > 1} == {}
    assert len(files) > 30


def test_every_real_failure_has_a_mark(shared: Path) -> None:
    for file in sorted((shared / "n8n-samples").glob("[0-9]*.json")):
        execution = json.loads(file.read_text())
        found = mark(read_detail(execution, 10**7).get("data"), execution["status"])
        assert bool(found.error) == (execution["status"] in ("error", "crashed") or "timeout" in file.name), file.name
