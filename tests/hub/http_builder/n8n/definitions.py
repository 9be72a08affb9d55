"""Definitions for tests: any that both the hub and a node of n8n can express."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from hub.contracts.http import Pair, RequestDefinition
from hub.http_builder.rendering import is_expression

_LETTERS = st.sampled_from(["{{X}}", "{{Y.z}}", "{", "}", "{{", "\\", "=", '"', "&", "a", "b", " ", "é", "0", "/"])
TEXT = st.lists(_LETTERS, max_size=8).map("".join).filter(lambda text: not is_expression(text))
NAME = TEXT.filter(bool)
PAIR = st.builds(Pair, name=NAME, value=TEXT)
_HEADERS = st.lists(PAIR, max_size=3, unique_by=lambda row: row.name.lower()).map(
    lambda rows: tuple(row.model_copy(update={"name": f"X-{row.name}"}) for row in rows)
)
_PARTS = st.builds(
    lambda name, value, is_file: (
        {"name": name, "is_file": True, "file_name": "photo"} if is_file else {"name": name, "value": value}
    ),
    NAME,
    TEXT,
    st.booleans(),
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    max_leaves=5,
)
_BODIES: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({"kind": "none"}),
    st.builds(lambda text: {"kind": "json", "text": text}, TEXT | _JSON.map(json.dumps)),
    st.builds(lambda rows: {"kind": "form", "fields": rows}, st.lists(PAIR, min_size=1, max_size=4)),
    st.builds(lambda rows: {"kind": "multipart", "parts": rows}, st.lists(_PARTS, max_size=3)),
    st.builds(lambda text: {"kind": "raw", "text": text, "content_type": "text/csv"}, TEXT),
    st.builds(lambda text: {"kind": "xml", "text": text}, TEXT),
    st.just({"kind": "binary", "file_name": "data", "content_type": "image/png"}),
    st.builds(
        lambda text, operation: {
            "kind": "graphql",
            "query": f"query {{ a(b: {text}) }}",
            "variables": json.dumps({"v": text}, indent=2, ensure_ascii=False),
            "operation_name": operation,
        },
        TEXT,
        st.sampled_from([None, "Q"]),
    ),
)
_SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "timeout_seconds": st.integers(1, 120).map(float),
        "max_redirects": st.integers(1, 20),
        "verify_tls": st.booleans(),
    },
) | st.just({"follow_redirects": False})

DEFINITIONS: st.SearchStrategy[RequestDefinition] = st.builds(
    RequestDefinition,
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    url=TEXT.map(lambda text: f"https://example.com/{text}".strip()),
    params=st.lists(PAIR, max_size=4).map(tuple),
    headers=_HEADERS,
    body=_BODIES,
    settings=_SETTINGS,
)
