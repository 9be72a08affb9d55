"""What is written into nodes against n8n's own description of them; skipped where no n8n is installed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.contracts.http import RequestDefinition
from hub.demo.n8n_server import installation
from hub.http_builder.n8n.credentials import GENERIC_CREDENTIALS, SERVICE_CREDENTIALS
from hub.http_builder.n8n.node import NodeChoices, build_node
from hub.http_builder.n8n.placing import variables_parameters
from tests.hub.http_builder.n8n.definitions import DEFINITIONS
from tests.hub.http_builder.n8n.test_node import SIGN_INS, definition

Json = dict[str, Any]


def _types(file: str) -> list[Json]:
    path = installation() / "node_modules" / "n8n-nodes-base" / "dist" / "types" / file
    if not path.exists():
        pytest.skip("no n8n is installed (make n8n)")
    found: list[Json] = json.loads(path.read_text())
    return found


@pytest.fixture(scope="module")
def request_node() -> Json:
    return next(node for node in _types("nodes.json") if node["name"] == "httpRequest" and 4.2 in node["version"])


@pytest.fixture(scope="module")
def set_node() -> Json:
    return next(node for node in _types("nodes.json") if node["name"] == "set" and 3.4 in node["version"])


class Contract:
    """One node's description, at one version."""

    def __init__(self, node: Json, version: float) -> None:
        assert version in node["version"], f"{node['name']} has no version {version}"
        self.node, self.version = node, version

    def problems(self, parameters: Json) -> list[str]:
        """What n8n's editor would not show or know."""
        return list(self._check(self.node["properties"], parameters, parameters, ""))

    def _check(self, properties: list[Json], values: Json, root: Json, place: str) -> Iterator[str]:
        for name, value in values.items():
            fitting = [entry for entry in properties if entry["name"] == name and self._is_shown(entry, values, root, properties)]
            if not fitting:
                yield f"{place}{name} is not there"
                continue
            found = fitting[0]
            kind, options = found["type"], found.get("options") or []
            if kind == "options" and not str(value).startswith("=") and value not in [option["value"] for option in options]:
                yield f"{place}{name}: {value!r} is no choice"
            elif kind == "collection":
                yield from self._check(options, value, root, f"{place}{name}.")
            elif kind == "fixedCollection":
                yield from self._check_fixed(options, value, root, f"{place}{name}.")
            elif kind == "boolean" and not isinstance(value, bool):
                yield f"{place}{name}: {value!r} is no boolean"
            elif kind in ("string", "json") and not isinstance(value, str):
                yield f"{place}{name}: {value!r} is no text"

    def _check_fixed(self, options: list[Json], value: Json, root: Json, place: str) -> Iterator[str]:
        for key, entry in value.items():
            group = next((option for option in options if option["name"] == key), None)
            if group is None:
                yield f"{place}{key} is not there"
                continue
            for row in entry if isinstance(entry, list) else [entry]:
                yield from self._check(group["values"], row, root, f"{place}{key}.")

    def _is_shown(self, entry: Json, beside: Json, root: Json, properties: list[Json]) -> bool:
        rules = entry.get("displayOptions") or {}
        shows = all(
            _fits(self._value(name, beside, root, properties), wanted) for name, wanted in (rules.get("show") or {}).items()
        )
        hides = any(
            _fits(self._value(name, beside, root, properties), wanted) for name, wanted in (rules.get("hide") or {}).items()
        )
        return shows and not hides

    def _value(self, name: str, beside: Json, root: Json, properties: list[Json]) -> Any:
        if name == "@version":
            return self.version
        if name == "@tool":
            return False
        holder, known = (root, self.node["properties"]) if name.startswith("/") else (beside, properties)
        name = name.removeprefix("/")
        if name in holder:
            return holder[name]
        own = [entry for entry in known if entry["name"] == name]
        shown = [entry for entry in own if self._is_shown(entry, holder, root, known)]
        return shown[0].get("default") if shown else None


def _fits(value: Any, wanted: list[Any]) -> bool:
    """Whether a value is among those that a rule names; ``{"_cnd": {"gte": 3.4}}`` stands for a range."""
    return any(value >= one["_cnd"]["gte"] if isinstance(one, dict) else value == one for one in wanted)


@settings(max_examples=40)
@given(DEFINITIONS, st.booleans(), st.sampled_from([4.2, 4.5]))
def test_every_parameter_is_known_and_shown(request_node: Json, wanted: RequestDefinition, full: bool, version: float) -> None:
    built = build_node(wanted, choices=NodeChoices(full, full), type_version=version)
    assert Contract(request_node, built.type_version).problems(built.parameters) == []


@pytest.mark.parametrize(("auth", "url"), [(auth, url) for auth, url, _ in SIGN_INS])
def test_sign_ins_are_known(request_node: Json, auth: Json, url: str) -> None:
    built = build_node(definition(url=url, auth=auth))
    assert Contract(request_node, built.type_version).problems(built.parameters) == []


def test_the_contract_notices_what_is_wrong(request_node: Json) -> None:
    wrong = {"url": "x", "method": "TRACE", "jsonBody": "{}", "options": {"timeOut": 1}, "sendQuery": "yes"}
    assert len(Contract(request_node, 4.2).problems(wrong)) == 4


def test_every_credential_type_exists() -> None:
    known = {entry["name"] for entry in _types("credentials.json")}
    assert {*GENERIC_CREDENTIALS, "aws", *(service.type for service in SERVICE_CREDENTIALS)} <= known


def test_the_node_of_the_variables_is_known(set_node: Json) -> None:
    parameters = variables_parameters(["A", "b.c"], {"A": "1"})
    assert Contract(set_node, 3.4).problems(parameters) == []
