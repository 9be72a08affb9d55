"""Tells runs of this process that somebody has cancelled them: one thread asks the database about all of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from flask import Flask, current_app

from hub.extensions import DEFERRED, db
from hub.http_builder.models import RequestRun, RunState

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5

_lock = threading.Lock()
_watched: dict[str, threading.Event] = {}
_looking = False


@contextmanager
def watch_run(run_id: str) -> Iterator[threading.Event]:
    """An event that is set once the run is not RUNNING any more."""
    global _looking
    event = threading.Event()
    with _lock:
        _watched[run_id] = event
        starts, _looking = not _looking, True
    if starts:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        threading.Thread(target=_look, args=(app,), name="cancelled-runs", daemon=True).start()
    try:
        yield event
    finally:
        with _lock:
            _watched.pop(run_id, None)


def _look(app: Flask) -> None:
    """Ends with the last run that is watched."""
    global _looking
    pause = threading.Event()
    while True:
        pause.wait(LOOK_SECONDS)
        with _lock:
            watched = dict(_watched)
            if not watched:
                _looking = False
                return
        try:
            with app.app_context():
                running = _still_running(list(watched))
        except Exception:
            log.exception("it is not known which runs are cancelled")
            continue
        for run_id in watched.keys() - running:
            watched[run_id].set()


def _still_running(run_ids: list[str]) -> set[str]:
    db.session.connection(execution_options=DEFERRED)
    running = sa.select(RequestRun.id).where(RequestRun.id.in_(run_ids), RequestRun.state == RunState.RUNNING)
    return set(db.session.scalars(running))
