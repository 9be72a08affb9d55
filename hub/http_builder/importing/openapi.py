"""OpenAPI 3.0, 3.1 and Swagger 2.0: every operation of a document becomes a request."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin

from hub.contracts.catalog import HttpMethod
from hub.contracts.http import Note, Pair, RequestDefinition
from hub.http_builder.importing import swagger2
from hub.http_builder.importing.documents import read_document
from hub.http_builder.importing.drafts import SUCCESS, Drafts, method_of
from hub.http_builder.importing.openapi_body import Bodies
from hub.http_builder.importing.openapi_parameters import Parameters
from hub.http_builder.importing.openapi_security import Security
from hub.http_builder.importing.references import References
from hub.http_builder.importing.results import ImportRefused, ImportResult
from hub.http_builder.importing.samples import Sampler
from hub.http_builder.importing.values import description, mapping, mappings, sequence, split_url, text, variable_name

#: Anywhere: generators that sort their keys put all components before it.
_YAML = re.compile(r"""^["']?(?:openapi|swagger)["']?[ ]*:[ ]*["']?[0-9]""", re.MULTILINE)
_JSON = re.compile(r'"(?:openapi|swagger)"\s{0,20}:\s{0,20}"[0-9]')
_PARAMETER = re.compile(r"\{([^{}]+)\}")
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")


def recognises(text: str) -> bool:
    """Whether the text looks like an OpenAPI or Swagger document."""
    return bool((_JSON if text.lstrip()[:1] == "{" else _YAML).search(text))


def read(text: str, *, address: str | None = None) -> ImportResult:
    """The operations of a document; ``address`` is where it was fetched, for servers that are relative to it."""
    return read_parsed(read_document(text), address=address)


def read_parsed(document: Any, *, address: str | None = None) -> ImportResult:
    """The operations of a document that was read already. Raises ``ImportRefused``."""
    version = text(mapping(document).get("openapi") or mapping(document).get("swagger"))
    if not version.startswith(("2.", "3.")) or not isinstance(document.get("paths", {}), dict):
        raise ImportRefused("not-openapi")
    return _Document(document, address).read()


class _Document:
    """One document while it is read."""

    def __init__(self, document: dict[str, Any], address: str | None) -> None:
        self._document = document
        self._address = address
        self._is_old = "swagger" in document
        self._references = References(document)
        sampler = Sampler(self._references)
        self._parameters = Parameters(self._references, sampler)
        self._bodies = Bodies(self._references, sampler)
        self._security = Security(document, self._references)
        self._title = text(mapping(document.get("info")).get("title"), 120).strip()
        self._tags = {text(tag.get("name")): tag for tag in mappings(document.get("tags"))}
        servers = swagger2.servers_of(document) if self._is_old else document.get("servers")
        self._servers = mappings(servers)
        name = self._title or text(mapping(next(iter(self._servers), None)).get("url"))
        self._drafts = Drafts("openapi", name, version=document.get("swagger") or document.get("openapi"))

    def read(self) -> ImportResult:
        if len(self._servers) > 1:
            urls = ", ".join(text(server.get("url"), 100) for server in self._servers[:5])
            self._drafts.note("several-servers", servers=urls)
        for path, item in mapping(self._document.get("paths")).items():
            if path.startswith("/"):
                self._read_path(path, self._references.resolve(item))
        if self._references.refused:
            first = next(iter(self._references.refused))
            self._drafts.note("remote-reference", count=len(self._references.refused), first=first)
        return self._drafts.result()

    def _read_path(self, path: str, item: dict[str, Any]) -> None:
        self._drafts.check_time()
        for word in _METHODS:
            operation = item.get(word)
            if not isinstance(operation, dict):
                continue
            method = method_of(word)
            if method is None:
                self._drafts.note("unknown-method", method=word.upper(), path=path[:200])
            else:
                self._add(method, path, item, operation)

    def _add(self, method: HttpMethod, path: str, item: dict[str, Any], operation: dict[str, Any]) -> None:
        declared = self._declared(item, operation)
        body_source = operation.get("requestBody")
        if self._is_old:
            consumes = sequence(operation.get("consumes")) or sequence(self._document.get("consumes"))
            declared, body_source = swagger2.split_parameters(declared, consumes)
        server, variables = self._server(item, operation)
        body, body_headers, notes = self._bodies.make(body_source)
        signing = self._security.of(operation, server)
        rows = self._parameters.read(declared)
        base, query = split_url(_PARAMETER.sub(lambda found: "{{" + variable_name(found[1]) + "}}", path))
        tags = [text(tag, 80) for tag in sequence(operation.get("tags")) if isinstance(tag, str)]
        if operation.get("deprecated") is True:
            notes = [*notes, Note(code="deprecated")]
        self._drafts.add(
            f"{method} {path}",
            _name(operation, f"{method} {path}"),
            RequestDefinition(
                method=method,
                url=server + base,
                params=(*query, *rows.params, *signing.params),
                headers=(*body_headers, *rows.headers, *signing.headers),
                body=body,
                auth=signing.auth,
                assertions=SUCCESS,
                variables=(*variables, *rows.variables),
            ),
            description=description(operation.get("description")) or description(item.get("description")),
            folders=(self._title, tags[0] if tags else ""),
            tags=tuple(dict.fromkeys([*tags[1:5], *(["deprecated"] if operation.get("deprecated") is True else [])])),
            documentation=self._documentation(operation, tags),
            notes=(*notes, *signing.notes),
        )

    def _declared(self, item: dict[str, Any], operation: dict[str, Any]) -> list[dict[str, Any]]:
        """The parameters of the path and the operation, which goes first where both declare one."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for parameter in (*sequence(item.get("parameters")), *sequence(operation.get("parameters"))):
            plain = self._references.resolve(parameter)
            if isinstance(plain.get("name"), str):
                found[text(plain.get("in")), plain["name"]] = plain
        return list(found.values())

    def _server(self, item: dict[str, Any], operation: dict[str, Any]) -> tuple[str, list[Pair]]:
        """The beginning of the URL without a slash at its end, and the variables in it."""
        candidates = (*mappings(operation.get("servers")), *mappings(item.get("servers")), *self._servers)
        server = next((candidate for candidate in candidates if isinstance(candidate.get("url"), str)), {"url": "/"})
        variables = mapping(server.get("variables"))
        names = list(dict.fromkeys(_PARAMETER.findall(server["url"][:2000])))
        url = _PARAMETER.sub(lambda found: "{{" + variable_name(found[1]) + "}}", server["url"][:2000]).strip()
        rows = []
        for name in names:
            declared = mapping(variables.get(name))
            value = text(declared.get("default"), 1000)
            words = description(declared.get("description"), 1000)
            rows.append(Pair(name=variable_name(name), value=value, enabled=bool(value), description=words))
        return self._absolute(url).partition("?")[0].rstrip("/"), rows

    def _absolute(self, url: str) -> str:
        if url.lower().startswith(("http://", "https://")) or url.startswith("{{"):
            return url
        if self._address:
            try:
                return urljoin(self._address, url).replace("%7B%7B", "{{").replace("%7D%7D", "}}")
            except ValueError:
                self._address = None
        self._drafts.note("no-server")
        return "{{BASE_URL}}/" + url.lstrip("/") if "://" not in url else "{{BASE_URL}}"

    def _documentation(self, operation: dict[str, Any], tags: list[str]) -> str | None:
        places = (operation, self._tags.get(tags[0], {}) if tags else {})
        urls = (text(mapping(place.get("externalDocs")).get("url"), 500) for place in places)
        return next((url for url in urls if url.startswith(("https://", "http://"))), None)


def _name(operation: dict[str, Any], default: str) -> str:
    summary, identifier = text(operation.get("summary")).strip(), text(operation.get("operationId")).strip()
    return summary if 0 < len(summary) <= 120 else identifier or summary or default
