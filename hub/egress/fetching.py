"""One request with a deadline and a size limit."""

from __future__ import annotations

import http.client
import json as json_module
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3

from hub.egress.errors import EgressError
from hub.egress.headers import DEFAULT_HEADERS
from hub.egress.session import GuardedSession
from hub.egress.translation import translate
from hub.egress.urls import check_url

_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. ``body`` is decompressed; ``elapsed_ms`` counts from the call to the last byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_ms: float

    @property
    def media_type(self) -> str:
        """The content type without parameters, lower-case; empty where there is none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def text(self) -> str:
        """The body as UTF-8, with replacement characters where it is not."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; ValueError where it is not (or is cut short)."""
        return json_module.loads(self.body)


def fetch(
    session: GuardedSession,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    json: Any = None,
    content: bytes | None = None,
    timeout: float = 30.0,
    max_bytes: int = 5_000_000,
) -> Answer:
    """Make one request within ``timeout`` seconds in all and read at most ``max_bytes`` of decompressed answer.

    The body is ``json``, or ``content`` as it is. A redirect is an answer like any other.
    Raises ``EgressError`` for everything that is no complete answer.
    """
    target = check_url(url)
    started = time.monotonic()
    body = content if json is None else json_module.dumps(json, allow_nan=False).encode()
    own = dict(DEFAULT_HEADERS) if json is None else {**dict(DEFAULT_HEADERS), "Content-Type": "application/json"}
    given = {name.lower() for name in headers or ()}
    merged = {name: value for name, value in own.items() if name.lower() not in given} | dict(headers or {})
    try:
        response = session.send(method, target, _path(url, params), headers=merged, body=body, seconds=timeout)
        try:
            content = _read(response, max_bytes)
        finally:
            response.close()
            response.release_conn()
    except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
        raise translate(error, target, timeout) from error
    except ValueError as error:  # http.client's answer to a line break or a letter that no header can carry
        raise EgressError("bad-header") from error
    return Answer(response.status, response.headers, content, (time.monotonic() - started) * 1000)


def _path(url: str, params: Mapping[str, str] | None) -> str:
    """What stands in the request line: urllib3 escapes what HTTP does not allow there."""
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(params or {})) if part)
    return (parts.path or "/") + (f"?{query}" if query else "")


def _read(response: urllib3.BaseHTTPResponse, max_bytes: int) -> bytes:
    """The body, read as it comes (``read`` would wait for a full chunk) and counted after decompression."""
    announced = response.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise EgressError("too-large", limit=max_bytes)
    chunks, size = [], 0
    while chunk := response.read1(_CHUNK, decode_content=True):
        size += len(chunk)
        if size > max_bytes:
            raise EgressError("too-large", limit=max_bytes)
        chunks.append(chunk)
    return b"".join(chunks)
