"""A request made from a pack signs in with the credential that n8n has for the service."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from hub.catalog.filling import example_values, make_draft
from hub.catalog.packs import load_pack
from hub.catalog.services import load_packs, store_packs
from hub.contracts.actor import Actor
from hub.contracts.catalog import ServicePack
from hub.contracts.http import BasicAuth
from hub.http_builder import services
from hub.http_builder.definitions import definition_of
from hub.http_builder.models import Request
from hub.http_builder.n8n.clipboard import copy_request
from hub.http_builder.n8n.credentials import SERVICE_CREDENTIALS
from hub.http_builder.n8n.node import build_node
from hub.http_builder.n8n.pack_credential import pack_credential

FOLDERS = sorted(file.parent for file in Path("plugins/services").glob("*/pack.yaml"))
PACKS = [load_pack(folder / "pack.yaml") for folder in FOLDERS]
#: They sign in by their address: no credential of n8n's does that.
BY_ADDRESS = {("telegram", None), ("discord", "execute-webhook")}


def saved(actor: Actor, pack: ServicePack, endpoint_id: str) -> Request:
    endpoint = pack.endpoint(endpoint_id)
    assert endpoint is not None
    draft = make_draft(pack, endpoint, example_values(pack, endpoint))
    return services.create_request(actor, draft, service_id=pack.service_id, endpoint_id=endpoint_id)


def test_there_are_fourteen() -> None:
    assert len(PACKS) == 14


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.service_id)
def test_every_request_of_a_pack_has_its_credential(alice: Actor, pack: ServicePack) -> None:
    store_packs([pack], drop_others=False)
    secrets = {f"{pack.service_id}.{variable.name}" for variable in pack.variables if variable.secret}
    for endpoint in pack.endpoints:
        request = saved(alice, pack, endpoint.endpoint_id)
        built = build_node(definition_of(request), secret_names=secrets, pack=pack_credential(request))
        if {(pack.service_id, None), (pack.service_id, endpoint.endpoint_id)} & BY_ADDRESS:
            assert built.credential is None
            named = {note.details["name"] for note in built.notes if note.code == "n8n-secret-in-text"}
            assert named <= secrets
            assert named
            continue
        assert built.parameters["authentication"] == "predefinedCredentialType"
        assert built.parameters["nodeCredentialType"] == pack.n8n_credential_type


def test_a_foreign_pack_names_its_own_type_and_a_changed_sign_in_does_not_use_it(alice: Actor) -> None:
    pack = ServicePack.model_validate(
        {
            "service_id": "acme",
            "service_name": "Acme",
            "category": "tests",
            "auth": {"type": "bearer", "token": "{{ACME_KEY}}"},
            "variables": [{"name": "ACME_KEY", "description": "Key", "secret": True}],
            "n8n_credential_type": "acmeApi",
            "endpoints": [
                {"endpoint_id": "list", "endpoint_name": "List", "method": "GET", "url_template": "https://acme.example/list"}
            ],
        }
    )
    store_packs([pack], drop_others=False)
    request = saved(alice, pack, "list")
    known = pack_credential(request)
    definition = definition_of(request)
    node = json.loads(copy_request(definition, "List", {}, pack=known)[0])["nodes"][-1]
    assert node["parameters"]["nodeCredentialType"] == "acmeApi"
    for changed in ({"auth": BasicAuth(username="a")}, {"url": "https://elsewhere.example/list"}):
        credential = build_node(definition.model_copy(update=changed), pack=known).credential
        assert credential is not None
        assert "acmeApi" not in credential.types


def test_the_page_copies_the_node_with_the_credential_of_the_pack(
    alice: Actor, browser_of: Callable[[Actor], FlaskClient]
) -> None:
    load_packs()
    pack = next(pack for pack in PACKS if pack.service_id == "sendgrid")
    request = saved(alice, pack, "send-mail")
    assert "sendGridApi" in browser_of(alice).get(f"/requests/{request.id}/n8n").text


def test_packs_and_the_hubs_own_list_agree() -> None:
    known = {credential.type: credential for credential in SERVICE_CREDENTIALS}
    packs = {pack.n8n_credential_type: pack for pack in PACKS}
    assert packs.keys() - known.keys() == {"telegramApi"}
    assert known.keys() <= packs.keys()
    for kind, credential in known.items():
        assert set(credential.hosts) <= set(packs[kind].hosts)
