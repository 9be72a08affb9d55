"""From an endpoint of a pack and what a person filled in to a request that can be saved and sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from hub.contracts.catalog import EndpointTemplate, ServiceFacts, TemplateVariable, find_placeholders
from hub.contracts.http import Pair, RequestDefinition, RequestDraft

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
#: What stands for the built-in values in an example.
_BUILT_IN = {"$uuid": "00000000-0000-4000-8000-000000000000", "$timestamp": "1767225600"}


def name_of_variable(service_id: str, name: str) -> str:
    """The stored name of a service's variable: no two services share one, so none reads another's secret."""
    return f"{service_id}.{name}"


def variables_of(service: ServiceFacts, endpoint: EndpointTemplate, choice: str = "") -> tuple[TemplateVariable, ...]:
    """What has to be filled in for one request with one way to sign in: the service's variables that it uses, then its own."""
    used = find_placeholders(_plain_definition(service, endpoint, choice))
    return (*(variable for variable in service.variables if variable.name in used), *endpoint.variables)


def make_draft(
    service: ServiceFacts, endpoint: EndpointTemplate, values: Mapping[str, str], choice: str = "", *, language: str = "en"
) -> RequestDraft:
    """The request with its own variables filled in; those of the service stay placeholders, under the service's name.

    A parameter, header or field that only an empty variable would fill is switched off. ``values`` are by the names of the pack,
    those of secrets only tell that there is one. Its name and notes are in ``language``.
    """
    common = {variable.name for variable in service.variables}
    plain = _switch_off_empty(_plain_definition(service, endpoint, choice), values)

    def rename(found: re.Match[str]) -> str:
        return f"{{{{{name_of_variable(service.service_id, found[1])}}}}}" if found[1] in common else found[0]

    data = _map_texts(plain.model_dump(mode="json"), lambda text: _PLACEHOLDER.sub(rename, text))
    own = tuple(
        Pair(name=variable.name, value=values.get(variable.name, ""), description=variable.description.in_language(language))
        for variable in endpoint.variables
        if not variable.secret
    )
    service_name = service.service_name.in_language(language)
    return RequestDraft(
        name=f"{service_name}: {endpoint.endpoint_name.in_language(language)}",
        definition=RequestDefinition.model_validate(data).model_copy(update={"variables": own}),
        description=endpoint.description.in_language(language) if endpoint.description else None,
        folder=service_name,
        tags=endpoint.tags,
        documentation=endpoint.documentation,
        origin=f"pack:{service.service_id}/{endpoint.endpoint_id}",
    )


def example_values(service: ServiceFacts, endpoint: EndpointTemplate) -> dict[str, str]:
    """A value for each variable: its default, else its example, else nothing."""
    variables = (*service.variables, *endpoint.variables)
    return {variable.name: variable.default or variable.example or "" for variable in variables} | _BUILT_IN


def headers_of(service: ServiceFacts, endpoint: EndpointTemplate) -> tuple[Pair, ...]:
    """The service's headers that the endpoint does not set itself, and its own."""
    own = {header.name.lower() for header in endpoint.headers}
    return (*(header for header in service.headers if header.name.lower() not in own), *endpoint.headers)


def fill_text(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders replaced once; a name without a value stays."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def _plain_definition(service: ServiceFacts, endpoint: EndpointTemplate, choice: str) -> RequestDefinition:
    """The endpoint with what the service adds: headers that it does not set itself, authentication, assertions."""
    return RequestDefinition(
        method=endpoint.method,
        url=endpoint.url_template,
        params=endpoint.params,
        headers=headers_of(service, endpoint),
        body=endpoint.body,
        auth=endpoint.auth if endpoint.auth is not None else service.auth_of(choice),
        assertions=(*service.assertions, *endpoint.assertions),
    )


def _switch_off_empty(definition: RequestDefinition, values: Mapping[str, str]) -> RequestDefinition:
    def judge(rows: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            row.model_copy(update={"enabled": False})
            if any(not name.startswith("$") and not values.get(name) for name in find_placeholders(row.value))
            else row
            for row in rows
        )

    body = definition.body
    for name in ("fields", "parts"):
        if hasattr(body, name):
            body = body.model_copy(update={name: judge(getattr(body, name))})
    update = {"params": judge(definition.params), "headers": judge(definition.headers), "body": body}
    return definition.model_copy(update=update)


def _map_texts(data: Any, change: Callable[[str], str]) -> Any:
    if isinstance(data, str):
        return change(data)
    if isinstance(data, dict):
        return {key: _map_texts(value, change) for key, value in data.items()}
    return [_map_texts(value, change) for value in data] if isinstance(data, list) else data
