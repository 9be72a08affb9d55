"""Parameters of OpenAPI operations as rows: required ones enabled, the others there to be switched on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from hub.contracts.http import Pair
from hub.http_builder.importing.references import References
from hub.http_builder.importing.samples import Sampler
from hub.http_builder.importing.values import description, mapping, text, variable_name

#: Headers that the body and the authentication bring (OpenAPI 3, Parameter Object).
_IGNORED = frozenset(("accept", "content-type", "authorization"))
_MAX_VALUE = 5_000
_SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|", "ssv": " ", "tsv": "\t", "pipes": "|"}


@dataclass(slots=True)
class Rows:
    """The rows of one operation."""

    params: list[Pair] = field(default_factory=list)
    headers: list[Pair] = field(default_factory=list)
    #: What stands in the path.
    variables: list[Pair] = field(default_factory=list)


class Parameters:
    """Reads the parameters of one document's operations."""

    def __init__(self, references: References, sampler: Sampler) -> None:
        self._references = references
        self._sampler = sampler

    def read(self, parameters: list[dict[str, Any]]) -> Rows:
        """The rows for parameters whose references are resolved."""
        rows = Rows()
        cookies = []
        for parameter in parameters:
            place, name = parameter.get("in"), parameter["name"][:200]
            words = description(parameter.get("description"), 1000)
            value = self._value(parameter)
            needed = parameter.get("required") is True
            if place == "path":
                shown = _joined(value, ",")
                rows.variables.append(Pair(name=variable_name(name), value=shown, enabled=bool(shown), description=words))
            elif place == "query":
                rows.params += [
                    Pair(name=key, value=word, enabled=needed, description=words) for key, word in _query(name, parameter, value)
                ]
            elif place == "header" and name.lower() not in _IGNORED:
                rows.headers.append(Pair(name=name, value=_joined(value, ","), enabled=needed, description=words))
            elif place == "cookie":
                cookies.append((needed, f"{name}={_joined(value, ',')}"))
        for needed in (True, False):
            if pairs := [pair for is_needed, pair in cookies if is_needed is needed]:
                rows.headers.append(Pair(name="Cookie", value="; ".join(pairs), enabled=needed))
        return rows

    def _value(self, parameter: dict[str, Any]) -> Any:
        """An example, or what the schema gives; None without one."""
        if parameter.get("example") is not None:
            return parameter["example"]
        for example in mapping(parameter.get("examples")).values():
            found = self._references.resolve(example)
            if found.get("value") is not None:
                return found["value"]
        for media in mapping(parameter.get("content")).values():
            value = self._references.resolve(media).get("example")
            return json.dumps(value) if isinstance(value, dict | list) else value
        schema = self._sampler.merged(parameter.get("schema"))
        given = self._sampler.given(schema)
        if given is None and "items" in schema:
            item = self._sampler.given(schema["items"])
            return None if item is None else [item]
        return given


def _query(name: str, parameter: dict[str, Any], value: Any) -> list[tuple[str, str]]:
    """The rows of one parameter, by its style: a list repeats the name unless it is joined."""
    style = text(parameter.get("style") or parameter.get("collectionFormat"))
    if isinstance(value, list) and value:
        if parameter.get("explode", True) is not False and style not in _SEPARATORS:
            return [(name, text(item, _MAX_VALUE)) for item in value[:50]]
        return [(name, _joined(value, _SEPARATORS.get(style, ",")))]
    if isinstance(value, dict) and value:
        deep = style == "deepObject"
        return [(f"{name}[{key}]" if deep else key, text(item, _MAX_VALUE)) for key, item in list(value.items())[:50]]
    return [(name, "" if value in ([], {}) else text(value, _MAX_VALUE))]


def _joined(value: Any, separator: str) -> str:
    if isinstance(value, list):
        return separator.join(text(item, _MAX_VALUE) for item in value[:50])
    return text(value, _MAX_VALUE)
