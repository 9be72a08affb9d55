"""What the guarded way out costs: ``send_exchange`` against a bare call of ``requests``, on loopback, in turns, in the same run.

Both open a connection for each call. The answers come from another process, so that only the client's work is in this one.
The hub's side resolves in a thread, judges every address, watches for a cancelling person and takes the times of each step.
"""

from __future__ import annotations

import gzip
import json
import multiprocessing
import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

import requests

from hub.contracts.exchange import ExchangeLimits, WireRequest
from hub.egress import EgressPolicy, send_exchange

CALLS = 400
WARM_UP = 30
#: The goal at the median.
LIMIT = 1.5

RECORDS = json.dumps({"records": [{"id": number, "name": "A name", "ok": True} for number in range(300)]}).encode()
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer benchmark"}
CASES = {
    "GET, a small answer, by address": ("GET", "127.0.0.1", "/small", None),
    "GET, a small answer, by name": ("GET", "localhost", "/small", None),
    "POST 4 kB, a compressed answer": ("POST", "127.0.0.1", "/records", RECORDS[:4000]),
}


def answer(body: bytes, *headers: str) -> bytes:
    rows = "\r\n".join(("HTTP/1.1 200 OK", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers))
    return rows.encode() + b"\r\n\r\n" + body


ANSWERS = {b"/small": answer(b'{"ok": true}'), b"/records": answer(gzip.compress(RECORDS), "Content-Encoding: gzip")}


def serve(told: Connection) -> None:
    """Read one request of each connection whole, answer, and close."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        told.send(listener.getsockname()[1])
        while True:
            connection, _peer = listener.accept()
            with connection:
                data = b""
                while b"\r\n\r\n" not in data:
                    data += connection.recv(65536)
                head, _blank, body = data.partition(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
                while len(body) < length:
                    body += connection.recv(65536)
                connection.sendall(ANSWERS[head.split(b" ")[1]])


def measure(call: Callable[[], bytes]) -> float:
    """Milliseconds of one call, which must bring an answer."""
    started = time.perf_counter()
    body = call()
    elapsed = time.perf_counter() - started
    if not body.startswith(b"{"):
        raise RuntimeError("no answer")
    return elapsed * 1000


def compare(method: str, url: str, body: bytes | None) -> tuple[list[float], list[float]]:
    """Times of ``requests`` and of the hub, taken in turns."""
    policy = EgressPolicy(loopback=True)
    request = WireRequest(method, url, tuple(HEADERS.items()), body, ("benchmark",), (("benchmark", ("127.0.0.1", "localhost")),))

    def bare() -> bytes:
        return requests.request(method, url, headers=HEADERS, data=body, timeout=30).content

    def guarded() -> bytes:
        return send_exchange(policy, request, ExchangeLimits(), cancelled=threading.Event()).body

    for _count in range(WARM_UP):
        bare(), guarded()
    times = [(measure(bare), measure(guarded)) for _count in range(CALLS)]
    return [first for first, _second in times], [second for _first, second in times]


def main() -> int:
    receiver, sender = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(sender,), daemon=True)
    server.start()
    port = receiver.recv()
    worst = 0.0
    for name, (method, host, path, body) in CASES.items():
        bare, guarded = compare(method, f"http://{host}:{port}{path}", body)
        here, there = statistics.median(guarded), statistics.median(bare)
        ratio = here / there
        worst = max(worst, ratio)
        print(
            f"{name}: requests {there:.2f} ms, hub {here:.2f} ms at the median of {CALLS} calls: "
            f"ratio {ratio:.2f} (p95 {p95(guarded) / p95(bare):.2f})"
        )
    server.kill()
    server.join()
    print(f"worst ratio {worst:.2f}, at most {LIMIT} wanted")
    return worst > LIMIT


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


if __name__ == "__main__":
    sys.exit(main())
