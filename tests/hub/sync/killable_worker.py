"""A process that forks workers which kill themselves (SIGKILL) right before their n-th statement. Talks by lines of JSON.

Started as ``python -m tests.hub.sync.killable_worker``. Each input line is the number of the fatal statement, or 0 for none;
each answer ``{"killed": bool, "statements": int}``. Forking from a process without threads costs milliseconds, where
starting Python anew costs a second.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from typing import Any

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.engine import Engine

from hub import create_app
from hub.extensions import db
from hub.jobs import worker
from hub.jobs.registry import HANDLERS


def work(app: Flask, fatal: int) -> int:
    """Run a worker until the sync job has ended; the number of statements it took."""
    count = 0
    lock = threading.Lock()

    def tick(*_: object) -> None:
        nonlocal count
        with lock:
            count += 1
            if count == fatal:
                os.kill(os.getpid(), signal.SIGKILL)

    # Also right before a commit: what was written in the transaction must then be gone.
    sa.event.listen(Engine, "before_cursor_execute", tick)
    sa.event.listen(Engine, "commit", tick)
    ended = threading.Event()
    handler = HANDLERS["sync.instance"]

    def sync_once(*arguments: Any, **options: Any) -> None:
        try:
            handler(*arguments, **options)
        finally:
            ended.set()

    HANDLERS["sync.instance"] = sync_once
    worker.PERIODS.clear()
    worker.POLL_SECONDS = 0.05
    worker.run_worker(app, stop=ended)
    return count


def main() -> None:
    """Fork a worker for each line."""
    app = create_app()
    for line in sys.stdin:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            with app.app_context():
                db.engine.dispose(close=False)
            os.write(writer, str(work(app, int(line))).encode())
            os._exit(0)
        os.close(writer)
        _, status = os.waitpid(child, 0)
        with os.fdopen(reader) as stream:
            statements = int(stream.read() or 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print(json.dumps({"killed": killed, "statements": statements}), flush=True)


if __name__ == "__main__":
    main()
