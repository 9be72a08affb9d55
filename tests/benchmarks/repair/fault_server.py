"""A service on loopback that misbehaves exactly as a case says; one for each case, so that cases can run side by side.

What a route can say is in README.md of this folder. Nothing depends on chance, and nothing in an address names the fault.
"""

from __future__ import annotations

import datetime as dt
import difflib
import functools
import ipaddress
import json
import re
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Json = dict[str, Any]

HOST = "127.0.0.1"
FORM = "application/x-www-form-urlencoded"
_TYPES: dict[str, type | tuple[type, ...]] = {
    "number": (int, float),
    "string": str,
    "array": list,
    "object": dict,
    "boolean": bool,
}


@dataclass(frozen=True)
class Request:
    """What a caller sent; ``body`` is the decoded JSON or form, None where it is neither."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any

    @property
    def content_type(self) -> str | None:
        """The media type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip() or None


@dataclass(frozen=True)
class Reply:
    """What the service answers; status 0 cuts the connection off."""

    status: int
    body: Any = None
    headers: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Served:
    """One call that the service answered below 400."""

    method: str
    path: str


class FaultServer:
    """Plain HTTP and TLS with a certificate that nobody knows, on free ports, plus a port on which nothing listens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed = socket.socket()
        self._closed.bind((HOST, 0))  # bound and never listened on: connections are refused and nobody else gets the port
        self._servers = [_Server((HOST, 0), self), _Server((HOST, 0), self)]
        self._servers[1].socket = _tls_context().wrap_socket(
            self._servers[1].socket, server_side=True, do_handshake_on_connect=False
        )
        self.port, self.tls_port = (server.server_port for server in self._servers)
        self.closed_port: int = self._closed.getsockname()[1]
        self.install([])

    def __enter__(self) -> FaultServer:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._closed.close()

    def install(self, routes: Sequence[Json]) -> None:
        """Serve these routes from now on; every counter starts anew and what was served is forgotten."""
        with self._lock:
            self._routes = list(routes)
            self._calls: list[list[float]] = [[] for _ in routes]
            self.served: list[Served] = []

    def answer(self, request: Request) -> Reply:
        """The reply to a call, once it is due."""
        reply = self._reply(request)
        if 0 < reply.status < 400:
            with self._lock:
                self.served.append(Served(request.method, request.path))
        return reply

    def _reply(self, request: Request) -> Reply:
        index, allowed = self._find(request)
        if index is None:
            return _method_refused(request, allowed) if allowed else self._nothing_there(request)
        route = self._routes[index]
        with self._lock:
            now = time.monotonic()
            self._calls[index].append(now)
            calls = list(self._calls[index])
        time.sleep(route.get("delay", 0))
        failure = route.get("fail_first")
        if failure and len(calls) <= failure["times"]:
            return _refusal(failure)
        limit = route.get("limit")
        if limit and sum(moment > now - limit["seconds"] for moment in calls) > limit["calls"]:
            return _refusal({"status": 429, "body": {"error": "rate_limited"}, **limit})
        unmet = next((need for need in route.get("require", ()) if not _is_met(need, request)), None)
        if unmet:
            return _refusal(unmet)
        if route.get("drop"):
            return Reply(0)
        body = route.get("body", {})
        if route.get("echo"):
            body = {**body, "received": request.body, "query": request.query}
        return Reply(route.get("status", 200), body, route.get("headers", {}))

    def _find(self, request: Request) -> tuple[int | None, list[str]]:
        """The first route that matches, or None with the methods that its path takes."""
        allowed: list[str] = []
        for index, route in enumerate(self._routes):
            conditions = route.get("when_query", {}).items()
            if route["path"] != request.path or any(request.query.get(key) != value for key, value in conditions):
                continue
            if route.get("method", request.method) == request.method:
                return index, []
            allowed.append(route["method"])
        return None, list(dict.fromkeys(allowed))

    def _nothing_there(self, request: Request) -> Reply:
        message = f"Cannot {request.method} {request.path}"
        similar = difflib.get_close_matches(request.path, [route["path"] for route in self._routes], 1, 0.7)
        if similar:
            message += f". Did you mean {similar[0]}?"
        return Reply(404, {"error": "not_found", "message": message})


def _method_refused(request: Request, allowed: list[str]) -> Reply:
    methods = ", ".join(allowed)
    message = f"Method {request.method} is not allowed for {request.path}. Allowed: {methods}"
    return Reply(405, {"error": "method_not_allowed", "message": message}, {"Allow": methods})


def _refusal(fault: Json) -> Reply:
    if fault.get("drop"):
        return Reply(0)
    return Reply(fault["status"], fault.get("body"), fault.get("headers", {}))


def _is_met(need: Json, request: Request) -> bool:
    """Whether a request has what a route requires; ``any`` lists alternatives."""
    if "any" in need:
        return any(_is_met(alternative, request) for alternative in need["any"])
    if "header" in need:
        value: Any = request.headers.get(need["header"].lower())
    elif "query" in need:
        value = request.query.get(need["query"])
    elif "content_type" in need:
        return request.content_type == need["content_type"]
    else:
        value = value_at(request.body, need["json"])
    return value is not None and _is_as_wanted(value, need)


def _is_as_wanted(value: Any, need: Json) -> bool:
    if "equals" in need and value != need["equals"]:
        return False
    if "one_of" in need and value not in need["one_of"]:
        return False
    if "type" in need and (not isinstance(value, _TYPES[need["type"]]) or (need["type"] == "number" and isinstance(value, bool))):
        return False
    if "matches" in need and not re.search(need["matches"], value if isinstance(value, str) else json.dumps(value)):
        return False
    if "most" in need and _size(value) > need["most"]:
        return False
    return not ("least" in need and _size(value) < need["least"])


def _size(value: Any) -> float:
    """A list's length, a number, or the number that a text spells."""
    if isinstance(value, list):
        return len(value)
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("inf")


def value_at(value: Any, path: str) -> Any:
    """The value at a dotted path (``lines.0.sku``; ``$`` is the whole), None where there is none."""
    for key in path.split(".") if path != "$" else ():
        if isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, dict):
            value = value.get(key)
        else:
            return None
    return value


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], faults: FaultServer) -> None:
        super().__init__(address, _Handler)
        self.faults = faults

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers that hang up early or do not trust the certificate are part of the cases."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _handle(self) -> None:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        raw = self.rfile.read(int(headers.get("content-length") or 0)).decode(errors="replace")
        body: Any = None
        if headers.get("content-type", "").startswith(FORM):
            body = dict(parse_qsl(raw, keep_blank_values=True))
        else:
            with suppress(ValueError):
                body = json.loads(raw)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        reply = self.server.faults.answer(Request(self.command, url.path, query, headers, body))
        if reply.status == 0:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(reply)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _handle

    def _send(self, reply: Reply) -> None:
        text = isinstance(reply.body, str)
        data = (reply.body if text else json.dumps({} if reply.body is None else reply.body, ensure_ascii=False)).encode()
        self.send_response(reply.status)
        kind = "text/plain; charset=utf-8" if text else "application/json; charset=utf-8"
        for name, value in {"Content-Type": kind, **reply.headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """The runner prints the cases, not the calls."""


@functools.cache
def _tls_context() -> ssl.SSLContext:
    """A server's side of TLS with a certificate for loopback that signs itself; one for the whole run."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "intranet.example")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with tempfile.NamedTemporaryFile() as file:  # ssl takes files only
        Path(file.name).write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context.load_cert_chain(file.name)
    return context
