"""Requests of the hub as nodes of a real n8n, with the credentials that they name: n8n sends what the hub sends."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from hub.catalog.filling import example_values, fill_text, make_draft, name_of_variable
from hub.contracts.catalog import EndpointTemplate, ServicePack
from hub.contracts.exchange import WireRequest
from hub.contracts.http import BinaryBody, Body, MultipartBody, OAuth2ClientCredentials, OAuth2Code, RequestDefinition
from hub.egress import EgressPolicy, send_exchange
from hub.http_builder.n8n.credentials import Credential, find_credential
from hub.http_builder.n8n.placing import CredentialReference, Target, place_request
from hub.http_builder.rendering import Scope, Value, Values, prepare
from tests.n8n.echo import Echo
from tests.n8n.nodes import FILE, make_credential, problem_of, run_workflow, workflow_with_file
from tests.n8n.server import N8nServer

pytestmark = pytest.mark.n8n

Json = dict[str, Any]
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
TOKEN = "token-of-oauth"
#: What else n8n's credentials hold: what it asks for but never sends, and the token of a sign-in that ends at Google alone.
NEEDED_TOO: dict[str, Json] = {
    "googleSheetsOAuth2Api": {"oauthTokenData": {"access_token": TOKEN, "token_type": "Bearer"}},
    "shopifyAccessTokenApi": {"shopSubdomain": "my-shop", "appSecretKey": "none"},
    "whatsAppApi": {"businessAccountId": "1"},
}


@dataclass(frozen=True)
class Endpoint:
    """One request of a pack, filled in with examples. ``plain`` and ``secrets`` are its variables and the service's."""

    name: str
    definition: RequestDefinition
    plain: dict[str, str]
    secrets: dict[str, str]
    hosts: tuple[str, ...]

    @property
    def everything(self) -> dict[str, str]:
        return {**self.plain, **self.secrets}


def endpoints_of(packs: list[ServicePack]) -> Iterator[Endpoint]:
    """All endpoints; the one that tries the key with every way to sign in."""
    for pack in packs:
        for endpoint in pack.endpoints:
            yield fill_in(pack, endpoint, "")
            if endpoint.endpoint_id == pack.test_endpoint:
                yield from (fill_in(pack, endpoint, choice.choice_id) for choice in pack.other_auth)


def fill_in(pack: ServicePack, endpoint: EndpointTemplate, choice: str) -> Endpoint:
    values = example_values(pack, endpoint)
    draft = make_draft(pack, endpoint, {name: value or "given" for name, value in values.items()}, choice)
    plain, secrets = {}, {}
    for variable in (*pack.variables, *endpoint.variables):
        name = variable.name if variable in endpoint.variables else name_of_variable(pack.service_id, variable.name)
        if variable.secret:
            secrets[name] = f"secret-of-{variable.name.lower()}"
        else:
            plain[name] = values[variable.name]
    name = "--".join(part for part in (pack.service_id, endpoint.endpoint_id, choice) if part)
    return Endpoint(name, with_file(draft.definition), plain, secrets, pack.hosts)


def with_file(definition: RequestDefinition) -> RequestDefinition:
    """The same with a file chosen wherever one is needed."""
    body: Body = definition.body
    if isinstance(body, BinaryBody):
        body = body.model_copy(update={"file_id": "file"})
    elif isinstance(body, MultipartBody):
        parts = tuple(part.model_copy(update={"file_id": "file" if part.is_file else None}) for part in body.parts)
        body = body.model_copy(update={"parts": parts})
    return definition.model_copy(update={"body": body})


def send_from_hub(endpoint: Endpoint, echo: Echo) -> WireRequest:
    """Prepare the request for the service, and send it to the echo instead."""
    values = [Value(name, text) for name, text in endpoint.plain.items()]
    values += [Value(name, text, True, endpoint.hosts, Scope.REQUEST) for name, text in endpoint.secrets.items()]
    token = TOKEN if isinstance(endpoint.definition.auth, OAuth2ClientCredentials | OAuth2Code) else None
    prepared = prepare(endpoint.definition, Values(values), files={"file": FILE}, token=token)
    wire = dataclasses.replace(
        prepared.wire,
        url=to_echo(prepared.wire.url, endpoint.name, echo),
        headers=tuple((name, value) for name, value in prepared.wire.headers if name.lower() != "host"),
        secret_hosts=(),
    )
    send_exchange(EgressPolicy(loopback=True), wire, prepared.limits)
    return wire


def to_echo(url: str, name: str, echo: Echo) -> str:
    """The same path at the echo, also of n8n's expressions."""
    address, count = re.subn(r"^(=?)https://[^/?]+", rf"\g<1>{echo.url}/{name}", url)
    assert count == 1, url
    return address


def credential_data(credential: Credential, values: dict[str, str]) -> Json:
    """What a person types into the credential's form in n8n: the hub names its fields."""
    data: Json = {name: fill_text(value, values) for name, value in credential.fields.items()}
    data |= NEEDED_TOO.get(credential.types[0], {})
    return {name: value or TOKEN for name, value in data.items()}


def plain(meaning: Json, kind: str) -> Json:
    """Without what is meant to differ: each UUID is made anew, and n8n signs in to GitHub with the older of its two words."""
    text = UUID.sub("a-uuid", json.dumps(meaning, default=str))
    if kind == "githubApi":
        text = text.replace('"Bearer secret', '"token secret')
    found: Json = json.loads(text)
    return found


def test_every_endpoint_of_the_packs_is_sent_alike(app: Flask, n8n: N8nServer, echo: Echo) -> None:
    packs = list(app.extensions["hub_plugins"].registry.packs.values())
    endpoints = list(endpoints_of(packs))
    references: dict[tuple[str, ...], CredentialReference] = {}
    kinds: dict[str, str] = {}
    workflow = workflow_with_file("all-endpoints")
    for endpoint in endpoints:
        credential = find_credential(endpoint.definition)
        reference = None
        kinds[endpoint.name] = credential.types[0] if credential else ""
        if credential is not None:
            data = credential_data(credential, endpoint.everything)
            key = (credential.types[0], *map(str, data.values()))
            reference = references.get(key) or make_credential(n8n, credential.types[0], endpoint.name, data)
            references[key] = reference
        placed = place_request(
            workflow,
            endpoint.definition,
            Target(after="File", name=endpoint.name),
            credential=reference,
            secret_names=endpoint.secrets,
            values=endpoint.everything,
        )
        workflow = placed.document
        made = next(entry for entry in workflow["nodes"] if entry["name"] == placed.node)
        made["parameters"]["url"] = to_echo(made["parameters"]["url"], endpoint.name, echo)
    runs = run_workflow(n8n, workflow, patience=120)
    differences: dict[str, Any] = {}
    for endpoint in endpoints:
        sent_by_n8n = echo.take(endpoint.name)
        send_from_hub(endpoint, echo)
        named = [row.name for row in endpoint.definition.headers]
        kind = kinds[endpoint.name]
        wanted = plain(echo.take(endpoint.name)[0].meaning(named), kind)
        if not sent_by_n8n:
            differences[endpoint.name] = problem_of(runs[endpoint.name])
            continue
        found = plain(sent_by_n8n[-1].meaning(named), kind)
        if found != wanted:
            differences[endpoint.name] = {key: (found[key], wanted[key]) for key in found if found[key] != wanted[key]}
    assert differences == {}
    assert len(packs) == 14
    assert len(endpoints) >= sum(len(pack.endpoints) for pack in packs)
    assert {pack.n8n_credential_type for pack in packs} - set(kinds.values()) == {"telegramApi"}
