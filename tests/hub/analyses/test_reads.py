"""Which fields expressions and code read, and what lies there."""

from __future__ import annotations

from typing import Any

import pytest

from hub.analyses.evidence import build_evidence
from hub.analyses.reads import find_reads
from tests.hub.analyses.test_evidence import ERROR, execution, link, node, run, workflow

ITEM = {"user": {"fullName": "Sara", "age": 7, "tags": ["a"]}, "order-id": "x", "none": None, "body": {"subject": "Hi"}}


def reads(**parameters: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    nodes = [node("Hook", "webhook"), node("Never", "set"), node("Call", "code", **parameters)]
    flow = workflow(nodes=nodes, connections=link("Hook", "Call"))
    given = execution(ERROR, {"Hook": [run([ITEM])]}, [{"data": {"main": [[{"json": ITEM}]]}}], workflowData=flow)
    return [(read.path, read.state, read.close) for read in find_reads(build_evidence(given))]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("={{ $json.user.fullName }}", ("$json.user.fullName", "found", ())),
        ("={{ $json.user.fullName.toUpperCase() }}", ("$json.user.fullName", "found", ())),
        ("={{ $json['order-id'] }}", ("$json['order-id']", "found", ())),
        ("={{ $json.user.tags[0] }}", ("$json.user.tags[0]", "found", ())),
        ("={{ $json.user.tags.length }}", ("$json.user.tags.length", "found", ())),
        ("={{ $json.none }}", ("$json.none", "null", ())),
        ("={{ $json.user.full_name }}", ("$json.user.full_name", "missing", ("user.fullName",))),
        ("={{ $json.subject }}", ("$json.subject", "missing", ("body.subject",))),
        ("={{ $json.zzz.qqq }}", ("$json.zzz.qqq", "missing", ())),
        ("={{ $input.first().json.user.age + 1 }}", ("$json.user.age", "found", ())),
        ("={{ $('Hook').item.json.body.subject }}", ("$('Hook').item.json.body.subject", "found", ())),
        ("={{ $node['Hook'].json.body }}", ("$('Hook').item.json.body", "found", ())),
        ("={{ $('Hok').first().json.body }}", ("$('Hok').item.json.body", "no-node", ("Hook",))),
        ("={{ $('Never').first().json.body }}", ("$('Never').item.json.body", "not-run", ())),
    ],
)
def test_expressions(expression: str, expected: tuple[str, str, tuple[str, ...]]) -> None:
    assert reads(value=expression) == [expected]


@pytest.mark.parametrize(
    ("code", "paths"),
    [
        ("const data = $input.first().json; return data.user.nme;", ["$json.user.nme"]),
        ("for (const item of $input.all()) { item.json.total = item.json.user.age }", ["$json.total", "$json.user.age"]),
        ("return items.map(entry => ({ json: { a: entry.json.body.subject } }))", ["$json.body.subject"]),
        ("const { user, missing } = $json; return user.age", ["$json.user", "$json.missing", "$json.user.age"]),
        ("for (const tag of $json.user.tags) { tag.name }", ["$json.user.tags", "$json.user.tags[0].name"]),
        ("let a = $json; a = 3; function b(a) { return a.x } return 'no }} code", []),
        ("return $json[key].x", []),
    ],
)
def test_code(code: str, paths: list[str]) -> None:
    found = [path for path, _, _ in reads(jsCode=code)]
    assert [path for path in paths if path not in found] == []


def test_plain_texts_and_other_languages_are_not_read() -> None:
    assert reads(value="$json.user", pythonCode="={{ $json.user }}") == []


def test_without_data_nothing_is_claimed() -> None:
    flow = workflow(nodes=[node("Call", "set", value="={{ $json.user }}")], connections={})
    [read] = find_reads(build_evidence(execution(ERROR, workflowData=flow)))
    assert (read.place, read.state) == ("parameters.value", "unknown")
