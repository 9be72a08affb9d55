"""Executions of a real n8n with wrong, missing and moved parts: whatever a file holds, nothing breaks and no patch is wrong."""

from __future__ import annotations

import copy
import datetime as dt
import json
import os
import random
from collections.abc import Iterator
from typing import Any

import jsonpatch
import pytest

from hub.analyses.documents import UnreadableDocument, parse_document, split_document
from hub.analyses.evidence import build_evidence
from hub.analyses.patch_policy import PatchRefused, check_policy
from hub.sample import read_sample
from plugins.analyzers.rules.analyzer import RulesAnalyzer

Place = tuple[str | int, ...]
RECORDED = [json.dumps(recording, default=str) for recording in read_sample(dt.datetime(2026, 11, 22, tzinfo=dt.UTC))]
#: More can be had by hand: HUB_TEST_MUTATIONS=20000.
CASES = int(os.environ.get("HUB_TEST_MUTATIONS", "1000"))
#: What stands where n8n has something else.
STRANGE: tuple[Any, ...] = (
    *(None, True, 0, -1, 1e308, "", "x", "={{ $json.a }}", "={{", "\ud800", "a\0b", "a" * 3000),
    *([], {}, [None], {"a": 1}, [[{"json": {}}]], {"main": [[{"node": "x", "index": 0}]]}),
)
#: Where the analyzer looks most, and everywhere.
ROOTS: tuple[Place, ...] = ((), ("workflow", "nodes"), ("workflow", "connections"), ("execution", "data", "resultData", "error"))


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


def mutate(document: Any, chance: random.Random) -> None:
    """Take away, move or replace one value."""
    root = chance.choice(ROOTS)
    try:
        ways = list(places(value_at(document, root), root))
    except (KeyError, IndexError, TypeError):
        return  # an earlier change took it away
    if not ways:
        return
    place = chance.choice(ways)
    holder = value_at(document, place[:-1])
    match chance.randrange(4):
        case 0:
            del holder[place[-1]]
        case 1:
            holder[place[-1]] = copy.deepcopy(value_at(document, chance.choice(ways)))
        case _:
            holder[place[-1]] = copy.deepcopy(chance.choice(STRANGE))


def identities(workflow: dict[str, Any]) -> list[Any]:
    """What no patch may change."""
    return [[node.get(key) for key in ("id", "name", "type", "typeVersion", "credentials")] for node in workflow["nodes"]]


@pytest.mark.parametrize("first", range(0, CASES, 50))
def test_mutated_executions(first: int) -> None:
    for number in range(first, first + 50):
        # Not hypothesis: its examples depend on which modules are loaded, and what fails in CI has to fail here.
        chance = random.Random(number)
        document = json.loads(chance.choice(RECORDED))
        for _change in range(chance.choice((1, 1, 2, 4, 8))):
            mutate(document, chance)
        try:
            judge(document)
        except Exception as error:
            error.add_note(f"case {number}")
            raise


def judge(document: Any) -> None:
    """Analyse it as an upload is analysed, and check what comes out."""
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
            try:
                check_policy(evidence.workflow, changed)
            except PatchRefused:
                continue  # it is shown to nobody
            assert identities(changed) == identities(evidence.workflow)
