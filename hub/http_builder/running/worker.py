"""What the worker and the command line do with a run: take it, send it, never twice."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.http import RequestDefinition
from hub.extensions import DEFERRED, db
from hub.http_builder.models import RequestRun, RunState
from hub.http_builder.running.cancelling import watch_run
from hub.http_builder.running.runs import get_run, move, start_here
from hub.http_builder.running.sending import send_run

log = logging.getLogger(__name__)


def run_now(
    actor: Actor,
    definition: RequestDefinition,
    *,
    request_id: str | None = None,
    environment_id: str | None = None,
    name: str,
    secrets: Mapping[str, str] | None = None,
) -> RequestRun:
    """Send at once, in this process, and answer the run as it ended. For the command line: it waits for the other server."""
    run = start_here(actor, definition, request_id=request_id, environment_id=environment_id, name=name, secrets=secrets)
    run_id = run.id
    send_taken(run)
    return get_run(actor, run_id)


def run_queued(run_id: str) -> None:
    """Send a queued run. One that is RUNNING already lost its worker: it may have been sent, so it is not sent again."""
    run = take(run_id)
    if run is not None:
        send_taken(run)
        return
    if move(run_id, (RunState.RUNNING,), RunState.INTERRUPTED):
        log.warning("run %s lost its worker", run_id)
    db.session.commit()


def take(run_id: str) -> RequestRun | None:
    """Make a queued run RUNNING, which only one can; None where it is not queued (any more). Commits."""
    taken = move(run_id, (RunState.QUEUED,), RunState.RUNNING, started_at=utc_now())
    db.session.commit()
    if not taken:
        return None
    db.session.connection(execution_options=DEFERRED)  # what is read to prepare it needs no turn to write
    return db.session.get(RequestRun, run_id)


def send_taken(run: RequestRun) -> RunState:
    """Send a run that this process has made RUNNING; whatever breaks, it does not stay so."""
    run_id = run.id
    try:
        with watch_run(run_id) as cancelled:
            return send_run(run, cancelled)
    except BaseException:
        db.session.rollback()
        move(run_id, (RunState.RUNNING,), RunState.INTERRUPTED)
        db.session.commit()
        raise
