"""Requests of the hub as nodes of a real n8n, with the credentials that they name: n8n sends what the hub sends."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from hub.catalog.filling import example_values, fill_text, make_draft, name_of_variable
from hub.contracts.catalog import EndpointTemplate, ServicePack
from hub.contracts.exchange import WireRequest
from hub.contracts.http import BinaryBody, Body, MultipartBody, OAuth2ClientCredentials, OAuth2Code, Pair, RequestDefinition
from hub.egress import EgressPolicy, send_exchange
from hub.http_builder.importing import import_text
from hub.http_builder.n8n.credentials import Credential, find_credential
from hub.http_builder.n8n.node import build_node
from hub.http_builder.n8n.pack_credential import credential_of
from hub.http_builder.n8n.placing import CredentialReference, Target, place_request
from hub.http_builder.rendering import FileContent, Scope, Value, Values, prepare
from hub.http_builder.rendering.aws import sign
from tests.hub.http_builder.importing.test_curl_corpus import CORPUS, FILES, at_server, variables_of
from tests.n8n.echo import Echo, Received
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
    pack: ServicePack

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
    return Endpoint(name, with_file(draft.definition), plain, secrets, pack)


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
    values += [Value(name, text, True, endpoint.pack.hosts, Scope.REQUEST) for name, text in endpoint.secrets.items()]
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
    address, count = re.subn(r"^(=?)https?://[^/?]+", rf"\g<1>{echo.url}/{name}", url)
    assert count == 1, url
    return address


def credential_data(credential: Credential, values: dict[str, str]) -> Json:
    """What a person types into the credential's form in n8n: the hub names its fields."""
    data: Json = {name: fill_text(value, values) for name, value in credential.fields.items()}
    data |= NEEDED_TOO.get(credential.types[0], {})
    if credential.types[0] == "shopifyAccessTokenApi" and not data["accessToken"]:
        data["accessToken"] = TOKEN  # the hub fetches it
    return data


def plain(meaning: Json, kind: str) -> Json:
    """Without what differs for a reason.

    Each UUID is made anew; n8n's GitHub credential says ``token`` where vendors say ``Bearer``; its OpenAI credential sends an
    organisation even where there is none.
    """
    text = UUID.sub("a-uuid", json.dumps(meaning, default=str))
    if kind == "githubApi":
        text = text.replace('"Bearer ', '"token ')
    found: Json = json.loads(text)
    found["headers"] = [header for header in found["headers"] if header != ["openai-organization", ""]]
    return found


def test_every_endpoint_of_the_packs_is_sent_alike(app: Flask, n8n: N8nServer, echo: Echo) -> None:
    packs = list(app.extensions["hub_plugins"].registry.packs.values())
    endpoints = list(endpoints_of(packs))
    references: dict[tuple[str, ...], CredentialReference] = {}
    kinds: dict[str, str] = {}
    workflow = workflow_with_file("all-endpoints")
    for endpoint in endpoints:
        of_pack = credential_of(endpoint.pack)
        credential = find_credential(endpoint.definition, of_pack)
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
            pack=of_pack,
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


# --- AWS -----------------------------------------------------------------------------------------------------------

AWS = {
    "type": "aws-sigv4",
    "access_key_id": "AKIDEXAMPLE",
    "secret_access_key": "{{AWS_SECRET}}",
    "region": "eu-west-1",
}
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#: By host: n8n takes service and region from it.
SIGNED: dict[str, Json] = {
    "abc.execute-api.eu-west-1.amazonaws.com": {
        "url": "/prod/items/a%20b",
        "params": [{"name": "b", "value": "2"}, {"name": "a", "value": "x y/é"}],
        "auth": {**AWS, "service": "execute-api"},
    },
    "dynamodb.eu-west-1.amazonaws.com": {
        "method": "POST",
        "url": "/",
        "headers": [{"name": "X-Amz-Target", "value": "DynamoDB_20120810.ListTables"}],
        "body": {"kind": "json", "text": '{"Limit": 10, "é": [1]}'},
        "auth": {**AWS, "service": "dynamodb"},
    },
    "lambda.eu-west-1.amazonaws.com": {
        "method": "POST",
        "url": "/2015-03-31/functions/f/invocations",
        "headers": [{"name": "Content-Type", "value": "application/json"}],
        "body": {"kind": "json", "text": '{"a": "{{TEXT}}"}'},
        "auth": {**AWS, "service": "lambda"},
    },
    "sns.eu-west-1.amazonaws.com": {
        "method": "POST",
        "url": "/",
        "body": {"kind": "form", "fields": [{"name": "Action", "value": "Publish"}, {"name": "Message", "value": "a b&c*~é"}]},
        "auth": {**AWS, "service": "sns"},
    },
    "bucket.s3.eu-west-1.amazonaws.com": {
        "method": "PUT",
        "url": "/a%20folder/notes%281%29.txt",
        "body": {"kind": "raw", "text": "line 1\nline é", "content_type": "text/plain"},
        "auth": {**AWS, "service": "s3"},
    },
}


def test_n8n_signs_for_aws_what_the_hub_signs(n8n: N8nServer, echo: Echo) -> None:
    """The echo is n8n's proxy here, so that the addresses stay as they are. n8n signs more headers, of those that it adds."""
    data = {"region": "eu-west-1", "accessKeyId": "AKIDEXAMPLE", "secretAccessKey": AWS_SECRET}
    reference = make_credential(n8n, "aws", "AWS", data)
    workflow = workflow_with_file("aws")
    definitions = {
        host: RequestDefinition.model_validate(
            {**case, "url": f"http://{host}{case['url']}", "variables": [Pair(name="TEXT", value='a "b"')]}
        )
        for host, case in SIGNED.items()
    }
    for host, definition in definitions.items():
        values = {row.name: row.value for row in definition.variables}
        target = Target(after="File", name=host)
        placed = place_request(workflow, definition, target, credential=reference, secret_names={"AWS_SECRET"}, values=values)
        workflow = placed.document
        made = next(entry for entry in workflow["nodes"] if entry["name"] == placed.node)
        made["parameters"]["options"]["proxy"] = echo.url
    runs = run_workflow(n8n, workflow)
    for host, definition in definitions.items():
        sent = echo.take(host)
        assert sent, problem_of(runs[host])
        secret = Value("AWS_SECRET", AWS_SECRET, True, (host,), Scope.REQUEST)
        wire = prepare(definition, Values([secret]), files={}).wire
        ours = Received(wire.method, wire.url, wire.headers, wire.body or b"")
        wanted, found = ours.meaning(), sent[-1].meaning()
        wanted.pop("headers")
        found.pop("headers")
        assert found == wanted, host
        assert scope_of(sent[-1]) == scope_of(ours), host
        assert signed_names(ours) - {"x-amz-content-sha256"} <= signed_names(sent[-1]), host
        assert sent[-1].header("authorization").endswith(f"Signature={signature_of(sent[-1], host)}"), host


def scope_of(request: Received) -> list[str]:
    """Key, region and service that a request was signed with; the date and all besides the time of day."""
    return request.header("authorization").partition(",")[0].split("/")


def signed_names(request: Received) -> set[str]:
    return set(request.header("authorization").partition("SignedHeaders=")[2].partition(",")[0].split(";"))


def signature_of(request: Received, host: str) -> str:
    """The signature over the canonical parts as the hub makes them, with the headers that n8n signed."""
    region, service = scope_of(request)[2:4]
    ours = sign(
        request.method,
        f"http://{host}{urlsplit(request.target)._replace(scheme='', netloc='').geturl()}",
        list(request.headers),
        request.body,
        access_key_id="AKIDEXAMPLE",
        secret_access_key=AWS_SECRET,
        region=region,
        service=service,
    )
    method, path, query, *_headers, digest = ours.canonical_request.split("\n")
    names = sorted(signed_names(request))
    headers = [f"{name}:{request.header(name)}" for name in names]
    canonical = "\n".join((method, path, query, *headers, "", ";".join(names), digest))
    algorithm, moment, scope, _digest = ours.string_to_sign.split("\n")
    key = f"AWS4{AWS_SECRET}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = "\n".join((algorithm, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


# --- cURL ----------------------------------------------------------------------------------------------------------

COMMANDS = (
    *("stripe: create a customer", "stripe: list with a query", "github: create an issue", "slack: post a message"),
    *("openai: upload a file", "twilio: send a message", "notion: page", "airtable: list", "hubspot: search by GET"),
    *("google sheets: values", "whatsapp: message", "discord: bot", "shopify: graphql", "cloudflare", "jira: jql"),
    *("elasticsearch", "influxdb: line protocol", "swagger ui", "paypal: token", "postman's own export", "insomnia's own export"),
    *("linear: a key without a scheme", "deepl"),
)


def test_n8n_sends_what_curl_sends(n8n: N8nServer, echo: Echo, tmp_path: Path) -> None:
    """A command from a vendor's pages, imported and made a node with its credential, against curl itself.

    n8n writes JSON without spaces and percent-encodes in its own spelling, so bodies and queries are compared by what they say.
    """
    file = FileContent("mydata.jsonl", "application/octet-stream", FILES["mydata.jsonl"])
    (tmp_path / file.name).write_bytes(file.content)
    workflow = workflow_with_file("curl", file)
    commands = {f"curl-{number}": CORPUS[f"vendors: {title}"] for number, title in enumerate(COMMANDS)}
    meant: dict[str, tuple[Json, list[str], str]] = {}
    for name, command in commands.items():
        [draft] = import_text(command).drafts
        values = {**variables_of(command), **draft.secrets}
        definition = with_file(draft.definition)
        credential = find_credential(definition) or build_node(definition, secret_names=values).credential
        reference = None
        if credential is not None:
            reference = make_credential(n8n, credential.types[0], name, credential_data(credential, values))
        values |= {row.name: row.value for row in definition.variables}
        target = Target(after="File", name=name)
        placed = place_request(workflow, definition, target, credential=reference, secret_names=draft.secrets, values=values)
        workflow = placed.document
        made = next(entry for entry in workflow["nodes"] if entry["name"] == placed.node)
        made["parameters"]["url"] = to_echo(made["parameters"]["url"], name, echo)
        run_curl(command, name, echo, tmp_path)
        named = [row.name for row in definition.headers]
        kind = credential.types[0] if credential else ""
        meant[name] = (plain(echo.take(name)[0].meaning(named), kind), named, kind)
    runs = run_workflow(n8n, workflow)
    differences: dict[str, Any] = {}
    for (name, (wanted, named, kind)), title in zip(meant.items(), COMMANDS, strict=True):
        sent = echo.take(name)
        if not sent:
            differences[title] = problem_of(runs[name])
            continue
        found = plain(sent[-1].meaning(named), kind)
        if found != wanted:
            differences[title] = {key: (found[key], wanted[key]) for key in found if found[key] != wanted[key]}
    assert differences == {}


def run_curl(command: str, name: str, echo: Echo, folder: Path) -> None:
    """Run a command by bash and the real curl, with the echo in the place of its host."""
    port = int(echo.authority.rpartition(":")[2])
    local = at_server(command, port).replace(echo.authority, f"{echo.authority}/{name}")
    exports = "".join(f"export {key}={value}\n" for key, value in variables_of(command).items())
    script = f'curl() {{ command curl -s --noproxy "*" "$@"; }}\n{exports}{local}\n'
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    subprocess.run(["bash", "-c", script], cwd=folder, env=environment, capture_output=True, timeout=30, check=True)
