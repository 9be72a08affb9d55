"""Security schemes of an OpenAPI document as the hub's authentication, with placeholders for what is secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from hub.contracts.http import (
    ApiKeyAuth,
    Auth,
    BasicAuth,
    BearerAuth,
    DigestAuth,
    NoAuth,
    Note,
    OAuth2ClientCredentials,
    OAuth2Code,
    Pair,
)
from hub.http_builder.importing.references import References
from hub.http_builder.importing.swagger2 import security_scheme
from hub.http_builder.importing.values import description, mapping, mappings, secret_name, sequence, text


@dataclass(slots=True)
class Signing:
    """How an operation is signed in: one kind of authentication, and further keys as rows."""

    auth: Auth = field(default_factory=NoAuth)
    headers: list[Pair] = field(default_factory=list)
    params: list[Pair] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


class Security:
    """The security schemes of one document."""

    def __init__(self, document: dict[str, Any], references: References) -> None:
        self._references = references
        self._default = document.get("security")
        declared = mapping(document.get("securityDefinitions")) or mapping(
            mapping(document.get("components")).get("securitySchemes")
        )
        self._schemes = {name: security_scheme(references.resolve(scheme)) for name, scheme in declared.items()}

    def of(self, operation: dict[str, Any], server: str) -> Signing:
        """What the operation asks for: the first alternative whose schemes are all known, else the first."""
        required = operation.get("security", self._default)
        alternatives = [choice for choice in mappings(required) if choice]
        if not alternatives:
            return Signing()
        chosen = next((choice for choice in alternatives if all(self._is_known(name) for name in choice)), alternatives[0])
        signing = Signing()
        for name, scopes in chosen.items():
            self._sign(signing, name, " ".join(text(scope) for scope in sequence(scopes)), server)
        return signing

    def _is_known(self, name: str) -> bool:
        scheme = self._schemes.get(name, {})
        if scheme.get("type") == "http":
            return text(scheme.get("scheme")).lower() in ("basic", "bearer", "digest")
        flows = mapping(scheme.get("flows"))
        return scheme.get("type") == "apiKey" or "clientCredentials" in flows or "authorizationCode" in flows

    def _sign(self, signing: Signing, name: str, scope: str, server: str) -> None:
        scheme = self._schemes.get(name, {})
        if scheme.get("type") == "apiKey":
            self._sign_by_key(signing, name, scheme)
            return
        auth = _auth_of(name, scheme, scope, server)
        if auth is None:
            signing.notes.append(
                Note(code="unknown-security", details={"name": name[:100], "type": text(scheme.get("type"), 40)})
            )
        elif not isinstance(signing.auth, NoAuth):
            signing.notes.append(Note(code="second-security", details={"name": name[:100]}))
        else:
            signing.auth = auth

    @staticmethod
    def _sign_by_key(signing: Signing, name: str, scheme: dict[str, Any]) -> None:
        """A key in a header or parameter; as a row of its own where something else signs in already, or it is a cookie."""
        key, place = text(scheme.get("name"), 200), text(scheme.get("in"))
        placeholder = _placeholder(name)
        if place == "cookie":
            signing.headers.append(
                Pair(name="Cookie", value=f"{key}={placeholder}", description=description(scheme.get("description"), 1000))
            )
        elif isinstance(signing.auth, NoAuth):
            signing.auth = ApiKeyAuth(name=key, value=placeholder, place="query" if place == "query" else "header")
        else:
            rows = signing.params if place == "query" else signing.headers
            rows.append(Pair(name=key, value=placeholder, description=description(scheme.get("description"), 1000)))


def _placeholder(*words: str) -> str:
    return "{{" + secret_name(*words) + "}}"


def _auth_of(name: str, scheme: dict[str, Any], scope: str, server: str) -> Auth | None:
    kind, word = scheme.get("type"), text(scheme.get("scheme")).lower()
    if kind == "http" and word == "basic":
        return BasicAuth(username=_placeholder(name, "username"), password=_placeholder(name, "password"))
    if kind == "http" and word == "digest":
        return DigestAuth(username=_placeholder(name, "username"), password=_placeholder(name, "password"))
    if kind == "http" and word == "bearer":
        return BearerAuth(token=_placeholder(name))
    if kind == "oauth2":
        return _oauth2(name, mapping(scheme.get("flows")), scope, server)
    return BearerAuth(token=_placeholder(name)) if kind == "openIdConnect" else None


def _oauth2(name: str, flows: dict[str, Any], scope: str, server: str) -> Auth:
    client = {"client_id": _placeholder(name, "client_id"), "client_secret": _placeholder(name, "client_secret"), "scope": scope}
    code, credentials = mapping(flows.get("authorizationCode")), mapping(flows.get("clientCredentials"))
    if credentials:
        return OAuth2ClientCredentials(token_url=_address(credentials.get("tokenUrl"), server), **client)
    if code:
        return OAuth2Code(
            authorization_url=_address(code.get("authorizationUrl"), server),
            token_url=_address(code.get("tokenUrl"), server),
            **client,
        )
    return BearerAuth(token=_placeholder(name))


def _address(url: Any, server: str) -> str:
    """The URL, which may be relative to the server."""
    try:
        return urljoin(f"{server}/", text(url, 2000)) if server.startswith("http") else text(url, 2000)
    except ValueError:
        return text(url, 2000)
