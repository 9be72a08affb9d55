"""The formats that can be imported; the first that recognises a text reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hub.http_builder.importing import bruno, curl, har, insomnia, n8n, openapi, postman
from hub.http_builder.importing.results import ImportResult


@dataclass(frozen=True, slots=True)
class Format:
    """One format. ``recognises`` is a quick look that never raises; ``read`` raises ``ImportRefused`` and nothing else."""

    kind: str
    #: A proper name, the same in every language.
    name: str
    recognises: Callable[[str], bool]
    read: Callable[[str], ImportResult]


FORMATS: tuple[Format, ...] = (
    Format("har", "HAR", har.recognises, har.read),
    Format("postman", "Postman", postman.recognises, postman.read),
    Format("insomnia", "Insomnia", insomnia.recognises, insomnia.read),
    Format("openapi", "OpenAPI", openapi.recognises, openapi.read),
    Format("bruno", "Bruno", bruno.recognises, bruno.read),
    Format("curl", "cURL", curl.recognises, curl.read),
    Format("n8n", "n8n", n8n.recognises, n8n.read),
)  # fmt: skip
