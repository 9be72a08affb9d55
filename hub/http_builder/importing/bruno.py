"""Bruno collections: ``.bru`` files, one or several pasted after each other or in an archive, and OpenCollection YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hub.http_builder.importing.bru import BruFile, Row, parse_bru
from hub.http_builder.importing.documents import read_json, read_yaml
from hub.http_builder.importing.drafts import MAX_DRAFTS
from hub.http_builder.importing.open_collection import read_collection
from hub.http_builder.importing.results import ImportRefused, ImportResult
from hub.http_builder.importing.values import mapping, mappings, rename_placeholders, text

_META = re.compile(r"^meta\s*\{\s*$", re.MULTILINE)
_OPEN_COLLECTION = re.compile(r"""^["']?opencollection["']?\s*:""", re.MULTILINE)
_METHODS = ("get", "post", "put", "delete", "patch", "options", "head", "connect", "trace", "http")
_FRONT = 20_000
_BODIES = {"json": "json", "text": "text", "xml": "xml", "sparql": "text", "form-urlencoded": "form-urlencoded"}
_AUTH_NAMES = {
    "accessKeyId": "accessKeyId",
    "grant_type": "flow",
    "authorization_url": "authorizationUrl",
    "access_token_url": "accessTokenUrl",
}


def recognises(text: str) -> bool:
    """Whether the text looks like a ``.bru`` file or an OpenCollection."""
    return bool(_META.search(text[:_FRONT]) or _OPEN_COLLECTION.search(text[:_FRONT]))


def read(text: str) -> ImportResult:
    """The requests of an OpenCollection or of pasted ``.bru`` files. Raises ``ImportRefused``."""
    if _OPEN_COLLECTION.search(text[:_FRONT]):
        return read_collection(mapping(read_yaml(rename_placeholders(text))))
    starts = [found.start() for found in _META.finditer(text)]
    if not starts:
        raise ImportRefused("not-bruno")
    if len(starts) > MAX_DRAFTS:
        raise ImportRefused("too-many-requests", limit=MAX_DRAFTS)
    parts = [text[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]
    return read_files({f"{number}.bru": part for number, part in enumerate(parts)})


def read_files(files: Mapping[str, str]) -> ImportResult:
    """The requests of a collection's folder: texts by their paths. Raises ``ImportRefused``."""
    texts = {path: rename_placeholders(words) for path, words in files.items()}
    root = _Folder("")
    name = ""
    for path in sorted(texts):
        *folders, file = path.split("/")
        if file == "bruno.json":
            name = text(mapping(read_json(texts[path])).get("name"), 150)
        elif file.endswith((".bru", ".yml", ".yaml")):
            root.at(folders).put(file, texts[path])
    collection = root.collapsed().as_item()
    collection["info"] = {
        **mapping(collection.get("info")),
        "name": name or text(mapping(collection.get("info")).get("name")) or "Bruno",
    }
    return read_collection(collection)


class _Folder:
    """A folder of files on the way to OpenCollection's nested items."""

    def __init__(self, name: str) -> None:
        self.item: dict[str, Any] = {"info": {"name": name}}
        self._items: list[dict[str, Any]] = []
        self._folders: dict[str, _Folder] = {}
        self._environments: list[dict[str, Any]] = []

    def at(self, path: list[str]) -> _Folder:
        folder = self
        for name in path[:20]:
            folder = folder._folders.setdefault(name, _Folder(name))
        return folder

    def put(self, file: str, words: str) -> None:
        """Take in a file: a request, or what a folder, a collection or an environment says."""
        value = _bru_item(parse_bru(words)) if file.endswith(".bru") else mapping(read_yaml(words))
        stem = file.rpartition(".")[0]
        if stem in ("folder", "collection", "opencollection"):
            self.item = {
                **self.item,
                **value,
                "info": {**self.item["info"], **{k: v for k, v in mapping(value.get("info")).items() if v}},
            }
        elif "http" in value or "graphql" in value:
            self._items.append(value)
        elif isinstance(value.get("variables"), list):
            self._environments.append({"name": stem, **value})

    def collapsed(self) -> _Folder:
        """The folder itself, or the only one in it where it holds nothing else: archives have a folder around."""
        folder = self
        while not folder._items and len(folder._folders) == 1 and set(folder.item) == {"info"}:
            folder = next(iter(folder._folders.values()))
        return folder

    def as_item(self) -> dict[str, Any]:
        environments = self._folders.pop("environments", None)
        config = {"environments": environments._environments} if environments else mapping(self.item.get("config"))
        inner = [folder.as_item() for folder in self._folders.values()]
        items = sorted(self._items, key=lambda item: _order(mapping(item.get("info")).get("seq")))
        return {**self.item, "config": config, "items": [*inner, *items, *mappings(self.item.get("items"))]}


def _order(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return 0


def _bru_item(file: BruFile) -> dict[str, Any]:
    """A ``.bru`` file as OpenCollection has it."""
    info = {"name": file.value("meta", "name"), "seq": file.value("meta", "seq"), "tags": _tags(file)}
    method = next((word for word in _METHODS if word in file.rows), None)
    variables = [*file.rows.get("vars", []), *file.rows.get("vars:pre-request", [])]
    common = {"info": info, "docs": file.texts.get("docs"), "scripts": _has_scripts(file)}
    secrets = [{"name": row.name, "value": "", "secret": True} for row in file.rows.get("vars:secret", [])]
    if method is None:
        mode = file.value("auth", "mode")
        request = {"headers": _rows(file, "headers"), "auth": _auth(file, mode), "variables": _pairs(variables)}
        return {**common, "request": request, "variables": [*_pairs(variables), *secrets]}
    call = {
        "method": file.value("http", "method") if method == "http" else method,
        "url": file.value(method, "url"),
        "headers": _rows(file, "headers"),
        "params": [
            *({**row, "type": "query"} for row in [*_rows(file, "params:query"), *_rows(file, "query")]),
            *({**row, "type": "path"} for row in _rows(file, "params:path")),
        ],
        "body": _body(file, file.value(method, "body")),
        "auth": _auth(file, file.value(method, "auth")),
    }
    runtime = {
        "variables": _pairs(variables),
        "assertions": [_assertion(row) for row in file.rows.get("assert", [])],
        "actions": [_action(row) for row in file.rows.get("vars:post-response", [])],
    }
    return {**common, "http": call, "runtime": runtime, "settings": file.values("settings")}


def _tags(file: BruFile) -> list[str]:
    return file.value("meta", "tags").split()


def _has_scripts(file: BruFile) -> bool:
    return any(words.strip() for name, words in file.texts.items() if name.startswith(("script", "tests")))


def _rows(file: BruFile, block: str) -> list[dict[str, Any]]:
    return _pairs(file.rows.get(block, []))


def _pairs(rows: list[Row]) -> list[dict[str, Any]]:
    return [
        {"name": row.name.removeprefix("@"), "value": row.value, "disabled": not row.enabled, "description": row.description}
        for row in rows
    ]


def _body(file: BruFile, mode: str) -> dict[str, Any]:
    mode = {"formUrlEncoded": "form-urlencoded", "multipartForm": "multipart-form"}.get(mode, mode)
    if mode == "graphql":
        variables = file.texts.get("body:graphql:vars", "")
        return {"type": "graphql", "query": file.texts.get("body:graphql", ""), "variables": variables}
    if mode == "multipart-form":
        return {"type": mode, "data": [_part(row) for row in file.rows.get("body:multipart-form", [])]}
    if mode == "file":
        return {"type": mode, "data": [_file(row) for row in file.rows.get("body:file", [])]}
    if mode == "form-urlencoded":
        return {"type": mode, "data": _rows(file, "body:form-urlencoded")}
    written = file.texts.get(f"body:{mode}", file.texts.get("body", "") if mode in _BODIES else "")
    return {"type": _BODIES.get(mode, "none"), "data": written}


_FILE = re.compile(r"@file\(([^)]*)\)")
_MEDIA = re.compile(r"@contentType\(([^)]*)\)")


def _part(row: Row) -> dict[str, Any]:
    found, media = _FILE.search(row.value), _MEDIA.search(row.value)
    value = found[1].split("|")[0] if found else _MEDIA.sub("", row.value).strip()
    return {
        **_pairs([row])[0],
        "type": "file" if found else "text",
        "value": value,
        "contentType": media[1] if media else None,
    }


def _file(row: Row) -> dict[str, Any]:
    part = _part(row)
    return {"filePath": part["value"], "contentType": part["contentType"], "selected": row.enabled}


def _auth(file: BruFile, mode: str) -> Any:
    if mode in ("", "inherit"):
        return "inherit" if mode else None
    written = {_AUTH_NAMES.get(name, name): value for name, value in file.values(f"auth:{mode}").items()}
    if mode == "oauth2":
        placement = "basic_auth_header" if written.get("credentials_placement") == "basic_auth_header" else "body"
        credentials = {
            "clientId": written.get("client_id", ""),
            "clientSecret": written.get("client_secret", ""),
            "placement": placement,
        }
        return {**written, "type": mode, "credentials": credentials}
    if mode == "apikey" and written.get("placement") == "queryparams":
        written["placement"] = "query"
    return {**written, "type": mode}


def _assertion(row: Row) -> dict[str, Any]:
    operator, _space, value = row.value.partition(" ")
    known = re.fullmatch(r"[a-z][A-Za-z]+", operator) is not None and (value or operator.startswith("is"))
    if not known:
        operator, value = "eq", row.value
    return {"expression": row.name, "operator": operator, "value": value, "disabled": not row.enabled}


def _action(row: Row) -> dict[str, Any]:
    return {
        "type": "set-variable",
        "phase": "after-response",
        "selector": {"expression": row.value},
        "variable": {"name": row.name.removeprefix("@")},
        "disabled": not row.enabled,
    }
