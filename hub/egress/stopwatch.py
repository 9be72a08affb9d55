"""Where the time of a request goes."""

from __future__ import annotations

import time

from hub.contracts.exchange import Timing


class Stopwatch:
    """Times steps that follow each other: ``dns``, ``connect``, ``tls``, ``first_byte``, ``download``."""

    def __init__(self) -> None:
        #: The step under way, or the one that was under way last.
        self.step: str | None = None
        self._started = self._step_started = time.monotonic()
        self._milliseconds: dict[str, float] = {}
        self._running = False

    def begin(self, step: str) -> None:
        """Begin a step; the one under way ends."""
        self.stop()
        self.step, self._running = step, True

    def stop(self) -> None:
        """End the step under way."""
        now = time.monotonic()
        if self._running and self.step:
            self._milliseconds[f"{self.step}_ms"] = (now - self._step_started) * 1000
        self._step_started, self._running = now, False

    def read(self) -> Timing:
        """What every step took until now, and all together since this stopwatch was made."""
        self.stop()
        return Timing(**self._milliseconds, total_ms=(time.monotonic() - self._started) * 1000)
