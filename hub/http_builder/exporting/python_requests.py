"""A request as a Python program that uses ``requests``."""

from __future__ import annotations

from typing import Literal

from hub.contracts.http import RequestDefinition
from hub.http_builder.exporting.names import file_name
from hub.http_builder.exporting.plan import FileBody, Part, PartsBody, Plan, Text, TextBody, Variable, make_plan, plain_text
from hub.http_builder.exporting.results import ExportResult

Encoding = Literal["plain", "path", "form", "json", "xml"]


def write(definition: RequestDefinition, name: str, values: dict[str, str]) -> ExportResult:
    """The program; it sends when it is run."""
    plan = make_plan(definition, values)
    program = _Program(plan)
    return ExportResult(program.text(), "text/x-python", file_name(name, "py"), tuple(plan.notes))


class _Program:
    """Collects what the program imports while its call is written."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._imports = {"import requests"}

    def text(self) -> str:
        self._plan.note_dots("requests")
        arguments = [
            literal(self._plan.method),
            self._url(),
            *self._headers(),
            *self._body(),
            *self._login(),
            *self._settings(),
        ]
        call = "".join(f"    {argument},\n" for argument in arguments)
        own = sorted(line for line in self._imports if "requests" not in line)
        others = sorted((line for line in self._imports if "requests" in line), key=lambda line: (line.startswith("from"), line))
        imports = "\n".join([*own, *([""] if own else []), *others])
        return f"{imports}\n\nresponse = requests.request(\n{call})\nprint(response.status_code)\nprint(response.text)\n"

    def _url(self) -> str:
        """The address; a value in its path is no folder of its own, and in its query a space is a plus sign."""
        pieces = []
        encoding: Encoding = "plain"
        for piece in self._plan.url:
            pieces.append(self._piece(piece, encoding))
            in_query = encoding == "form" or (isinstance(piece, str) and "?" in piece)
            encoding = "form" if in_query else "path"
        return " + ".join(pieces)

    def _expression(self, text: Text, encoding: Encoding = "plain") -> str:
        """A text as an expression of Python."""
        return " + ".join(self._piece(piece, encoding) for piece in text) or '""'

    def _piece(self, piece: str | Variable, encoding: Encoding) -> str:
        if isinstance(piece, str):
            return literal(piece)
        self._imports.add("import os")
        value = f"os.environ[{literal(piece.name)}]"
        if encoding == "path":
            self._imports.add("from urllib.parse import quote")
            return f'quote({value}, safe="")'
        if encoding == "form":
            self._imports.add("from urllib.parse import quote_plus")
            return f"quote_plus({value})"
        if encoding == "json" and piece.quoted:
            self._imports.add("import json")
            return f"json.dumps({value}, ensure_ascii=False)[1:-1]"
        if encoding == "xml":
            self._imports.add("from xml.sax.saxutils import escape")
            return f"escape({value})"
        return value

    def _headers(self) -> list[str]:
        rows: dict[str, tuple[str, list[Text]]] = {}
        for name, value in self._plan.headers:
            rows.setdefault(name.lower(), (name, []))[1].append(value)
        if self._plan.login and self._plan.login.kind == "aws":
            rows.pop("x-amz-security-token", None)
        lines = []
        for name, values in rows.values():
            if len(values) > 1:
                self._plan.note("header-joined", name=name)
            joined = ' + ", " + '.join(self._expression(value) for value in values)
            lines.append(f"        {literal(name)}: {_for_header(joined)},\n")
        return [f"headers={{\n{''.join(lines)}    }}"] if lines else []

    def _body(self) -> list[str]:
        match self._plan.body:
            case TextBody(kind=kind, text=text):
                encoding: Encoding = "plain" if kind == "raw" else kind
                plain = plain_text(text)
                if plain is not None:
                    return [f"data={_long_literal(plain)}.encode()"]
                return [f"data=({self._expression(text, encoding)}).encode()"]
            case FileBody(name=name):
                self._plan.note("file-beside", name=name)
                return [f'data=open({literal(name)}, "rb")']
            case PartsBody(parts=parts):
                lines = [f"        ({self._expression(part.name)}, {self._part(part)}),\n" for part in parts]
                return [f"files=[\n{''.join(lines)}    ]"]
        return []

    def _part(self, part: Part) -> str:
        media_type = f", {literal(part.content_type)}" if part.content_type else ""
        if part.file is None:
            return f"(None, {self._expression(part.value)}{media_type})"
        self._plan.note("file-beside", name=part.file)
        return f'({literal(part.file)}, open({literal(part.file)}, "rb"){media_type})'

    def _login(self) -> list[str]:
        login = self._plan.login
        if login is None:
            return []
        name, password = self._expression(login.name), self._expression(login.password)
        if login.kind == "basic":
            # requests takes texts for Latin-1.
            return [f"auth=({_for_header(name)}, {_for_header(password)})"]
        if login.kind == "digest":
            self._imports.add("from requests.auth import HTTPDigestAuth")
            return [f"auth=HTTPDigestAuth({name}, {password})"]
        self._imports.add("from requests_aws4auth import AWS4Auth")
        self._plan.note("package-needed", name="requests-aws4auth")
        token = f", session_token={self._expression(login.token)}" if login.token else ""
        return [f"auth=AWS4Auth({name}, {password}, {self._expression(login.region)}, {self._expression(login.service)}{token})"]

    def _settings(self) -> list[str]:
        settings = self._plan.settings
        arguments = [f"timeout={settings.timeout_seconds:g}"]
        if not settings.follow_redirects or settings.max_redirects == 0:
            arguments.append("allow_redirects=False")
        if not settings.verify_tls:
            arguments.append("verify=False")
        return arguments


def literal(text: str) -> str:
    """A text as Python writes it, in double quotes where that needs no more escapes."""
    written = repr(text)
    return f'"{written[1:-1]}"' if written.startswith("'") and '"' not in text and "\\'" not in written else written


def _for_header(expression: str) -> str:
    return expression if expression.isascii() else f"({expression}).encode()"


def _long_literal(text: str) -> str:
    """A text of several lines as it is, where it can stand so."""
    readable = "\\" not in text and '"""' not in text and not text.endswith('"')
    if "\n" in text and readable and all(line.isprintable() for line in text.split("\n")):
        return f'"""{text}"""'
    return literal(text)
