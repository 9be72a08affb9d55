"""Requests that somebody may cancel: one thread of the process looks at all of them, however many are under way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: How long a cancelled request may go on.
LOOK_SECONDS = 0.05


class _Watcher:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watched: dict[int, tuple[threading.Event, Callable[[], None]]] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def watch(self, cancelled: threading.Event | None, abort: Callable[[], None]) -> Iterator[None]:
        """Call ``abort``, perhaps several times, from another thread once ``cancelled`` is set within the block."""
        if cancelled is None:
            yield
            return
        key = id(abort)
        with self._changed:
            self._watched[key] = (cancelled, abort)
            if self._thread is None or not self._thread.is_alive():  # a fork copies this object, and no thread
                self._thread = threading.Thread(target=self._look, name="cancelling", daemon=True)
                self._thread.start()
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                del self._watched[key]

    def _look(self) -> None:
        while True:
            with self._changed:
                while not self._watched:
                    self._changed.wait()
                for cancelled, abort in self._watched.values():
                    if cancelled.is_set():
                        abort()
            time.sleep(LOOK_SECONDS)


watch = _Watcher().watch
