"""Reading an answer: strict where two readers could disagree, bounded everywhere."""

from __future__ import annotations

import http.client
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import urllib3

from hub.egress.decoding import PIECE, decode, read_encodings
from hub.egress.errors import EgressError
from hub.egress.urls import Target

#: Answers of the 1xx kind before the one that counts.
_MAX_INTERIM = 10
_MAX_CHUNK_LINE = 4096
#: Of one answer. Each costs time to read, and a chunk may be one byte.
_MAX_CHUNKS = 200_000
_VERSIONS = {10: "HTTP/1.0", 11: "HTTP/1.1"}


class _Reader(io.BufferedReader):
    """Keeps the last line: an empty one is the end, where ``http.client`` takes it for the end of the headers."""

    last_line = b""

    def readline(self, size: int | None = -1, /) -> bytes:
        self.last_line = super().readline(size)
        return self.last_line


class _Response(http.client.HTTPResponse):
    """Passes over early hints and their like, as ``http.client`` does with 100 alone, and takes no chunk size but a plain one."""

    fp: _Reader

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fp = _Reader(self.fp.detach())
        self._chunks = 0

    def _read_status(self) -> tuple[str, int, str]:
        for _answer in range(_MAX_INTERIM):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200 or status == 101:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException("more interim answers than are read")

    def _read_next_chunk_size(self) -> int:
        line = self.fp.readline(_MAX_CHUNK_LINE)
        if not line:
            raise http.client.IncompleteRead(b"")
        self._chunks += 1
        if self._chunks > _MAX_CHUNKS:
            raise ValueError("more chunks than are read")
        if not (size := re.match(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\r?\n", line)):
            raise ValueError("not the size of a chunk")
        return int(size[1], 16)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer with its body unread. Headers are in order and may repeat."""

    raw: http.client.HTTPResponse
    status: int
    reason: str
    version: str
    headers: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str | None:
        """The first header of a name (in lower case)."""
        return next((value for own, value in self.headers if own.lower() == name), None)

    def close(self) -> None:
        """Leave the rest unread."""
        self.raw.close()


@dataclass(frozen=True, slots=True)
class ReadBody:
    """A body, decompressed, and how many bytes of it came over the wire."""

    content: bytes
    wire_size: int
    truncated: bool


def read_answer(connection: urllib3.connection.HTTPConnection, target: Target) -> Answered:
    """Wait for the answer's status and headers.

    By ``http.client`` itself: urllib3's own method logs the URL, secrets and all, where a header is malformed.
    """
    connection.response_class = _Response
    raw = http.client.HTTPConnection.getresponse(connection)
    try:
        if not cast("_Response", raw).fp.last_line:
            raise http.client.IncompleteRead(b"")
        return _judge(raw, target)
    except (EgressError, http.client.IncompleteRead):
        raw.close()  # it may own the connection
        raise


def _judge(raw: http.client.HTTPResponse, target: Target) -> Answered:
    reason = _as_text(raw.reason)
    headers = tuple((name, _as_text(re.sub(r"\r?\n[ \t]*", " ", value))) for name, value in raw.msg.items())
    if raw.msg.defects or any("\0" in text for text in (reason, *(value for _name, value in headers))):
        raise EgressError("bad-answer", host=target.host, reason="headers")
    lengths = {value.strip() for name, value in headers if name.lower() == "content-length"}
    if len(lengths) > 1 or not all(re.fullmatch("[0-9]{1,18}", length) for length in lengths):
        raise EgressError("bad-answer", host=target.host, reason="content-length")
    framing = {value.strip().lower() for name, value in headers if name.lower() == "transfer-encoding"}
    if not framing <= {"chunked", "identity"}:  # http.client would take the frames for the body
        raise EgressError("bad-answer", host=target.host, reason="chunks")
    return Answered(raw, raw.status, reason, _VERSIONS.get(raw.version, "HTTP/1.1"), headers)


def _as_text(value: str) -> str:
    """``http.client`` reads headers as Latin-1, where servers mean UTF-8."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


class _Enough(Exception):
    """More than is read has come."""


class _Meter:
    """Counts what passes, and ends it at a limit; ``remaining`` raises when the time is over."""

    def __init__(self, limit: int, remaining: Callable[[], float]) -> None:
        self.limit = limit
        self.size = 0
        self._remaining = remaining

    def pass_on(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._remaining()
            self.size += len(piece)
            yield piece
            if self.size > self.limit:
                raise _Enough


def read_body(answer: Answered, target: Target, max_bytes: int, remaining: Callable[[], float]) -> ReadBody:
    """The body until its end, or until ``max_bytes`` of it are there; ``remaining`` raises when the time is over."""
    encodings = ", ".join(value for name, value in answer.headers if name.lower() == "content-encoding")
    compressed_limit = max_bytes + max_bytes // 64 + PIECE  # what does not shrink grows a little when it is compressed
    wire = _Meter(compressed_limit, remaining)
    pieces = wire.pass_on(_read_pieces(answer.raw))
    for encoding in read_encodings(encodings, target.host):
        pieces = _Meter(compressed_limit, remaining).pass_on(decode(pieces, encoding, target.host))
    content = bytearray()  # not a list: a million chunks of one byte would be a million objects
    truncated = False
    try:
        for piece in _Meter(max_bytes, remaining).pass_on(pieces):
            content += piece
    except _Enough:
        truncated = True
        del content[max_bytes:]
    remaining()  # a cancelled request ends as a complete one does
    return ReadBody(bytes(content), wire.size, truncated)


def _read_pieces(raw: http.client.HTTPResponse) -> Iterator[bytes]:
    """The body as it comes: ``read`` would wait for a full piece."""
    while piece := raw.read1(PIECE):
        yield piece
    if raw.length:
        raise http.client.IncompleteRead(b"", raw.length)
