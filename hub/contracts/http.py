"""A saved HTTP request as data: what the builder edits, importers make, exporters read and the runner sends.

Any text may hold ``{{NAME}}`` placeholders. A definition holds no secret: what an importer or a person gives as one travels
beside it (``RequestDraft.secrets``) and is stored as a secret variable of the request, which the definition names by its
placeholder.
"""

from __future__ import annotations

import enum
import re
from typing import Annotated, Any, Literal
from urllib.parse import unquote_plus

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel


class HttpMethod(enum.StrEnum):
    """HTTP request methods that a template or request may use."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"
    HEAD = "HEAD"
    OPTIONS = "OPTIONS"


#: ``{{NAME}}``, also of what is built in (``{{$timestamp}}``); the first group is the name.
PLACEHOLDER = re.compile(r"\{\{\s*(\$?[A-Za-z_][A-Za-z0-9_.-]*)\s*\}\}")
#: The same of variables alone.
VARIABLE_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*\}\}")


class _Part(BaseModel):
    """Stored and named in snake_case; the JSON API's camelCase is read too, and written where ``by_alias`` asks for it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, loc_by_alias=False
    )


class Pair(_Part):
    """One row of a table: a parameter, a header, a form field. Order and duplicates count; a disabled row is kept, not sent."""

    name: str = ""
    value: str = ""
    enabled: bool = True
    description: str | None = None


class NoBody(_Part):
    """Nothing is sent."""

    kind: Literal["none"] = "none"


class JsonBody(_Part):
    """JSON as the person wrote it, with its spaces: placeholders may stand where JSON allows none."""

    kind: Literal["json"] = "json"
    text: str = ""


class FormBody(_Part):
    """``application/x-www-form-urlencoded``."""

    kind: Literal["form"] = "form"
    fields: tuple[Pair, ...] = ()
    #: The rows are encoded already, as in a command from a vendor's documentation (``metadata[order]=6735``): they are joined as
    #: they stand, and only the values of variables are encoded.
    as_written: bool = False

    def decoded(self) -> FormBody:
        """The same fields in plain text, for whom they are encoded anew."""
        if not self.as_written:
            return self
        rows = (row.model_copy(update={"name": unquote_plus(row.name), "value": unquote_plus(row.value)}) for row in self.fields)
        return FormBody(fields=tuple(rows))


class MultipartPart(Pair):
    """A field of ``multipart/form-data``: a text, or a file that was uploaded (``file_id``; empty until one is chosen)."""

    is_file: bool = False
    file_id: str | None = None
    file_name: str | None = None
    content_type: str | None = None


class MultipartBody(_Part):
    """``multipart/form-data``."""

    kind: Literal["multipart"] = "multipart"
    parts: tuple[MultipartPart, ...] = ()


class RawBody(_Part):
    """Any text, with its content type."""

    kind: Literal["raw"] = "raw"
    text: str = ""
    content_type: str = "text/plain"


class XmlBody(_Part):
    """XML text; sent as ``application/xml`` unless a header says otherwise."""

    kind: Literal["xml"] = "xml"
    text: str = ""


class GraphqlBody(_Part):
    """A GraphQL document with its variables (JSON text), sent as JSON by POST."""

    kind: Literal["graphql"] = "graphql"
    query: str = ""
    variables: str = ""
    operation_name: str | None = None


class BinaryBody(_Part):
    """An uploaded file, as it is."""

    kind: Literal["binary"] = "binary"
    file_id: str | None = None
    file_name: str | None = None
    content_type: str = "application/octet-stream"


Body = Annotated[
    NoBody | JsonBody | FormBody | MultipartBody | RawBody | XmlBody | GraphqlBody | BinaryBody, Field(discriminator="kind")
]


class NoAuth(_Part):
    """No authentication."""

    type: Literal["none"] = "none"


class BasicAuth(_Part):
    """RFC 7617."""

    type: Literal["basic"] = "basic"
    username: str = ""
    password: str = ""


class BearerAuth(_Part):
    """``Authorization: <prefix> <token>``; services have other words than Bearer (Discord: Bot)."""

    type: Literal["bearer"] = "bearer"
    token: str = ""
    prefix: str = "Bearer"


class ApiKeyAuth(_Part):
    """A key in a header or a query parameter of the service's own name."""

    type: Literal["api-key"] = "api-key"
    name: str = ""
    value: str = ""
    place: Literal["header", "query"] = "header"


class OAuth2ClientCredentials(_Part):
    """RFC 6749 4.4: the hub fetches the token, keeps it encrypted and renews it before it runs out."""

    type: Literal["oauth2-client-credentials"] = "oauth2-client-credentials"
    token_url: str = ""
    client_id: str = ""
    client_secret: str = ""
    scope: str = ""
    audience: str = ""
    #: Where the client's id and secret go: an Authorization header (basic) or the form.
    client_authentication: Literal["header", "body"] = "header"
    #: How the token is sent: a bearer header, or a header of the service's own name (Shopify: X-Shopify-Access-Token).
    header_name: str = "Authorization"
    prefix: str = "Bearer"


class OAuth2Code(_Part):
    """RFC 6749 4.1 with PKCE (RFC 7636): the person signs in at the service once, the hub renews the token."""

    type: Literal["oauth2-code"] = "oauth2-code"
    authorization_url: str = ""
    token_url: str = ""
    client_id: str = ""
    client_secret: str = ""
    scope: str = ""
    client_authentication: Literal["header", "body"] = "header"


class DigestAuth(_Part):
    """RFC 7616."""

    type: Literal["digest"] = "digest"
    username: str = ""
    password: str = ""


class AwsSigV4Auth(_Part):
    """AWS Signature Version 4."""

    type: Literal["aws-sigv4"] = "aws-sigv4"
    access_key_id: str = ""
    secret_access_key: str = ""
    session_token: str = ""
    region: str = ""
    service: str = ""


class HmacAuth(_Part):
    """A header with the HMAC of a text that is put together from the request.

    ``message`` may hold ``{{$method}}``, ``{{$url}}``, ``{{$path}}``, ``{{$query}}``, ``{{$body}}``, ``{{$timestamp}}`` (Unix
    seconds) and variables. With ``timestamp_header`` the same timestamp is sent too.
    """

    type: Literal["hmac"] = "hmac"
    algorithm: Literal["sha1", "sha256", "sha384", "sha512"] = "sha256"
    secret: str = ""
    message: str = "{{$body}}"
    encoding: Literal["hex", "base64"] = "hex"
    header: str = "X-Signature"
    prefix: str = ""
    timestamp_header: str = ""


Auth = Annotated[
    NoAuth | BasicAuth | BearerAuth | ApiKeyAuth | OAuth2ClientCredentials | OAuth2Code | DigestAuth | AwsSigV4Auth | HmacAuth,
    Field(discriminator="type"),
]

#: The fields of each kind of authentication that are secrets: never stored in a definition, shown or exported.
SECRET_AUTH_FIELDS: dict[str, tuple[str, ...]] = {
    "basic": ("password",),
    "bearer": ("token",),
    "api-key": ("value",),
    "oauth2-client-credentials": ("client_secret",),
    "oauth2-code": ("client_secret",),
    "digest": ("password",),
    "aws-sigv4": ("secret_access_key", "session_token"),
    "hmac": ("secret",),
}


class RequestSettings(_Part):
    """How the request is sent."""

    timeout_seconds: float = Field(default=30.0, ge=1, le=120)
    follow_redirects: bool = True
    max_redirects: int = Field(default=5, ge=0, le=20)
    #: False accepts any certificate; the answer says so.
    verify_tls: bool = True


class Comparison(enum.StrEnum):
    """How an assertion compares; ``EXISTS`` and ``MISSING`` take no expected value."""

    EQUALS = "equals"
    NOT_EQUALS = "not-equals"
    CONTAINS = "contains"
    MATCHES = "matches"
    LESS_THAN = "less-than"
    GREATER_THAN = "greater-than"
    EXISTS = "exists"
    MISSING = "missing"


class Assertion(_Part):
    """What has to hold of the answer.

    ``subject``: ``status`` (``expected`` 200, 2xx or a list ``200,201``), ``body`` (``path`` is a JSONPath, RFC 9535), ``text``
    (the whole body), ``header`` (``path`` is its name), ``time`` (milliseconds), ``size`` (bytes).
    """

    subject: Literal["status", "body", "text", "header", "time", "size"] = "status"
    path: str = ""
    comparison: Comparison = Comparison.EQUALS
    expected: str = ""
    enabled: bool = True


class Extraction(_Part):
    """Takes a value from the answer into a variable: the first match of a JSONPath, or a header."""

    variable: str
    source: Literal["body", "header"] = "body"
    path: str = ""
    #: Where the variable is set: the active environment, or the person's own variables.
    scope: Literal["environment", "user"] = "environment"
    secret: bool = False
    enabled: bool = True


class RequestDefinition(_Part):
    """All that decides what is sent, and what is looked at in the answer."""

    method: HttpMethod = HttpMethod.GET
    url: str = ""
    params: tuple[Pair, ...] = ()
    headers: tuple[Pair, ...] = ()
    body: Body = NoBody()
    auth: Auth = NoAuth()
    settings: RequestSettings = RequestSettings()
    assertions: tuple[Assertion, ...] = ()
    extractions: tuple[Extraction, ...] = ()
    #: Variables of this request alone, plain; its secret ones are stored apart.
    variables: tuple[Pair, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _read_objects(cls, data: Any) -> Any:
        """The seed's ``headers`` and ``params`` may be objects."""
        if isinstance(data, dict):
            for name in ("headers", "params"):
                if isinstance(data.get(name), dict):
                    data = {**data, name: [{"name": key, "value": str(value)} for key, value in data[name].items()]}
        return data


class Note(_Part):
    """What an importer or exporter could not take over, or changed: a code for programs and its plain values for the words."""

    code: str
    details: dict[str, str | int] = Field(default_factory=dict)


class RequestDraft(_Part):
    """A request that is not saved yet: what importers and service packs make."""

    name: str
    definition: RequestDefinition
    description: str | None = None
    #: Path of names with "/" between, such as "Shop/Orders".
    folder: str | None = None
    tags: tuple[str, ...] = ()
    #: Values of secret variables that ``definition`` names, by name. Never logged, shown or stored as they are.
    secrets: dict[str, str] = Field(default_factory=dict, repr=False)
    documentation: str | None = None
    #: Which operation of which document this is, so that a later import finds it again; None where there is no such thing.
    origin: str | None = None
    notes: tuple[Note, ...] = ()
