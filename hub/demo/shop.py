"""The services of a small shop, on loopback, with the faults that make the demo's workflows fail.

Its answers do not depend on chance: too many calls a second are refused, a wrong order is rejected, the bookkeeping
token has expired, the forecast is slow.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

#: The demo's workflows name these ports, so that recordings and a running demo look the same. Nothing listens on the second.
PORT, CLOSED_PORT = 8790, 8791

STOCK = {"KETTLE-1": 12, "MUG-4": 0, "TEAPOT-2": 3, "TRAY-7": 25, "SPOON-9": 40, "CUP-3": 1}
CALLS_A_SECOND = 3
FORECAST_SECONDS = 2.0


@dataclass(frozen=True)
class Reply:
    """What the shop answers."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """What the shop is asked; `argument` is the part of the path that the route left open."""

    argument: str
    body: dict[str, Any]


class Shop(ThreadingHTTPServer):
    """The server; `served` lists (method, path, status) of every call."""

    daemon_threads = True

    def __init__(self, port: int = PORT) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.served: list[tuple[str, str, int]] = []
        self._lock = threading.Lock()
        self._stock_calls: deque[float] = deque(maxlen=CALLS_A_SECOND)
        self._routes: list[tuple[str, re.Pattern[str], Callable[[Call], Reply]]] = [
            ("POST", re.compile(r"/orders()"), save_order),
            ("GET", re.compile(r"/orders/(ORD-\d+)"), lambda call: Reply(200, {"id": call.argument, "total": 80})),
            ("GET", re.compile(r"/invoices/(.+)"), read_invoice),
            ("GET", re.compile(r"/stock()"), lambda _: Reply(200, [{"sku": k, "level": v} for k, v in STOCK.items()])),
            ("GET", re.compile(r"/stock/(.+)"), self._read_level),
            ("GET", re.compile(r"/forecast()"), read_forecast),
            ("GET", re.compile(r"/sales()"), lambda _: Reply(200, {"orders": 17, "total": 1284.5})),
            ("POST", re.compile(r"/ledger()"), lambda _: refusal(401, "invalid_token", "The access token has expired.")),
            ("POST", re.compile(r"/(leads|mail|payments|refunds|subscribers)"), accept),
        ]

    def start(self) -> None:
        """Serve in the background until `shutdown`."""
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Reply:
        """The reply to one call."""
        path = unquote(urlsplit(path).path)
        for wanted, pattern, respond in self._routes:
            if wanted == method and (found := pattern.fullmatch(path)):
                reply = respond(Call(found[1], body))
                break
        else:
            reply = refusal(404, "not_found", f"There is no {method} {path}.")
        self.served.append((method, path, reply.status))
        return reply

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up early (a timeout) is part of the demo."""

    def _read_level(self, call: Call) -> Reply:
        """A stock level; more than three calls within a second are refused."""
        now = time.monotonic()
        with self._lock:
            if len(self._stock_calls) == CALLS_A_SECOND and now - self._stock_calls[0] < 1:
                return refusal(429, "rate_limited", f"At most {CALLS_A_SECOND} calls a second.", {"Retry-After": "1"})
            self._stock_calls.append(now)
        return Reply(200, {"sku": call.argument, "level": STOCK.get(call.argument, 0)})


def refusal(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, {"message": message, "code": code}, headers or {})


def save_order(call: Call) -> Reply:
    """Accept an order that names who, what and how many; say which field is missing otherwise."""
    for name in ("email", "product", "quantity"):
        if not call.body.get(name):
            return refusal(422, "invalid_order", f"The field '{name}' is required.")
    return Reply(201, {"id": "ORD-1042", **call.body})


def read_invoice(call: Call) -> Reply:
    if not call.argument.isdigit():
        return refusal(404, "not_found", f"There is no invoice '{call.argument}'.")
    return Reply(200, {"number": int(call.argument), "email": "mona@example.com", "total": 80})


def read_forecast(_call: Call) -> Reply:
    time.sleep(FORECAST_SECONDS)
    return Reply(200, {"temperature": 21, "rain": False})


def accept(call: Call) -> Reply:
    return Reply(201, {"accepted": True, **call.body})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Shop

    def _handle(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(raw or b"{}")
        except ValueError:
            body = {}
        reply = self.server.answer(self.command, self.path, body if isinstance(body, dict) else {})
        data = json.dumps(reply.body).encode()
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _handle

    def log_message(self, format: str, *args: Any) -> None:
        """The demo's terminal shows the hub, not the shop."""
