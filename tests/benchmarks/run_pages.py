"""How long pages take while nothing is sent, and while 64 requests at a time wait for targets that take two seconds.

Goal: the slowest hundredth of the pages takes at most twice as long. Both are measured in turns, so that what else the
machine does hits both.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median, quantiles

import sqlalchemy as sa

from hub import create_app
from hub.accounts.models import User
from hub.config import load_config
from hub.contracts.actor import Actor
from hub.contracts.http import RequestDefinition
from hub.extensions import db
from hub.http_builder.models import RequestRun, RunState
from hub.http_builder.running import start_run
from tests.live_hub import LiveHub
from tests.plain_browser import PlainBrowser

CONCURRENT = 64
TARGET_SECONDS = 2.0
TURNS = 3
PAGES_A_TURN = 100
LIMIT = 2.0
#: Between two waits of a sender there is a moment.
ENOUGH = round(CONCURRENT * 0.9)
PATIENCE_SECONDS = 60.0
PATHS = ("/", "/executions", "/workflows", "/runs", "/environments")
SETTINGS = {"HUB_REQUEST_THREADS": "64", "HUB_REQUEST_ACTIVE": "64", "HUB_REQUEST_PER_MINUTE": "1000000"}


class SlowTarget:
    """Answers every request after two seconds. ``waiting`` counts those under way."""

    def __init__(self) -> None:
        self.waiting = self.most = self.answered = 0
        self.port = 0
        self._ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        self._ready.wait()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0, backlog=CONCURRENT)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await server.serve_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await asyncio.sleep(TARGET_SECONDS)
        self.waiting -= 1
        self.answered += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n" + b'{"ok":true}')
        await writer.drain()
        writer.close()


class Senders:
    """Keeps so many requests under way as long as it is on."""

    def __init__(self, hub: LiveHub, target: SlowTarget) -> None:
        self._app = create_app(load_config(hub.environment))
        self._definition = RequestDefinition(url=f"http://127.0.0.1:{target.port}/")
        self._target = target
        self._on = threading.Event()
        self._ended = threading.Event()
        with self._app.app_context():
            self._actor = Actor(user_id=db.session.scalar(sa.select(User.id)))
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def _send(self) -> None:
        while not self._ended.is_set():
            if self._on.is_set():
                for _ in range(CONCURRENT - self.active()):
                    with self._app.app_context():
                        start_run(self._actor, self._definition, name="Slow")
            time.sleep(0.05)

    def active(self) -> int:
        with self._app.app_context():
            under_way = sa.select(sa.func.count(RequestRun.id)).where(RequestRun.state.in_((RunState.QUEUED, RunState.RUNNING)))
            return db.session.scalar(under_way) or 0

    def turn(self, on: bool) -> None:
        """Begin, and wait until all are under way; or end, and wait until none is."""
        (self._on.set if on else self._on.clear)()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (self._target.waiting < ENOUGH) if on else self.active():
            if time.monotonic() > deadline:
                raise SystemExit(f"{self._target.waiting} of {CONCURRENT} requests are under way, {self.active()} wait or run")
            time.sleep(0.05)

    def close(self) -> None:
        self._ended.set()
        self._thread.join()


def measure(browser: PlainBrowser) -> list[float]:
    """Milliseconds of each page."""
    times = []
    for number in range(PAGES_A_TURN):
        began = time.perf_counter()
        answer = browser.get(PATHS[number % len(PATHS)])
        times.append((time.perf_counter() - began) * 1000)
        assert answer.status == 200, answer.status
    return times


def main() -> int:
    idle: list[float] = []
    loaded: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        hub = LiveHub(Path(folder), SETTINGS)
        hub.start()
        try:
            browser = PlainBrowser(hub.url)
            page = browser.get("/register")
            browser.submit(page.form("/register"), email="a@example.com", password="correct horse battery staple", name="A")
            target = SlowTarget()
            senders = Senders(hub, target)
            try:
                measure(browser)
                for _ in range(TURNS):
                    senders.turn(False)
                    idle += measure(browser)
                    senders.turn(True)
                    loaded += measure(browser)
            finally:
                senders.close()
        finally:
            hub.stop()
    ratio = quantiles(loaded, n=100)[98] / quantiles(idle, n=100)[98]
    for name, times in (("idle", idle), (f"{CONCURRENT} requests under way", loaded)):
        print(f"page, {name}: median {median(times):.1f} ms, p99 {quantiles(times, n=100)[98]:.1f} ms over {len(times)} pages")
    print(f"{target.answered} requests answered, at most {target.most} at once; p99 ratio {ratio:.2f}, goal at most {LIMIT}")
    return 0 if ratio <= LIMIT and target.most >= ENOUGH else 1


if __name__ == "__main__":
    sys.exit(main())
