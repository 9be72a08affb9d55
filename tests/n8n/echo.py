"""A service on loopback that keeps what it is sent, and the comparison of two requests by what matters of them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

#: What every client adds in its own way.
_OWN = frozenset(
    {
        *("accept", "accept-encoding", "accept-language", "connection", "content-length", "host", "transfer-encoding"),
        *("user-agent", "content-type"),
    }
)


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")

    def meaning(self, named: Collection[str] = ()) -> dict[str, Any]:
        """What two clients must have in common; of what each adds in its own way only the headers that are ``named``."""
        parts = urlsplit(self.target)
        media_type = self.header("content-type").partition(";")[0].strip().lower()
        own = _OWN - {name.lower() for name in named} | {"content-type"}
        headers = sorted((name.lower(), value) for name, value in self.headers if name.lower() not in own)
        return {
            "method": self.method,
            "path": [unquote(segment) for segment in parts.path.split("/")],
            "query": parse_qsl(parts.query, keep_blank_values=True),
            "headers": headers,
            "type": media_type,
            "body": _meaning_of(self.body, media_type, self.header("content-type")),
        }


def _meaning_of(body: bytes, media_type: str, content_type: str) -> Any:
    if media_type.endswith("json") and body:
        return json.dumps(json.loads(body))  # as text, because 1 and True are equal in Python
    if media_type == "application/x-www-form-urlencoded":
        return parse_qsl(body.decode(), keep_blank_values=True)
    if media_type == "multipart/form-data":
        message = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
        return [
            (part.get_param("name", header="content-disposition"), part.get_filename(), part.get_payload(decode=True))
            for part in message.get_payload()  # type: ignore[union-attr]
        ]
    return body


class Echo:
    """The service; ``received`` has the requests of each case by the first part of the path.

    It takes requests as a proxy too: those it has by the host that they were for.
    """

    def __init__(self) -> None:
        self.received: dict[str, list[Received]] = defaultdict(list)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.authority = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.authority}"

    def __enter__(self) -> Echo:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, case: str) -> list[Received]:
        """What arrived for a case since the last look."""
        return self.received.pop(case, [])

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self._read()
                case = urlsplit(self.path).netloc or self.path.split("?")[0].split("/")[1]
                request = Received(self.command, self.path, tuple(self.headers.items()), body)
                received[case].append(request)
                challenge = case.startswith("digest") and not request.header("authorization")
                answer = json.dumps({"access_token": "token-1", "token_type": "bearer", "expires_in": 3600}).encode()
                self.send_response(401 if challenge else 200)
                if challenge:
                    self.send_header("WWW-Authenticate", 'Digest realm="echo", nonce="abc", qop="auth", algorithm=MD5')
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _answer

            def _read(self) -> bytes:
                if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                    return self.rfile.read(int(self.headers.get("Content-Length") or 0))
                whole = b""
                while size := int(self.rfile.readline(), 16):
                    whole += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return whole

            def log_message(self, *_: object) -> None:
                pass

        return Handler
