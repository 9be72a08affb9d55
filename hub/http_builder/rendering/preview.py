"""What will be sent, for people to look at before it is: masked, and without a byte on the network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hub.contracts.http import Note, OAuth2ClientCredentials, OAuth2Code, RequestDefinition
from hub.egress import EgressError, outgoing_headers
from hub.http_builder.rendering.oauth import client_of
from hub.http_builder.rendering.prepare import Prepared, build
from hub.http_builder.rendering.problems import Problem, RenderError
from hub.http_builder.rendering.values import FileContent, Values

#: How much of a body is shown, in characters.
SHOWN_BODY = 100_000


#: What is unresolved, as the URL has it.
_ENCODED_PLACEHOLDER = re.compile(r"%7B%7B((?:%20)*[$A-Za-z0-9_.-]+(?:%20)*)%7D%7D")


@dataclass(frozen=True, slots=True)
class Preview:
    """A request without its secrets. ``body`` is None where there is none or it is no text; ``body_size`` is in bytes."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: str | None
    body_size: int
    #: The text goes on after what is shown.
    body_cut: bool
    #: Exactly what is signed (HMAC; AWS: canonical request and string to sign).
    signed: str | None
    notes: tuple[Note, ...]
    problems: tuple[Problem, ...] = ()


def preview(prepared: Prepared, problems: tuple[Problem, ...] = ()) -> Preview:
    """What goes out for a prepared request, with the headers that the connection adds."""
    wire, mask = prepared.wire, prepared.mask
    text = _text(wire.body)
    try:
        headers = outgoing_headers(wire)
    except EgressError:
        headers = wire.headers  # the URL is not usable yet, and ``problems`` says so
    shown = mask.text(text) if text is not None else None
    return Preview(
        method=wire.method,
        url=mask.text(_ENCODED_PLACEHOLDER.sub(r"{{\1}}", wire.url) if problems else wire.url),
        headers=mask.headers(headers),
        body=shown[:SHOWN_BODY] if shown is not None else None,
        body_size=len(wire.body or b""),
        body_cut=shown is not None and len(shown) > SHOWN_BODY,
        signed=mask.text(prepared.signed) if prepared.signed is not None else None,
        notes=prepared.notes,
        problems=problems,
    )


def preview_definition(definition: RequestDefinition, values: Values, *, files: Mapping[str, FileContent]) -> Preview:
    """The same for a definition that need not be ready: what is missing stays as it is written, and is named."""
    prepared, problems = build(definition, values, files=files, assume_token=True)
    if isinstance(definition.auth, OAuth2ClientCredentials | OAuth2Code):
        try:
            client_of(definition, values)
        except RenderError as error:
            problems += tuple(problem for problem in error.problems if problem not in problems)
    return preview(prepared, problems)


def _text(body: bytes | None) -> str | None:
    if body is None or b"\0" in body:
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
