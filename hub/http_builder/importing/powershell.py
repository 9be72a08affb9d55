"""``Invoke-WebRequest`` and ``Invoke-RestMethod``, as people write them and as browsers copy a request for PowerShell."""

from __future__ import annotations

import re

from hub.contracts.http import RequestDraft
from hub.http_builder.importing.commands import Command
from hub.http_builder.importing.curl_options import Operation
from hub.http_builder.importing.curl_request import read_drafts
from hub.http_builder.importing.parts import encode_text
from hub.http_builder.importing.results import ImportRefused
from hub.http_builder.importing.windows_words import read_powershell

_PROGRAMS = frozenset(("invoke-webrequest", "invoke-restmethod", "iwr", "irm"))
_RECOGNISED = re.compile(r"(?:^|[\s=(|;])(?:Invoke-WebRequest|Invoke-RestMethod|iwr|irm)\s+[-'\"$h]", re.IGNORECASE)
_BROWSER_SESSION = re.compile(r"^\s*\$\w+\s*=\s*New-Object\s+Microsoft\.PowerShell\.Commands\.WebRequestSession", re.I | re.M)
_AGENT = re.compile(r"\.UserAgent\s*=\s*(?=[\"'])", re.IGNORECASE)
_COOKIE = re.compile(r"New-Object\s+System\.Net\.Cookie\(", re.IGNORECASE)
_PARAMETERS = (
    "uri", "method", "custommethod", "headers", "body", "contenttype", "useragent", "websession", "sessionvariable",
    "credential", "authentication", "token", "maximumredirection", "timeoutsec", "connectiontimeoutseconds",
    "skipcertificatecheck", "infile", "outfile", "form", "proxy", "usebasicparsing", "skiphttperrorcheck", "passthru",
    "disablekeepalive", "allowunencryptedauthentication", "responseheadersvariable", "statuscodevariable",
    "erroraction", "verbose", "skipheadervalidation", "httpversion", "usedefaultcredentials", "noproxy", "resume",
)  # fmt: skip
_SWITCHES = frozenset(
    ("skipcertificatecheck", "usebasicparsing", "skiphttperrorcheck", "passthru", "disablekeepalive", "verbose",
     "allowunencryptedauthentication", "skipheadervalidation", "usedefaultcredentials", "noproxy", "resume")
)  # fmt: skip
_QUIET = _SWITCHES | {"websession", "sessionvariable", "outfile", "erroraction", "httpversion", "responseheadersvariable",
                      "statuscodevariable", "connectiontimeoutseconds"}  # fmt: skip
_TABLE_ROW = re.compile(r"[\s;]*(?:([A-Za-z_][\w-]*)|(?=[\"']))")
_ASSIGNED = re.compile(r"^[ \t]*\$([A-Za-z_]\w*)\s*=\s*(?=@\{|[\"'@])", re.MULTILINE)
_BYTES = re.compile(r"^\(\s*\[System\.Text\.Encoding\]::UTF8\.GetBytes\((.*)\)\s*\)$", re.DOTALL | re.IGNORECASE)
_TO_JSON = re.compile(r"ConvertTo-Json", re.IGNORECASE)
_METHODS_WITH_BODY = frozenset(("POST", "PUT", "PATCH", "DELETE"))


def recognises(text: str) -> bool:
    """Whether the text holds one of PowerShell's request commands."""
    return bool(_RECOGNISED.search(text) or _BROWSER_SESSION.search(text))


def read(text: str) -> list[RequestDraft]:
    """The requests of the text. Raises ``ImportRefused``."""
    tables = _tables(text)
    drafts: list[RequestDraft] = []
    for command in read_powershell(text):
        words = _of_request(command.words)
        if words is not None:
            drafts += _read_command(command, words, text, tables)
    if not drafts:
        raise ImportRefused("not-a-command")
    return drafts


def _of_request(words: list[str]) -> list[str] | None:
    """The words behind the command's name, which an assignment may precede."""
    for index, word in enumerate(words[:4]):
        if word.lower() in _PROGRAMS:
            return words[index + 1 :]
    return None


def _read_command(command: Command, words: list[str], text: str, tables: dict[str, str]) -> list[RequestDraft]:
    operation = Operation(notes=list(command.notes))
    given = _parameters(words, operation)
    for name, value in given.items():
        known = re.fullmatch(r"\{\{(\w+)\}\}", value)
        given[name] = tables.get(known.group(1), value) if known else value
    method = (given.get("custommethod") or given.get("method") or "GET").upper()
    operation.values.append(("request", method))
    operation.switches = {"location": given.get("maximumredirection") != "0", "globoff": True,
                          "insecure": "skipcertificatecheck" in given}  # fmt: skip
    if "maximumredirection" in given:
        operation.values.append(("max-redirs", given["maximumredirection"]))
    if "timeoutsec" in given and given["timeoutsec"] != "0":
        operation.values.append(("max-time", given["timeoutsec"]))
    if "uri" in given:
        operation.urls.append(given["uri"])
    _read_headers(given, text, operation)
    _read_credentials(given, operation)
    _read_body(given, method, operation)
    return read_drafts(operation, None)


def _parameters(words: list[str], operation: Operation) -> dict[str, str]:
    """Parameters by name, which may be cut short as long as it fits one; the first bare word is the address."""
    given: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if not re.match(r"-[A-Za-z]", word):
            given.setdefault("uri", word)
            continue
        written, colon, value = word[1:].partition(":")
        fitting = [name for name in _PARAMETERS if name.startswith(written.lower())]
        name = written.lower() if written.lower() in fitting else fitting[0] if fitting else ""
        if not name:
            operation.note("option-unknown", option=word[:60])
            continue
        given[name] = value if colon else "true" if name in _SWITCHES else next(rest, "")
        if name in ("proxy", "usedefaultcredentials"):
            operation.note("option-ignored", option=f"-{written}")
    return given


def _read_headers(given: dict[str, str], text: str, operation: Operation) -> None:
    for name, value in _read_table(given.get("headers", "")):
        if not name.startswith(":") and name.lower() not in ("method", "path", "scheme", "authority"):
            operation.values.append(("header", f"{name}: {value}"))
    if given.get("contenttype"):
        operation.values.append(("header", f"Content-Type: {given['contenttype']}"))
    if given.get("useragent"):
        operation.values.append(("user-agent", given["useragent"]))
    if "websession" not in given:
        return
    agent = _AGENT.search(text)
    if agent:
        operation.values.append(("user-agent", _quoted_at(text, agent.end())[0]))
    for cookie in _COOKIE.finditer(text):
        name, end = _quoted_at(text, cookie.end())
        comma = re.compile(r"\s*,\s*").match(text, end)
        if comma:
            operation.values.append(("cookie", f"{name}={_quoted_at(text, comma.end())[0]}"))


def _read_credentials(given: dict[str, str], operation: Operation) -> None:
    if given.get("authentication", "").lower() in ("bearer", "oauth"):
        token = given.get("token", "")
        operation.values.append(("oauth2-bearer", token if re.fullmatch(r"\{\{\w+\}\}", token) else "{{TOKEN}}"))
    elif "credential" in given:
        operation.values.append(("user", "{{USERNAME}}:{{PASSWORD}}"))
        operation.note("password-missing")


def _read_body(given: dict[str, str], method: str, operation: Operation) -> None:
    if "infile" in given:
        operation.values.append(("upload-file", given["infile"]))
    for name, value in _read_table(given.get("form", "")):
        operation.values.append(("form-string", f"{name}={value}"))
    body = given.get("body")
    if body is None:
        return
    encoded = _BYTES.match(body)
    if encoded:
        body = _quoted_at(encoded.group(1), 0)[0]
    if _TO_JSON.search(body):
        operation.note("powershell-value", name="Body")
        return
    if body.startswith("@{"):
        rows = _read_table(body)
        if method in _METHODS_WITH_BODY:
            body = "&".join(f"{encode_text(name)}={encode_text(value)}" for name, value in rows)
        else:
            operation.values += [("url-query", f"+{encode_text(name)}={encode_text(value)}") for name, value in rows]
            return
    operation.values.append(("data-raw", body))


def _read_table(text: str) -> list[tuple[str, str]]:
    """The rows of ``@{"name"="value"; other = 'value'}``; what is no plain text or number stands for nothing."""
    if not text.startswith("@{"):
        return []
    rows: list[tuple[str, str]] = []
    at = 2
    while True:
        found = _TABLE_ROW.match(text, at)
        if not found:
            return rows
        name, at = (found.group(1), found.end()) if found.group(1) else _quoted_at(text, found.end())
        equals = re.compile(r"\s*=\s*").match(text, at)
        if not equals:
            return rows
        value, at = _value_at(text, equals.end())
        rows.append((name, value))


def _value_at(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] in ('"', "'"):
        return _quoted_at(text, at)
    end = re.compile(r"[^\n;}]*").match(text, at)
    stop = end.end() if end else at
    words = read_powershell(text[at:stop])
    return (words[0].words[0] if words else ""), stop


def _quoted_at(text: str, at: int) -> tuple[str, int]:
    """The quoted text that begins at this place, and where it ends."""
    if text[at : at + 1] not in ('"', "'"):
        raise ImportRefused("quote-open", quote='"')
    end = re.compile(r'"(?:[^"`]|`.|"")*"|\'(?:[^\']|\'\')*\'', re.DOTALL).match(text, at)
    if not end:
        raise ImportRefused("quote-open", quote=text[at])
    words = read_powershell(end.group())
    return (words[0].words[0] if words else ""), end.end()


def _tables(text: str) -> dict[str, str]:
    """``$headers = @{…}`` and ``$body = '…'`` of earlier lines, by the variable's name."""
    found = {}
    for assigned in _ASSIGNED.finditer(text):
        words = read_powershell(text[assigned.end() :].split("\n\n")[0])
        if words:
            found[assigned.group(1)] = words[0].words[0]
            if _TO_JSON.search(" ".join(words[1].words[:1]) if len(words) > 1 else "") or "ConvertTo-Json" in words[0].words[1:2]:
                found[assigned.group(1)] = "ConvertTo-Json"
    return found
