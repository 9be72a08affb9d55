"""No planted secret stands in the evidence, in the brief or in what is stored of an execution."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.analyses.brief import brief_of
from hub.analyses.evidence import build_evidence
from hub.executions.details import read_detail
from tests.planted_secrets import KINDS, NAMED_PLACES, UNNAMED_PLACES, executions, forms_of, make_secret

#: Kinds that are planted together; evidence keeps twenty entries of a list.
GROUP = 8


def leaks(text: str, secret: str) -> list[str]:
    return [form for form in forms_of(secret) if form in text]


def plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def test_there_are_enough_kinds_and_places() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS) >= 60
    assert len(NAMED_PLACES) + len(UNNAMED_PLACES) >= 20


@pytest.mark.parametrize("first", range(0, len(KINDS), GROUP))
def test_no_place_lets_a_secret_through(first: int) -> None:
    planted = [(kind, make_secret(kind)) for kind in KINDS[first : first + GROUP]]
    found = []
    for place, execution in executions(*planted):
        evidence = build_evidence(execution)
        outputs = {
            "evidence": plain(evidence.model_dump(mode="json")),
            "brief": brief_of(evidence).text(),
            "stored": plain(read_detail(execution, 1_000_000)),
        }
        for kind, secret in planted:
            found += [(kind.name, place, name, form) for name, text in outputs.items() for form in leaks(text, secret)]
    assert found == []


def test_a_value_that_the_hub_knows_never_passes() -> None:
    planted = [(kind, make_secret(kind, seed=2)) for kind in KINDS if not kind.has_form]
    *_, (place, execution) = executions(*planted)
    assert place == "far-away"
    del execution["data"]["resultData"]["runData"]["Hook"]
    execution["data"]["executionData"] = {}
    text = plain(build_evidence(execution, known_secrets=[secret for _, secret in planted]).model_dump(mode="json"))
    assert [kind.name for kind, secret in planted if leaks(text, secret)] == []
