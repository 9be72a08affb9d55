"""Postman collections 2.0 and 2.1 and environments: folders, inherited authentication and variables, every kind of body."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from hub.contracts.http import (
    Auth,
    BinaryBody,
    Body,
    FormBody,
    GraphqlBody,
    JsonBody,
    MultipartBody,
    MultipartPart,
    NoAuth,
    NoBody,
    Note,
    Pair,
    RawBody,
    RequestDefinition,
    RequestSettings,
    XmlBody,
)
from hub.http_builder.importing.documents import read_json
from hub.http_builder.importing.drafts import Drafts, method_of
from hub.http_builder.importing.postman_auth import read_auth
from hub.http_builder.importing.results import ImportRefused, ImportResult
from hub.http_builder.importing.values import (
    description,
    mapping,
    mappings,
    rename_placeholders,
    sequence,
    split_url,
    text,
    variable_name,
)
from hub.http_builder.importing.variables import Variables

_LOOKS = re.compile(r'"(?:_postman_id|_postman_variable_scope)"\s*:|schema\.getpostman\.com|"_postman_exported_at"')
_VERSION = re.compile(r"/v([0-9]+\.[0-9]+)")
_SEGMENT = re.compile(r"(?<=/):([A-Za-z_][A-Za-z0-9_-]*)")


def recognises(text: str) -> bool:
    """Whether the text looks like a Postman collection or environment."""
    return text.lstrip()[:1] == "{" and bool(_LOOKS.search(text))


def read(text: str) -> ImportResult:
    """The requests of a collection, or the variables of an environment. Raises ``ImportRefused``."""
    document = mapping(read_json(rename_placeholders(text)))
    document = mapping(document.get("collection")) or document
    if isinstance(document.get("requests"), list) and "info" not in document:
        raise ImportRefused("postman-1")
    if "item" in document:
        return _Collection(document).read()
    if isinstance(document.get("values"), list):
        variables = _variables(document["values"])
        environment = variables.environment(str(document.get("name") or "Postman"))
        return ImportResult("postman", (), environments=(environment,), variant="environment")
    raise ImportRefused("not-postman")


@dataclass(frozen=True, slots=True)
class _Place:
    """What a folder hands on to what is in it."""

    folders: tuple[str, ...]
    auth: Any
    variables: Variables


class _Collection:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        info = mapping(document.get("info"))
        self._name = text(info.get("name"), 150)
        version = _VERSION.search(text(info.get("schema"), 200))
        identity = text(info.get("_postman_id"), 60) or self._name
        self._drafts = Drafts("postman", identity, version=version[1] if version else "")

    def read(self) -> ImportResult:
        variables = _variables(self._document.get("variable"))
        if sequence(self._document.get("event")):
            self._drafts.note("collection-scripts")
        self._walk(self._document.get("item"), _Place((self._name,), self._document.get("auth"), variables))
        return self._drafts.result()

    def _walk(self, items: Any, place: _Place) -> None:
        self._drafts.check_time()
        for item in mappings(items):
            if "request" in item:
                self._add(item, place)
            elif "item" in item:
                name = text(item.get("name"), 100)
                if sequence(item.get("event")):
                    self._drafts.note("folder-scripts", name=name)
                inner = replace(
                    place,
                    folders=(*place.folders, name),
                    auth=item["auth"] if isinstance(item.get("auth"), dict) else place.auth,
                    variables=place.variables.within(_variables(item.get("variable"))),
                )
                self._walk(item["item"], inner)

    def _add(self, item: dict[str, Any], place: _Place) -> None:
        request = item["request"] if isinstance(item["request"], dict) else {"url": item["request"]}
        name = text(item.get("name"), 200)
        method = method_of(request.get("method") or "GET")
        if method is None:
            self._drafts.note("unknown-method", method=text(request.get("method"), 20), path=name)
            return
        url, params, own = _read_url(request.get("url"))
        headers = _read_headers(request.get("header"))
        body = _read_body(request.get("body"), headers)
        notes = [Note(code="scripts")] if sequence(item.get("event")) else []
        auth = self._auth(request, place, notes)
        definition = RequestDefinition(
            method=method,
            url=url,
            params=tuple(params),
            headers=tuple(row for row in headers if not (_is_content_type(row) and isinstance(body, RawBody | BinaryBody))),
            body=body,
            auth=auth,
            settings=_read_settings(item.get("protocolProfileBehavior")),
            variables=tuple(own),
        )
        definition, secrets = place.variables.attach(definition)
        self._drafts.add(
            text(item.get("id"), 80) or "/".join((*place.folders[1:], name)),
            name,
            definition,
            description=description(request.get("description")) or description(item.get("description")),
            folders=place.folders,
            notes=tuple(notes),
            secrets=secrets,
        )

    @staticmethod
    def _auth(request: dict[str, Any], place: _Place, notes: list[Note]) -> Auth:
        written = mapping(request.get("auth")) or mapping(place.auth)
        auth = read_auth(written)
        if auth is None:
            notes.append(Note(code="unknown-auth", details={"type": text(written.get("type"), 40)}))
            return NoAuth()
        return auth


def _variables(rows: Any) -> Variables:
    plain, secrets = [], {}
    for row in mappings(rows):
        name = variable_name(text(row.get("key") or row.get("id"), 100), default="")
        value = text(row.get("value"), 10_000)
        enabled = row.get("disabled") is not True and row.get("enabled") is not False
        if row.get("type") == "secret" and enabled and name:
            secrets[name] = value
        else:
            plain.append(Pair(name=name, value=value, enabled=enabled, description=description(row.get("description"), 1000)))
    return Variables(plain, secrets)


def _pair(row: dict[str, Any]) -> Pair:
    return Pair(
        name=text(row.get("key")),
        value=text(row.get("value")),
        enabled=row.get("disabled") is not True,
        description=description(row.get("description"), 1000),
    )


def _read_url(url: Any) -> tuple[str, list[Pair], list[Pair]]:
    """The URL without its query, the query's rows, and the variables that stand in the path as ``:name``."""
    parts = mapping(url)
    base, query = split_url(text(parts.get("raw")) or _compose(parts) if parts else text(url))
    if "query" in parts:
        query = [_pair(row) for row in mappings(parts["query"])]
    rows = {text(row.get("key") or row.get("id")): row for row in mappings(parts.get("variable"))}
    scheme, mark, rest = base.partition("://")
    rest = _SEGMENT.sub(lambda found: "{{" + variable_name(found[1]) + "}}", rest if mark else base)
    variables = [_pair({**row, "key": variable_name(name)}) for name, row in rows.items() if name]
    variables = [row.model_copy(update={"enabled": bool(row.value)}) for row in variables]
    return f"{scheme}://{rest}" if mark else rest, query, variables


def _compose(parts: dict[str, Any]) -> str:
    host = parts.get("host")
    host = ".".join(text(label) for label in host) if isinstance(host, list) else text(host)
    path = parts.get("path")
    if isinstance(path, list):
        path = "/".join(text(mapping(part).get("value") if isinstance(part, dict) else part) for part in path)
    port = f":{text(parts['port'])}" if parts.get("port") else ""
    protocol = text(parts.get("protocol")).removesuffix("://")
    return (f"{protocol}://" if protocol else "") + host + port + (f"/{text(path).lstrip('/')}" if path else "")


def _read_headers(headers: Any) -> tuple[Pair, ...]:
    if isinstance(headers, str):
        lines = (line.partition(":") for line in headers.splitlines() if ":" in line)
        return tuple(Pair(name=name.strip(), value=value.strip()) for name, _colon, value in lines)
    return tuple(_pair(row) for row in mappings(headers) if text(row.get("key")))


def _read_body(body: Any, headers: tuple[Pair, ...]) -> Body:
    body = mapping(body)
    mode = body.get("mode")
    if body.get("disabled") is True:
        return NoBody()
    if mode == "raw":
        return _read_raw(text(body.get("raw")), body, headers)
    if mode == "urlencoded":
        return FormBody(fields=tuple(_pair(row) for row in mappings(body.get("urlencoded"))))
    if mode == "formdata":
        return MultipartBody(parts=tuple(part for row in mappings(body.get("formdata")) for part in _read_part(row)))
    if mode == "graphql":
        written = mapping(body.get("graphql"))
        return GraphqlBody(
            query=text(written.get("query")),
            variables=text(written.get("variables")),
            operation_name=text(written.get("operationName"), 200) or None,
        )
    if mode == "file":
        source = mapping(body.get("file")).get("src")
        return BinaryBody(file_name=_file_name(source), content_type=_content_type(headers) or "application/octet-stream")
    return NoBody()


def _read_raw(words: str, body: dict[str, Any], headers: tuple[Pair, ...]) -> Body:
    language = text(mapping(mapping(body.get("options")).get("raw")).get("language"))
    kind = _content_type(headers).partition(";")[0].strip().lower()
    if language == "json" or (not language and kind.endswith(("/json", "+json"))):
        return JsonBody(text=words)
    if language == "xml" or (not language and kind.endswith(("/xml", "+xml"))):
        return XmlBody(text=words)
    if not words and not language:
        return NoBody()
    media = {"html": "text/html", "javascript": "application/javascript"}.get(language, "text/plain")
    return RawBody(text=words, content_type=_content_type(headers) or media)


def _read_part(row: dict[str, Any]) -> list[MultipartPart]:
    """One part; a row with several files is one for each of them."""
    common = _pair(row).model_dump() | {"content_type": text(row.get("contentType"), 200) or None}
    if row.get("type") != "file":
        return [MultipartPart(**common)]
    sources = row.get("src") if isinstance(row.get("src"), list) else [row.get("src")]
    return [
        MultipartPart(**common | {"value": "", "is_file": True, "file_name": _file_name(source)}) for source in sources or [None]
    ]


def _file_name(source: Any) -> str | None:
    """The last part of a path on somebody's machine."""
    return text(source).replace("\\", "/").rpartition("/")[2][:255] or None


def _content_type(headers: tuple[Pair, ...]) -> str:
    return next((row.value for row in headers if _is_content_type(row)), "")[:200]


def _is_content_type(row: Pair) -> bool:
    return row.enabled and row.name.lower() == "content-type"


def _read_settings(behavior: Any) -> RequestSettings:
    behavior = mapping(behavior)
    redirects = behavior.get("maxRedirects")
    known = isinstance(redirects, int) and not isinstance(redirects, bool) and 0 <= redirects <= 20
    return RequestSettings(
        follow_redirects=behavior.get("followRedirects") is not False,
        verify_tls=behavior.get("strictSSL") is not False,
        **({"max_redirects": redirects} if known else {}),
    )
