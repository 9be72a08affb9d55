"""A request as a cURL command for bash, cmd and PowerShell."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from hub.contracts.http import RequestDefinition, RequestSettings
from hub.http_builder.exporting.names import file_name
from hub.http_builder.exporting.plan import (
    FileBody,
    Part,
    PartsBody,
    Plan,
    Text,
    TextBody,
    Variable,
    cut,
    make_plan,
    names_of,
    plain_text,
)
from hub.http_builder.exporting.results import ExportResult
from hub.http_builder.exporting.shells import BASH, CMD, POWERSHELL, Shell
from hub.http_builder.importing.parts import FORM

_USUAL = RequestSettings()
#: One line of the command: an option with its value, or the address.
Line = tuple[Text, ...]


def write_bash(definition: RequestDefinition, name: str, values: dict[str, str]) -> ExportResult:
    """For bash and its kin."""
    return _write(make_plan(definition, values), name, "curl", BASH, "sh")


def write_cmd(definition: RequestDefinition, name: str, values: dict[str, str]) -> ExportResult:
    """For the command prompt of Windows."""
    return _write(make_plan(definition, values), name, "curl.exe", CMD, "cmd")


def write_powershell(definition: RequestDefinition, name: str, values: dict[str, str]) -> ExportResult:
    """For Windows PowerShell, where plain ``curl`` is another command."""
    plan = make_plan(definition, values)
    plan.note("powershell-quotes")
    return _write(plan, name, "curl.exe", POWERSHELL, "ps1")


def _write(plan: Plan, name: str, program: str, shell: Shell, extension: str) -> ExportResult:
    lines = _lines(plan)
    written = [" ".join(shell.quote(word) for word in line) for line in lines]
    text = shell.next_line.join([f"{program} {written[0]}", *written[1:]]) + "\n"
    return ExportResult(text, "text/plain", file_name(name, extension), tuple(plan.notes))


def _lines(plan: Plan) -> list[Line]:
    url, pieces = plan.split_query()
    first = next((index for index, piece in enumerate(pieces) if _is_open(piece)), len(pieces))
    for piece in (url[1:], *(pieces[:first])):
        _note_unencoded(piece, plan)
    address = _merged([*url, "?", *_joined(pieces[:first])]) if first else url
    options = [_option("--path-as-is")] if re.search(r"/\.\.?(/|$)", plain_text(url) or "") else []
    options += [_option("-g")] if re.search(r"[\[\]{}]", plain_text(address) or "".join(map(str, address))) else []
    by_get = bool(pieces[first:]) and plan.body is None
    options += _settings(plan)
    options += _login(plan)
    for header, value in plan.headers:
        if not (header.lower() == "content-type" and plain_text(value) == FORM and isinstance(plan.body, TextBody)):
            options.append(_option("-H", (f"{header}: ", *value) if value else (f"{header};",)))
    if isinstance(plan.body, TextBody) and plan.header("Content-Type") is None:
        options.append(_option("-H", ("Content-Type:",)))
    options += [_option("-G")] if by_get else []
    options += [_option("--data-urlencode" if by_get else "--url-query", _decoded(piece)) for piece in pieces[first:]]
    return [(*_method(plan), address), *options, *_body(plan)]


def _option(name: str, value: Text | None = None) -> Line:
    return ((name,),) if value is None else ((name,), value)


def _is_open(piece: Text) -> bool:
    """Whether curl has to encode a value in this piece: it has a variable, and none in its name."""
    name = piece[0] if piece else ""
    return bool(names_of(piece)) and isinstance(name, str) and "=" in name and not name.startswith("=")


def _decoded(piece: Text) -> Text:
    """``name=value`` for an option that encodes the value."""
    first = str(piece[0])
    name, _equals, value = first.partition("=")
    rest = [unquote_plus(part) if isinstance(part, str) else part for part in piece[1:]]
    return (f"{name}={unquote_plus(value)}", *rest)


def _joined(pieces: list[Text]) -> Text:
    out: list[str | Variable] = []
    for index, piece in enumerate(pieces):
        out += ["&", *piece] if index else piece
    return _merged(out)


def _merged(pieces: list[str | Variable]) -> Text:
    merged: list[str | Variable] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        else:
            merged.append(piece)
    return tuple(merged)


def _method(plan: Plan) -> tuple[Text, ...]:
    implied = "GET" if plan.body is None else "POST"
    if plan.method == "HEAD":
        if plan.body is None:
            return (("-I",),)
        plan.note("body-with-head")
    return () if plan.method == implied else (("-X",), (plan.method,))


def _settings(plan: Plan) -> list[Line]:
    settings, options = plan.settings, []
    if settings.follow_redirects:
        options.append(_option("-L"))
        if settings.max_redirects != _USUAL.max_redirects:
            options.append(_option("--max-redirs", (str(settings.max_redirects),)))
    if not settings.verify_tls:
        options.append(_option("-k"))
    if settings.timeout_seconds != _USUAL.timeout_seconds:
        options.append(_option("-m", (f"{settings.timeout_seconds:g}",)))
    return options


def _login(plan: Plan) -> list[Line]:
    login = plan.login
    if login is None:
        return []
    user = _option("-u", _merged([*login.name, ":", *login.password]))
    if login.kind == "basic":
        return [user]
    if login.kind == "digest":
        return [_option("--digest"), user]
    provider = _merged(["aws:amz:", *login.region, ":", *login.service])
    token = [_option("-H", ("X-Amz-Security-Token: ", *login.token))] if login.token else []
    return [_option("--aws-sigv4", provider), user, *token]


def _body(plan: Plan) -> list[Line]:
    match plan.body:
        case TextBody(kind="form", text=text) if names_of(text):
            return _form(plan, text)
        case TextBody(text=text):
            _note_unencoded(text, plan)
            return [_option("--data-raw", text or ("",))]
        case FileBody(name=name):
            plan.note("file-beside", name=name)
            if plan.header("Content-Type") is None:
                return [_option("-H", ("Content-Type:",)), _option("--data-binary", (f"@{name}",))]
            return [_option("--data-binary", (f"@{name}",))]
        case PartsBody(parts=parts):
            return [_part(part, plan) for part in parts]
    return []


def _form(plan: Plan, text: Text) -> list[Line]:
    """Fields in their order; those with a variable are encoded by curl, the others are written as they are sent."""
    options: list[Line] = []
    closed: list[Text] = []
    for piece in [*cut(text, "&"), None]:
        if piece is not None and not _is_open(piece):
            _note_unencoded(piece, plan)
            closed.append(piece)
            continue
        options += [_option("--data-raw", _joined(closed))] if closed else []
        closed = []
        options += [_option("--data-urlencode", _decoded(piece))] if piece is not None else []
    return options


def _part(part: Part, plan: Plan) -> Line:
    if any(isinstance(piece, str) and "=" in piece for piece in part.name):
        plan.note("form-name", name="".join(map(str, part.name))[:60])
    media_type = f";type={part.content_type}" if part.content_type else ""
    if part.file is not None:
        plan.note("file-beside", name=part.file)
        return _option("-F", _merged([*part.name, f"=@{_form_word(part.file)}{media_type}"]))
    if not media_type:
        return _option("--form-string", _merged([*part.name, "=", *part.value]))
    quoted = [_escaped(piece) if isinstance(piece, str) else piece for piece in part.value]
    return _option("-F", _merged([*part.name, '="', *quoted, f'"{media_type}']))


def _form_word(text: str) -> str:
    return f'"{_escaped(text)}"' if re.search(r'[;,"\\]', text) or text != text.strip() else text


def _escaped(text: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", text)


def _note_unencoded(text: Text, plan: Plan) -> None:
    """A shell puts values in as they are."""
    for name in names_of(text):
        plan.note("variable-as-is", name=name)
