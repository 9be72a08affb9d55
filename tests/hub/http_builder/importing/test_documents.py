"""JSON and YAML documents: YAML 1.2's rules, and bombs that are refused before they grow."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable

import pytest

from hub.http_builder.importing.documents import MAX_DEPTH, read_document, read_json, read_yaml
from hub.http_builder.importing.results import ImportRefused

_LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
_MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 12))
#: Each list is 90 levels deep and ends in the one before.
_DEEP_ALIASES = "".join(f"- &d{n} {'[' * 90}{f'*d{n - 1}' if n else 'x'}{']' * 90}\n" for n in range(5))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param(_LAUGHS, "too-many-values", id="laughs"),
        pytest.param(_MERGES, "too-many-values", id="merge-keys"),
        pytest.param(_DEEP_ALIASES, "too-deep", id="deep-aliases"),
        pytest.param("x: " + "[" * 100_000, "too-deep", id="yaml-lists"),
        pytest.param("x: " + "{a: " * 100_000, "too-deep", id="yaml-mappings"),
        pytest.param("- " * 100_000, "too-deep", id="yaml-blocks"),
        pytest.param("[" * 100_000 + "]" * 100_000, "too-deep", id="json-lists"),
        pytest.param('{"a":' * 5_000 + "1" + "}" * 5_000, "too-deep", id="json-objects"),
        pytest.param("x: &a [*a]", "alias", id="itself"),
        pytest.param("x: *unknown", "alias", id="unknown-alias"),
        pytest.param("x: " + "y" * 5_000_000, "too-large", id="yaml-size"),
        pytest.param('{"x": "' + "y" * 20_000_000 + '"}', "too-large", id="json-size"),
        pytest.param("a: 1\n---\nb: 2", "several-documents", id="several"),
        pytest.param("? [a]\n: 1", "not-yaml", id="key-is-list"),
        pytest.param('{"a": 1' + "0" * 5_000 + "}", "too-deep", id="long-number"),
    ],
)
def test_bombs_are_refused_within_bounds(text: str, code: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ImportRefused) as refused:
            read_document(text)
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused.value.code == code
    assert most < 60_000_000 + 3 * len(text)


def test_yaml_is_read_by_the_rules_of_1_2() -> None:
    text = "country: NO\ntime: 12:30\ndate: 2026-01-01\noctal: 0777\non: yes\n200: ok\nnothing:\nnumber: 1.5\n"
    text += "quoted: '5'\ntag: !!str 5"
    assert read_yaml(text) == {
        "country": "NO",
        "time": "12:30",
        "date": "2026-01-01",
        "octal": "0777",
        "on": "yes",
        "200": "ok",
        "nothing": None,
        "number": 1.5,
        "quoted": "5",
        "tag": "5",
    }


def test_aliases_and_merge_keys_work_as_written() -> None:
    assert read_yaml("a: &a {p: 1, q: 2}\nb:\n  <<: *a\n  q: 3\nc: [*a, *a]") == {
        "a": {"p": 1, "q": 2},
        "b": {"p": 1, "q": 3},
        "c": [{"p": 1, "q": 2}, {"p": 1, "q": 2}],
    }


@pytest.mark.parametrize(
    ("read", "text", "line"), [(read_json, '{"a": 1,\n"b": }', 2), (read_yaml, "a: [1\nb: 2", 2), (read_document, '{"a"\n1}', 2)]
)
def test_a_mistake_is_told_with_its_line(read: Callable[[str], object], text: str, line: int) -> None:
    with pytest.raises(ImportRefused) as refused:
        read(text)
    assert refused.value.code in ("not-json", "not-yaml")
    assert refused.value.details["line"] == line


def test_json_and_flow_yaml_are_told_apart() -> None:
    assert read_document('\ufeff{"a": [1, null]}') == {"a": [1, None]}
    assert read_document("{a: [1, null]}") == {"a": [1, None]}
    assert read_document("[1, 2]") == [1, 2]


def test_what_no_database_stores_is_taken_out() -> None:
    assert read_document(json.dumps({"a\0": "b\ud800"})) == {"a": "b?"}


def test_depth_is_counted_to_the_limit() -> None:
    inner = MAX_DEPTH - 1
    assert read_json("[" * inner + "]" * inner)
    assert read_yaml("[" * inner + "]" * inner)
