"""Whatever is imported, the answer is drafts or ``ImportRefused``: never another error, never a secret in a definition."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.http_builder.importing import describe_note, describe_refusal, import_text
from hub.http_builder.importing.formats import FORMATS
from hub.http_builder.importing.results import ImportRefused
from tests.hub.http_builder.importing.test_bruno import OPEN_COLLECTION, REQUEST
from tests.hub.http_builder.importing.test_insomnia import VERSION_4, VERSION_5
from tests.hub.http_builder.importing.test_openapi import SWAGGER, make_document
from tests.hub.http_builder.importing.test_postman import make_collection

_KINDS = [known.kind for known in FORMATS if known.kind != "curl"]
_WORDS = st.sampled_from(
    [
        "",
        "a",
        "{{a}}",
        "{{",
        "https://x.example.com/:id?a=1#b",
        "//",
        "$ref",
        "#/paths",
        "#",
        "http://[",
        "\0",
        "ä\ud800",
        "={{ $json.a }}",
    ]
)
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _WORDS | st.text(max_size=8)
_NAMES = _WORDS | st.sampled_from(
    [
        "type",
        "name",
        "key",
        "value",
        "schema",
        "in",
        "content",
        "item",
        "request",
        "url",
        "body",
        "auth",
        "mode",
        "paths",
        "get",
        "info",
    ]
)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4), max_leaves=12
)

_POSTMAN = {
    "name": "One",
    "request": {
        "method": "POST",
        "url": {
            "raw": "https://x.example.com/:id?q=1",
            "query": [{"key": "q", "value": "1"}],
            "variable": [{"key": "id", "value": "1"}],
        },
        "header": [{"key": "A", "value": "1"}],
        "auth": {"type": "oauth2", "oauth2": [{"key": "accessTokenUrl", "value": "https://i/t"}]},
        "body": {"mode": "formdata", "formdata": [{"key": "f", "type": "file", "src": ["a"]}]},
    },
}
_OPENAPI = make_document(
    {
        "parameters": [
            {"name": "a", "in": "query", "schema": {"type": "array", "items": {"enum": ["x"]}}},
            {"$ref": "#/components/parameters/P"},
        ],
        "requestBody": {"content": {"application/json": {"schema": {"allOf": [{"$ref": "#/components/schemas/S"}]}}}},
        "security": [{"machine": ["read"]}],
        "tags": ["t"],
    },
    components={
        "schemas": {"S": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/S"}, "a": {"type": "string"}}}},
        "parameters": {"P": {"name": "p", "in": "header", "example": 1}},
        "securitySchemes": {
            "machine": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/t", "scopes": {"read": ""}}}}
        },
    },
)
_HAR = {
    "log": {
        "entries": [
            {
                "request": {
                    "method": "POST",
                    "url": "https://x.example.com/a?b=1",
                    "headers": [{"name": "A", "value": "1"}],
                    "cookies": [{"name": "a", "value": "1"}],
                    "postData": {"mimeType": "multipart/form-data", "params": [{"name": "f", "fileName": "x"}]},
                }
            }
        ]
    }
}
VALID: dict[str, Any] = {
    "openapi": _OPENAPI,
    "swagger": SWAGGER,
    "postman": json.loads(make_collection(_POSTMAN, {"name": "F", "item": [_POSTMAN], "variable": [{"key": "a", "value": "1"}]})),
    "har": _HAR,
    "insomnia 4": json.loads(VERSION_4),
    "insomnia 5": VERSION_5,
    "bruno": OPEN_COLLECTION,
}


def read(text: str, kind: str | None = None) -> None:
    """Import; the words for all that comes of it are made too."""
    try:
        result = import_text(text, kind=kind)
    except ImportRefused as refused:
        if describe_refusal(refused) == refused.code:
            pytest.fail(f"no words for {refused.code}")
        return
    for note in (*result.notes, *(note for draft in result.drafts for note in draft.notes)):
        assert describe_note(note) != note.code
    for draft in result.drafts:
        assert draft.name
        assert len(draft.origin or "") <= 400
        json.dumps(draft.model_dump(mode="json")).encode()


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


PLACES = {name: [place for place in places(document) if place] for name, document in VALID.items()}


def mutate(document: Any, place: tuple[Any, ...], value: Any, remove: bool) -> Any:
    changed = copy.deepcopy(document)
    parent = changed
    for key in place[:-1]:
        parent = parent[key]
    if remove:
        del parent[place[-1]]
    else:
        parent[place[-1]] = value
    return changed


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    name = draw(st.sampled_from(sorted(VALID)))
    return mutate(VALID[name], draw(st.sampled_from(PLACES[name])), draw(_VALUES), draw(st.booleans()))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_mutated_documents(app: Any, document: Any) -> None:
    with app.test_request_context():
        read(json.dumps(document))


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_mutated_documents_in_yaml(app: Any, document: Any) -> None:
    with app.test_request_context():
        read(yaml.dump(document, sort_keys=False))


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(_VALUES, st.sampled_from(_KINDS))
def test_arbitrary_values_as_every_kind(app: Any, value: Any, kind: str) -> None:
    with app.test_request_context():
        read(json.dumps(value), kind)


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=200) | st.text(alphabet="{}[]:,-&*!|>'\"\n #ab<", max_size=60), st.sampled_from(_KINDS))
def test_arbitrary_texts_as_every_kind(app: Any, text: str, kind: str) -> None:
    with app.test_request_context():
        read(text, kind)


@settings(max_examples=80)
@given(st.integers(0, len(REQUEST)), st.integers(0, 40), st.text(alphabet="{}[]:~@'\"\n ab", max_size=10))
def test_mutated_bru_files(app: Any, start: int, length: int, words: str) -> None:
    with app.test_request_context():
        read(REQUEST[:start] + words + REQUEST[start + length :], "bruno")


@settings(max_examples=20)
@given(st.text(alphabet="abcdef0123456789", min_size=24, max_size=24))
def test_no_literal_secret_stays_in_a_definition(secret: str) -> None:
    auth = {"type": "bearer", "bearer": [{"key": "token", "value": secret}]}
    item = {
        "name": "One",
        "request": {
            "method": "POST",
            "url": f"https://x.example.com/?access_token={secret}",
            "header": [{"key": "Authorization", "value": f"Token {secret}"}, {"key": "X-Api-Key", "value": secret}],
            "auth": auth,
            "body": {"mode": "raw", "raw": json.dumps({"client_secret": secret}), "options": {"raw": {"language": "json"}}},
        },
    }
    (draft,) = import_text(make_collection(item)).drafts
    assert secret not in draft.definition.model_dump_json()
    assert secret not in repr(draft)
    assert secret in draft.secrets.values()


@pytest.mark.parametrize("name", sorted(set(VALID) - {"swagger"}))
def test_a_document_that_takes_too_long_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.http_builder.importing.drafts.MAX_SECONDS", -1)
    with pytest.raises(ImportRefused) as refused:
        import_text(yaml.safe_dump(VALID[name]) if name == "bruno" else json.dumps(VALID[name]), kind=name.split()[0])
    assert refused.value.code == "too-slow"
