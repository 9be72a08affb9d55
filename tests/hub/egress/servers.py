"""Servers on loopback that speak as a test tells them: HTTP, something close to it, or nothing at all."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from hub.egress import EgressPolicy


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came over the wire."""

    line: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def method(self) -> str:
        return self.line.split(" ")[0]

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]

    def all(self, name: str) -> list[str]:
        return [value for own, value in self.headers if own.lower() == name.lower()]

    @property
    def everything(self) -> str:
        """All of it, for a search."""
        headers = "\n".join(f"{name}: {value}" for name, value in self.headers)
        return f"{self.line}\n{headers}\n\n{self.body.decode('utf-8', 'replace')}"


Talk = Callable[[Received, socket.socket], None]


class Server:
    """Reads one request of each connection, keeps it, and lets ``talk`` answer. ``ended`` is set when the test is over."""

    def __init__(self, talk: Talk, context: ssl.SSLContext | None = None) -> None:
        self.talk = talk
        self._context = context
        self.ended = threading.Event()
        self.received: list[Received] = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self.listener.getsockname()[1]
        self._threads: list[threading.Thread] = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def url(self, path: str = "/", host: str = "one.test") -> str:
        scheme = "https" if self._context else "http"
        return f"{scheme}://{host}:{self.port}{path}"

    def close(self) -> None:
        self.ended.set()
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _peer = self.listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(10)
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection:
                request = read_request(connection)
                self.received.append(request)
                self.talk(request, connection)
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(1)


def read_request(connection: socket.socket) -> Received:
    data = b""
    while b"\r\n\r\n" not in data:
        if data.startswith(b"\x16"):
            return Received("a TLS greeting", (), data)
        part = connection.recv(65536)
        if not part:
            raise OSError("the client went away")
        data += part
    head, _blank, body = data.partition(b"\r\n\r\n")
    line, *rows = head.decode().split("\r\n")
    headers = tuple((name, value) for name, _colon, value in (row.partition(": ") for row in rows))
    length = int(next((value for name, value in headers if name.lower() == "content-length"), "0"))
    while len(body) < length:
        body += connection.recv(65536)
    return Received(line, headers, body)


def answer(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    """An ordinary answer; ``_`` in a header's name stands for a dash."""
    rows = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body)}\r\n{rows}\r\n".encode() + body


def saying(*parts: bytes) -> Talk:
    """The same answer to everybody."""

    def talk(_request: Received, connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)

    return talk


def routed(routes: dict[str, bytes]) -> Talk:
    """An answer for each path; parameters do not count."""

    def talk(request: Received, connection: socket.socket) -> None:
        connection.sendall(routes[re.split("[?]", request.target)[0]])

    return talk


def resolve_to_loopback(host: str, _port: int) -> list[str]:
    return ["127.0.0.1"] if host.endswith(".test") else []


#: A hub in development, to which all names of ``.test`` are this machine.
LOOPBACK = EgressPolicy(loopback=True, resolver=resolve_to_loopback)
