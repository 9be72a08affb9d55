"""Which variables a request names, and which of them are secrets: no export writes a secret's value."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.contracts.http import SECRET_AUTH_FIELDS, FormBody, MultipartBody, Pair, RequestDefinition, RequestDraft
from hub.http_builder.rendering.placeholders import find_names, names_in
from hub.redaction import is_secret_name


def secret_names(draft: RequestDraft) -> set[str]:
    """Names of variables that hold secrets: known as such, standing where a secret stands, or named like one."""
    named = set(draft.secrets) | {name for text in _secret_texts(draft.definition) for name in names_in(text)}
    plain = {row.name for row in draft.definition.variables}
    return (named | {name for name in find_names(draft.definition) if is_secret_name(name)}) - (plain - set(draft.secrets))


def _secret_texts(definition: RequestDefinition) -> Iterator[str]:
    auth, body = definition.auth, definition.body
    yield from (getattr(auth, name) for name in SECRET_AUTH_FIELDS.get(auth.type, ()))
    rows: tuple[Pair, ...] = (*definition.headers, *definition.params)
    if isinstance(body, FormBody):
        rows = (*rows, *body.fields)
    if isinstance(body, MultipartBody):
        rows = (*rows, *body.parts)
    yield from (row.value for row in rows if is_secret_name(row.name))


def file_name(name: str, extension: str) -> str:
    """A short file name of plain letters out of a request's name."""
    words = re.findall(r"[A-Za-z0-9]+", name)
    return f"{'-'.join(words).lower()[:60].strip('-') or 'request'}.{extension}"
