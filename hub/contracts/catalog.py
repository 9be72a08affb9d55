"""Service packs: the ready requests of one service, as data.

Texts may hold ``{{NAME}}``; each name is declared as a variable, of the service or of the endpoint. ``{{$uuid}}`` and
``{{$timestamp}}`` are built in. A pack holds no secret and says where its secrets may go (``hosts``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hub.contracts.http import (
    SECRET_AUTH_FIELDS,
    Assertion,
    Auth,
    Body,
    HttpMethod,
    NoAuth,
    NoBody,
    OAuth2ClientCredentials,
    OAuth2Code,
    Pair,
)

__all__ = [
    "AuthChoice",
    "EndpointTemplate",
    "HttpMethod",
    "PackText",
    "ServiceFacts",
    "ServicePack",
    "SpecificationSource",
    "TemplateVariable",
    "find_placeholders",
    "is_host_allowed",
]

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_HOST = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?(:\d{1,5})?")
#: A Latin word that ends in a sign (``sk_test_``): in Arabic text the sign would move to its other side, so it is isolated.
_LOOSE_END = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*[_-](?![A-Za-z0-9])")
_BUILT_IN = {"$uuid", "$timestamp"}
_FORM = "application/x-www-form-urlencoded"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PackText(_Strict):
    """Words in English and, where the author has them, in Arabic. A plain text in the file is the English."""

    en: str
    ar: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_plain(cls, data: Any) -> Any:
        return {"en": data} if isinstance(data, str) else data

    def in_language(self, language: str) -> str:
        """The Arabic words for ``ar`` where there are some, else the English ones."""
        return _LOOSE_END.sub("\u2066\\g<0>\u2069", self.ar) if language == "ar" and self.ar else self.en


class TemplateVariable(_Strict):
    """A value that the person fills in; written ``{{NAME}}`` in the template.

    A variable of the service is asked once and kept for all of its requests; a secret one is stored encrypted.
    """

    name: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=80)
    description: PackText
    label: PackText | None = None
    required: bool = True
    secret: bool = False
    default: str | None = None
    example: str | None = None
    #: What a value looks like, as a regular expression for the whole of it.
    pattern: str | None = Field(default=None, max_length=200)

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if self.secret and self.default is not None:
            raise ValueError("a secret has no default")
        if self.pattern is None:
            return self
        try:
            pattern = re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern is no regular expression: {error}") from None
        for name, value in (("default", self.default), ("example", self.example)):
            if value is not None and not pattern.fullmatch(value):
                raise ValueError(f"the {name} does not match the pattern")
        return self


class AuthChoice(_Strict):
    """Another way to sign in."""

    choice_id: str = Field(pattern=r"^[a-z0-9-]+$")
    name: PackText
    auth: Auth


class SpecificationSource(_Strict):
    """The vendor's own document that the requests were checked against."""

    source: str
    version: str
    date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")


class EndpointTemplate(_Strict):
    """One ready request of a pack."""

    endpoint_id: str = Field(pattern=r"^[a-z0-9-]+$", max_length=120)
    endpoint_name: PackText
    description: PackText | None = None
    method: HttpMethod
    url_template: str = Field(pattern=r"^https://")
    params: tuple[Pair, ...] = ()
    headers: tuple[Pair, ...] = ()
    body: Body = NoBody()
    #: Instead of the service's; a request that signs in by its address has ``type: none``.
    auth: Auth | None = None
    variables: tuple[TemplateVariable, ...] = ()
    tags: tuple[str, ...] = ()
    documentation: str | None = Field(default=None, pattern=r"^https://")
    assertions: tuple[Assertion, ...] = ()
    #: Which operation of the vendor's document this is.
    source: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_short_forms(cls, data: Any) -> Any:
        """Objects for headers, parameters and form fields, and the first format's ``body_template``."""
        if not isinstance(data, dict):
            return data
        data = {name: _as_pairs(value) if name in ("headers", "params") else value for name, value in data.items()}
        body = data.get("body")
        if isinstance(body, dict) and "fields" in body:
            data["body"] = {**body, "fields": _as_pairs(body["fields"])}
        if data.get("body_template") is not None and body is None:
            data["body"] = _old_body(data["body_template"], data.get("headers") or [])
        data.pop("body_template", None)
        return data


class ServiceFacts(_Strict):
    """What all requests of a service share."""

    service_id: str = Field(pattern=r"^[a-z0-9-]+$", max_length=80)
    service_name: PackText
    description: PackText | None = None
    category: str = Field(min_length=1, max_length=80)
    #: The name of one of the hub's icons; without one, the name's first letters stand on the colour.
    service_icon: str | None = Field(default=None, pattern=r"^[a-z0-9-]+$")
    service_color: str = Field(default="#64748b", pattern=r"^#[0-9a-f]{6}$")
    documentation: str | None = Field(default=None, pattern=r"^https://")
    #: Where the secrets may go: ``host``, ``host:port`` or ``*.suffix``. Left out: the hosts that the addresses name.
    hosts: tuple[str, ...] = ()
    auth: Auth = NoAuth()
    auth_name: PackText | None = None
    other_auth: tuple[AuthChoice, ...] = ()
    headers: tuple[Pair, ...] = ()
    variables: tuple[TemplateVariable, ...] = ()
    #: What has to hold of every answer, beside the endpoint's own.
    assertions: tuple[Assertion, ...] = ()
    #: The endpoint that tells whether the key works; it needs variables of the service only.
    test_endpoint: str | None = None
    n8n_credential_type: str | None = None
    rate_limit: PackText | None = None
    pagination: PackText | None = None
    spec: SpecificationSource | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_header_objects(cls, data: Any) -> Any:
        return {**data, "headers": _as_pairs(data["headers"])} if isinstance(data, dict) and "headers" in data else data

    @model_validator(mode="after")
    def _hosts_are_plain(self) -> Self:
        wrong = [host for host in self.hosts if not _HOST.fullmatch(host) or (host.startswith("*.") and host.count(".") < 2)]
        if wrong:
            raise ValueError(f"hosts: not a host, host:port or *.suffix: {', '.join(wrong)}")
        return self

    @property
    def ink(self) -> str:
        """Black or white, whichever is read better on ``service_color``."""
        red, green, blue = (_linear(int(self.service_color[place : place + 2], 16) / 255) for place in (1, 3, 5))
        return "#ffffff" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.179 else "#111111"

    @property
    def initials(self) -> str:
        """The first letters of the name's first two words, or the first two of its only one."""
        words = re.findall(r"\w+", self.service_name.en) or ["?"]
        return str(words[0][0] + words[1][0] if len(words) > 1 else words[0][:2])

    def auth_of(self, choice: str = "") -> Auth:
        """The service's authentication, or the other one of that id."""
        return next((other.auth for other in self.other_auth if other.choice_id == choice), self.auth)


class ServicePack(ServiceFacts):
    """The ready requests of one service."""

    endpoints: tuple[EndpointTemplate, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _find_hosts(cls, data: Any) -> Any:
        if isinstance(data, dict) and "hosts" not in data and isinstance(data.get("endpoints"), (list, tuple)):
            urls = [str(endpoint.get("url_template")) for endpoint in data["endpoints"] if isinstance(endpoint, dict)]
            hosts = dict.fromkeys(_host_of(url) for url in urls if "{{" not in url.partition("://")[2].partition("/")[0])
            return {**data, "hosts": [host for host in hosts if _HOST.fullmatch(host)]}
        return data

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        problems = [
            *_repeated("endpoint ids are used twice", [endpoint.endpoint_id for endpoint in self.endpoints]),
            *_repeated("variables are declared twice", [variable.name for variable in self.variables]),
            *_check_auth(self),
            *_check_variables(self),
            *_check_hosts(self),
            *_check_test(self),
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def endpoint(self, endpoint_id: str) -> EndpointTemplate | None:
        """The endpoint of that id; None where there is none."""
        return next((endpoint for endpoint in self.endpoints if endpoint.endpoint_id == endpoint_id), None)


def find_placeholders(*parts: Any) -> set[str]:
    """The names in ``{{...}}`` of all texts in models, sequences and objects; built-in ones too."""
    return {name for part in parts for text in _texts(part) for name in _PLACEHOLDER.findall(text)}


def is_host_allowed(url: str, hosts: tuple[str, ...], values: Mapping[str, str] | None = None) -> bool:
    """Whether the host of ``url`` is one of ``hosts``; a placeholder without a value stands for any one label."""
    host = _host_of(_PLACEHOLDER.sub(lambda found: (values or {}).get(found[1], "x"), url))
    return any(host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed for allowed in hosts)


# --- Parts ---------------------------------------------------------------------------------------------------------


def _linear(value: float) -> float:
    """Relative luminance of one channel (WCAG 2)."""
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _as_pairs(rows: Any) -> Any:
    return [{"name": name, "value": str(value)} for name, value in rows.items()] if isinstance(rows, dict) else rows


def _old_body(template: Any, headers: Any) -> dict[str, Any]:
    is_form = isinstance(template, dict) and any(
        str(header.get("name")).lower() == "content-type" and header.get("value") == _FORM
        for header in headers
        if isinstance(header, dict)
    )
    return {"kind": "form", "fields": _as_pairs(template)} if is_form else {"kind": "json", "text": json.dumps(template)}


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, BaseModel):
        yield from _texts([getattr(part, name) for name in type(part).model_fields])
    elif isinstance(part, (list, tuple)):
        for item in part:
            yield from _texts(item)


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""


def _repeated(words: str, names: list[str]) -> Iterator[str]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        yield f"{words}: {', '.join(twice)}"


def _auths(pack: ServicePack) -> list[tuple[str, Auth]]:
    return [
        ("auth", pack.auth),
        *((f"other_auth {other.choice_id}", other.auth) for other in pack.other_auth),
        *((f"endpoint {endpoint.endpoint_id}: auth", endpoint.auth) for endpoint in pack.endpoints if endpoint.auth),
    ]


def _check_auth(pack: ServicePack) -> Iterator[str]:
    """Secret fields name variables, which are secret; a literal one would be a secret in the pack."""
    everything = (*pack.variables, *(variable for endpoint in pack.endpoints for variable in endpoint.variables))
    secrets = {variable.name for variable in everything if variable.secret}
    for place, auth in _auths(pack):
        for name in SECRET_AUTH_FIELDS.get(auth.type, ()):
            text = getattr(auth, name)
            if text and not (find_placeholders(text) and find_placeholders(text) <= secrets):
                yield f"{place}.{name}: must be the {{{{NAME}}}} of a secret variable"


def _check_variables(pack: ServicePack) -> Iterator[str]:
    common = {variable.name for variable in pack.variables}
    shared = find_placeholders(pack.headers, pack.auth, *(other.auth for other in pack.other_auth))
    unused = common - shared
    for endpoint in pack.endpoints:
        own = {variable.name for variable in endpoint.variables}
        used = find_placeholders(endpoint.url_template, endpoint.params, endpoint.headers, endpoint.body, endpoint.auth)
        used -= _BUILT_IN
        unused -= used
        difference = (used - common - own) | (own - used)
        if difference:
            yield f"endpoint {endpoint.endpoint_id}: placeholders and variables differ: {', '.join(sorted(difference))}"
        if own & common:
            yield f"endpoint {endpoint.endpoint_id}: variables of the service: {', '.join(sorted(own & common))}"
    wrong = unused | (shared - common - _BUILT_IN)
    if wrong:
        yield f"placeholders and variables of the service differ: {', '.join(sorted(wrong))}"


def _check_hosts(pack: ServicePack) -> Iterator[str]:
    """Every address leads to one of the hosts, and so does every address where a client's secret goes."""
    addresses = [(f"endpoint {endpoint.endpoint_id}", endpoint.url_template) for endpoint in pack.endpoints]
    for place, auth in _auths(pack):
        if isinstance(auth, (OAuth2ClientCredentials, OAuth2Code)):
            addresses.append((f"{place}.token_url", auth.token_url))
    defaults = {variable.name: variable.default for variable in pack.variables if variable.default is not None}
    for place, url in addresses:
        if not is_host_allowed(url, pack.hosts, defaults):
            yield f"{place}: {_host_of(url) or url} is none of the hosts"


def _check_test(pack: ServicePack) -> Iterator[str]:
    if pack.test_endpoint is None:
        return
    endpoint = pack.endpoint(pack.test_endpoint)
    if endpoint is None:
        yield f"test_endpoint: there is no endpoint {pack.test_endpoint}"
    elif any(variable.required and variable.default is None for variable in endpoint.variables):
        yield "test_endpoint: may need variables of the service only"
