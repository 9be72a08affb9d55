"""Child processes that end with their parent, even one that was killed and could not end them."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

#: ``prctl(2)``: the signal that the kernel sends a process when its parent dies.
_PR_SET_PDEATHSIG = 1


def start_child(command: list[str], **options: Any) -> subprocess.Popen[Any]:
    """``subprocess.Popen``; on Linux the child gets SIGTERM when the thread that called this is no more.

    Without it a hub whose ``hub run`` was killed would go on serving, and the next one would find its port taken.
    """
    return subprocess.Popen(command, preexec_fn=_prepare(os.getpid()), **options)  # noqa: S603 (our own commands)


def _prepare(parent: int) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # found before the fork: little is safe between fork and exec

    def end_with_parent() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the call
            os.kill(os.getpid(), signal.SIGTERM)

    return end_with_parent
