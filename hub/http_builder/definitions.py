"""Between a stored request and its ``RequestDefinition``."""

from __future__ import annotations

from typing import Any

from hub.contracts.http import RequestDefinition, RequestDraft
from hub.http_builder.models import Request

#: The columns of ``requests`` that together are its definition; the names are those of ``RequestDefinition``.
COLUMNS = ("method", "url", "params", "headers", "body", "auth", "settings", "assertions", "extractions", "variables")

#: What a request says beside its definition.
TEXTS = ("name", "description", "folder", "documentation")


def definition_of(request: Request) -> RequestDefinition:
    """The definition in the row's columns; an empty column stands for the field's default."""
    stored = {name: getattr(request, name) for name in COLUMNS}
    return RequestDefinition.model_validate({name: value for name, value in stored.items() if value})


def columns_of(definition: RequestDefinition) -> dict[str, Any]:
    """Values for the row's columns; None where nothing is sent or nobody signs in, as in the seed."""
    values = definition.model_dump(mode="json")
    values["method"] = definition.method
    for name, empty in (("body", "none"), ("auth", "none")):
        if empty in (values[name].get("kind"), values[name].get("type")):
            values[name] = None
    return values


def snapshot_of(draft: RequestDraft) -> dict[str, Any]:
    """What an import said, for ``requests.imported``: the definition's fields and the texts beside it."""
    return {
        **draft.definition.model_dump(mode="json"),
        **{name: getattr(draft, name) for name in TEXTS},
        "tags": list(draft.tags),
    }
