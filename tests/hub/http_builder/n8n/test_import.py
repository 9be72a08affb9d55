"""Nodes of n8n as text: copied, exported, of any age."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.contracts.http import FormBody, JsonBody, MultipartBody, RawBody, RequestDefinition
from hub.http_builder.exporting import export_request
from hub.http_builder.importing import ImportRefused, import_text
from hub.http_builder.n8n.reading import read_node

Json = dict[str, Any]


def node(version: float, **parameters: Any) -> Json:
    return {"name": "Fetch", "type": "n8n-nodes-base.httpRequest", "typeVersion": version, "parameters": parameters}


def read(version: float, **parameters: Any) -> RequestDefinition:
    return read_node(node(version, **parameters))[0]


def test_what_was_copied_comes_back() -> None:
    definition = RequestDefinition.model_validate(
        {
            "method": "PUT",
            "url": "https://x.example/{{SHOP}}",
            "headers": [{"name": "X-A", "value": "{{SHOP}}"}],
            "body": {"kind": "json", "text": '{"a": "{{SHOP}}"}'},
            "variables": [{"name": "SHOP", "value": "main"}],
        }
    )
    exported = export_request(definition, name="Put", kind="n8n")
    (draft,) = import_text(exported.text).drafts
    assert (draft.name, draft.definition) == ("Put", definition)


def test_literal_secrets_of_a_node_stand_apart() -> None:
    rows = [{"name": "Authorization", "value": "Bearer abcdef123456"}]
    query = {"parameters": [{"name": "api_key", "value": "zyx987"}]}
    text = json.dumps(
        {"nodes": [node(4.2, sendHeaders=True, headerParameters={"parameters": rows}, sendQuery=True, queryParameters=query)]}
    )
    (draft,) = import_text(text).drafts
    assert sorted(draft.secrets.values()) == ["abcdef123456", "zyx987"]
    assert "abcdef123456" not in draft.definition.model_dump_json()
    assert "zyx987" not in draft.definition.model_dump_json()
    assert draft.definition.auth.type == "bearer"


@pytest.mark.parametrize("text", ['{"nodes": ["n8n-nodes-base.x"', '{"nodes": [], "n8n-nodes-base.": 1}'])
def test_what_holds_no_request_is_refused(text: str) -> None:
    with pytest.raises(ImportRefused):
        import_text(text, kind="n8n")


@pytest.mark.parametrize(
    "parameters",
    [
        {"url": 5, "sendHeaders": True, "headerParameters": [], "options": []},
        {"method": "={{ $json.m }}", "sendQuery": True, "specifyQuery": "json", "jsonQuery": "[1]"},
        {"sendBody": True, "contentType": "x", "body": None, "options": {"timeout": "soon", "redirect": 1}},
        {"sendBody": True, "bodyParameters": {"parameters": [None, {"name": None}, {"name": 1, "value": {"a": 1}}]}},
    ],
)
def test_nodes_of_odd_shape_are_read_as_far_as_they_go(parameters: Json) -> None:
    for version in (1, 2, 3, 4.2, 4.5):
        assert read(version, **parameters).method == "GET"


def test_versions_differ_in_what_they_send() -> None:
    twice = {"sendQuery": True, "queryParameters": {"parameters": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]}}
    assert [row.enabled for row in read(4.2, **twice).params] == [False, True]
    assert [row.enabled for row in read(4.3, **twice).params] == [True, True]
    assert read(3).settings.follow_redirects is False
    assert read(4).settings.follow_redirects is True


def test_the_first_nodes_are_understood() -> None:
    old = read(
        1,
        requestMethod="POST",
        url="https://x.example",
        authentication="headerAuth",
        allowUnauthorizedCerts=True,
        bodyParametersUi={"parameter": [{"name": "a.b", "value": "1"}]},
        queryParametersUi={"parameter": [{"name": "q", "value": "=x"}]},
        options={"timeout": 5000},
    )
    assert (old.method, old.auth.type, old.params[0].value) == ("POST", "api-key", "x")
    assert (old.settings.verify_tls, old.settings.timeout_seconds) == (False, 5.0)
    assert old.body == JsonBody(text='{\n  "a": {\n    "b": "1"\n  }\n}')
    form = {
        "requestMethod": "POST",
        "options": {"bodyContentType": "form-urlencoded"},
        "bodyParametersUi": {"parameter": [{"name": "a", "value": "1"}]},
    }
    assert isinstance(read(2, **form).body, FormBody)
    raw = {
        "requestMethod": "PUT",
        "jsonParameters": True,
        "options": {"bodyContentType": "raw", "bodyContentCustomMimeType": "text/csv"},
    }
    assert read(1, **raw, bodyParametersJson="a,b").body == RawBody(text="a,b", content_type="text/csv")
    files = {
        "requestMethod": "PUT",
        "jsonParameters": True,
        "sendBinaryData": True,
        "options": {"bodyContentType": "multipart-form-data"},
    }
    body = read(1, **files, binaryPropertyName="photo:data, file2").body
    assert isinstance(body, MultipartBody)
    assert [(part.name, part.file_name) for part in body.parts] == [("photo", "data"), ("file", "file2")]


def test_computed_pairs_become_computed_json() -> None:
    rows = [
        {"name": "n", "value": "={{ $json.n }}"},
        {"name": "t", "value": "=Hi {{ $json.t }}!"},
        {"name": "p", "value": "plain"},
    ]
    body = read(4.2, sendBody=True, bodyParameters={"parameters": rows}).body
    assert isinstance(body, JsonBody)
    lines = body.text.splitlines()
    assert lines[1:4] == [
        '  "n": {{ JSON.stringify($json.n ?? null) }},',
        '  "t": {{ JSON.stringify(["Hi ", $json.t, "!"].join(\'\')) }},',
        '  "p": "plain"',
    ]
