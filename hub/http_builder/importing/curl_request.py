"""One operation of a cURL command as drafts: what curl would send, said in the hub's terms."""

from __future__ import annotations

import re
from urllib.parse import unquote

from hub.contracts.catalog import HttpMethod
from hub.contracts.http import (
    PLACEHOLDER,
    Auth,
    AwsSigV4Auth,
    BasicAuth,
    BearerAuth,
    Body,
    DigestAuth,
    NoAuth,
    Pair,
    RawBody,
    RequestDefinition,
    RequestDraft,
    RequestSettings,
)
from hub.http_builder.importing.curl_body import Data, read_data, read_forms, read_upload, url_pieces
from hub.http_builder.importing.curl_options import Operation
from hub.http_builder.importing.parts import FORM, read_body, split_query
from hub.http_builder.importing.results import ImportRefused
from hub.http_builder.importing.secrets import (
    SecretCollector,
    hide_in_json,
    hide_in_url,
    hide_rows,
    take_credentials,
)

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_OTHER_SCHEMES = re.compile(r"(?:ftp|ftps|dict|ldap|ldaps|imap|imaps|smtp|smtps|pop3|pop3s)\.", re.IGNORECASE)
_GLOB = re.compile(r"(?<!\\)[\[{]")
_GLOB_ESCAPE = re.compile(r"\\([\[\]{}])")
_AWS_HOST = re.compile(r"(?P<service>[a-z0-9-]+)\.(?P<region>[a-z0-9-]+)\.amazonaws\.com")
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{0,6})?")


class Headers:
    """The ``-H`` of an operation: rows that are sent, and names that are taken back (``-H 'Accept:'``)."""

    def __init__(self, operation: Operation) -> None:
        self.rows: list[Pair] = []
        self.removed: set[str] = set()
        for _option, text in operation.all("header"):
            self._read(text, operation)

    def _read(self, text: str, operation: Operation) -> None:
        if text.startswith("@"):
            operation.note("header-file")
            return
        name, colon, value = text.partition(":")
        if not colon:
            name, colon, value = text.partition(";")
            if not colon or value.strip():
                operation.note("header-invalid", header=text[:60])
            else:
                self.rows.append(Pair(name=name.strip()))
        elif not value.strip():
            self.removed.add(name.strip().lower())
        else:
            self.rows.append(Pair(name=name.strip(), value=value.strip()))

    def given(self, name: str) -> bool:
        """Whether the person wrote or took back this header."""
        return name.lower() in self.removed or any(row.name.lower() == name.lower() for row in self.rows)

    def value(self, name: str) -> str | None:
        """The value of the first such header."""
        return next((row.value for row in self.rows if row.name.lower() == name.lower()), None)

    def add(self, name: str, value: str | None) -> None:
        """Add what curl adds by itself, unless the person wrote or took it back."""
        if value and not self.given(name):
            self.rows.append(Pair(name=name, value=value))

    def drop(self, name: str) -> None:
        """Leave a header out that the hub adds by itself."""
        self.rows = [row for row in self.rows if row.name.lower() != name.lower()]


def read_drafts(operation: Operation, stdin: str | None) -> list[RequestDraft]:
    """A draft for each URL of the operation. Raises ``ImportRefused`` for what is no HTTP request the hub can send."""
    if not operation.urls:
        raise ImportRefused("no-url")
    return [_read_draft(operation, url, stdin) for url in operation.urls]


def _read_draft(operation: Operation, url: str, stdin: str | None) -> RequestDraft:
    secrets = SecretCollector()
    headers = Headers(operation)
    data = read_data(operation, stdin)
    method = _read_method(operation, data)
    url, user = _read_url(operation, url, data if operation.on("get") else None)
    body = _read_body(operation, headers, None if operation.on("get") else data, stdin)
    _add_own_headers(operation, headers)
    auth = _read_auth(operation, headers, user, url, secrets)
    rows, auth = take_credentials(headers.rows, secrets, auth)
    url, params = split_query(url)
    definition = RequestDefinition(
        method=method,
        url=hide_in_url(url, secrets),
        params=hide_rows(params, secrets),
        headers=rows,
        body=_hide_in_body(body, secrets),
        auth=auth,
        settings=_read_settings(operation),
    )
    return RequestDraft(name=_name(definition), definition=definition, secrets=secrets.values, notes=tuple(operation.notes))


def _name(definition: RequestDefinition) -> str:
    place = definition.url.partition("://")[2].partition("?")[0] or definition.url
    return f"{definition.method} {place.rstrip('/')}"[:200]


def _read_method(operation: Operation, data: Data | None) -> HttpMethod:
    method = operation.last("request")
    if method is None:
        has_body = bool(operation.all("form", "form-string")) or (data is not None and not operation.on("get"))
        upload = operation.last("upload-file") is not None
        method = "HEAD" if operation.on("head") else "POST" if has_body else "PUT" if upload else "GET"
    if method != method.upper():
        operation.note("method-case", method=method[:20])
    try:
        return HttpMethod(method.upper())
    except ValueError as error:
        raise ImportRefused("method-unknown", method=method[:20]) from error


def _read_url(operation: Operation, url: str, data: Data | None) -> tuple[str, str]:
    """The URL as it is sent, with the data of ``-G``, and who signs in by it (``user:password``)."""
    url = url.strip()
    if not operation.on("globoff"):
        if _GLOB.search(PLACEHOLDER.sub("", url)):
            operation.note("url-glob")
        url = _GLOB_ESCAPE.sub(r"\1", url)
    url = url.partition("#")[0]
    if not _SCHEME.match(url) and not PLACEHOLDER.match(url):
        if _OTHER_SCHEMES.match(url):
            raise ImportRefused("not-http", scheme=url.partition(".")[0].lower())
        url = f"{operation.last('proto-default') or 'http'}://{url.lstrip('/')}"
    scheme = _SCHEME.match(url)
    if scheme and scheme.group(1).lower() not in ("http", "https"):
        raise ImportRefused("not-http", scheme=scheme.group(1).lower()[:20])
    url, user = _split_user(url)
    path, mark, query = url.partition("?")
    if not operation.on("path-as-is"):
        path = _squash(path)
    pieces = [query] if query else []
    pieces += url_pieces(operation)
    pieces += [data.text] if data and data.text else []
    return (f"{path}?{'&'.join(pieces)}" if mark or pieces else path), user


def _split_user(url: str) -> tuple[str, str]:
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*://)([^/?#]*)@", url)
    return (found.group(1) + url[found.end() :], found.group(2)) if found else (url, "")


def _squash(url: str) -> str:
    """The URL without ``.`` and ``..`` in its path, as curl sends it (RFC 3986 5.2.4)."""
    head, slash, path = re.sub(r"^([^/]*//[^/]*)/", "\\1\0", url, count=1).partition("\0")
    segments = path.split("/")
    if not slash or not any(segment in (".", "..") for segment in segments):
        return url
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return f"{head}/{'/'.join(kept)}"


def _read_body(operation: Operation, headers: Headers, data: Data | None, stdin: str | None) -> Body:
    """The body; the content type that the hub adds by itself is taken out of ``headers``."""
    forms = operation.all("form", "form-string")
    if forms:
        if (headers.value("Content-Type") or "").strip() == "multipart/form-data":
            headers.drop("Content-Type")
        return read_forms(forms, operation, stdin)
    if data is None:
        return read_upload(operation, headers.value("Content-Type") or "", stdin)
    if data.is_json:
        headers.add("Content-Type", "application/json")
        headers.add("Accept", "application/json")
    written = headers.value("Content-Type")
    content_type = written if written is not None else "" if headers.given("Content-Type") else FORM
    if data.file:
        return data.as_file(content_type)
    body, by_itself = read_body(data.text, content_type)
    if by_itself:
        headers.drop("Content-Type")
    if data.text.lstrip().startswith(("{", "[")) and content_type == FORM:
        operation.note("json-as-form")
    return body


def _add_own_headers(operation: Operation, headers: Headers) -> None:
    """What options other than ``-H`` say in headers."""
    headers.add("User-Agent", operation.last("user-agent"))
    referer = operation.last("referer")
    headers.add("Referer", referer.removesuffix(";auto") if referer else None)
    byte_range = operation.last("range")
    headers.add("Range", f"bytes={byte_range}" if byte_range else None)
    cookies = []
    for _option, value in operation.all("cookie"):
        if "=" in value:
            cookies.append(value)
        elif value:
            operation.note("cookie-file")
    headers.add("Cookie", ";".join(cookies))
    for name in headers.removed & {"accept"}:
        operation.note("header-removed", name=name.title())


def _read_auth(operation: Operation, headers: Headers, url_user: str, url: str, secrets: SecretCollector) -> Auth:
    """What ``-u`` and its neighbours say; a header that is written by hand comes first, as in curl."""
    written = operation.last("user")
    user = written if written is not None else unquote(url_user) if url_user else None
    signature = operation.last("aws-sigv4")
    if headers.given("Authorization"):
        return NoAuth()
    if signature is not None:
        return _read_signature(signature, user or "", headers, url, secrets)
    token = operation.last("oauth2-bearer")
    if token is not None:
        return BearerAuth(token=secrets.keep("TOKEN", token))
    if any(operation.on(name) for name in ("ntlm", "ntlm-wb", "negotiate")):
        operation.note("auth-unsupported", name="Negotiate" if operation.on("negotiate") else "NTLM")
        return NoAuth()
    if user is None:
        return NoAuth()
    if ":" not in user and written is not None:
        operation.note("password-missing")
        user += ":{{PASSWORD}}"
    name, _colon, password = user.partition(":")
    if operation.on("anyauth"):
        operation.note("auth-any")
    if operation.on("digest"):
        return DigestAuth(username=name, password=secrets.keep("PASSWORD", password))
    # A service's key stands before the colon, with nothing behind it.
    return BasicAuth(username=name if password else secrets.keep("API_KEY", name), password=secrets.keep("PASSWORD", password))


def _read_signature(signature: str, user: str, headers: Headers, url: str, secrets: SecretCollector) -> AwsSigV4Auth:
    """``aws:amz:region:service``; curl takes the last two from the host's name where they are not given."""
    parts = [*signature.split(":"), "", "", "", ""]
    host = _AWS_HOST.search(url.partition("://")[2].partition("/")[0])
    name, _colon, password = user.partition(":")
    token = headers.value("X-Amz-Security-Token") or ""
    headers.drop("X-Amz-Security-Token")
    return AwsSigV4Auth(
        access_key_id=name,
        secret_access_key=secrets.keep("AWS_SECRET_ACCESS_KEY", password),
        session_token=secrets.keep("AWS_SESSION_TOKEN", token),
        region=parts[2] or (host["region"] if host else ""),
        service=parts[3] or (host["service"] if host else ""),
    )


def _read_settings(operation: Operation) -> RequestSettings:
    """Redirects are followed with ``-L`` only, and certificates checked without ``-k``, as curl does."""
    usual = RequestSettings()
    follow = operation.on("location") or operation.on("location-trusted")
    if operation.on("location-trusted"):
        operation.note("location-trusted")
    if operation.last("connect-timeout") is not None:
        operation.note("option-ignored", option="--connect-timeout")
    seconds = _within(operation, "max-time", usual.timeout_seconds, 1, 120)
    redirects = _within(operation, "max-redirs", usual.max_redirects, 0, 20)
    return RequestSettings(
        timeout_seconds=seconds,
        follow_redirects=follow,
        max_redirects=int(redirects),
        verify_tls=not operation.on("insecure"),
    )


def _within(operation: Operation, option: str, usual: float, low: float, high: float) -> float:
    text = operation.last(option)
    if text is None:
        return usual
    number = float(text) if _NUMBER.fullmatch(text) else high if text.startswith("-") else usual
    kept = min(max(number, low), high)
    if kept != number or not _NUMBER.fullmatch(text):
        operation.note("number-changed", option=f"--{option}", value=f"{kept:g}")
    return kept


def _hide_in_body(body: Body, secrets: SecretCollector) -> Body:
    if body.kind == "json":
        return body.model_copy(update={"text": hide_in_json(body.text, secrets)})
    if body.kind == "form":
        hidden = body.model_copy(update={"fields": hide_rows(body.fields, secrets)})
        if body.as_written and hidden != body:  # as text a secret is sent letter for letter too
            return RawBody(text="&".join(f"{row.name}={row.value}" for row in hidden.fields), content_type=FORM)
        return hidden
    return body
