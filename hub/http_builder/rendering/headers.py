"""Headers of a request: in order, with duplicates, and no value that could be a second header."""

from __future__ import annotations

import re

from hub.contracts.http import Pair
from hub.egress import Target, refused_header
from hub.http_builder.rendering.renderer import Renderer

Headers = list[tuple[str, str]]

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def render_headers(renderer: Renderer, rows: tuple[Pair, ...], target: Target | None) -> Headers:
    """The enabled rows. What the hub writes itself is left out with a note; what is never sent is a problem.

    ``Host`` is left out where it says what the URL says; whether another may be sent is for ``send_exchange`` to judge.
    """
    headers: Headers = []
    for index, row in enumerate(rows):
        if not row.enabled or not (row.name or row.value):
            continue
        name = renderer.text(row.name, f"headers.{index}.name").strip()
        value = renderer.text(row.value, f"headers.{index}.value")
        if name.lower() == "host" and target and value.strip().lower() in (target.authority, f"{target.host}:{target.port}"):
            continue
        reason = refused_header(name, value)
        if reason == "metadata":
            renderer.refuse(f"headers.{index}.name", "header-metadata", name=name)
        elif reason:
            renderer.note("header-left-out", name=name)
        else:
            add_header(renderer, headers, name, value, f"headers.{index}")
    return headers


def add_header(renderer: Renderer, headers: Headers, name: str, value: str, place: str) -> None:
    """Add a header, or say at which place its name or value is none. ``place`` is a row, or a field of its own."""
    of_row = place.startswith("headers.")
    if not _NAME.fullmatch(name):
        renderer.refuse(f"{place}.name" if of_row else place, "header-name")
    elif _CONTROL.search(value):
        renderer.refuse(f"{place}.value" if of_row else place, "header-line-break", name=name)
    else:
        headers.append((name, value.strip()))


def has_header(headers: Headers, name: str) -> bool:
    """Whether there is a header of this name, in any case."""
    return any(given.lower() == name.lower() for given, _value in headers)


def replace_header(renderer: Renderer, headers: Headers, name: str, value: str, place: str) -> None:
    """Set a header that authentication needs; one that the person wrote by hand gives way, with a note."""
    if has_header(headers, name):
        renderer.note("header-replaced", name=name)
        headers[:] = [header for header in headers if header[0].lower() != name.lower()]
    add_header(renderer, headers, name, value, place)
