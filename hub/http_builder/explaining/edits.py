"""Changes of a request as a patch of its node: what an analyzer of requests suggests."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl

import jsonpatch

from hub.contracts.analysis import Evidence
from hub.contracts.http import Body, FormBody, JsonBody, Pair, RawBody, RequestDefinition
from hub.http_builder.n8n.node import build_node
from hub.http_builder.n8n.reading import read_node
from hub.http_builder.rendering.placeholders import is_expression
from hub.redaction import TOKEN

Json = dict[str, Any]
Edit = Callable[[RequestDefinition], RequestDefinition | None]

#: A placeholder where JSON takes a value, without the quotes of a text.
_BARE = re.compile(r"(?<=[:\[,])(\s*)(\{\{[A-Za-z_][\w.-]*\}\})(?=\s*[,\]}])")


def patch_for(evidence: Evidence, edit: Edit) -> tuple[Json, ...] | None:
    """The patch that makes the edit in the failing node; None where it changes nothing or would write what is hidden."""
    index = next((i for i, node in enumerate(evidence.workflow["nodes"]) if node["name"] == evidence.failing_node), None)
    if index is None:
        return None
    node = evidence.workflow["nodes"][index]
    definition, _notes = read_node(node)
    changed = edit(definition)
    if changed is None or changed == definition:
        return None
    version = float(node.get("typeVersion") or 0)
    before, after = (build_node(each, type_version=version).parameters for each in (definition, changed))
    parameters = copy.deepcopy(node["parameters"])
    for key in before.keys() | after.keys():
        if before.get(key) == after.get(key):
            continue
        if key in after:
            parameters[key] = after[key]
        else:
            parameters.pop(key, None)
    if "contentType" in after and after["contentType"] != "json":
        for key in ("specifyBody", "jsonBody"):
            parameters.pop(key, None)
    patch = jsonpatch.make_patch({"parameters": node["parameters"]}, {"parameters": parameters}).patch
    if not patch or TOKEN.search(json.dumps([step.get("value") for step in patch])):
        return None
    place = f"/nodes/{index}"
    moved = [{key: place + value if key in ("path", "from") else value for key, value in step.items()} for step in patch]
    return ({"op": "test", "path": f"{place}/name", "value": node["name"]}, *moved)


def as_form(definition: RequestDefinition) -> RequestDefinition | None:
    """The JSON body as form fields, nested names in brackets; None where it is no JSON object."""
    value = _load(definition.body)
    if not isinstance(value, dict):
        return None
    fields = tuple(Pair(name=name, value=text) for name, text in _flat(value))
    return _with_body(definition, FormBody(fields=fields))


def as_json(definition: RequestDefinition) -> RequestDefinition | None:
    """The body as JSON: a text that is JSON already, or form fields; None where it can't be."""
    body = definition.body
    if isinstance(body, RawBody):
        return _with_body(definition, JsonBody(text=body.text)) if _load(body) is not None else None
    if isinstance(body, FormBody):
        names = [row.name for row in body.fields if row.enabled]
        if len(set(names)) < len(names) or any("[" in name for name in names):
            return None
        fields = {row.name: _typed(row.value) for row in body.fields if row.enabled}
        return _with_body(definition, JsonBody(text=json.dumps(fields, ensure_ascii=False, indent=2)))
    if isinstance(body, JsonBody):
        return _with_body(definition, body)
    return None


def as_sent_form(definition: RequestDefinition) -> RequestDefinition | None:
    """A form in whatever body stands there: JSON, or a text such as ``a=1&b=2``."""
    body = definition.body
    if isinstance(body, RawBody) and re.fullmatch(r"[^=&\s{]+=[^&\s]*(?:&[^=&\s]+=[^&\s]*)*", body.text.strip()):
        pairs = parse_qsl(body.text.strip(), keep_blank_values=True)
        return _with_body(definition, FormBody(fields=tuple(Pair(name=name, value=value) for name, value in pairs)))
    if isinstance(body, FormBody):
        return _with_body(definition, body)
    return as_form(definition)


def _with_body(definition: RequestDefinition, body: Body) -> RequestDefinition:
    """The definition with the body, and without headers that name another type: each kind of body brings its own."""
    headers = tuple(row for row in definition.headers if not (row.enabled and row.name.lower() == "content-type"))
    return definition.model_copy(update={"body": body, "headers": headers})


def _load(body: Body) -> Any:
    text = body.text if isinstance(body, JsonBody | RawBody) else ""
    if is_expression(text):
        return None
    try:
        return json.loads(_BARE.sub(r'\1"\2"', text))
    except (ValueError, RecursionError):
        return None


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from _flat(entry, f"{name}[{key}]" if name else str(key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _flat(entry, f"{name}[{index}]")
    else:
        yield name, value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _typed(text: str) -> Any:
    """A number or a truth value where the text is one; every other text stays one."""
    if re.fullmatch(r"true|false|null|-?(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?", text):
        return json.loads(text)
    return text
