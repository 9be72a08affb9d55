"""A request as a command for HTTPie, in bash."""

from __future__ import annotations

import re

from hub.contracts.http import RequestDefinition
from hub.http_builder.exporting.names import file_name
from hub.http_builder.exporting.plan import FileBody, Part, PartsBody, Plan, Text, TextBody, make_plan, names_of
from hub.http_builder.exporting.results import ExportResult
from hub.http_builder.exporting.shells import BASH


def write(definition: RequestDefinition, name: str, values: dict[str, str]) -> ExportResult:
    """The command."""
    plan = make_plan(definition, values)
    words = [_line(line) for line in _lines(plan)]
    return ExportResult(BASH.next_line.join(words) + "\n", "text/plain", file_name(name, "sh"), tuple(plan.notes))


def _line(line: tuple[Text, ...]) -> str:
    return " ".join(BASH.quote(word) for word in line)


def _lines(plan: Plan) -> list[tuple[Text, ...]]:
    for name in names_of(plan.url[1:]):
        plan.note("variable-as-is", name=name)
    flags: list[tuple[Text, ...]] = [*_settings(plan), *_login(plan)]
    items: list[tuple[Text, ...]] = []
    for name, value in plan.headers:
        items.append(((f"{_escaped(name)}:", *value),) if value else ((f"{_escaped(name)};",),))
    match plan.body:
        case TextBody(kind=kind, text=text):
            if kind != "raw":
                for name in names_of(text):
                    plan.note("variable-as-is", name=name)
            flags.append((("--raw",), text or ("",)))
            if plan.header("Content-Type") is None:
                items.append((("Content-Type:",),))
        case FileBody(name=name):
            plan.note("file-beside", name=name)
            items.append(((f"@{name}",),))
        case PartsBody(parts=parts):
            flags.append((("--multipart",),))
            items += [(_part(part, plan),) for part in parts]
    return [(("http",), ("--ignore-stdin",), (plan.method,), plan.url), *flags, *items]


def _settings(plan: Plan) -> list[tuple[Text, ...]]:
    settings = plan.settings
    options: list[tuple[Text, ...]] = [((f"--timeout={settings.timeout_seconds:g}",),)]
    if settings.follow_redirects:
        options.append((("--follow",), (f"--max-redirects={settings.max_redirects}",)))
    if not settings.verify_tls:
        options.append((("--verify=no",),))
    if plan.has_dots:
        options.append((("--path-as-is",),))
    return options


def _login(plan: Plan) -> list[tuple[Text, ...]]:
    login = plan.login
    if login is None:
        return []
    if login.kind == "aws":
        plan.note("auth-left-out", name="AWS Signature")
        return []
    kind: list[tuple[Text, ...]] = [(("--auth-type=digest",),)] if login.kind == "digest" else []
    return [*kind, (("--auth",), (*login.name, ":", *login.password))]


def _part(part: Part, plan: Plan) -> Text:
    name = tuple(_escaped(piece) if isinstance(piece, str) else piece for piece in part.name)
    if part.file is None:
        if part.content_type:
            plan.note("form-part-changed", name="".join(piece for piece in name if isinstance(piece, str))[:60])
        return (*name, "=", *part.value)
    plan.note("file-beside", name=part.file)
    media_type = f";type={part.content_type}" if part.content_type else ""
    return (*name, f"@{part.file}{media_type}")


def _escaped(text: str) -> str:
    return re.sub(r"([\\:=@;])", r"\\\1", text)
