"""What the hub would send, with variables where their values are not to be written down: what every exporter writes out.

The request is prepared as for sending (``rendering``), a mark standing for each variable, so that an export can't differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from hub.contracts.http import (
    PLACEHOLDER,
    SECRET_AUTH_FIELDS,
    ApiKeyAuth,
    AwsSigV4Auth,
    BasicAuth,
    BearerAuth,
    BinaryBody,
    DigestAuth,
    HmacAuth,
    MultipartBody,
    NoAuth,
    NoBody,
    Note,
    OAuth2ClientCredentials,
    OAuth2Code,
    RequestDefinition,
    RequestSettings,
)
from hub.http_builder.importing.secrets import SecretCollector, hide_headers
from hub.http_builder.rendering import Value, Values, find_names, prepare

_PLACE_OF_TOKEN = "ACCESS_TOKEN"  # noqa: S105 - a variable's name
_DEFAULTS = frozenset(("user-agent", "accept", "accept-encoding"))
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Variable:
    """A value that the tool reads from its environment. ``quoted`` tells that it stands within a string of JSON."""

    name: str
    quoted: bool = False


#: A text with variables in it.
Text = tuple[str | Variable, ...]


@dataclass(frozen=True, slots=True)
class TextBody:
    """A body in one piece. ``kind`` says how a variable's value has to be written in it."""

    kind: Literal["json", "form", "xml", "raw"]
    text: Text


@dataclass(frozen=True, slots=True)
class FileBody:
    """A file as it is."""

    name: str


@dataclass(frozen=True, slots=True)
class Part:
    """A field of a multipart form: a text, or a file."""

    name: Text
    value: Text
    file: str | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class PartsBody:
    """``multipart/form-data``."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Login:
    """Who signs in, in a way that is more than a header with a text. ``region`` to ``token`` belong to AWS."""

    kind: Literal["basic", "digest", "aws"]
    name: Text
    password: Text
    region: Text = ()
    service: Text = ()
    token: Text = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A request as it is sent. Headers that every client adds by itself are not among them."""

    method: str
    url: Text
    headers: tuple[tuple[str, Text], ...]
    body: TextBody | FileBody | PartsBody | None
    login: Login | None
    settings: RequestSettings
    notes: list[Note] = field(default_factory=list)

    def note(self, code: str, **details: str | int) -> None:
        """Note something once."""
        note = Note(code=code, details=details)
        if note not in self.notes:
            self.notes.append(note)

    def note_dots(self, tool: str) -> None:
        """Note where ``tool`` resolves the ``.`` and ``..`` of the path, which the hub sends as they stand."""
        if self.has_dots:
            self.note("path-resolved", tool=tool)

    @property
    def has_dots(self) -> bool:
        """Whether the path has a ``.`` or ``..`` for tools to resolve."""
        return any(isinstance(piece, str) and re.search(r"/\.\.?(?:[/?]|$)", piece) for piece in self.url)

    def header(self, name: str) -> Text | None:
        """The value of the first header of this name."""
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)

    def split_query(self) -> tuple[Text, list[Text]]:
        """The URL without its query, and that in its ``name=value`` pieces, encoded."""
        head, pieces = cut(self.url, "?", once=True), []
        if len(head) > 1:
            pieces = cut(head[1], "&")
        return head[0], pieces


def make_plan(definition: RequestDefinition, values: Mapping[str, str]) -> Plan:
    """The request with the plain values filled in. Raises ``RenderError`` where it can't be sent at all, as it is written."""
    known = {**values, **{row.name: row.value for row in definition.variables if row.enabled}}
    plain = _without_signing(definition).model_copy(update={"assertions": ()})  # no tool has them, nor their variables
    marks = _Marks(plain, known)
    # Letters can stand anywhere but as a JSON value by themselves, digits anywhere but in a host.
    wire = prepare(plain.model_copy(update={"body": NoBody()}), marks.as_values("letters"), files={}).wire
    plan = Plan(
        method=definition.method.value,
        url=_url(definition, marks, wire.url),
        headers=tuple(_headers(definition, marks, wire.headers)),
        body=_body(plain, marks),
        login=_login(definition, marks),
        settings=definition.settings,
    )
    _note_signing(definition, plan)
    if re.search(r"\{\{\s*\$", definition.model_dump_json(exclude={"auth"})):
        plan.note("made-at-export")
    names = dict.fromkeys(name for text in texts_of(plan) for name in names_of(text))
    for name in names:
        plan.note("variable-needed", name=name)
    return plan


def texts_of(plan: Plan) -> Iterable[Text]:
    """Every text of the plan."""
    yield plan.url
    yield from (value for _name, value in plan.headers)
    if isinstance(plan.body, TextBody):
        yield plan.body.text
    elif isinstance(plan.body, PartsBody):
        for part in plan.body.parts:
            yield from (part.name, part.value)
    if plan.login:
        yield from (plan.login.name, plan.login.password, plan.login.token, plan.login.region, plan.login.service)


def names_of(text: Text) -> list[str]:
    """The variables of a text."""
    return [piece.name for piece in text if isinstance(piece, Variable)]


def plain_text(text: Text) -> str | None:
    """The text where it has no variables."""
    return None if names_of(text) else "".join(piece for piece in text if isinstance(piece, str))


class _Marks:
    """A mark for each variable without a value, and back."""

    def __init__(self, definition: RequestDefinition, known: Mapping[str, str]) -> None:
        self._known = known
        written = definition.model_dump_json() + "".join(known.values())
        self._names = sorted(find_names(definition) - set(known))
        self._salt = next(salt for salt in range(71_000, 10**9) if str(salt) not in written)

    def as_values(self, kind: Literal["letters", "digits"]) -> Values:
        """The known values, and the marks of the others."""
        marks = [Value(name, self._mark(index, kind)) for index, name in enumerate(self._names)]
        return Values([*(Value(name, text) for name, text in self._known.items()), *marks])

    def read(self, text: str, *, json: bool = False) -> Text:
        """A text that was made with marks."""
        inside = [found.span() for found in _JSON_STRING.finditer(text)] if json else []
        pieces: list[str | Variable] = []
        position = 0
        for found in re.finditer(rf"zq{self._salt}v(\d{{4}})qz|{self._salt}8(\d{{4}})8", text):
            if found.start() > position:
                pieces.append(text[position : found.start()])
            quoted = any(start < found.start() < end for start, end in inside)
            pieces.append(Variable(environment_name(self._names[int(found.group(1) or found.group(2))]), quoted))
            position = found.end()
        return (*pieces, text[position:]) if position < len(text) else tuple(pieces)

    def read_template(self, template: str) -> Text:
        """A text as the person wrote it."""
        pieces: list[str | Variable] = []
        position = 0
        for found in PLACEHOLDER.finditer(template):
            name = found.group().strip("{} ")
            pieces.append(template[position : found.start()])
            pieces.append(self._known[name] if name in self._known else Variable(environment_name(name)))
            position = found.end()
        return tuple(piece for piece in (*pieces, template[position:]) if piece)

    def _mark(self, index: int, kind: str) -> str:
        return f"zq{self._salt}v{index:04}qz" if kind == "letters" else f"{self._salt}8{index:04}8"


def environment_name(name: str) -> str:
    """The variable's name as an environment variable may be called."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


def cut(text: Text, mark: str, *, once: bool = False) -> list[Text]:
    """The text in pieces, parted at every ``mark`` or at the first alone."""
    pieces: list[list[str | Variable]] = [[]]
    for piece in text:
        if not isinstance(piece, str):
            pieces[-1].append(piece)
            continue
        first, *rest = piece.split(mark, 1 if once else -1) if not (once and len(pieces) > 1) else [piece]
        pieces[-1] += [first] if first else []
        pieces += [[part] if part else [] for part in rest]
    return [tuple(piece) for piece in pieces]


def without_literal_secrets(definition: RequestDefinition) -> RequestDefinition:
    """The request, secrets that stand in it in clear text (it may be unsaved) named as variables."""
    secrets = SecretCollector(find_names(definition))
    auth = definition.auth
    prefix = "" if auth.type in ("bearer", "api-key") else auth.type.split("-")[0]
    changes = {
        name: secrets.keep(f"{prefix} {name}" if name != "value" else getattr(auth, "name", name), getattr(auth, name))
        for name in SECRET_AUTH_FIELDS.get(auth.type, ())
    }
    return definition.model_copy(
        update={"auth": auth.model_copy(update=changes), "headers": hide_headers(definition.headers, secrets)}
    )


def _without_signing(definition: RequestDefinition) -> RequestDefinition:
    """The request without what only the tool itself can add, with an access token's variable where one is needed."""
    auth = definition.auth
    if isinstance(auth, BearerAuth | ApiKeyAuth):
        return definition
    if isinstance(auth, OAuth2Code):
        bearer = BearerAuth(token="{{" + _PLACE_OF_TOKEN + "}}")
        return definition.model_copy(update={"auth": bearer})
    if isinstance(auth, OAuth2ClientCredentials):
        token = "{{" + _PLACE_OF_TOKEN + "}}"
        value = f"{auth.prefix} {token}" if auth.prefix else token
        return definition.model_copy(update={"auth": ApiKeyAuth(name=auth.header_name, value=value)})
    rows = definition.headers
    if not isinstance(auth, NoAuth):
        rows = tuple(row for row in rows if row.name.lower() != "authorization" or isinstance(auth, HmacAuth))
    return definition.model_copy(update={"auth": NoAuth(), "headers": rows})


def _url(definition: RequestDefinition, marks: _Marks, url: str) -> Text:
    text = marks.read(url)
    begins_open = PLACEHOLDER.match(definition.url.strip())
    if begins_open and len(text) > 1 and text[0] in ("https://", "http://") and isinstance(text[1], Variable):
        return text[1:]
    return text


def _headers(definition: RequestDefinition, marks: _Marks, sent: Iterable[tuple[str, str]]) -> Iterable[tuple[str, Text]]:
    written = {row.name.lower() for row in definition.headers if row.enabled}
    multipart = isinstance(definition.body, MultipartBody)
    content_type = next((value for name, value in sent if name.lower() == "content-type"), None)
    for name, value in sent:
        if name.lower() in _DEFAULTS and name.lower() not in written:
            continue
        if multipart and name.lower() == "content-type":
            continue
        yield name, marks.read(value)
    own = {"json": "application/json", "graphql": "application/json", "xml": "application/xml"}
    body = definition.body
    own_type = own.get(body.kind) or getattr(body, "content_type", "")
    if body.kind == "form":
        own_type = "application/x-www-form-urlencoded"
    if content_type is None and own_type and not (body.kind == "json" and not body.text.strip()):
        yield "Content-Type", marks.read_template(own_type)


def _body(definition: RequestDefinition, marks: _Marks) -> TextBody | FileBody | PartsBody | None:
    body = definition.body
    if isinstance(body, MultipartBody):
        return PartsBody(
            tuple(
                Part(
                    name=marks.read_template(part.name),
                    value=() if part.is_file else marks.read_template(part.value),
                    file=(part.file_name or "file") if part.is_file else None,
                    content_type=part.content_type or None,
                )
                for part in body.parts
                if part.enabled and (part.name or part.value or part.is_file)
            )
        )
    if isinstance(body, BinaryBody):
        return FileBody(body.file_name or "file")
    # The address may not take digits: it is of no matter here.
    alone = RequestDefinition(method=definition.method, url="http://localhost/", body=body, variables=definition.variables)
    content = prepare(alone, marks.as_values("digits"), files={}).wire.body
    if content is None:
        return None
    kind: Literal["json", "form", "xml", "raw"] = "raw"
    if body.kind in ("json", "graphql"):
        kind = "json"
    elif body.kind in ("form", "xml"):
        kind = "form" if body.kind == "form" else "xml"
    return TextBody(kind, marks.read(content.decode("utf-8", "replace"), json=kind == "json"))


def _login(definition: RequestDefinition, marks: _Marks) -> Login | None:
    auth = definition.auth
    read = marks.read_template
    if isinstance(auth, BasicAuth | DigestAuth):
        return Login("basic" if isinstance(auth, BasicAuth) else "digest", read(auth.username), read(auth.password))
    if isinstance(auth, AwsSigV4Auth):
        return Login(
            "aws",
            read(auth.access_key_id),
            read(auth.secret_access_key),
            read(auth.region),
            read(auth.service),
            read(auth.session_token),
        )
    return None


def _note_signing(definition: RequestDefinition, plan: Plan) -> None:
    auth = definition.auth
    if isinstance(auth, HmacAuth):
        plan.note("hmac-left-out", header=auth.header)
    if isinstance(auth, OAuth2ClientCredentials | OAuth2Code):
        plan.note("token-needed", name=_PLACE_OF_TOKEN)
