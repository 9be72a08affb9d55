"""What a person expects of an answer, held against it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hub.contracts.exchange import Exchange
from hub.contracts.http import Assertion, Comparison
from hub.http_builder.running.searching import Body, Found, PathQuery, PatternQuery, Query, search

MAX_ASSERTIONS = 50
#: How much of a found value is kept, in characters.
MAX_FOUND = 500


@dataclass(frozen=True, slots=True)
class AssertionResult:
    """One assertion with what was found; ``problem`` tells why it could not be held against the answer at all.

    Problems: those of ``searching.Found``, ``no-match`` (nothing stands at the path), ``no-number``, ``bad-expected``.
    """

    subject: str
    path: str
    comparison: str
    expected: str
    passed: bool
    found: str | None = None
    problem: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As it is stored with its run."""
        return asdict(self)


def check_assertions(assertions: Sequence[Assertion], exchange: Exchange, body: Body) -> list[AssertionResult]:
    """Each enabled assertion with its outcome, in order. Never raises: what cannot be checked has failed."""
    enabled = [assertion for assertion in assertions if assertion.enabled]
    paths = [assertion for assertion in enabled if assertion.subject == "body"]
    at_paths = iter(search([PathQuery(assertion.path.strip()) for assertion in paths], body))
    subjects = [next(at_paths) if assertion.subject == "body" else _subject(assertion, exchange, body) for assertion in enabled]
    patterns: list[Query] = []
    for assertion, subject in zip(enabled, subjects, strict=True):
        if assertion.comparison is Comparison.MATCHES and subject.values:
            patterns.append(PatternQuery(assertion.expected, as_text(subject.values[0])))
    matched = iter(search(patterns, body))
    results = []
    for assertion, subject in zip(enabled, subjects, strict=True):
        searched = assertion.comparison is Comparison.MATCHES and bool(subject.values)
        results.append(_judge(assertion, subject, next(matched) if searched else None))
    return results


def as_text(value: Any) -> str:
    """A value of JSON as people write it: a text without quotes, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _subject(assertion: Assertion, exchange: Exchange, body: Body) -> Found:
    match assertion.subject:
        case "status":
            return Found((exchange.status,))
        case "text":
            return Found((body.text,)) if body.text else Found()
        case "header":
            name = assertion.path.strip().lower()
            values = [value for key, value in exchange.headers if key.lower() == name]
            return Found((", ".join(values),)) if values else Found()
        case "time":
            return Found((round(exchange.timing.total_ms, 1),))
        case _:
            return Found((len(exchange.body),))


def _judge(assertion: Assertion, subject: Found, matched: Found | None) -> AssertionResult:
    outcome = _outcome(assertion, subject, matched)
    return AssertionResult(
        subject=assertion.subject,
        path=assertion.path,
        comparison=assertion.comparison,
        expected=assertion.expected,
        passed=outcome is True,
        found=as_text(subject.values[0])[:MAX_FOUND] if subject.values else None,
        problem=outcome if isinstance(outcome, str) else None,
    )


def _outcome(assertion: Assertion, subject: Found, matched: Found | None) -> bool | str:
    """Whether it holds, or the problem."""
    comparison, expected = assertion.comparison, assertion.expected
    if subject.problem:
        return subject.problem
    if comparison in (Comparison.EXISTS, Comparison.MISSING):
        return bool(subject.values) is (comparison is Comparison.EXISTS)
    if not subject.values:
        return "no-match"
    if matched is not None:
        return matched.problem or bool(matched.values)
    value = subject.values[0]
    if comparison in (Comparison.LESS_THAN, Comparison.GREATER_THAN):
        return _compare(value, expected, less=comparison is Comparison.LESS_THAN)
    if comparison is Comparison.CONTAINS:
        return _contains(value, expected)
    same = _is_among(int(value), expected) if assertion.subject == "status" else _is_same(value, expected)
    return "bad-expected" if same is None else same is (comparison is Comparison.EQUALS)


def _compare(value: Any, expected: str, *, less: bool) -> bool | str:
    limit, number = _as_number(expected), _as_number(value)
    if limit is None:
        return "bad-expected"
    if number is None:
        return "no-number"
    return number < limit if less else number > limit


def _is_among(status: int, expected: str) -> bool | None:
    """``200``, ``2xx`` or a list ``200,201``; None where it is none of these."""
    words = [word.strip().lower() for word in expected.split(",") if word.strip()]
    if not words or any(
        len(word) != 3 or word[0] not in "12345" or not (word[1:].isdigit() or word[1:] == "xx") for word in words
    ):
        return None
    return any(str(status) == word or (word[1:] == "xx" and str(status)[0] == word[0]) for word in words)


def _is_same(value: Any, expected: str) -> bool:
    if isinstance(value, str):
        return expected in (value, value.strip()) or expected == json.dumps(value, ensure_ascii=False)
    try:
        wanted = json.loads(expected)
    except (ValueError, RecursionError):
        return False
    # True is 1 in Python, and only there.
    return wanted == value and isinstance(wanted, bool) is isinstance(value, bool)


def _contains(value: Any, expected: str) -> bool:
    if isinstance(value, list):
        return any(_is_same(entry, expected) for entry in value)
    if isinstance(value, dict):
        return expected in value
    return expected in as_text(value)


def _as_number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if number == number else None  # NaN compares with nothing
