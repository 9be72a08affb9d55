"""From a suggested patch of the node back to a change of the request; what a request has no words for stays advice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.analyses.patch_policy import PatchRefused
from hub.analyses.patches import apply_change
from hub.contracts.http import Body, FormBody, Pair, RequestDefinition, RequestSettings
from hub.http_builder.explaining.execution import find_node
from hub.http_builder.n8n.node import build_node
from hub.http_builder.n8n.reading import read_node
from hub.http_builder.rendering.masking import DOTS
from hub.redaction import TOKEN

Json = dict[str, Any]
#: The parts of a request that a suggestion may change. Never how it signs in.
PARTS = ("method", "url", "params", "headers", "body", "settings")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One part of the request as it is and as it would be, in plain text; ``part`` is one of ``PARTS``."""

    part: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class RequestChange:
    """The request after the change, and where it differs."""

    definition: RequestDefinition
    fields: tuple[FieldChange, ...]


def read_change(
    patch: Sequence[Json], definition: RequestDefinition, *, base: Json, workflow: Json, node: str
) -> RequestChange | None:
    """What the patch makes of the request; None where it touches anything else, or what the request can't hold.

    ``base`` is the redacted workflow that the patch was made against, ``workflow`` the same one whole.
    """
    try:
        document = apply_change(patch, base=base, current=workflow).document
        after = find_node(document, node)
    except (PatchRefused, StopIteration):
        return None
    before = find_node(workflow, node)
    if {**document, "nodes": None} != {**workflow, "nodes": None}:
        return None
    others = [each for each in document["nodes"] if each["name"] != node]
    if others != [each for each in workflow["nodes"] if each["name"] != node]:
        return None
    if {**before, "parameters": None} != {**after, "parameters": None}:
        return None
    old, old_notes = read_node(before)
    new, new_notes = read_node(after)
    if [note for note in new_notes if note not in old_notes and note.code != "n8n-setting-bounded"]:
        return None  # something that only n8n has or can work out
    changed = [part for part in PARTS if getattr(old, part) != getattr(new, part)]
    if not changed:
        return None
    made = definition.model_copy(update={part: _merged(part, definition, old, new) for part in changed})
    if not _says(made, new, changed, before.get("typeVersion")):
        return None
    fields = tuple(FieldChange(part, show_part(definition, part), show_part(made, part)) for part in changed)
    if any(TOKEN.search(field.new) or DOTS in field.new for field in fields):
        return None
    return RequestChange(made, fields)


def show_part(definition: RequestDefinition, part: str) -> str:
    """A part of a request as text, for a person to compare."""
    value = getattr(definition, part)
    if part in ("params", "headers"):
        return _rows(value)
    if part == "body":
        return _body(value)
    if part == "settings":
        usual = RequestSettings()
        chosen = {name: each for name, each in value.model_dump().items() if each != getattr(usual, name)}
        return json.dumps(chosen or usual.model_dump(), indent=2)
    return str(value)


def _merged(part: str, definition: RequestDefinition, old: RequestDefinition, new: RequestDefinition) -> Any:
    """The person's own part with only what the patch changed in it: rows that are off, their order and notes stay."""
    own = getattr(definition, part)
    if part in ("params", "headers"):
        return _merged_rows(own, getattr(old, part), getattr(new, part))
    if part == "settings":
        names = [name for name in RequestSettings.model_fields if getattr(old.settings, name) != getattr(new.settings, name)]
        return own.model_copy(update={name: getattr(new.settings, name) for name in names})
    if part == "body" and all(isinstance(body, FormBody) for body in (own, old.body, new.body)):
        return own.model_copy(update={"fields": _merged_rows(own.fields, old.body.fields, new.body.fields)})  # type: ignore[union-attr]
    return getattr(new, part)


def _merged_rows(own: Sequence[Pair], old: Sequence[Pair], new: Sequence[Pair]) -> tuple[Pair, ...]:
    gone = [row for row in old if row not in new]
    come = [row for row in new if row not in old]
    rows = []
    for row in own:
        lost = next((each for each in gone if row.enabled and (each.name, each.value) == (row.name, row.value)), None)
        if lost is None:
            rows.append(row)
            continue
        gone.remove(lost)
        heir = next((each for each in come if each.name.lower() == row.name.lower()), None)
        if heir is not None:
            come.remove(heir)
            rows.append(row.model_copy(update={"name": heir.name, "value": heir.value}))
    return (*rows, *come)


def _says(made: RequestDefinition, new: RequestDefinition, changed: Sequence[str], version: Any) -> bool:
    """Whether the changed request would be the changed node: nothing of the patch got lost on the way."""
    built = build_node(made, type_version=float(version or 0))
    read, _notes = read_node({"typeVersion": built.type_version, "parameters": built.parameters})
    return all(_same(part, getattr(read, part), getattr(new, part)) for part in changed)


def _same(part: str, one: Any, other: Any) -> bool:
    if part in ("params", "headers"):
        return [(row.name, row.value) for row in one if row.enabled] == [(row.name, row.value) for row in other if row.enabled]
    return bool(one == other)


def _rows(rows: Sequence[Pair]) -> str:
    return "\n".join(f"{row.name}: {row.value}" for row in rows if row.enabled)


def _body(body: Body) -> str:
    match body.kind:
        case "none":
            return ""
        case "form":
            return "application/x-www-form-urlencoded\n" + _rows(body.fields)
        case "multipart":
            return "multipart/form-data\n" + _rows(body.parts)
        case "json":
            return f"application/json\n{body.text}"
        case "xml":
            return f"application/xml\n{body.text}"
        case "raw":
            return f"{body.content_type}\n{body.text}"
        case "graphql":
            return f"{body.query}\n{body.variables}"
    return str(body.file_name or "")
