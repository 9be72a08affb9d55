"""From an HTTP Request node of n8n, of any version, to a request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import ValidationError

from hub.contracts.catalog import HttpMethod
from hub.contracts.http import Auth, BinaryBody, Body, NoAuth, Note, Pair, RequestDefinition, RequestSettings
from hub.http_builder.n8n.bodies import as_text, read_body, read_pairs
from hub.http_builder.n8n.credentials import read_auth
from hub.http_builder.n8n.expressions import from_n8n
from hub.http_builder.n8n.node import HTTP_REQUEST
from hub.http_builder.n8n.old_nodes import to_version_4
from hub.http_builder.rendering.placeholders import is_expression

Json = dict[str, Any]
_DEFAULTS = RequestSettings()
#: Options that a request of the hub has no words for; they stay with the node.
_KEPT_IN_N8N = ("batching", "pagination", "proxy", "lowercaseHeaders", "sendCredentialsOnCrossOriginRedirect", "response")


def is_http_request(node: object) -> bool:
    """Whether it is an HTTP Request node."""
    return isinstance(node, dict) and node.get("type") == HTTP_REQUEST


def read_node(node: Json) -> tuple[RequestDefinition, tuple[Note, ...]]:
    """The request that the node sends, and notes on what stays in n8n. Never raises: what has no sense is left out, and noted."""
    return _Reader(node).read()


class _Reader:
    def __init__(self, node: Json) -> None:
        parameters = node.get("parameters")
        self._version = _number(node.get("typeVersion"), 1)
        self._parameters: Json = parameters if isinstance(parameters, dict) else {}
        if self._version < 3:
            self._parameters = to_version_4(self._parameters)
        credentials = node.get("credentials")
        self._credentials: Json = credentials if isinstance(credentials, dict) else {}
        options = self._parameters.get("options")
        self._options: Json = options if isinstance(options, dict) else {}
        self._notes: list[Note] = []

    def read(self) -> tuple[RequestDefinition, tuple[Note, ...]]:
        body, headers = self._body(self._headers())
        definition = RequestDefinition(
            method=self._method(),
            url=from_n8n(as_text(self._parameters.get("url"))).strip(),
            params=tuple(self._params()),
            headers=tuple(headers),
            body=body,
            auth=self._auth(),
            settings=self._settings(),
        )
        for name in _KEPT_IN_N8N:
            if self._options.get(name):
                self._note("n8n-option-stays", option=name)
        for place in find_expressions(definition):
            self._note("n8n-expression", place=place)
        return definition, tuple(self._notes)

    def _note(self, code: str, **details: str | int) -> None:
        self._notes.append(Note(code=code, details=details))

    def _method(self) -> HttpMethod:
        written = as_text(self._parameters.get("method")) or "GET"
        try:
            return HttpMethod(written.upper())
        except ValueError:
            self._note("n8n-method", method=written[:200])
            return HttpMethod.GET

    def _pairs(self, what: str, rows: str, as_json: str) -> list[Pair]:
        """Query parameters or headers, which may be rows or one JSON text."""
        if self._parameters.get(f"send{what}") is not True:
            return []
        if self._parameters.get(f"specify{what}") != "json":
            return read_pairs(self._parameters.get(rows))
        text = from_n8n(as_text(self._parameters.get(as_json)))
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            if text.strip():
                self._note("n8n-computed-list", parameter=as_json)
            return []
        return [Pair(name=name, value=entry) for name, entry in _flat(value, self._options.get("queryParameterArrays"))]

    def _params(self) -> list[Pair]:
        """The query parameters; before 4.3 n8n sends only the last of equal names."""
        rows = self._pairs("Query", "queryParameters", "jsonQuery")
        is_list = self._version >= 4.3 or self._parameters.get("specifyQuery") == "json"
        return rows if is_list else _last_of_each(rows, str)

    def _headers(self) -> list[Pair]:
        """The headers: n8n sends the last of equal names, and the content type of a raw body instead of a header's."""
        rows = _last_of_each(self._pairs("Headers", "headerParameters", "jsonHeaders"), str.lower)
        is_raw = self._parameters.get("sendBody") is True and self._parameters.get("contentType") == "raw"
        return [_switched_off(row) if is_raw and row.name.lower() == "content-type" else row for row in rows]

    def _body(self, headers: list[Pair]) -> tuple[Body, list[Pair]]:
        """The body, and the headers without one that only names the file's type."""
        body = read_body(self._parameters)
        if isinstance(body, BinaryBody):
            row = next((row for row in headers if row.name.lower() == "content-type" and not is_expression(row.value)), None)
            if row is not None:
                return body.model_copy(update={"content_type": row.value}), [kept for kept in headers if kept is not row]
        return body, headers

    def _auth(self) -> Auth:
        generic = self._parameters.get("authentication") == "genericCredentialType"
        named = self._parameters.get("genericAuthType" if generic else "nodeCredentialType")
        if self._parameters.get("authentication") not in ("genericCredentialType", "predefinedCredentialType") or not named:
            return NoAuth()
        kind = as_text(named)
        used = self._credentials.get(kind)
        name = as_text(used.get("name")) if isinstance(used, dict) else ""
        auth = read_auth(kind, name)
        self._note("n8n-credential-stays" if auth else "n8n-credential-unknown", type=kind, name=name)
        return auth or NoAuth()

    def _settings(self) -> RequestSettings:
        follows, most = self._redirects()
        values: Json = {"follow_redirects": follows, "max_redirects": most}
        values["verify_tls"] = self._options.get("allowUnauthorizedCerts") is not True
        values["timeout_seconds"] = _number(self._options.get("timeout"), _DEFAULTS.timeout_seconds * 1000) / 1000
        for name, low, high in (("timeout_seconds", 1, 120), ("max_redirects", 0, 20)):
            bounded = min(max(values[name], low), high)
            if bounded != values[name]:
                self._note("n8n-setting-bounded", setting=name, value=f"{bounded:g}")
                values[name] = bounded
        try:
            return RequestSettings(**values)
        except ValidationError:
            return _DEFAULTS

    def _redirects(self) -> tuple[bool, int]:
        option = self._options.get("redirect")
        chosen = option.get("redirect") if isinstance(option, dict) else None
        if not isinstance(chosen, dict):
            return self._version >= 4 or self._version < 3, _DEFAULTS.max_redirects
        follows = chosen.get("followRedirects", self._version >= 4 or self._version < 3) is True
        return follows, int(_number(chosen.get("maxRedirects"), _DEFAULTS.max_redirects))


def find_expressions(definition: RequestDefinition) -> Iterator[str]:
    """The places of a definition that n8n computes: ``url``, ``parameter NAME``, ``header NAME``, ``body``."""
    if is_expression(definition.url):
        yield "url"
    for kind, rows in (("parameter", definition.params), ("header", definition.headers)):
        yield from (f"{kind} {row.name}" for row in rows if is_expression(row.value) or is_expression(row.name))
    if any(is_expression(text) for text in _texts(definition.body.model_dump())):
        yield "body"


def _last_of_each(rows: list[Pair], key: Callable[[str], str]) -> list[Pair]:
    """The rows, those switched off that a later one of the same name replaces."""
    last = {key(row.name): index for index, row in enumerate(rows)}
    return [row if last[key(row.name)] == index else _switched_off(row) for index, row in enumerate(rows)]


def _switched_off(row: Pair) -> Pair:
    return row.model_copy(update={"enabled": False})


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from _texts(entry)


def _flat(value: Json, arrays: object) -> Iterator[tuple[str, str]]:
    """Names and texts of a JSON object as n8n puts it into a query."""
    for name, entry in value.items():
        if isinstance(entry, list):
            for index, inner in enumerate(entry):
                place = {"repeat": "", "indices": f"[{index}]"}.get(str(arrays), "[]")
                yield f"{name}{place}", as_text(inner)
        elif isinstance(entry, dict):
            yield from ((f"{name}[{key}]", text) for key, text in _flat(entry, arrays))
        else:
            yield name, as_text(entry)


def _number(value: object, default: float) -> float:
    """A number that may be written as text; the default for anything else."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else default
    except ValueError:
        return default
    return number if number == number and abs(number) < 1e9 else default
