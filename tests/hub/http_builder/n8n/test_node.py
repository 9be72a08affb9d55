"""From a request to a node, and nothing lost on the way back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from hub.contracts.http import RequestDefinition
from hub.http_builder.n8n.node import HTTP_REQUEST, NodeChoices, build_node
from hub.http_builder.n8n.reading import read_node
from tests.hub.http_builder.n8n.definitions import DEFINITIONS

Json = dict[str, Any]


def definition(**fields: Any) -> RequestDefinition:
    return RequestDefinition.model_validate({"url": "https://api.example.com/items", **fields})


def codes(built: Any) -> list[str]:
    return [note.code for note in built.notes]


def read_back(wanted: RequestDefinition) -> RequestDefinition:
    built = build_node(wanted)
    node = {"type": HTTP_REQUEST, "typeVersion": built.type_version, "parameters": built.parameters}
    return read_node(node)[0]


@given(DEFINITIONS)
def test_a_request_comes_back_as_it_was(wanted: RequestDefinition) -> None:
    assert read_back(wanted) == wanted


def test_a_simple_request_is_a_simple_node() -> None:
    built = build_node(definition())
    assert built.parameters == {"url": "https://api.example.com/items", "options": {}}
    assert (built.type_version, built.credential, built.notes) == (4.2, None, [])


def test_settings_and_choices_are_options() -> None:
    settings = {"timeout_seconds": 5, "max_redirects": 3, "verify_tls": False}
    built = build_node(definition(settings=settings), choices=NodeChoices(full_response=True, never_error=True))
    assert built.parameters["options"] == {
        "timeout": 5000,
        "redirect": {"redirect": {"followRedirects": True, "maxRedirects": 3}},
        "allowUnauthorizedCerts": True,
        "response": {"response": {"fullResponse": True, "neverError": True}},
    }


def test_a_parameter_twice_needs_a_newer_node() -> None:
    built = build_node(definition(params=[{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]))
    assert built.type_version == 4.3
    assert built.parameters["options"] == {"queryParameterArrays": "repeat"}
    assert codes(built) == ["n8n-needs-version"]
    assert build_node(definition(), type_version=4.5).type_version == 4.5


def test_headers_that_are_there_twice_are_joined() -> None:
    rows = [{"name": "X-A", "value": "1"}, {"name": "x-a", "value": "2"}, {"name": "X-B", "value": "3", "enabled": False}]
    built = build_node(definition(headers=rows))
    assert built.parameters["headerParameters"] == {"parameters": [{"name": "X-A", "value": "1, 2"}]}
    assert codes(built) == ["n8n-duplicate-header"]


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ('{"a": 1}', {"specifyBody": "json", "jsonBody": '{"a": 1}'}),
        ('{"a": 12345678901234567890}', {"contentType": "raw", "rawContentType": "application/json"}),
        ('{"a": 1, "a": 2}', {"contentType": "raw", "rawContentType": "application/json"}),
        ("5", {"contentType": "raw", "rawContentType": "application/json"}),
        ("no json", {"contentType": "raw", "rawContentType": "application/json"}),
        ("{{X}}", {"specifyBody": "json", "jsonBody": "={{ $('Variables').item.json.X }}"}),
    ],
)
def test_json_that_javascript_would_change_goes_as_text(text: str, parameters: Json) -> None:
    built = build_node(definition(method="POST", body={"kind": "json", "text": text}))
    assert parameters.items() <= built.parameters.items()


@pytest.mark.parametrize(
    ("content_type", "body", "kept"),
    [
        ("application/json", {"kind": "json", "text": "{}"}, False),
        ("application/json; charset=utf-8", {"kind": "json", "text": "{}"}, False),
        ("application/vnd.api+json", {"kind": "json", "text": "{}"}, True),
        ("application/vnd.api+json", {"kind": "json", "text": "5"}, False),
        ("text/html", {"kind": "raw", "text": "x"}, False),
        ("multipart/form-data; boundary=x", {"kind": "multipart", "parts": []}, False),
        ("application/x-www-form-urlencoded", {"kind": "form", "fields": []}, False),
        ("text/css", {"kind": "none"}, True),
    ],
)
def test_a_content_type_is_a_header_only_where_the_body_does_not_say_it(content_type: str, body: Json, kept: bool) -> None:
    built = build_node(definition(method="POST", headers=[{"name": "Content-Type", "value": content_type}], body=body))
    assert ("headerParameters" in built.parameters) is kept
    if built.parameters.get("contentType") == "raw":
        assert built.parameters["rawContentType"] == content_type


SIGN_INS: list[tuple[Json, str, str]] = [
    ({"type": "basic", "username": "u", "password": "{{P}}"}, "https://x.example", "httpBasicAuth"),
    ({"type": "bearer", "token": "{{T}}"}, "https://x.example", "httpBearerAuth"),
    ({"type": "bearer", "token": "{{T}}", "prefix": "Bot"}, "https://x.example", "httpHeaderAuth"),
    ({"type": "api-key", "name": "X-Key", "value": "{{K}}"}, "https://x.example", "httpHeaderAuth"),
    ({"type": "api-key", "name": "key", "value": "{{K}}", "place": "query"}, "https://x.example", "httpQueryAuth"),
    ({"type": "digest", "username": "u", "password": "{{P}}"}, "https://x.example", "httpDigestAuth"),
    ({"type": "oauth2-code", "client_secret": "{{S}}"}, "https://x.example", "oAuth2Api"),
    ({"type": "oauth2-client-credentials", "client_secret": "{{S}}"}, "https://x.example", "oAuth2Api"),
    ({"type": "aws-sigv4", "secret_access_key": "{{S}}"}, "https://s3.eu-west-1.amazonaws.com", "aws"),
    ({"type": "bearer", "token": "{{T}}"}, "https://api.stripe.com/v1/charges", "stripeApi"),
    ({"type": "bearer", "token": "{{T}}"}, "https://api.github.com/user", "githubApi"),
    ({"type": "bearer", "token": "{{T}}"}, "https://slack.com/api/auth.test", "slackApi"),
    ({"type": "bearer", "token": "{{T}}"}, "https://api.openai.com/v1/models", "openAiApi"),
    ({"type": "bearer", "token": "{{T}}"}, "https://api.sendgrid.com/v3/scopes", "sendGridApi"),
    ({"type": "bearer", "token": "{{T}}"}, "https://api.hubapi.com/account-info/v3/details", "hubspotAppToken"),
    ({"type": "bearer", "token": "{{T}}"}, "https://api.notion.com/v1/users/me", "notionApi"),
    ({"type": "bearer", "token": "{{T}}"}, "https://api.airtable.com/v0/meta/whoami", "airtableTokenApi"),
    ({"type": "bearer", "token": "{{T}}"}, "https://graph.facebook.com/{{V}}/1", "whatsAppApi"),
    ({"type": "bearer", "token": "{{T}}", "prefix": "Bot"}, "https://discord.com/api/v10/users/@me", "discordBotApi"),
    ({"type": "basic", "username": "{{SID}}", "password": "{{T}}"}, "https://api.twilio.com/2010-04-01", "twilioApi"),
    (
        {"type": "api-key", "name": "X-Shopify-Access-Token", "value": "{{T}}"},
        "https://{{SHOP}}.myshopify.com/admin",
        "shopifyAccessTokenApi",
    ),
    ({"type": "oauth2-code", "client_secret": "{{S}}"}, "https://sheets.googleapis.com/v4/spreadsheets", "googleSheetsOAuth2Api"),
]


@pytest.mark.parametrize(("auth", "url", "kind"), SIGN_INS)
def test_a_sign_in_is_a_credential_and_no_text(auth: Json, url: str, kind: str) -> None:
    built = build_node(definition(url=url, auth=auth))
    assert built.credential is not None
    assert built.credential.types[0] == kind
    generic = kind.startswith("http") or kind == "oAuth2Api"
    assert built.parameters["authentication"] == ("genericCredentialType" if generic else "predefinedCredentialType")
    assert kind in (built.parameters.get("genericAuthType"), built.parameters.get("nodeCredentialType"))
    assert not {"P", "T", "K", "S"} & set(built.variables)
    assert codes(built)[0] == "n8n-credential"


NAMED_FIELDS: list[tuple[Json, str, Json]] = [
    ({"type": "bearer", "token": "{{T}}"}, "https://api.stripe.com", {"secretKey": "{{T}}"}),
    ({"type": "bearer", "token": "{{T}}", "prefix": "Bot"}, "https://discord.com", {"botToken": "{{T}}"}),
    (
        {"type": "basic", "username": "{{SID}}", "password": "{{T}}"},
        "https://api.twilio.com",
        {"authType": "authToken", "accountSid": "{{SID}}", "authToken": "{{T}}"},
    ),
    (
        {"type": "basic", "username": "SK1", "password": "{{T}}"},
        "https://api.twilio.com",
        {"authType": "apiKey", "apiKeySid": "SK1", "apiKeySecret": "{{T}}"},
    ),
    (
        {"type": "oauth2-client-credentials", "client_secret": "{{S}}", "header_name": "X-Shopify-Access-Token", "prefix": ""},
        "https://a.myshopify.com",
        {"accessToken": ""},
    ),
    (
        {"type": "oauth2-code", "client_id": "{{ID}}", "client_secret": "{{S}}"},
        "https://sheets.googleapis.com",
        {"clientId": "{{ID}}", "clientSecret": "{{S}}"},
    ),
]


@pytest.mark.parametrize(("auth", "url", "fields"), NAMED_FIELDS)
def test_fields_are_those_of_the_form_in_n8n(auth: Json, url: str, fields: Json) -> None:
    credential = build_node(definition(url=url, auth=auth)).credential
    assert credential is not None
    assert credential.fields == fields
    assert str(credential.notes[0].details["fields"]).startswith(next(iter(fields)))


def test_headers_that_a_credential_would_write_over_stay() -> None:
    bearer = {"type": "bearer", "token": "{{T}}"}
    version = [{"name": "notion-version", "value": "2025-09-03"}]
    notion = build_node(definition(url="https://api.notion.com/v1/users/me", auth=bearer, headers=version))
    assert notion.parameters["headerParameters"]["parameters"] == [{"name": "Notion-Version", "value": "2025-09-03"}]
    assert notion.parameters["options"] == {"lowercaseHeaders": False}
    elsewhere = build_node(definition(url="https://x.example", auth=bearer, headers=version))
    assert elsewhere.parameters["options"] == {}
    organization = [{"name": "OpenAI-Organization", "value": "{{ORG}}"}]
    openai = build_node(definition(url="https://api.openai.com/v1/models", auth=bearer, headers=organization))
    assert openai.credential is not None
    assert openai.credential.fields == {"apiKey": "{{T}}", "organizationId": "{{ORG}}"}


def test_json_that_is_signed_names_its_type() -> None:
    aws = {"type": "aws-sigv4", "secret_access_key": "{{S}}"}
    sent = {"name": "Content-Type", "value": "application/json"}
    for headers in ([], [sent]):
        built = build_node(definition(method="POST", auth=aws, headers=headers, body={"kind": "json", "text": '{"a": 1}'}))
        assert built.parameters["headerParameters"]["parameters"] == [sent]


def test_hmac_and_a_token_header_of_its_own_are_said() -> None:
    assert codes(build_node(definition(auth={"type": "hmac", "secret": "{{S}}"}))) == ["n8n-hmac"]
    own = {"type": "oauth2-client-credentials", "header_name": "X-Token", "client_secret": "{{S}}"}
    assert "n8n-token-header" in codes(build_node(definition(auth=own)))


def test_a_secret_header_or_parameter_becomes_a_credential() -> None:
    header = build_node(definition(headers=[{"name": "X-Plain", "value": "{{PARTNER}}"}]), secret_names={"PARTNER"})
    assert header.credential is not None
    assert (header.credential.types, header.credential.fields) == (
        ("httpHeaderAuth",),
        {"name": "X-Plain", "value": "{{PARTNER}}"},
    )
    assert "sendHeaders" not in header.parameters
    bearer = build_node(definition(headers=[{"name": "Authorization", "value": "Bearer abcdef"}]))
    assert bearer.credential is not None
    assert (bearer.credential.types, bearer.credential.fields) == (("httpBearerAuth",), {"token": ""})
    assert "abcdef" not in str(bearer)
    query = build_node(definition(params=[{"name": "api_key", "value": "{{API_KEY}}"}, {"name": "a", "value": "1"}]))
    assert query.credential is not None
    assert query.credential.types == ("httpQueryAuth",)
    assert query.parameters["queryParameters"] == {"parameters": [{"name": "a", "value": "1"}]}


def test_a_second_literal_secret_is_left_out_and_said() -> None:
    built = build_node(definition(auth={"type": "bearer", "token": "{{T}}"}, headers=[{"name": "X-Api-Key", "value": "abcdef"}]))
    assert "abcdef" not in str(built)
    assert "n8n-secret-left-out" in codes(built)


def test_a_secret_in_the_address_is_named() -> None:
    built = build_node(definition(url="https://api.telegram.org/bot{{TELEGRAM_BOT_TOKEN}}/getMe"))
    note = next(note for note in built.notes if note.code == "n8n-secret-in-text")
    assert note.details == {"name": "TELEGRAM_BOT_TOKEN", "place": "url"}
    assert built.variables == ["TELEGRAM_BOT_TOKEN"]


def test_n8n_expressions_stay_as_they_are() -> None:
    built = build_node(
        definition(url="=https://x.example/{{ $json.id }}", headers=[{"name": "Authorization", "value": "={{ $json.t }}"}])
    )
    assert built.parameters["url"] == "=https://x.example/{{ $json.id }}"
    assert built.parameters["headerParameters"]["parameters"] == [{"name": "Authorization", "value": "={{ $json.t }}"}]
    assert (built.credential, built.variables) == (None, [])


def test_files_come_from_the_item() -> None:
    parts = [
        {"name": "a", "value": "1", "content_type": "text/css"},
        {"name": "f", "is_file": True, "file_id": "x", "file_name": "a.png"},
    ]
    built = build_node(definition(method="POST", body={"kind": "multipart", "parts": parts}))
    assert built.parameters["bodyParameters"]["parameters"] == [
        {"name": "a", "value": "1"},
        {"parameterType": "formBinaryData", "name": "f", "inputDataFieldName": "data"},
    ]
    assert codes(built) == ["n8n-part-type", "n8n-file-from-input"]


def test_what_n8n_can_not_do_is_said() -> None:
    built = build_node(definition(method="HEAD", body={"kind": "xml", "text": "<a/>"}, assertions=[{"expected": "200"}]))
    assert codes(built) == ["n8n-no-body", "n8n-no-assertions"]
