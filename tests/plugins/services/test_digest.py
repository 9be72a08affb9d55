"""Every endpoint of every bundled pack agrees with the vendor's own documents, and a wrong one is noticed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hub.catalog.packs import load_pack
from hub.config import ROOT
from hub.contracts.catalog import EndpointTemplate, ServiceFacts, ServicePack, find_placeholders
from tests.plugins.services.digest import FACTS, OVER_STRICT, UNLISTED, compare

FOLDERS = sorted(file.parent.name for file in (ROOT / "plugins/services").glob("*/pack.yaml"))
PACKS = {pack.service_id: pack for pack in (load_pack(f"plugins.services.{folder}") for folder in FOLDERS)}
ENDPOINTS = [(pack.service_id, endpoint.endpoint_id) for pack in PACKS.values() for endpoint in pack.endpoints]


def test_there_are_fourteen_services_of_six_to_twelve_endpoints() -> None:
    assert len(PACKS) == 14
    assert all(6 <= len(pack.endpoints) <= 12 for pack in PACKS.values())
    assert set(FACTS) == set(PACKS)


@pytest.mark.parametrize("service", PACKS)
def test_a_pack_agrees_with_the_vendor(service: str) -> None:
    assert compare(PACKS[service], FACTS[service]) == []


@pytest.mark.parametrize("service", PACKS)
def test_facts_name_their_source(service: str) -> None:
    for source in FACTS[service]["sources"]:
        assert source["source"]
        assert source["version"]
        assert len(source["sha256"]) == 64
    used = {endpoint.source for endpoint in PACKS[service].endpoints}
    assert set(FACTS[service]["operations"]) == (set() if service == "shopify" else used)


def test_every_exception_is_needed() -> None:
    for kind, exceptions in (("body", OVER_STRICT), ("query", UNLISTED)):
        for (service, source), (names, reason) in exceptions.items():
            operation = FACTS[service]["operations"][source]
            listed = operation["required_body"] if kind == "body" else operation["query"]
            assert reason
            assert (set(names) <= set(listed)) is (kind == "body"), (service, source)


@pytest.mark.parametrize("service", PACKS)
def test_a_pack_is_complete_in_both_languages(service: str) -> None:
    pack = PACKS[service]
    texts = [pack.service_name, pack.description, pack.rate_limit, pack.pagination]
    for endpoint in pack.endpoints:
        texts += [endpoint.endpoint_name, endpoint.description]
        assert endpoint.documentation
        assert endpoint.source
    for variable in (*pack.variables, *(each for endpoint in pack.endpoints for each in endpoint.variables)):
        texts += [variable.label, variable.description]
    assert [text for text in texts if text is None or not text.en or not text.ar] == []
    assert pack.documentation
    assert pack.test_endpoint
    assert pack.n8n_credential_type
    assert pack.spec


@pytest.mark.parametrize("service", PACKS)
def test_what_must_be_typed_has_an_example(service: str) -> None:
    pack = PACKS[service]
    variables = [*pack.variables, *(variable for endpoint in pack.endpoints for variable in endpoint.variables)]
    bare = [each.name for each in variables if not each.secret and each.example is None and each.default is None]
    assert bare == []


def test_answers_that_fail_with_200_are_noticed() -> None:
    for service, path in (("slack", "$.ok"), ("telegram", "$.ok"), ("shopify", "$.errors")):
        assert path in {assertion.path for assertion in PACKS[service].assertions}
    for endpoint in PACKS["shopify"].endpoints:
        is_mutation = str(endpoint.source).startswith("mutation")
        assert any("userErrors" in assertion.path for assertion in endpoint.assertions) is is_mutation


def wrong(service: str, endpoint_id: str) -> list[tuple[str, dict[str, Any]]]:
    """Copies of a pack with one mistake each in one endpoint, and which mistake it is."""
    data = PACKS[service].model_dump(mode="json", exclude_none=True)
    index = [endpoint["endpoint_id"] for endpoint in data["endpoints"]].index(endpoint_id)

    def copy() -> tuple[dict[str, Any], dict[str, Any]]:
        whole = json.loads(json.dumps(data))
        return whole, whole["endpoints"][index]

    found = []
    whole, endpoint = copy()
    endpoint["url_template"] = endpoint["url_template"].rstrip("/") + "x"
    found.append(("path", whole))
    whole, endpoint = copy()
    endpoint["method"] = {"GET": "POST", "POST": "PUT", "PUT": "PATCH", "PATCH": "PUT", "DELETE": "POST"}[endpoint["method"]]
    found.append(("method", whole))
    whole, endpoint = copy()
    endpoint["params"] = [*endpoint["params"], {"name": "surplus_parameter", "value": "1"}]
    found.append(("parameter", whole))
    body = data["endpoints"][index]["body"]
    if body["kind"] == "graphql":
        whole, endpoint = copy()
        endpoint["body"]["query"] = re.sub(r"(\w+) \}", r"\1x }", body["query"], count=1)
        found.append(("field", whole))
    elif body["kind"] in ("json", "form", "multipart"):
        whole, endpoint = copy()
        endpoint["body"] = {"kind": "xml", "text": "<a/>"} if body["kind"] == "json" else {"kind": "json", "text": '{"a": 1}'}
        endpoint["variables"] = [each for each in endpoint["variables"] if each["name"] in find_in(endpoint)]
        found.append(("content type", whole))
    return found


def find_in(endpoint: dict[str, Any]) -> set[str]:
    return find_placeholders(json.dumps({name: endpoint[name] for name in ("url_template", "params", "headers", "body")}))


@pytest.mark.parametrize(("service", "endpoint_id"), ENDPOINTS)
def test_a_wrong_endpoint_is_noticed(service: str, endpoint_id: str) -> None:
    for mistake, data in wrong(service, endpoint_id):
        if service == "shopify" and mistake in ("method", "parameter"):
            continue  # all of GraphQL goes by POST to one address
        pack = ServicePack.model_construct(**_parts(data))
        assert compare(pack, FACTS[service]), f"a wrong {mistake} passed"


def _parts(data: dict[str, Any]) -> dict[str, Any]:
    """The pack's parts without the checks of the whole: a mistake may leave a variable of the service unused."""
    endpoints = tuple(EndpointTemplate.model_validate(endpoint) for endpoint in data.pop("endpoints"))
    facts = ServiceFacts.model_validate(data)
    return {**{name: getattr(facts, name) for name in ServiceFacts.model_fields}, "endpoints": endpoints}


@pytest.mark.parametrize(
    ("service", "old", "new"),
    [
        ("stripe", "payment_intent: ", "payment_intention: "),
        ("slack", '"channel": "{{CHANNEL}}"', '"chanel": "{{CHANNEL}}"'),
        ("openai", '"input": "{{INPUT}}"', '"prompt": "{{INPUT}}"'),
        ("twilio", "Body: ", "Text: "),
        ("notion", '"query": "{{SEARCH}}"', '"title": "{{SEARCH}}"'),
        ("notion", "data_sources/{{DATA_SOURCE_ID}}/query", "databases/{{DATA_SOURCE_ID}}/query"),
        ("github", "q: ", "query: "),
        ("telegram", '"chat_id": ', '"chat": '),
        ("discord", "prefix: Bot", "prefix: Bearer"),
        ("sendgrid", "page_size: ", "limit: "),
        ("google_sheets", ":append", ":add"),
        ("whatsapp", '"messaging_product": "whatsapp",', ""),
        ("hubspot", '"inputs": ', '"contacts": '),
        ("shopify", "userErrors { field message }", "userErrors { field code }"),
        ("shopify", '"locationId": ', '"location": '),
        ("airtable", "/tables", "/schema"),
    ],
)
def test_a_changed_word_is_noticed(service: str, old: str, new: str, tmp_path: Path) -> None:
    text = (ROOT / f"plugins/services/{service}/pack.yaml").read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "pack.yaml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    pack = load_pack(file)
    assert compare(pack, FACTS[pack.service_id])


@pytest.mark.parametrize("service", PACKS)
def test_the_paid_for_facts_agree(service: str, shared: Path) -> None:
    """The facts that were gathered before building know the same operations, where they list them."""
    gathered = json.loads((shared / "research/vendor_ops.json").read_text(encoding="utf-8"))
    facts = {f"{each['method']} {each['path']}": each for each in gathered.get(service.replace("-", "_"), {}).get("ops", ())}
    for name, operation in FACTS[service]["operations"].items():
        older = facts.get(name)
        if older is not None and service != "slack":  # the older list read Slack's document of 2021
            assert set(older.get("required_body", ())) <= set(operation["required_body"]), name
