"""What rooms declare in their ``jobs.py``: handlers of jobs, and jobs that come round by the clock."""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Handler = Callable[..., None]
H = TypeVar("H", bound=Handler)


class Lane(enum.StrEnum):
    """Jobs of different lanes never wait for each other: every lane has threads of its own in the worker."""

    DEFAULT = "default"
    #: Somebody looks at the page and waits; what takes long is another server.
    REQUESTS = "requests"
    #: Messages to servers of strangers, which may be slow for days.
    WEBHOOKS = "webhooks"


HANDLERS: dict[str, Handler] = {}
#: The lane of every job that is not in the default one.
LANES: dict[str, Lane] = {}
#: Seconds between two runs, by name of the job.
PERIODS: dict[str, int] = {}


def job(name: str, lane: Lane = Lane.DEFAULT) -> Callable[[H], H]:
    """Declare the handler of the jobs called ``name``: ``handler(context, **arguments)``.

    It may be killed at any point and run again, also while an abandoned run of it still lives, so it must be idempotent.
    """

    def declare(handler: H) -> H:
        if HANDLERS.get(name, handler) is not handler:
            raise ValueError(f"two handlers for jobs called {name!r}")
        HANDLERS[name] = handler
        if lane is not Lane.DEFAULT:
            LANES[name] = lane
        return handler

    return declare


def periodic(name: str, seconds: int) -> Callable[[H], H]:
    """Declare the handler of a job that is queued every ``seconds``, once over all workers, without arguments."""

    def declare(handler: H) -> H:
        PERIODS[name] = seconds
        return job(name)(handler)

    return declare


class RetryLater(Exception):
    """A handler asks to be run again after ``seconds``. ``message`` tells the person why."""

    def __init__(self, seconds: float, message: str) -> None:
        super().__init__(message)
        self.seconds = seconds
        self.message = message


class LeaseLost(Exception):
    """Another worker has taken the job over: this run must write nothing more."""


@dataclass(slots=True)
class Progress:
    """How far a job is. ``total`` is None where nobody knows."""

    done: int = 0
    total: int | None = None
    note: str | None = None


class JobContext:
    """What a handler knows of its run. ``attempt`` counts runs of the job from 1 and fences off earlier ones."""

    def __init__(self, job_id: str, attempt: int) -> None:
        self.job_id = job_id
        self.attempt = attempt
        self.progress = Progress()
        self.lost = threading.Event()

    def report(self, done: int, total: int | None = None, note: str | None = None) -> None:
        """Tell the progress. Costs no statement: the worker's heartbeat stores it. Raises LeaseLost for an abandoned run."""
        self.progress = Progress(done, total, note)
        if self.lost.is_set():
            raise LeaseLost(self.job_id)

    def describe(self) -> dict[str, Any]:
        """The columns of the job's row that carry the progress."""
        return {"done": self.progress.done, "total": self.progress.total, "note": self.progress.note}
