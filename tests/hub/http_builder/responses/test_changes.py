from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.http_builder.responses.changes import MAX_CHANGES, compare_json
from hub.http_builder.responses.values import parse_json
from tests.hub.http_builder.responses.test_values import VALUES


def changes(before: Any, after: Any) -> list[tuple[str, str]]:
    found = compare_json(parse_json(json.dumps(before)), parse_json(json.dumps(after)))
    assert found.complete
    return [(change.kind, change.path) for change in found.rows]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": "1"}, [("changed", "$.a")]),
        ({"a": 1}, {"a": True}, [("changed", "$.a")]),
        ({"a": None}, {}, [("removed", "$.a")]),
        ({}, {"a": None}, [("added", "$.a")]),
        ([1, 2, 3], [1, 9, 3], [("changed", "$[1]")]),
        ([1, 2, 3], [0, 1, 2, 3], [("added", "$[0]")]),
        ([1, 2, 3], [3, 1, 2], [("moved", "$[0]")]),
        ([{"id": 1, "n": 1}, {"id": 2}], [{"id": 2}, {"id": 1, "n": 2}], [("moved", "$[1]"), ("changed", "$[1].n")]),
        ([{"id": 1}, {"id": 2}], [{"id": 2}], [("removed", "$[0]")]),
        ([{"id": 1, "a": 1}, {"id": 1, "a": 2}], [{"id": 1, "a": 2}], [("removed", "$[0]")]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
    ],
)
def test_differences(before: Any, after: Any, expected: list[tuple[str, str]]) -> None:
    found = changes(before, after)
    assert sorted(found) == sorted(expected)


def test_one_new_entry_in_a_long_array_is_one_change() -> None:
    rows = [{"id": number, "name": f"n{number}"} for number in range(5000)]
    assert changes(rows, [{"id": -1}, *rows]) == [("added", "$[0]")]
    assert changes(list(range(5000)), [-1, *range(5000)]) == [("added", "$[0]")]


def test_many_changes_are_cut_off_and_said_to_be() -> None:
    found = compare_json(parse_json(json.dumps([0] * 4000)), parse_json(json.dumps([1] * 4000)))
    assert len(found.rows) == MAX_CHANGES
    assert not found.complete


def test_values_that_are_too_deep_are_given_up() -> None:
    before, after = parse_json("[" * 600 + "1" + "]" * 600), parse_json("[" * 600 + "2" + "]" * 600)
    assert [change.kind for change in compare_json(before, after).rows] in ([], ["changed"])


@given(VALUES)
def test_a_value_does_not_differ_from_itself(value: Any) -> None:
    assert changes(value, value) == []


@given(VALUES, VALUES)
def test_values_differ_where_they_are_not_the_same(before: Any, after: Any) -> None:
    old, new = parse_json(json.dumps(before)), parse_json(json.dumps(after))
    assert bool(compare_json(old, new).rows) == (old != new)


@given(st.lists(st.integers(), unique=True, max_size=8), st.randoms())
def test_entries_in_another_order_have_only_moved(values: list[int], random: Any) -> None:
    mixed = values[:]
    random.shuffle(mixed)
    assert {kind for kind, _path in changes(values, mixed)} <= {"moved"}
