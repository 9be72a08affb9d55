"""Re-import: what people changed survives every version of the document; what they did not touch follows it."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.contracts.http import BearerAuth, FormBody, JsonBody, Pair, RequestDefinition
from hub.http_builder.importing.merging import merge_definitions

_WORDS = st.sampled_from(["a", "b", "c", ""])
_PAIRS = st.builds(Pair, name=_WORDS, value=_WORDS, enabled=st.booleans(), description=st.none() | _WORDS)
_WHOLE = ("method", "url", "auth", "settings", "assertions", "extractions")


def definitions(rows: st.SearchStrategy[Any]) -> st.SearchStrategy[RequestDefinition]:
    return st.builds(
        RequestDefinition,
        url=st.sampled_from(["https://a.example.com", "https://b.example.com"]),
        params=rows,
        headers=rows,
        body=st.builds(JsonBody, text=_WORDS) | st.builds(FormBody, fields=rows),
        auth=st.builds(BearerAuth, token=_WORDS),
        variables=rows,
    )


_DEFINITIONS = definitions(st.lists(_PAIRS, max_size=5).map(tuple))
#: Rows of one name are told apart by their place alone, so that whose is whose can only be said where names differ.
_PLAIN = definitions(st.lists(_PAIRS, max_size=4, unique_by=lambda row: row.name).map(tuple))


def rows_of(definition: RequestDefinition, name: str) -> tuple[Pair, ...]:
    return getattr(definition.body, "fields", ()) if name == "body" else getattr(definition, name)


@settings(max_examples=40)
@given(_DEFINITIONS, _DEFINITIONS)
def test_the_same_document_changes_nothing(base: RequestDefinition, own: RequestDefinition) -> None:
    merged = merge_definitions(base, own, base)
    assert merged.definition == own
    assert merged.conflicts == ()


@settings(max_examples=40)
@given(_DEFINITIONS, _DEFINITIONS)
def test_what_nobody_touched_follows_the_document(base: RequestDefinition, new: RequestDefinition) -> None:
    merged = merge_definitions(base, base, new)
    assert merged.definition == new
    assert merged.conflicts == ()
    assert not merged.kept


@settings(max_examples=40)
@given(_PLAIN, _PLAIN, _PLAIN)
def test_what_people_changed_survives(base: RequestDefinition, own: RequestDefinition, new: RequestDefinition) -> None:
    merged = merge_definitions(base, own, new).definition
    for name in _WHOLE:
        if getattr(own, name) != getattr(base, name):
            assert getattr(merged, name) == getattr(own, name)
    if own.body != base.body and not all(isinstance(side.body, FormBody) for side in (base, own, new)):
        assert merged.body == own.body
    for name in ("params", "headers", "variables"):
        before, mine, after = ({row.name: row for row in rows_of(side, name)} for side in (base, own, merged))
        for key, row in mine.items():
            was: Any = before.get(key)
            if row == was:
                continue
            assert key in after
            changed = {cell: value for cell, value in row if was is None or getattr(was, cell) != value}
            assert {cell: getattr(after[key], cell) for cell in changed} == changed
        assert not {key for key in before if key not in mine} & set(after)


@settings(max_examples=40)
@given(_DEFINITIONS, _DEFINITIONS, _DEFINITIONS)
def test_a_second_import_of_the_new_document_changes_nothing(
    base: RequestDefinition, own: RequestDefinition, new: RequestDefinition
) -> None:
    merged = merge_definitions(base, own, new).definition
    again = merge_definitions(new, merged, new)
    assert again.definition == merged
    assert again.conflicts == ()


def test_a_filled_in_value_stays_while_the_document_adds_and_describes() -> None:
    base = RequestDefinition(params=(Pair(name="id"), Pair(name="old"), Pair(name="page", value="1")))
    own = RequestDefinition(
        params=(Pair(name="id", value="7"), Pair(name="old"), Pair(name="page", value="1"), Pair(name="mine"))
    )
    new = RequestDefinition(params=(Pair(name="id", description="Which"), Pair(name="size"), Pair(name="page", value="2")))
    merged = merge_definitions(base, own, new)
    assert merged.conflicts == ()
    assert merged.kept
    assert [(row.name, row.value, row.description) for row in merged.definition.params] == [
        ("id", "7", "Which"),
        ("size", "", None),
        ("page", "2", None),
        ("mine", "", None),
    ]


def test_conflicts_are_named_and_the_order_of_people_stays() -> None:
    base = RequestDefinition(url="https://a", headers=(Pair(name="A", value="1"), Pair(name="B", value="1")))
    own = RequestDefinition(url="https://b", headers=(Pair(name="B", value="1"), Pair(name="A", value="2")))
    new = RequestDefinition(url="https://c", headers=(Pair(name="A", value="3"), Pair(name="C", value="1")))
    merged = merge_definitions(base, own, new)
    assert merged.conflicts == ("url", "headers.A")
    assert (merged.definition.url, [(row.name, row.value) for row in merged.definition.headers]) == (
        "https://b",
        [("A", "2"), ("C", "1")],
    )


def test_a_removed_row_that_was_edited_is_a_conflict() -> None:
    base = RequestDefinition(params=(Pair(name="a"),))
    own = RequestDefinition(params=(Pair(name="a", value="x"),))
    merged = merge_definitions(base, own, RequestDefinition())
    assert (merged.definition, merged.conflicts) == (own, ("params.a",))
