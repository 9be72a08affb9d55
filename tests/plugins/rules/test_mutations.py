"""Executions of a real n8n with wrong, missing and moved parts: whatever a file holds, nothing breaks and no patch is wrong."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import jsonpatch
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.analyses.documents import UnreadableDocument, parse_document, split_document
from hub.analyses.evidence import build_evidence
from hub.analyses.patch_policy import check_policy
from hub.sample import read_sample
from plugins.analyzers.rules.analyzer import RulesAnalyzer

Place = tuple[str | int, ...]
RECORDED = [json.dumps(recording, default=str) for recording in read_sample(dt.datetime(2026, 11, 22, tzinfo=dt.UTC))]
#: What stands where n8n has something else.
STRANGE: tuple[Any, ...] = (
    *(None, True, 0, -1, 1e308, "", "x", "={{ $json.a }}", "={{", "\ud800", "a\0b", "a" * 3000),
    *([], {}, [None], {"a": 1}, [[{"json": {}}]], {"main": [[{"node": "x", "index": 0}]]}),
)
#: Where the analyzer looks most, and everywhere.
ROOTS: tuple[Place, ...] = ((), ("workflow", "nodes"), ("workflow", "connections"), ("execution", "data", "resultData", "error"))
change = st.tuples(
    st.sampled_from(ROOTS), st.floats(0, 1, exclude_max=True), st.sampled_from(["remove", "move", *range(len(STRANGE))])
)


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """The way to every value below."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*place, key)
        yield from places(inner, (*place, key))


def value_at(document: Any, place: Place) -> Any:
    for key in place:
        document = document[key]
    return document


def mutate(document: Any, root: Place, part: float, change: str | int) -> None:
    """Change what stands ``part`` of the way through everything below ``root``."""
    try:
        ways = list(places(value_at(document, root), root))
    except (KeyError, IndexError, TypeError):
        return  # an earlier change took it away
    if not ways:
        return
    place = ways[int(part * len(ways))]
    holder = value_at(document, place[:-1])
    if change == "remove":
        del holder[place[-1]]
    elif change == "move":
        holder[place[-1]] = copy.deepcopy(value_at(document, ways[int(part * 7919) % len(ways)]))
    else:
        holder[place[-1]] = copy.deepcopy(STRANGE[int(change)])


@settings(max_examples=1000)
@given(recorded=st.sampled_from(RECORDED), changes=st.lists(change, min_size=1, max_size=8))
def test_mutated_executions(recorded: str, changes: list[tuple[Place, float, str | int]]) -> None:
    document = json.loads(recorded)
    for root, part, change in changes:
        mutate(document, root, part, change)
    try:
        execution, workflow = split_document(parse_document(json.dumps(document)))
    except UnreadableDocument:
        return
    evidence = build_evidence(execution, workflow)
    diagnosis = RulesAnalyzer().diagnose(evidence)
    assert diagnosis is not None
    json.dumps(diagnosis.summary.en, ensure_ascii=False).encode()
    for suggestion in diagnosis.suggestions:
        if suggestion.patch:
            changed = jsonpatch.apply_patch(evidence.workflow, list(suggestion.patch))
            check_policy(evidence.workflow, changed)
