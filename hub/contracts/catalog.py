"""Service templates: what a service pack brings."""

from __future__ import annotations

import enum
import json
import re
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


class HttpMethod(enum.StrEnum):
    """HTTP request methods that a template or request may use."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"
    HEAD = "HEAD"
    OPTIONS = "OPTIONS"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TemplateVariable(_Strict):
    """A value that the person fills in; written ``{{NAME}}`` in the template."""

    name: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    description: str
    required: bool = True
    secret: bool = False
    default: str | None = None


class EndpointTemplate(_Strict):
    """One ready request of a pack."""

    endpoint_id: str = Field(pattern=r"^[a-z0-9-]+$")
    endpoint_name: str
    description: str | None = None
    method: HttpMethod
    url_template: str = Field(pattern=r"^https://")
    headers: dict[str, str] = Field(default_factory=dict)
    body_template: dict[str, Any] | None = None
    variables: tuple[TemplateVariable, ...] = ()
    documentation: str | None = Field(default=None, pattern=r"^https://")

    @model_validator(mode="after")
    def _variables_match_placeholders(self) -> Self:
        text = json.dumps([self.url_template, self.headers, self.body_template])
        used = set(_PLACEHOLDER.findall(text))
        declared = {variable.name for variable in self.variables}
        if used != declared:
            difference = ", ".join(sorted(used ^ declared))
            raise ValueError(f"placeholders and variables differ: {difference}")
        return self


class ServicePack(_Strict):
    """The templates of one service."""

    service_id: str = Field(pattern=r"^[a-z0-9-]+$")
    service_name: str
    service_icon: str | None = None
    category: str
    endpoints: tuple[EndpointTemplate, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _endpoints_are_unique(self) -> Self:
        ids = [endpoint.endpoint_id for endpoint in self.endpoints]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"endpoint ids are used twice: {', '.join(twice)}")
        return self
