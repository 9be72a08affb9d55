"""The formats that a request can be exported to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hub.contracts.http import RequestDefinition
from hub.http_builder.exporting import openapi, postman
from hub.http_builder.exporting.results import ExportResult


@dataclass(frozen=True, slots=True)
class Format:
    """One format. ``write`` takes the definition, the request's name and the values of plain variables."""

    kind: str
    #: A proper name, the same in every language.
    name: str
    write: Callable[[RequestDefinition, str, dict[str, str]], ExportResult]


FORMATS: tuple[Format, ...] = (
    Format("postman", "Postman", postman.write),
    Format("openapi", "OpenAPI", openapi.write),
)  # fmt: skip
