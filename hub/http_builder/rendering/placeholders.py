"""Where ``{{NAME}}`` may stand in a definition, and n8n's expressions, which look alike and are left alone."""

from __future__ import annotations

from collections.abc import Iterator

from hub.contracts.http import (
    PLACEHOLDER,
    Auth,
    BinaryBody,
    Body,
    Comparison,
    FormBody,
    GraphqlBody,
    HmacAuth,
    JsonBody,
    MultipartBody,
    Pair,
    RawBody,
    RequestDefinition,
    XmlBody,
)

#: Filled in by the hub itself, anywhere.
BUILT_IN = frozenset({"$timestamp", "$uuid"})
#: Parts of the request, in the message of an HMAC only.
BUILT_IN_OF_MESSAGE = frozenset({"$method", "$url", "$path", "$query", "$body"})


def is_expression(text: str) -> bool:
    """Whether a text is an expression of n8n (``={{ $json.id }}``), which only n8n can work out."""
    return text.startswith("=") and "{{" in text


def names_in(text: str) -> list[str]:
    """The names that a text asks for, in order; none of an expression."""
    return [] if is_expression(text) else PLACEHOLDER.findall(text)


def texts_of(definition: RequestDefinition) -> Iterator[tuple[str, str]]:
    """Every text that is sent, with its place; disabled rows are not."""
    yield "url", definition.url
    yield from _rows("params", definition.params)
    yield from _rows("headers", definition.headers)
    yield from _body(definition.body)
    yield from texts_of_auth(definition.auth)


def texts_of_auth(auth: Auth) -> Iterator[tuple[str, str]]:
    """The texts of a kind of authentication that a person fills in."""
    for name, value in auth:
        if isinstance(value, str) and name not in ("type", "place", "client_authentication", "algorithm", "encoding"):
            yield f"auth.{name}", value


def _rows(place: str, rows: tuple[Pair, ...]) -> Iterator[tuple[str, str]]:
    for index, row in enumerate(rows):
        if row.enabled:
            yield f"{place}.{index}.name", row.name
            yield f"{place}.{index}.value", row.value


def _body(body: Body) -> Iterator[tuple[str, str]]:
    match body:
        case JsonBody() | XmlBody():
            yield "body.text", body.text
        case RawBody():
            yield "body.text", body.text
            yield "body.content_type", body.content_type
        case FormBody():
            yield from _rows("body.fields", body.fields)
        case GraphqlBody():
            yield "body.query", body.query
            yield "body.variables", body.variables
            yield "body.operation_name", body.operation_name or ""
        case BinaryBody():
            yield "body.content_type", body.content_type
        case MultipartBody():
            for index, part in enumerate(body.parts):
                if part.enabled:
                    place = f"body.parts.{index}"
                    yield f"{place}.name", part.name
                    yield (f"{place}.file_name", part.file_name or "") if part.is_file else (f"{place}.value", part.value)
                    yield f"{place}.content_type", part.content_type or ""


def find_names(definition: RequestDefinition) -> set[str]:
    """The names of the variables that the request asks for; the built-in ones (``$timestamp``) are not among them."""
    return {name for _place, text in texts_of(definition) for name in names_in(text) if not name.startswith("$")}


def texts_of_tests(definition: RequestDefinition) -> Iterator[tuple[str, str]]:
    """What the enabled tests expect, with its place. It is not sent, and what n8n alone can work out stays as it is written."""
    for index, test in enumerate(definition.assertions):
        if test.enabled and test.comparison not in (Comparison.EXISTS, Comparison.MISSING) and not is_expression(test.expected):
            yield f"assertions.{index}.expected", test.expected


def find_names_of_tests(definition: RequestDefinition) -> set[str]:
    """The names of the variables that the tests ask for, beside those of ``find_names``."""
    return {name for _place, text in texts_of_tests(definition) for name in names_in(text) if not name.startswith("$")}


def is_built_in(definition: RequestDefinition, place: str, name: str) -> bool:
    """Whether the hub fills in the name at this place."""
    in_message = place == "auth.message" and isinstance(definition.auth, HmacAuth)
    return name in BUILT_IN or (in_message and name in BUILT_IN_OF_MESSAGE)
