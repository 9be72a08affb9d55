"""Runs trials in V8, in a process of their own. Started by ``trial_process`` by its path: it imports nothing of the hub.

Reads one JSON document, ``{"world", "tasks", "seconds_each", "seconds", "megabytes"}``, and writes one line of JSON for each
task when it is done. V8 aborts the process when its memory is used up, so a task without a line did not end.
"""

from __future__ import annotations

import json
import resource
import secrets
import sys
import time
from typing import Any

from py_mini_racer import JSEvalException, JSTimeoutException, MiniRacer, init_mini_racer
from py_mini_racer._dll import DEFAULT_V8_FLAGS

#: Python, V8's code and its stacks, before the first trial.
_OWN_MEGABYTES = 128


def main() -> None:
    """Answer the document on standard input."""
    order = json.load(sys.stdin)
    _limit(order["megabytes"])
    init_mini_racer(flags=[*DEFAULT_V8_FLAGS, f"--max-heap-size={order['megabytes']}", "--jitless"])
    _write({"status": "ready"})
    deadline = time.monotonic() + order["seconds"]
    for task in order["tasks"]:
        left = deadline - time.monotonic()
        _write(_run(order["world"], task, min(order["seconds_each"], left)) if left > 0 else _not_tried("time"))


def _limit(megabytes: int) -> None:
    """The kernel's limits: memory (also what V8 keeps outside of its heap), processor time, no files, no core dump."""
    own = (_OWN_MEGABYTES + megabytes) * 1_000_000
    for kind, bound in (
        (resource.RLIMIT_DATA, own),
        (resource.RLIMIT_CPU, 10),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (bound, bound))


def _run(world: str, task: dict[str, Any], seconds: float) -> dict[str, Any]:
    # Its name is not to be guessed, so no trial's code is written against it.
    name = f"trial_{secrets.token_hex(8)}"
    text = json.dumps(json.dumps(task))
    with MiniRacer() as v8:
        try:
            v8.eval(f"{world}\n({json.dumps(name)})")
            promise: Any = v8.eval(f"globalThis[{json.dumps(name)}]({text})", timeout_sec=seconds)
            answer: dict[str, Any] = json.loads(promise.get(timeout=seconds))
        except (JSTimeoutException, TimeoutError):
            return {"status": "failed", "error": "time"}
        except JSEvalException:
            return _not_tried("trouble")  # the world answers for errors of what is tried
        return answer


def _not_tried(reason: str) -> dict[str, Any]:
    return {"status": "not-tried", "reason": reason}


def _write(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
