"""Trials: the model of n8n's expressions and Code nodes, its honesty about what it lacks, and its walls."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from hub.analyses import trial_process
from hub.analyses.patches import apply_change
from hub.analyses.trial_process import run_tasks
from hub.analyses.trials import find_texts, try_changes
from hub.contracts.analysis import ErrorFacts, Evidence, NodeData, Trial

Json = dict[str, Any]

DATA: Json = {
    "input": [{"name": "Ann", "n": "41", "tags": ["a", "b"], "keys": "own"}],
    "input_count": 1,
    "indexes": [0],
    "failed_index": 0,
    "run_index": 0,
    "nodes": {
        "One": {"outputs": [[{"id": 7}]], "count": 1, "whole": True, "changed": False},
        "Two": {"outputs": [[{"id": 1}, {"id": 2}]], "count": 2, "whole": True, "changed": False},
        "Cut": {"outputs": [[{"id": 1}]], "count": 9, "whole": False, "changed": False},
        "New": {"outputs": [[{"id": 1}]], "count": 1, "whole": True, "changed": True},
    },
    "names": ["One", "Two", "Cut", "New", "Idle"],
    "parent": None,
    "input_is_first_output": False,
    "workflow_name": "Orders",
    "is_code": False,
    "mode": None,
}


def expression(text: str, *, is_json: bool = False, **data: Any) -> Json:
    return {"kind": "expression", "source": text, "is_json": is_json, "reason": None, "data": {**DATA, **data}}


def code(text: str, mode: str = "runOnceForAllItems", **data: Any) -> Json:
    return {"kind": "code", "source": text, "reason": None, "data": {**DATA, "is_code": True, "mode": mode, **data}}


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time for many trials on a busy machine."""
    monkeypatch.setattr(trial_process, "SECONDS", 60.0)
    monkeypatch.setattr(trial_process, "SECONDS_EACH", 10.0)


def outcomes(tasks: list[Json], key: str) -> list[Any]:
    return [found.get(key) for found in run_tasks(tasks)]


# --- What works as in n8n --------------------------------------------------------------------------------------------


def test_expressions_give_what_n8n_gives(patient: None) -> None:
    expected = {
        "={{ $json.name }}": "Ann",
        "={{ $json.n.toInt() + 1 }}": "42",
        "=Dear {{ $json.name }}, {{ $json.none }}!": "Dear Ann, !",
        "={{ $json.tags.last() }}": "b",
        "={{ $json.tags }}": '["a","b"]',
        "={{ $json.keys }}": "own",  # a field named like a method stays a field
        "={{ $json.tags.toJsonString() }}": '["a","b"]',
        "={{ $('One').item.json.id }}": "7",
        "={{ $('Two').all().length }}": "2",
        "={{ $('Two').last().json.id + $('Cut').first().json.id }}": "3",
        '={{ $node["One"].json.id }}': "7",
        "={{ $('Idle').isExecuted }}": "false",
        "={{ $input.all().length + $itemIndex }}": "1",
        "={{ $workflow.name }}": "Orders",
        "={{ 0 }}": "0",
    }
    assert dict(zip(expected, outcomes([expression(text) for text in expected], "value"), strict=True)) == expected


def test_errors_of_expressions_are_failures(patient: None) -> None:
    expected = {
        "={{ $json.none.deep }}": "TypeError: Cannot read properties of undefined (reading 'deep')",
        "={{ $('Nowhere').first().json.id }}": "ReferenceError: Referenced node doesn't exist: Nowhere",
        "={{ total }}": "ReferenceError: total is not defined",
        "={{ $json.name.shout() }}": "TypeError: $json.name.shout is not a function",
        "={{ 'abc'.toInt() }}": "TypeError: cannot convert to a number in toInt()",
    }
    found = run_tasks([expression(text) for text in expected])
    assert [(each["status"], each["error"]) for each in found] == [("failed", error) for error in expected.values()]


def test_missing_values_are_no_success(patient: None) -> None:
    texts = ["={{ $json.none }}", "={{ null }}", "={{ $json.none ?? '' }}", "={{ Number('x') }}"]
    assert outcomes([expression(text) for text in texts], "status") == ["empty"] * 4


def test_every_kept_item_has_to_work(patient: None) -> None:
    two = {"input": [{"a": {"b": 1}}, {}], "input_count": 2, "indexes": [0, 1], "failed_index": 0}
    assert outcomes([expression("={{ $json.a.b }}", **two)], "status") == ["failed"]


def test_json_bodies_must_be_json(patient: None) -> None:
    tasks = [
        expression('={"name": "{{ $json.name }}"}', is_json=True),
        expression('={"name": {{ $json.name }}}', is_json=True),
        expression("={{ $json }}", is_json=True),
        {"kind": "json", "source": '{"a": 1}', "reason": None, "data": DATA},
        {"kind": "json", "source": '{"a": 1,}', "reason": None, "data": DATA},
    ]
    assert outcomes(tasks, "status") == ["worked", "failed", "worked", "worked", "failed"]


def test_syntax_is_checked_by_v8_even_where_nothing_can_run() -> None:
    untried = [{**expression(text), "reason": "no-data"} for text in ("={{ $json.a ) }}", "={{ 1); (2 }}", "={{ $json.a }}")]
    tasks = [*untried, code("return [;"), {**code("}); evil(); (function () {"), "reason": "no-data"}]
    assert outcomes(tasks, "status") == ["syntax", "syntax", "not-tried", "syntax", "syntax"]


def test_code_nodes_have_to_return_what_the_runner_accepts(patient: None) -> None:
    each = "runOnceForEachItem"
    table = [
        (code("return items.map((item) => ({json: {x: item.json.n * 1}}))"), "worked", '[{"x":41}]'),
        (code("const items = $input.all(); return items"), "worked", None),
        (code("}); (() => {return []"), "syntax", None),
        (code("return {total: 3}"), "worked", '[{"total":3}]'),
        (code("return [{a: 1}, {a: 2}]"), "worked", '[{"a":1},{"a":2}]'),
        (code("await Promise.resolve(); return $input.all()"), "worked", None),
        (code("return []"), "empty", "[]"),
        (code("return {json: {id: $('Two').all().length}}"), "worked", '[{"id":2}]'),
        (code("return {a: $json.name}", each), "worked", '[{"a":"Ann"}]'),
        (code("return {json: {a: item.json.n, i: $itemIndex}}", each), "worked", '[{"a":"41","i":0}]'),
        (code("return 'text'"), "failed", "Error: Code doesn't return items properly"),
        (code("const a = 1;"), "failed", "Error: Code doesn't return items properly"),
        (code("return [1]"), "failed", "Error: Code doesn't return items properly"),
        (code("return [{json: 5}]"), "failed", "Error: A 'json' property isn't an object [item 0]"),
        (code("return [{json: {}, extra: 1}]"), "failed", "Error: Unknown top-level item key: extra [item 0]"),
        (code("return [{json: {}}]", each), "failed", "Error: Code doesn't return a single object [item 0]"),
        (code("return 5", each), "failed", "Error: Code doesn't return an object [item 0]"),
        (code("throw new Error('no stock')"), "failed", "Error: no stock"),
    ]
    for (task, status, said), found in zip(table, run_tasks([row[0] for row in table]), strict=True):
        assert found["status"] == status, task["source"]
        assert said is None or said == found.get("value", found.get("error")), task["source"]


# --- Honesty ---------------------------------------------------------------------------------------------------------


def test_what_is_not_there_is_not_tried(patient: None) -> None:
    expected = {
        "={{ $now.toISO() }}": "not-modelled",
        "={{ DateTime.now() }}": "not-modelled",
        "={{ $json.name.toTitleCase() }}": "not-modelled",
        "={{ $json.none.isEmpty() }}": "not-modelled",
        "={{ $env.HOME }}": "not-modelled",
        "={{ $('Two').item.json.id }}": "paired-item",
        "={{ $('Cut').all().length }}": "cut-data",
        "={{ $('Cut').last().json.id }}": "cut-data",
        "={{ $('Idle').first().json.id }}": "no-data",
        "={{ $('New').first().json.id }}": "changed-before",
        "={{ $json.constructor.constructor('return 1')() }}": "not-modelled",
    }
    assert dict(zip(expected, outcomes([expression(text) for text in expected], "reason"), strict=True)) == expected


def test_a_catch_does_not_hide_what_is_not_modelled(patient: None) -> None:
    caught = "try { require('crypto') } catch (error) {} return [{json: {ok: true}}]"
    cut = {"input_count": 90}
    tasks = [
        code(caught),
        code("try { $('Cut').all() } catch {} return [{json: {}}]"),
        code("return {last: $input.last()}", **cut),
    ]
    assert outcomes(tasks, "status") == ["not-tried"] * 3


# --- Walls -----------------------------------------------------------------------------------------------------------


def test_nothing_of_the_machine_is_in_reach(patient: None) -> None:
    names = "require process fetch module XMLHttpRequest WebAssembly SharedArrayBuffer Atomics Deno Bun navigator importScripts"
    probe = "return {json: {found: typeof globalThis[Object('%s')]}}"
    found = run_tasks([code(probe % name) for name in names.split()])
    assert {each.get("value") for each in found} <= {None, '[{"found":"undefined"}]'}
    assert {each["status"] for each in found} <= {"worked", "not-tried"}
    direct = [
        "await import('fs')",
        "setTimeout(() => 1, 1)",
        "require('net')",
        "process.exit()",
        "return this.helpers.httpRequest({})",
    ]
    assert set(outcomes([code(text) for text in direct], "status")) <= {"failed", "not-tried"}


def test_trials_do_not_reach_one_another(patient: None) -> None:
    pollute = "Object.prototype.polluted = 1; Array.prototype.map = () => []; JSON.stringify = () => '0'; globalThis.left = 1; "
    tasks = [
        code(pollute + "return {json: {a: 1}}"),
        expression("={{ ({}).polluted ?? typeof left }}"),
        expression("={{ [1].map((x) => x + 1) }}"),
    ]
    assert outcomes(tasks, "value")[1:] == ["undefined", "[2]"]


@pytest.mark.parametrize(
    "text",
    [
        "while (true) {}",
        "return {json: {x: /(a+)+$/.test('a'.repeat(50) + 'b')}}",
        "for (;;) await null",
        "await new Promise(() => {})",
    ],
)
def test_what_does_not_end_is_ended(text: str) -> None:
    assert run_tasks([code(text)]) == [{"status": "failed", "error": "time"}]


@pytest.mark.parametrize(
    "text",
    [
        "const all = []; while (true) all.push(new Array(1e6).fill(1.5))",
        "const text = 'x'.repeat(2 ** 29 - 30); return {json: {x: text.charCodeAt(9)}}",
        "const all = []; while (true) all.push(new Uint8Array(2e7).fill(1))",
        "return {json: {x: new Uint8Array(1e9).fill(1).length}}",
        "return (function deeper() { return deeper() })()",
    ],
)
def test_what_needs_too_much_memory_is_ended_and_the_hub_lives(text: str) -> None:
    [found] = run_tasks([code(text)])
    assert found["status"] == "failed"
    assert run_tasks([expression("={{ 1 + 1 }}")])[0]["value"] == "2"


def test_a_trial_that_kills_the_process_costs_only_those_after_it(monkeypatch: pytest.MonkeyPatch, patient: None) -> None:
    bomb = code("const text = 'x'.repeat(2 ** 29 - 30); return {json: {x: text.charCodeAt(9)}}")
    assert outcomes([expression("={{ 1 }}"), bomb, expression("={{ 2 }}")], "status") == ["worked", "failed", "not-tried"]
    monkeypatch.setattr(trial_process.sys, "executable", "/nowhere/python")
    assert outcomes([expression("={{ 1 }}")], "reason") == ["trouble"]


def test_long_values_are_cut(patient: None) -> None:
    [found] = run_tasks([expression("={{ 'x'.repeat(100000) }}")])
    assert len(found["value"]) < 1000


# --- From evidence and change to trials ------------------------------------------------------------------------------


def node(name: str, kind: str = "set", **parameters: Any) -> Json:
    return {"id": name, "name": name, "type": f"n8n-nodes-base.{kind}", "typeVersion": 1, "parameters": parameters}


def evidence(*nodes: Json, items: int = 1, limits: tuple[str, ...] = (), **error: Any) -> Evidence:
    names = ["Start", *(each["name"] for each in nodes)]
    links = {one: {"main": [[{"node": two, "type": "main", "index": 0}]]} for one, two in itertools.pairwise(names)}
    start = node("Start", "manualTrigger")
    return Evidence(
        status="error",
        error=ErrorFacts(message="m", **error),
        failing_node=names[-1],
        input_items=tuple({"v": number} for number in range(min(items, 2))),
        input_count=items,
        node_data={name: NodeData(executed=True, item_count=1, outputs=(({"v": 1},),)) for name in names[:-1]},
        workflow={"name": "W", "nodes": [start, *nodes], "connections": links, "settings": {}},
        limits=limits,
    )


def tried(facts: Evidence, *operations: Json) -> tuple[Trial, ...]:
    change = apply_change(operations, base=facts.workflow, current=facts.workflow)
    return try_changes(facts, [change])[0]


def replace(index: int, key: str, value: Any) -> Json:
    return {"op": "replace", "path": f"/nodes/{index}/parameters/{key}", "value": value}


def test_a_trial_says_what_it_gave_before_and_now(patient: None) -> None:
    [trial] = tried(evidence(node("Pick", a="={{ $json.x.y }}"), items=9, item_index=0), replace(1, "a", "={{ $json.v + 1 }}"))
    assert (trial.status, trial.value, trial.node, trial.path) == ("worked", "1", "Pick", "a")
    assert trial.error_before is not None
    assert "reading 'y'" in trial.error_before
    assert (trial.items, trial.item_count) == (2, 9)


def test_a_changed_mode_tries_the_code_again(patient: None) -> None:
    facts = evidence(node("Code", "code", jsCode="return {a: $json.v}", mode="runOnceForAllItems"))
    [trial] = tried(facts, replace(1, "mode", "runOnceForEachItem"))
    assert (trial.path, trial.status, trial.value) == ("jsCode", "worked", '[{"a":0}]')


def test_data_after_another_change_is_not_used() -> None:
    facts = evidence(node("First", a="={{ $json.v }}"), node("Last", b="={{ $json.v }}"))
    first, last = tried(facts, replace(1, "a", "={{ $json.v + 1 }}"), replace(2, "b", "={{ $json.a + 1 }}"))
    assert (first.status, last.status, last.reason) == ("worked", "not-tried", "changed-before")


def test_cut_or_withheld_data_proves_no_failure(patient: None) -> None:
    for limit, reason in (("truncated", "cut-data"), ("redacted-by-n8n", "no-data")):
        [trial] = tried(evidence(node("Pick", a="x"), limits=(limit,)), replace(1, "a", "={{ $json.x.y }}"))
        assert (trial.status, trial.reason) == ("not-tried", reason)


def test_only_texts_that_can_run_are_tried() -> None:
    facts = evidence(node("Pick", a="x", jsonBody="{", n=1), node("Py", "code", language="python", pythonCode="x = 1"))
    change = apply_change(
        [replace(1, "a", "plain"), replace(1, "jsonBody", "{}"), replace(1, "n", 2), replace(2, "language", "javaScript")],
        base=facts.workflow,
        current=facts.workflow,
    )
    assert [(text.path, text.kind) for text in find_texts(facts, change)] == [("jsonBody", "json"), ("jsCode", "code")]


def test_redaction_tokens_are_text(patient: None) -> None:
    facts = evidence(node("Pick", a="={{ $json.none.x }}")).model_copy(update={"input_items": ({"key": "<SECRET_1>"},)})
    [trial] = tried(facts, replace(1, "a", "={{ $json.key.length }}"))
    assert (trial.status, trial.value) == ("worked", "10")


def test_secrets_in_what_a_trial_gives_are_taken_out(patient: None) -> None:
    facts = evidence(node("Pick", a="x"))
    [trial] = tried(facts, replace(1, "a", "={{ 'ghp_' + 'a1B2c3D4e5'.repeat(4) }}"))
    assert trial.status == "worked"
    assert "ghp_" not in str(trial.value)
