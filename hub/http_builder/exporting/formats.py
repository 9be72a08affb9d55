"""The formats that a request can be exported to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hub.contracts.http import RequestDefinition
from hub.http_builder.exporting import curl, httpie, javascript_fetch, openapi, postman, python_requests
from hub.http_builder.exporting.n8n import write_n8n
from hub.http_builder.exporting.results import ExportResult


@dataclass(frozen=True, slots=True)
class Format:
    """One format. ``write`` takes the definition, the request's name and the values of plain variables."""

    kind: str
    #: A proper name, the same in every language.
    name: str
    write: Callable[[RequestDefinition, str, dict[str, str]], ExportResult]


FORMATS: tuple[Format, ...] = (
    Format("n8n", "n8n", write_n8n),
    Format("curl", "cURL (bash)", curl.write_bash),
    Format("curl-cmd", "cURL (cmd)", curl.write_cmd),
    Format("curl-powershell", "cURL (PowerShell)", curl.write_powershell),
    Format("python-requests", "Python (requests)", python_requests.write),
    Format("javascript-fetch", "JavaScript (fetch)", javascript_fetch.write),
    Format("httpie", "HTTPie", httpie.write),
    Format("postman", "Postman", postman.write),
    Format("openapi", "OpenAPI", openapi.write),
)  # fmt: skip
