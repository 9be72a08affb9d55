"""A server on loopback that keeps every request as it came, byte for byte."""

from __future__ import annotations

import email.parser
import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote

#: Headers that belong to the client program or the connection, not to the request.
IGNORED = frozenset(
    ("host", "user-agent", "accept-encoding", "content-length", "connection", "expect", "transfer-encoding", "te", "keep-alive")
)


@dataclass(frozen=True)
class Received:
    """One request. ``target`` is the path with its query, as it stood in the first line."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def comparable(self, *ignored: str) -> tuple[object, ...]:
        """All that matters of it, in a form that is equal for equal requests."""
        left_out = IGNORED | set(ignored)
        headers = sorted((name.lower(), value) for name, value in self.headers if name.lower() not in left_out)
        content_type = next((value for name, value in headers if name == "content-type"), "")
        if content_type.startswith("multipart/form-data"):
            others = [header for header in headers if header[0] != "content-type"]
            return self.method, tidy(self.target), others, parts_of(content_type, self.body)
        return self.method, tidy(self.target), headers, self.body


def tidy(target: str) -> str:
    """The target with whatever no URL may hold encoded, as RFC 3986 asks; what is encoded has large letters."""
    encoded = quote(target.encode("latin-1"), safe="%/?&=!$'()*+,;:@-._~")
    return re.sub(r"%[0-9a-f]{2}", lambda found: found.group().upper(), encoded)


def parts_of(content_type: str, body: bytes) -> list[tuple[dict[str, str], bytes]]:
    """The parts of a multipart body: headers and content of each."""
    boundary = re.search(r'boundary="?([^";]+)', content_type)
    assert boundary
    pieces = body.split(b"--" + boundary.group(1).encode())
    assert pieces[-1].strip() == b"--"
    parts = []
    for piece in pieces[1:-1]:
        head, _blank, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = email.parser.BytesParser().parsebytes(head)
        named = {name.lower(): str(value) for name, value in headers.items()}
        parts.append((named, content.removesuffix(b"\r\n")))
    return parts


class EchoServer(socketserver.ThreadingTCPServer):
    """Answers 200 to everything and remembers it in ``received``."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[Received] = []

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])


class _Handler(socketserver.StreamRequestHandler):
    timeout = 20
    disable_nagle_algorithm = True

    def handle(self) -> None:
        try:
            while self._answer():
                pass
        except (ConnectionError, TimeoutError):
            return

    def _answer(self) -> bool:
        line = self.rfile.readline().decode("latin-1").rstrip("\r\n")
        if not line:
            return False
        method, target = line.split(" ", 1)[0], line.split(" ", 1)[1].rsplit(" ", 1)[0]
        headers = []
        while (header := self.rfile.readline().decode("latin-1").rstrip("\r\n")) != "":
            name, _colon, value = header.partition(":")
            headers.append((name, value.strip()))
        found = {name.lower(): value for name, value in headers}
        if found.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = (
            self._chunks()
            if "chunked" in found.get("transfer-encoding", "")
            else self.rfile.read(int(found.get("content-length", 0)))
        )
        assert isinstance(self.server, EchoServer)
        self.server.received.append(Received(method, target, tuple(headers), body))
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: " + (b"0\r\n\r\n" if method == "HEAD" else b"2\r\n\r\n{}"))
        return found.get("connection", "").lower() != "close"

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body


@contextmanager
def echo_server() -> Iterator[EchoServer]:
    """A running server."""
    with EchoServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
