"""From a request to the parameters of n8n's HTTP Request node."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from hub.contracts.http import (
    AwsSigV4Auth,
    BinaryBody,
    GraphqlBody,
    HmacAuth,
    JsonBody,
    MultipartBody,
    NoAuth,
    NoBody,
    Note,
    OAuth2ClientCredentials,
    Pair,
    RequestDefinition,
    RequestSettings,
)
from hub.http_builder.n8n.bodies import default_type, write_body
from hub.http_builder.n8n.credentials import (
    SPELT_HEADERS,
    Credential,
    ServiceCredential,
    credential_of_header,
    credential_of_parameter,
    find_credential,
    is_sensitive,
)
from hub.http_builder.n8n.expressions import VARIABLES_NODE, Form, find_names, to_n8n
from hub.redaction import is_secret_name

Json = dict[str, Any]

HTTP_REQUEST = "n8n-nodes-base.httpRequest"
#: Known to every n8n since early 2024; a newer one is loaded by no older n8n.
OLDEST_VERSION = 4.2
#: From here on n8n sends a parameter that is there twice twice.
_DUPLICATES_VERSION = 4.3
_DEFAULTS = RequestSettings()
#: Methods with which n8n sends JSON only.
_BODILESS = ("HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class NodeChoices:
    """What a person decides about the answer in n8n: all of it or its body, and whether an error status stops the workflow."""

    full_response: bool = False
    never_error: bool = False


#: n8n's own defaults.
AS_USUAL = NodeChoices()


@dataclass(slots=True)
class BuiltNode:
    """An HTTP Request node in the making. ``variables`` are the names that its expressions read from the variables' node."""

    parameters: Json = field(default_factory=dict)
    type_version: float = OLDEST_VERSION
    credential: Credential | None = None
    variables: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def build_node(
    definition: RequestDefinition,
    *,
    choices: NodeChoices = AS_USUAL,
    secret_names: Collection[str] = (),
    type_version: float = OLDEST_VERSION,
    variables_node: str = VARIABLES_NODE,
    pack: ServiceCredential | None = None,
) -> BuiltNode:
    """The node that sends what the definition says; what n8n can't do stands in its notes.

    ``secret_names`` are the variables known to be secret; a name that says so counts too. ``pack`` is its pack's credential.
    """
    credential = find_credential(definition, pack)
    return _Builder(definition, secret_names, max(type_version, OLDEST_VERSION), variables_node, credential).build(choices)


class _Builder:
    def __init__(
        self,
        definition: RequestDefinition,
        secret_names: Collection[str],
        version: float,
        variables_node: str,
        credential: Credential | None,
    ) -> None:
        self._definition = definition
        self._secret_names = secret_names
        self._variables_node = variables_node
        self._options: Json = {}
        self._is_signed = isinstance(definition.auth, AwsSigV4Auth)
        self._built = BuiltNode(type_version=version, credential=credential)

    def build(self, choices: NodeChoices) -> BuiltNode:
        definition, built = self._definition, self._built
        self._method()
        built.parameters["url"] = self._text(definition.url.strip(), "url")
        headers = self._without_secret([row for row in definition.headers if row.enabled and row.name], "header")
        params = self._without_secret([row for row in definition.params if row.enabled and (row.name or row.value)], "parameter")
        self._authentication()
        self._query(params)
        content_type = self._body(headers)
        self._headers([row for row in headers if row is not content_type])
        self._settings(definition.settings)
        self._response(choices)
        if definition.assertions or definition.extractions:
            self._note("n8n-no-assertions")
        built.parameters["options"] = self._options
        if built.credential:
            built.notes[:0] = built.credential.notes
        unknown = [name for name in built.variables if name not in _known_values(definition)]
        if unknown:
            self._note("n8n-variables", names=", ".join(unknown))
        return built

    def _note(self, code: str, **details: str | int) -> None:
        note = Note(code=code, details=details)
        if note not in self._built.notes:
            self._built.notes.append(note)

    def _text(self, text: str, place: str, form: Form = "text") -> str:
        """The text as n8n has to have it; its variables are noted."""
        for name in find_names(text):
            if name not in self._built.variables:
                self._built.variables.append(name)
            if name in self._secret_names or is_secret_name(name):
                self._note("n8n-secret-in-text", name=name, place=place)
        return to_n8n(text, node=self._variables_node, form=form)

    def _method(self) -> None:
        method = self._definition.method
        if method != "GET":
            self._built.parameters["method"] = method.value
        if method in _BODILESS and not isinstance(self._definition.body, NoBody | JsonBody):
            self._note("n8n-no-body", method=method.value)

    def _without_secret(self, rows: list[Pair], kind: str) -> list[Pair]:
        """The rows without the one that a credential sends instead; literal secrets beyond that are left out."""
        kept = []
        for row in rows:
            if not is_sensitive(row.name, row.value, self._secret_names):
                kept.append(row)
            elif self._built.credential is None and isinstance(self._definition.auth, NoAuth):
                make = credential_of_header if kind == "header" else credential_of_parameter
                self._built.credential = make(row.name, row.value)
            elif find_names(row.value):
                kept.append(row)
            else:
                self._note("n8n-secret-left-out", name=row.name, place=kind)
        return kept

    def _authentication(self) -> None:
        credential, auth = self._built.credential, self._definition.auth
        if isinstance(auth, HmacAuth):
            self._note("n8n-hmac", header=auth.header)
        is_plain = not isinstance(auth, OAuth2ClientCredentials) or (auth.header_name, auth.prefix) == ("Authorization", "Bearer")
        if credential and credential.types[0] == "oAuth2Api" and isinstance(auth, OAuth2ClientCredentials) and not is_plain:
            self._note("n8n-token-header", header=auth.header_name)
        if credential:
            self._built.parameters |= authentication_parameters(credential.types[0])

    def _query(self, rows: list[Pair]) -> None:
        if not rows:
            return
        names = [row.name for row in rows]
        if len(set(names)) < len(names):
            self._options["queryParameterArrays"] = "repeat"
            self._built.type_version = max(self._built.type_version, _DUPLICATES_VERSION)
            self._note("n8n-needs-version", version=str(_DUPLICATES_VERSION))
        self._built.parameters |= {"sendQuery": True, "queryParameters": self._rows(rows, "parameter")}

    def _headers(self, rows: list[Pair]) -> None:
        """n8n sends the last of equal names only, so their values are joined as HTTP allows."""
        joined: dict[str, Pair] = {}
        for row in rows:
            earlier = joined.get(row.name.lower())
            if earlier is None:
                joined[row.name.lower()] = row
                continue
            separator = "; " if row.name.lower() == "cookie" else ", "
            joined[row.name.lower()] = earlier.model_copy(update={"value": earlier.value + separator + row.value})
            self._note("n8n-duplicate-header", name=row.name)
        credential = self._built.credential
        spelt = SPELT_HEADERS.get(credential.types[0], "") if credential else ""
        if spelt.lower() in joined:
            joined[spelt.lower()] = joined[spelt.lower()].model_copy(update={"name": spelt})
            self._options["lowercaseHeaders"] = False
        if joined:
            self._built.parameters |= {"sendHeaders": True, "headerParameters": self._rows(list(joined.values()), "header")}

    def _rows(self, rows: list[Pair], kind: str) -> Json:
        texts = [{"name": self._text(row.name, kind), "value": self._text(row.value, f"{kind} {row.name}")} for row in rows]
        return {"parameters": texts}

    def _body(self, headers: list[Pair]) -> Pair | None:
        """Write the body; the header row that it makes needless, if there is one. May add a row that it needs."""
        body = self._definition.body
        if isinstance(body, NoBody):
            return None
        row = next((row for row in headers if row.name.lower() == "content-type"), None)
        parameters, notes = write_body(body, row.value if row else None, self._body_text)
        self._built.parameters |= {"sendBody": True, **parameters}
        self._built.notes += notes
        if isinstance(body, BinaryBody) and row is None and body.content_type != "application/octet-stream":
            headers.append(Pair(name="Content-Type", value=body.content_type))
        if self._is_signed and "specifyBody" in parameters and row is None:
            headers.append(Pair(name="Content-Type", value="application/json"))  # n8n signs JSON as a form where nothing says so
        if row is None or (self._is_signed and isinstance(body, JsonBody | GraphqlBody) and "specifyBody" in parameters):
            return None
        is_usual = row.value.partition(";")[0].strip().lower() == default_type(body)
        needless = parameters.get("contentType") == "raw" or isinstance(body, MultipartBody) or is_usual
        return row if needless and not isinstance(body, BinaryBody) else None

    def _body_text(self, text: str, form: Form = "text") -> str:
        return self._text(text, "body", form)

    def _settings(self, settings: RequestSettings) -> None:
        if settings.timeout_seconds != _DEFAULTS.timeout_seconds:
            self._options["timeout"] = round(settings.timeout_seconds * 1000)
        if not settings.follow_redirects or settings.max_redirects == 0:
            self._options["redirect"] = {"redirect": {"followRedirects": False}}
        elif settings.max_redirects != _DEFAULTS.max_redirects:
            self._options["redirect"] = {"redirect": {"followRedirects": True, "maxRedirects": settings.max_redirects}}
        if not settings.verify_tls:
            self._options["allowUnauthorizedCerts"] = True

    def _response(self, choices: NodeChoices) -> None:
        wanted = {"fullResponse": choices.full_response, "neverError": choices.never_error}
        chosen = {name: True for name, value in wanted.items() if value}
        if chosen:
            self._options["response"] = {"response": chosen}


def authentication_parameters(credential_type: str) -> Json:
    """The parameters that make a node sign in with a credential of that type."""
    if credential_type.startswith("http") or credential_type in ("oAuth1Api", "oAuth2Api"):
        return {"authentication": "genericCredentialType", "genericAuthType": credential_type}
    return {"authentication": "predefinedCredentialType", "nodeCredentialType": credential_type}


def _known_values(definition: RequestDefinition) -> dict[str, str]:
    return {row.name: row.value for row in definition.variables if row.enabled}
