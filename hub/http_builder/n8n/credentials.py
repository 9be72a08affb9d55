"""Which n8n credential signs a request in. A node only refers to it by type, id and name: no secret goes into a node."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from hub.contracts.http import (
    ApiKeyAuth,
    Auth,
    AwsSigV4Auth,
    BasicAuth,
    BearerAuth,
    DigestAuth,
    HmacAuth,
    NoAuth,
    Note,
    OAuth2ClientCredentials,
    OAuth2Code,
    RequestDefinition,
)
from hub.http_builder.n8n.expressions import find_names
from hub.http_builder.rendering.placeholders import is_expression
from hub.redaction import is_secret_name

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ServiceCredential:
    """A credential type that n8n has for one service: hosts that it is for, the sign-in that it makes, its field for the key."""

    type: str
    hosts: tuple[str, ...]
    auth: Auth
    field: str = ""


def _bearer(kind: str, field: str, *hosts: str, prefix: str = "Bearer") -> ServiceCredential:
    return ServiceCredential(kind, hosts, BearerAuth(prefix=prefix), field)


#: n8n's own credential types (2.40.7) for the services that the hub has packs of. Telegram's has no sign-in of its own.
SERVICE_CREDENTIALS = (
    _bearer("stripeApi", "secretKey", "api.stripe.com"),
    _bearer("githubApi", "accessToken", "api.github.com"),
    _bearer("slackApi", "accessToken", "slack.com"),
    _bearer("openAiApi", "apiKey", "api.openai.com"),
    _bearer("sendGridApi", "apiKey", "api.sendgrid.com", "api.eu.sendgrid.com"),
    _bearer("hubspotAppToken", "appToken", "api.hubapi.com"),
    _bearer("notionApi", "apiKey", "api.notion.com"),
    _bearer("airtableTokenApi", "accessToken", "api.airtable.com"),
    _bearer("whatsAppApi", "accessToken", "graph.facebook.com"),
    _bearer("discordBotApi", "botToken", "discord.com", prefix="Bot"),
    ServiceCredential("twilioApi", ("api.twilio.com", "verify.twilio.com", "lookups.twilio.com"), BasicAuth()),
    ServiceCredential(
        "shopifyAccessTokenApi", ("*.myshopify.com",), ApiKeyAuth(name="X-Shopify-Access-Token"), field="accessToken"
    ),
    ServiceCredential("googleSheetsOAuth2Api", ("sheets.googleapis.com",), OAuth2Code()),
)
#: A header that the credential writes over, unless the node has it in just this spelling.
SPELT_HEADERS = {"notionApi": "Notion-Version"}
#: A header that the credential always sends, from a field of its own.
_HEADER_FIELDS = {"openAiApi": ("openai-organization", "organizationId")}
#: Credential type -> the sign-in that it makes.
GENERIC_CREDENTIALS: dict[str, Auth] = {
    "httpBasicAuth": BasicAuth(),
    "httpBearerAuth": BearerAuth(),
    "httpHeaderAuth": ApiKeyAuth(),
    "httpQueryAuth": ApiKeyAuth(place="query"),
    "httpDigestAuth": DigestAuth(),
    "oAuth2Api": OAuth2Code(),
}
_AWS = "aws"
_BEARER = re.compile(r"Bearer\s+(\S.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Credential:
    """The credential that a node needs: types that would do, the best first, and what goes into its fields.

    ``fields`` hold names of variables in braces and plain values, never a secret.
    """

    types: tuple[str, ...]
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[Note, ...]:
        """What a person has to set up in n8n."""
        known = ", ".join(f"{name}: {value}" for name, value in self.fields.items() if value)
        fields = known or ", ".join(self.fields)
        return (Note(code="n8n-credential", details={"type": self.types[0], "fields": fields}),)


def find_credential(definition: RequestDefinition, pack: ServiceCredential | None = None) -> Credential | None:
    """The credential for the definition's authentication; None where it has none, or one that n8n can't make.

    ``pack`` is what the pack of the request names; it goes before n8n's types that the hub knows.
    """
    auth = definition.auth
    if isinstance(auth, NoAuth | HmacAuth):
        return None
    if isinstance(auth, AwsSigV4Auth):
        return Credential((_AWS,), {"region": auth.region, "accessKeyId": auth.access_key_id})
    generic, fields = _generic(auth)
    services = _service_credentials(definition, pack)
    if services:
        fields = {**(_service_fields(services[0], auth) or fields), **_header_field(services[0], definition)}
    return Credential((*dict.fromkeys(service.type for service in services), generic), fields)


def read_auth(kind: str, name: str | None) -> Auth | None:
    """The sign-in that a node's credential makes, its secrets as variables that are named after it; None for other types."""
    shape = GENERIC_CREDENTIALS.get(kind) or next((known.auth for known in SERVICE_CREDENTIALS if known.type == kind), None)
    if kind == _AWS:
        shape = AwsSigV4Auth()
    if shape is None:
        return None
    stem = _variable_stem(name or kind)
    secrets: dict[str, Json] = {
        "basic": {"username": f"{{{{{stem}_USER}}}}", "password": f"{{{{{stem}_PASSWORD}}}}"},
        "digest": {"username": f"{{{{{stem}_USER}}}}", "password": f"{{{{{stem}_PASSWORD}}}}"},
        "bearer": {"token": f"{{{{{stem}_TOKEN}}}}"},
        "api-key": {"value": f"{{{{{stem}_KEY}}}}"},
        "oauth2-code": {"client_secret": f"{{{{{stem}_CLIENT_SECRET}}}}"},
        "aws-sigv4": {"secret_access_key": f"{{{{{stem}_SECRET_ACCESS_KEY}}}}"},
    }
    return shape.model_copy(update=secrets[shape.type])


def is_sensitive(name: str, value: str, secret_names: Collection[str]) -> bool:
    """Whether a header or parameter carries a secret: a secret variable, or a text under a name that says so."""
    if is_expression(value) or not value.strip():
        return False
    names = find_names(value)
    if names:
        return any(used in secret_names or is_secret_name(used) for used in names)
    return is_secret_name(name)


def credential_of_header(name: str, value: str) -> Credential:
    """The credential that sends a secret header in the node's place."""
    bearer = _BEARER.fullmatch(value.strip()) if name.lower() == "authorization" else None
    if bearer:
        return Credential(("httpBearerAuth",), {"token": _shown(bearer[1])})
    return Credential(("httpHeaderAuth",), {"name": name, "value": _shown(value)})


def credential_of_parameter(name: str, value: str) -> Credential:
    """The credential that sends a secret query parameter in the node's place."""
    return Credential(("httpQueryAuth",), {"name": name, "value": _shown(value)})


def _generic(auth: Auth) -> tuple[str, dict[str, str]]:
    match auth:
        case BasicAuth():
            return "httpBasicAuth", {"user": auth.username, "password": _shown(auth.password)}
        case DigestAuth():
            return "httpDigestAuth", {"user": auth.username, "password": _shown(auth.password)}
        case BearerAuth() if auth.prefix == "Bearer":
            return "httpBearerAuth", {"token": _shown(auth.token)}
        case BearerAuth():
            return "httpHeaderAuth", {"name": "Authorization", "value": f"{auth.prefix} {_shown(auth.token)}".strip()}
        case ApiKeyAuth():
            kind = "httpHeaderAuth" if auth.place == "header" else "httpQueryAuth"
            return kind, {"name": auth.name, "value": _shown(auth.value)}
        case OAuth2ClientCredentials():
            grant = {"grantType": "Client Credentials", "accessTokenUrl": auth.token_url}
        case OAuth2Code():
            grant = {"grantType": "PKCE", "authUrl": auth.authorization_url, "accessTokenUrl": auth.token_url}
        case _:
            raise TypeError(type(auth).__name__)
    return "oAuth2Api", {**grant, "clientId": auth.client_id, "clientSecret": _shown(auth.client_secret), "scope": auth.scope}


def _service_credentials(definition: RequestDefinition, pack: ServiceCredential | None) -> list[ServiceCredential]:
    """n8n's credentials for the service that the request goes to and the sign-in that it has; the pack's first."""
    host = _host(definition.url)
    known = [kind for kind in SERVICE_CREDENTIALS if _is_host(host, kind.hosts)]
    if pack is not None and (find_names(host) or _is_host(host, pack.hosts)):  # a host of its own choice is a variable
        known.insert(0, next((kind for kind in SERVICE_CREDENTIALS if kind.type == pack.type), pack))
    return [kind for kind in known if _signs_alike(definition.auth, kind.auth)]


def _service_fields(service: ServiceCredential, auth: Auth) -> dict[str, str]:
    """The fields that n8n's form for the service has, as far as the hub knows it.

    A token that the hub fetches by itself is left to the person.
    """
    match auth:
        case BasicAuth() if service.type == "twilioApi":
            is_key = auth.username.startswith("SK") or "API_KEY" in auth.username.upper()
            if is_key:
                return {"authType": "apiKey", "apiKeySid": auth.username, "apiKeySecret": _shown(auth.password)}
            return {"authType": "authToken", "accountSid": auth.username, "authToken": _shown(auth.password)}
        case BearerAuth() if service.field:
            return {service.field: _shown(auth.token)}
        case ApiKeyAuth() if service.field:
            return {service.field: _shown(auth.value)}
        case OAuth2ClientCredentials() if service.field:
            return {service.field: ""}
        case OAuth2Code():
            return {"clientId": auth.client_id, "clientSecret": _shown(auth.client_secret)}
    return {}


def _header_field(service: ServiceCredential, definition: RequestDefinition) -> dict[str, str]:
    """The field for a header that n8n takes from the credential alone."""
    header, name = _HEADER_FIELDS.get(service.type, ("", ""))
    value = next((row.value for row in definition.headers if row.enabled and row.name.lower() == header), None)
    return {} if value is None else {name: value}


def _shown(value: str) -> str:
    """A secret field as a hint may show it: only what stands for a variable."""
    return value if find_names(value) else ""


def _host(url: str) -> str:
    """The host as it is written; empty where the address has none."""
    try:
        return urlsplit(url.strip()).netloc.rpartition("@")[2].partition(":")[0].lower()
    except ValueError:
        return ""


def _is_host(host: str, patterns: tuple[str, ...]) -> bool:
    return any(host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:])) for pattern in patterns)


def _signs_alike(auth: Auth, shape: Auth) -> bool:
    """Whether both put their secret into the same place; a token from OAuth counts as one that a person pasted."""
    if isinstance(auth, OAuth2ClientCredentials):
        in_bearer = isinstance(shape, BearerAuth) and auth.header_name.lower() == "authorization" and auth.prefix == shape.prefix
        return in_bearer or (isinstance(shape, ApiKeyAuth) and auth.header_name.lower() == shape.name.lower())
    if isinstance(auth, BearerAuth) and isinstance(shape, BearerAuth):
        return auth.prefix.lower() == shape.prefix.lower()
    if isinstance(auth, ApiKeyAuth) and isinstance(shape, ApiKeyAuth):
        return (auth.name.lower(), auth.place) == (shape.name.lower(), shape.place)
    return auth.type == shape.type


def _variable_stem(name: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    stem = "_".join(words).upper()[:60]
    return stem if stem[:1].isalpha() else f"N8N_{stem}".rstrip("_")
