from __future__ import annotations

import json
from typing import Any

import jsonpath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.http_builder.responses.finding import _walk, find_in_json, find_in_text
from hub.http_builder.responses.tree import MAX_NODES, Branch, cut_piece
from hub.http_builder.responses.values import (
    MAX_DEPTH,
    Number,
    find_node,
    json_path,
    n8n_expression,
    parse_json,
    read_position,
    write_json,
    write_position,
)

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
# The library that walks paths does not read the escapes of control characters in names (RFC 9535 has them).
NAMES = st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs"]))
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=20)


@given(VALUES)
def test_every_path_leads_back_to_its_node(value: Any) -> None:
    root = parse_json(json.dumps(value))
    for way, _key, _node in _walk(root):
        position = tuple(level.index for level in way)
        keys, found = find_node(root, position)
        assert read_position(write_position(position)) == position
        match = jsonpath.JSONPathEnvironment(strict=True).match(json_path(keys), root if not isinstance(root, str) else None)
        if not isinstance(root, str):
            assert match is not None
            assert match.obj == found


@given(VALUES)
def test_json_is_written_as_it_was_read(value: Any) -> None:
    written = write_json(parse_json(json.dumps(value)), 1_000_000)
    assert json.loads(written) == value


def test_numbers_stay_as_they_were_written() -> None:
    value = parse_json("[1.0, 1, 12345678901234567890.10, 1e400]")
    assert write_json(value) == "[1.0, 1, 12345678901234567890.10, 1e400]"
    assert Number("1") != "1"
    assert Number("1") == Number("1")


def test_names_for_people_are_short_where_they_can_be() -> None:
    keys = ("data", 0, "first name", 'it\'s "x"')
    assert json_path(keys) == "$.data[0]['first name']['it\\'s \"x\"']"
    assert n8n_expression(("data", 0, "id")) == "{{ $json.data[0].id }}"
    assert "}}" not in n8n_expression(("a}}b",)).removesuffix(" }}")


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "", "\0", '{"a": 01}'])
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (whatever the reader says)
        parse_json(text)


def count(branch: Branch) -> int:
    return 1 + sum(count(child) for child in branch.children)


@given(VALUES)
def test_a_small_tree_is_complete(value: Any) -> None:
    root = parse_json(json.dumps(value))
    assert count(cut_piece(root).top) == sum(1 for _node in _walk(root))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([[index] * 50 for index in range(2000)]),
        json.dumps({f"k{index}": index for index in range(20_000)}),
        "[" * 500 + "]" * 500,
    ],
    ids=["wide", "keys", "deep"],
)
def test_a_piece_is_bounded_and_the_rest_is_reachable(text: str) -> None:
    root = parse_json(text)
    piece = cut_piece(root)
    assert count(piece.top) <= MAX_NODES + 1
    if piece.top.more is not None:
        assert cut_piece(root, (), piece.top.more).top.children[0].at == str(piece.top.more)


def test_below_the_deepest_address_nodes_are_only_counted() -> None:
    root = parse_json("[" * 300 + "]" * 300)
    at = (0,) * MAX_DEPTH
    deepest = cut_piece(root, at).top.children[0]
    assert (deepest.at, deepest.count) == (None, 1)
    assert read_position(write_position((0,) * (MAX_DEPTH + 1))) == ()


@pytest.mark.parametrize("text", ["-1", "1.x", "1..2", "٣", "9" * 40])
def test_no_position_is_the_top(text: str) -> None:
    assert read_position(text) == ()


def test_search_looks_at_names_and_values_in_any_case() -> None:
    root = parse_json('{"Total": 5, "rows": [{"note": "TOTAL of all"}, {"n": 15}]}')
    found = find_in_json(root, "total")
    assert [(match.where, match.at) for match in found.rows] == [("$.Total", "0"), ("$.rows[0].note", "1.0.0")]
    assert find_in_json(root, "15").count == 1


def test_search_in_text_tells_the_line() -> None:
    found = find_in_text("a\nb needle\nc\nNEEDLE", "needle")
    assert [(match.where, match.offset) for match in found.rows] == [("2", 4), ("4", 13)]
