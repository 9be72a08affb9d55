"""A request as JavaScript that uses ``fetch``, a module for Node.js 18 or newer."""

from __future__ import annotations

import json
import re
from typing import Literal

from hub.contracts.http import RequestDefinition
from hub.http_builder.exporting.names import file_name
from hub.http_builder.exporting.plan import FileBody, Part, PartsBody, Plan, Text, TextBody, Variable, make_plan, names_of
from hub.http_builder.exporting.results import ExportResult

Encoding = Literal["plain", "url", "form", "json", "xml"]


def write(definition: RequestDefinition, name: str, values: dict[str, str]) -> ExportResult:
    """The module; it sends when it is run."""
    plan = make_plan(definition, values)
    module = _Module(plan)
    return ExportResult(module.text(), "text/javascript", file_name(name, "mjs"), tuple(plan.notes))


class _Module:
    """Collects what stands before the call while it is written."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._before: list[str] = []
        self._reads_files = False

    def text(self) -> str:
        self._plan.note_dots("fetch")
        options = [f"method: {literal(self._plan.method)}"]
        options += self._headers()
        options += self._body()
        options += self._settings()
        inside = "".join(f"  {option},\n" for option in options)
        imports = 'import { readFile } from "node:fs/promises";\n\n' if self._reads_files else ""
        before = "".join(f"{line}\n" for line in self._before)
        call = f"const response = await fetch({self._expression(self._plan.url, 'url')}, {{\n{inside}}});\n"
        return f"{imports}{before}{call}console.log(response.status);\nconsole.log(await response.text());\n"

    def _expression(self, text: Text, encoding: Encoding = "plain") -> str:
        if not names_of(text):
            return literal("".join(str(piece) for piece in text))
        return " + ".join(self._piece(piece, encoding) for piece in text)

    def _piece(self, piece: str | Variable, encoding: Encoding) -> str:
        if isinstance(piece, str):
            return literal(piece)
        value = f"process.env.{piece.name}"
        if encoding == "url" and piece is not self._plan.url[0]:
            return f"encodeURIComponent({value})"
        if encoding == "form":
            return f"encodeURIComponent({value})"
        if encoding == "json" and piece.quoted:
            return f"JSON.stringify({value}).slice(1, -1)"
        if encoding == "xml":
            return f"{value}.replace(/[<>&\"']/g, (sign) => `&#${{sign.charCodeAt(0)}};`)"
        return value

    def _headers(self) -> list[str]:
        rows = list(self._plan.headers)
        login = self._plan.login
        if login and login.kind == "basic":
            pair = " + ".join([self._expression(login.name), '":"', self._expression(login.password)])
            encoded = f'"Basic " + Buffer.from({pair}).toString("base64")'
            lines = [f'    ["Authorization", {encoded}],\n']
        else:
            lines = []
        if login and login.kind != "basic":
            self._plan.note("auth-left-out", name="Digest" if login.kind == "digest" else "AWS Signature")
        for name, value in rows:
            if any(isinstance(piece, str) and not piece.isascii() for piece in value):
                self._plan.note("header-not-latin", name=name)
            lines.append(f"    [{literal(name)}, {self._expression(value)}],\n")
        return [f"headers: [\n{''.join(lines)}  ]"] if lines else []

    def _body(self) -> list[str]:
        if self._plan.body is not None and self._plan.method in ("GET", "HEAD"):
            self._plan.note("body-left-out", method=self._plan.method)
            return []
        match self._plan.body:
            case TextBody(kind=kind, text=text):
                encoding: Encoding = "plain" if kind == "raw" else kind
                expression = self._expression(text, encoding)
                if self._plan.header("Content-Type") is None:  # of a text fetch says that it is plain text
                    expression = f"new TextEncoder().encode({expression})"
                return [f"body: {expression}"]
            case FileBody(name=name):
                return [f"body: {self._file(name)}"]
            case PartsBody(parts=parts):
                self._before.append("const form = new FormData();")
                self._before += [self._part(part) for part in parts]
                return ["body: form"]
        return []

    def _part(self, part: Part) -> str:
        name, options = self._expression(part.name), ""
        if part.content_type:
            options = f", {{ type: {literal(part.content_type)} }}"
        if part.file is not None:
            return f"form.append({name}, new Blob([{self._file(part.file)}]{options}), {literal(part.file)});"
        if options or any(isinstance(piece, str) and re.search(r"(?<!\r)\n|\r(?!\n)", piece) for piece in part.value):
            self._plan.note("form-part-changed", name="".join(str(piece) for piece in part.name if isinstance(piece, str))[:60])
        return f"form.append({name}, {self._expression(part.value)});"

    def _file(self, name: str) -> str:
        self._reads_files = True
        self._plan.note("file-beside", name=name)
        return f"await readFile({literal(name)})"

    def _settings(self) -> list[str]:
        settings = self._plan.settings
        options = []
        if not settings.follow_redirects or settings.max_redirects == 0:
            options.append('redirect: "manual"')
        if not settings.verify_tls:
            self._plan.note("tls-checked")
        return [*options, f"signal: AbortSignal.timeout({round(settings.timeout_seconds * 1000)})"]


def literal(text: str) -> str:
    """A text as JavaScript writes it."""
    return json.dumps(text, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
