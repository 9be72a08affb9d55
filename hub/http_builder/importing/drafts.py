"""Gathering the drafts of one document: bounded in number and size, each with an origin of its own and no secret in it."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from hub.contracts.catalog import HttpMethod
from hub.contracts.http import (
    SECRET_AUTH_FIELDS,
    Assertion,
    Auth,
    Body,
    FormBody,
    JsonBody,
    MultipartBody,
    NoAuth,
    Note,
    Pair,
    RequestDefinition,
    RequestDraft,
)
from hub.http_builder.importing.results import ImportedEnvironment, ImportRefused, ImportResult
from hub.http_builder.importing.secrets import SecretCollector, take_credentials
from hub.http_builder.importing.values import secret_name
from hub.redaction.names import is_ordinary, is_secret_name, is_secret_parameter

MAX_DRAFTS = 5_000
#: Characters of all drafts together: a document may name one long text thousands of times.
MAX_CHARACTERS = 60_000_000
#: CPU seconds for one document. The largest vendors' take two; one that names its largest parts again and again would not end.
MAX_SECONDS = 20.0
_MAX_NAME = 200
_MAX_ORIGIN = 400
#: JSON bodies up to this size are searched for secrets.
_MAX_SEARCHED = 200_000

#: What holds of an answer unless somebody says more.
SUCCESS = (Assertion(subject="status", expected="2xx"),)


_VERSION = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3})?")

Row = TypeVar("Row", bound=Pair)


class Drafts:
    """The drafts of one document, in order. ``note`` is for what concerns all of it."""

    def __init__(self, kind: str, document: str, *, version: Any = "") -> None:
        self._kind = kind
        found = _VERSION.match(str(version))
        self._variant = found[0] if found else ""
        self._document = document.strip()
        self._drafts: list[RequestDraft] = []
        self._origins: Counter[str] = Counter()
        self._notes: dict[tuple[str, str], Note] = {}
        self._characters = 0
        self._started = time.thread_time()

    def check_time(self) -> None:
        """Called for every request and folder. Raises ``ImportRefused`` where a document takes too long."""
        if time.thread_time() - self._started > MAX_SECONDS:
            raise ImportRefused("too-slow", limit=int(MAX_SECONDS))

    def note(self, code: str, **details: str | int) -> None:
        """Say something about the document, once."""
        self._notes.setdefault((code, json.dumps(details, sort_keys=True)), Note(code=code, details=details))

    def add(
        self,
        place: str | None,
        name: str,
        definition: RequestDefinition,
        *,
        description: str | None = None,
        folders: tuple[str, ...] = (),
        tags: tuple[str, ...] = (),
        documentation: str | None = None,
        notes: tuple[Note, ...] = (),
        secrets: SecretCollector | None = None,
    ) -> None:
        """Add a request; ``place`` tells it from the others of the document, in every version of it (None: nothing does).

        Literal secrets leave the definition. Raises ``ImportRefused`` beyond the bounds.
        """
        self._bound(definition, description)
        secrets = secrets or SecretCollector(taken=[row.name for row in definition.variables])
        draft = RequestDraft(
            name=" ".join(name.split())[:_MAX_NAME] or definition.url[:_MAX_NAME] or "?",
            definition=take_secrets(definition, secrets),
            description=description,
            folder="/".join(_folder(part) for part in folders if part.strip())[:_MAX_NAME].strip("/") or None,
            tags=tags,
            secrets=secrets.values,
            documentation=documentation,
            origin=None if place is None else self._origin(place),
            notes=notes,
        )
        self._drafts.append(draft)

    def result(self, environments: tuple[ImportedEnvironment, ...] = ()) -> ImportResult:
        """All of it."""
        return ImportResult(self._kind, tuple(self._drafts), tuple(self._notes.values()), environments, self._variant)

    def _bound(self, definition: RequestDefinition, description: str | None) -> None:
        self.check_time()
        if len(self._drafts) >= MAX_DRAFTS:
            raise ImportRefused("too-many-requests", limit=MAX_DRAFTS)
        self._characters += len(definition.url) + len(description or "") + _body_size(definition.body)
        for rows in (definition.params, definition.headers, definition.variables):
            self._characters += sum(_row_size(row) for row in rows)
        if self._characters > MAX_CHARACTERS:
            raise ImportRefused("too-much", limit=MAX_CHARACTERS)

    def _origin(self, place: str) -> str:
        origin = origin_of(self._kind, self._document, place)
        self._origins[origin] += 1
        return (
            origin if self._origins[origin] == 1 else origin_of(self._kind, self._document, f"{place} ~{self._origins[origin]}")
        )


def origin_of(kind: str, document: str, place: str) -> str:
    """The key by which a later import of the document finds the request: ``openapi:Shop#GET /orders``, at most 400 characters."""
    prefix = f"{kind}:{_shorten(' '.join(document.replace('#', ' ').split()), 150)}#"
    return prefix + _shorten(place, _MAX_ORIGIN - len(prefix))


def _shorten(words: str, limit: int) -> str:
    if len(words) <= limit:
        return words
    digest = hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:16]
    return f"{words[: limit - 17]}~{digest}"


def _folder(name: str) -> str:
    return " ".join(name.replace("/", "-").split())


def _row_size(row: Pair) -> int:
    return len(row.name) + len(row.value) + len(row.description or "")


def _body_size(body: Body) -> int:
    if isinstance(body, FormBody):
        return sum(_row_size(row) for row in body.fields)
    if isinstance(body, MultipartBody):
        return sum(_row_size(row) for row in body.parts)
    return len(getattr(body, "text", "")) + len(getattr(body, "query", "")) + len(getattr(body, "variables", ""))


def method_of(name: Any) -> HttpMethod | None:
    """The method of that name in any case; None for one that the hub does not send."""
    word = name.strip().upper() if isinstance(name, str) else ""
    return HttpMethod(word) if word in HttpMethod.__members__ else None


def take_secrets(definition: RequestDefinition, secrets: SecretCollector) -> RequestDefinition:
    """The definition with every literal secret replaced by the placeholder of a variable."""
    headers, auth = definition.headers, definition.auth
    if isinstance(auth, NoAuth):
        headers, auth = take_credentials(headers, secrets)
    else:
        headers = _take_rows(headers, secrets, lambda row: is_secret_name(row.name))
        auth = _take_auth(auth, secrets)
    changes: dict[str, Any] = {
        "headers": headers,
        "auth": auth,
        "params": _take_rows(definition.params, secrets, lambda row: is_secret_parameter(row.name, row.value)),
        "body": _take_body(definition.body, secrets),
        "variables": tuple(row for row in definition.variables if not _take_variable(row, secrets)),
    }
    return definition.model_copy(update=changes)


def _take_auth(auth: Auth, secrets: SecretCollector) -> Auth:
    names = SECRET_AUTH_FIELDS.get(auth.type, ())
    changes = {name: secrets.keep(_auth_name(auth, name), getattr(auth, name)) for name in names}
    return auth.model_copy(update=changes)


def _auth_name(auth: Auth, field: str) -> str:
    return secret_name(getattr(auth, "name", "") or "api key") if field == "value" else secret_name(field)


def _take_rows(rows: tuple[Row, ...], secrets: SecretCollector, is_secret: Callable[[Row], bool]) -> tuple[Row, ...]:
    return tuple(
        row.model_copy(update={"value": secrets.keep(row.name, row.value)})
        if is_secret(row) and not is_ordinary(row.value)
        else row
        for row in rows
    )


def _take_variable(row: Pair, secrets: SecretCollector) -> bool:
    """Whether the plain variable is a secret by its name; it then is one of the draft's secrets, under the same name."""
    if not row.value or "{{" in row.value or not is_secret_name(row.name) or row.name in secrets.values:
        return False
    secrets.values[row.name] = row.value
    return True


def _take_body(body: Body, secrets: SecretCollector) -> Body:
    if isinstance(body, FormBody):
        return body.model_copy(update={"fields": _take_rows(body.fields, secrets, lambda row: is_secret_name(row.name))})
    if isinstance(body, MultipartBody):
        parts = _take_rows(body.parts, secrets, lambda row: not row.is_file and is_secret_name(row.name))
        return body.model_copy(update={"parts": parts})
    if isinstance(body, JsonBody) and len(body.text) <= _MAX_SEARCHED:
        return body.model_copy(update={"text": _SECRET_MEMBER.sub(lambda found: _take_member(found, secrets), body.text)})
    return body


#: ``"name": "value"`` in JSON text, which need not be JSON because of its placeholders.
_SECRET_MEMBER = re.compile(r'"([^"\\]{1,100})"(\s{0,20}:\s{0,20})"((?:[^"\\]|\\.)*+)"')


def _take_member(found: re.Match[str], secrets: SecretCollector) -> str:
    name, colon, written = found.groups()
    if not is_secret_name(name) or is_ordinary(written):
        return found[0]
    return f'"{name}"{colon}"{secrets.keep(name, written)}"'
