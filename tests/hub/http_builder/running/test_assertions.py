from __future__ import annotations

import json

import pytest

from hub.contracts.exchange import Exchange, Timing
from hub.contracts.http import Assertion
from hub.http_builder.running.assertions import AssertionResult, check_assertions
from hub.http_builder.running.searching import Body, Found, PathQuery, PatternQuery, search

ANSWER = {
    "ok": True,
    "count": 3,
    "price": 1.0,
    "name": "Ada",
    "none": None,
    "quoted": '"x"',
    "tags": ["a", 2, False],
    "items": [{"id": 1, "name": "one"}, {"id": 2, "name": "two"}],
}
HEADERS = (("Content-Type", "application/json"), ("Link", "<1>"), ("link", "<2>"))


def check(subject: str, comparison: str, expected: str = "", path: str = "", *, status: int = 200) -> AssertionResult:
    text = json.dumps(ANSWER)
    timing = Timing(total_ms=120.04)
    exchange = Exchange(status, "OK", "1.1", HEADERS, text.encode(), len(text), False, timing, (), None)
    assertion = Assertion.model_validate({"subject": subject, "comparison": comparison, "expected": expected, "path": path})
    [result] = check_assertions([assertion], exchange, Body(text))
    return result


@pytest.mark.parametrize(
    ("subject", "path", "comparison", "expected"),
    [
        ("status", "", "equals", "200"),
        ("status", "", "equals", "2xx"),
        ("status", "", "equals", "404, 200"),
        ("status", "", "not-equals", "4xx"),
        ("status", "", "less-than", "300"),
        ("status", "", "greater-than", "199"),
        ("status", "", "matches", "^2"),
        ("status", "", "contains", "00"),
        ("body", "$.ok", "equals", "true"),
        ("body", "$.ok", "not-equals", "1"),
        ("body", "$.count", "equals", "3"),
        ("body", "$.price", "equals", "1"),
        ("body", "$.name", "equals", "Ada"),
        ("body", "$.name", "equals", '"Ada"'),
        ("body", "$.none", "equals", "null"),
        ("body", "$.none", "exists", ""),
        ("body", "$.missing", "missing", ""),
        ("body", "$.quoted", "equals", '"x"'),
        ("body", "$.tags", "equals", '["a", 2, false]'),
        ("body", "$.tags", "contains", "2"),
        ("body", "$.tags", "contains", "a"),
        ("body", "$", "contains", "ok"),
        ("body", "$.items[-1].id", "equals", "2"),
        ("body", "$..id", "equals", "1"),
        ("body", "$.items[?@.name == 'two'].id", "equals", "2"),
        ("body", "$.items[?search(@.name, 'w')].id", "equals", "2"),
        ("body", "$.name", "matches", "^A.a$"),
        ("body", "$.count", "matches", r"^\d$"),
        ("body", "$.count", "greater-than", "2.5"),
        ("text", "", "contains", "Ada"),
        ("text", "", "matches", '"count": [0-9]'),
        ("text", "", "exists", ""),
        ("header", "content-type", "equals", "application/json"),
        ("header", "Link", "equals", "<1>, <2>"),
        ("header", "X-None", "missing", ""),
        ("time", "", "less-than", "121"),
        ("size", "", "greater-than", "10"),
    ],
)
def test_what_holds(subject: str, path: str, comparison: str, expected: str) -> None:
    result = check(subject, comparison, expected, path)
    assert (result.passed, result.problem) == (True, None)


@pytest.mark.parametrize(
    ("subject", "path", "comparison", "expected", "problem", "found"),
    [
        ("status", "", "equals", "201", None, "200"),
        ("status", "", "equals", "fine", "bad-expected", "200"),
        ("status", "", "equals", "", "bad-expected", "200"),
        ("status", "", "less-than", "many", "bad-expected", "200"),
        ("body", "$.ok", "equals", "1", None, "true"),
        ("body", "$.count", "equals", "three", None, "3"),
        ("body", "$.missing", "equals", "1", "no-match", None),
        ("body", "$.missing", "not-equals", "1", "no-match", None),
        ("body", "$.missing", "exists", "", None, None),
        ("body", "$.name", "greater-than", "1", "no-number", "Ada"),
        ("body", "$.ok", "greater-than", "0", "no-number", "true"),
        ("body", "$.", "equals", "1", "bad-path", None),
        ("body", "name", "exists", "", "bad-path", None),
        ("body", "$.a | $.b", "exists", "", "bad-path", None),
        ("body", "$[?(", "exists", "", "bad-path", None),
        ("body", "$." + "a" * 1000, "exists", "", "too-long", None),
        ("body", "$.name", "matches", "(", "bad-pattern", "Ada"),
        ("body", "$.name", "matches", "a" * 1001, "too-long", "Ada"),
        ("text", "", "contains", "Eve", None, json.dumps(ANSWER)),
        ("header", "X-None", "equals", "1", "no-match", None),
        ("time", "", "less-than", "100", None, "120.0"),
    ],
)
def test_what_does_not_hold_says_why(
    subject: str, path: str, comparison: str, expected: str, problem: str | None, found: str | None
) -> None:
    result = check(subject, comparison, expected, path)
    assert (result.passed, result.problem) == (False, problem)
    assert result.found == found


def test_a_disabled_assertion_is_not_made() -> None:
    exchange = Exchange(200, "OK", "1.1", (), b"", 0, False, Timing(), (), None)
    assert check_assertions([Assertion(enabled=False)], exchange, Body("")) == []


@pytest.mark.parametrize("text", ["", "plain", '{"cut": "off', "[" * 100_000, "{" * 5000])
def test_an_answer_that_is_not_json_is_no_error(text: str) -> None:
    assert search([PathQuery("$.a"), PathQuery("$[?@.a]")], Body(text)) == [Found(problem="not-json")] * 2


def test_a_scalar_answer_is_json_too() -> None:
    assert search([PathQuery("$"), PathQuery("$[?@.a]")], Body('"text"')) == [Found(("text",)), Found()]


#: Twelve steps down a chain of eighty: 10^13 ways, which no machine has walked in time.
_CHAIN = "[" * 80 + "1" + "]" * 80


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("$" + "..*" * 12 + ".none", _CHAIN),
        ("$[?@" + "..*" * 12 + ".none]", _CHAIN),
        ("$[?search(@, '(a|aa)+c')]", json.dumps(["a" * 60 + "b"])),
    ],
)
def test_a_path_without_end_is_given_up(path: str, document: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.http_builder.running.searching.WALK_SECONDS", 0.05)
    assert search([PathQuery(path)], Body(document)) == [Found(problem="too-slow")]


def test_a_pattern_without_end_is_given_up_and_the_ones_before_it_count() -> None:
    queries = [PatternQuery("b+", "abb"), PatternQuery("(a+)+$", "a" * 64 + "b")]
    assert search(queries, Body("")) == [Found(("bb",)), Found(problem="too-slow")]
