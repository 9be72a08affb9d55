"""Starts the process in which trials run, and ends it: see docs/adr/0006-trials-in-a-process-of-their-own.md."""

from __future__ import annotations

import json
import logging
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

Json = dict[str, Any]

_FOLDER = Path(__file__).parent
#: Seconds for one trial and for all of an analysis, without the start of the process.
SECONDS_EACH = 0.2
SECONDS = 1.0
_START_SECONDS = 10.0
#: V8's heap.
MEGABYTES = 64
_LONGEST_ANSWER = 1_000_000


def run_tasks(tasks: Sequence[Json]) -> list[Json]:
    """What became of each task (``trial_world.js``): ``{"status", "value" | "error" | "reason"}``.

    Nothing that a task does reaches this process: it ends by its time or memory at most. ``failed`` with the error ``time`` or
    ``memory`` says so; tasks that were not begun then are ``not-tried`` because of ``time``, or all because of ``trouble`` where
    the process did not start.
    """
    if not tasks:
        return []
    order = {"world": _world(), "tasks": list(tasks), "seconds_each": SECONDS_EACH, "seconds": SECONDS, "megabytes": MEGABYTES}
    try:
        lines, was_ended = _talk(json.dumps(order).encode())
    except OSError:
        log.exception("no process for trials")
        lines, was_ended = [], False
    found = lines[1 : 1 + len(tasks)]
    if len(found) < len(tasks) and lines:
        found.append({"status": "failed", "error": "time" if was_ended else "memory"})
    return found + [{"status": "not-tried", "reason": "time" if lines else "trouble"}] * (len(tasks) - len(found))


@cache
def _world() -> str:
    return (_FOLDER / "trial_world.js").read_text(encoding="utf-8")


def _talk(order: bytes) -> tuple[list[Json], bool]:
    """The lines that the process wrote, and whether it had to be ended. Without "ready" there are none."""
    command = [sys.executable, "-I", str(_FOLDER / "trial_child.py")]
    with subprocess.Popen(  # noqa: S603 (our own program)
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", env={}, bufsize=0
    ) as process:
        try:
            return _exchange(process, order)
        finally:
            process.kill()


def _exchange(process: subprocess.Popen[bytes], order: bytes) -> tuple[list[Json], bool]:
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 (both are pipes)
    process.stdin.write(order)
    process.stdin.close()
    received, deadline, is_ready = b"", time.monotonic() + _START_SECONDS, False
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while len(received) < _LONGEST_ANSWER:
            if not selector.select(max(deadline - time.monotonic(), 0)):
                return _lines(received), True
            part = os.read(process.stdout.fileno(), 65536)
            if not part:
                return _lines(received), False
            received += part
            if not is_ready and b"\n" in received:
                # A little more than the process allows itself, to let it say what it has.
                is_ready, deadline = True, time.monotonic() + SECONDS + SECONDS_EACH
    return _lines(received), True


def _lines(received: bytes) -> list[Json]:
    return [json.loads(line) for line in received.split(b"\n")[:-1]]
