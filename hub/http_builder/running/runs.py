"""Runs: one sending of a request each. Started here, done by ``sending``, kept as history."""

from __future__ import annotations

import datetime as dt
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _

from hub.accounts.models import User
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.catalog import HttpMethod
from hub.contracts.http import RequestDefinition
from hub.errors import Conflict, NotFound, TooMany
from hub.extensions import db
from hub.http_builder.models import RUN_INPUTS, Environment, Request, RequestRun, RequestRunBody, RunState
from hub.identifiers import new_id
from hub.jobs.services import enqueue
from hub.pagination import Page, clamp_limit, keyset, make_page
from hub.request_settings import RequestLimits
from hub.storable import clean_text

JOB = "requests.send"
ACTIVE = (RunState.QUEUED, RunState.RUNNING)


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in a list."""

    id: str
    request_id: str | None
    chain_run_id: str | None
    name: str
    method: HttpMethod
    url: str
    state: RunState
    status_code: int | None
    passed: bool | None
    duration_ms: float | None
    body_size: int | None
    created_at: dt.datetime


def start_run(
    actor: Actor,
    definition: RequestDefinition,
    *,
    request_id: str | None = None,
    environment_id: str | None = None,
    name: str,
    secrets: Mapping[str, str] | None = None,
    repeats_id: str | None = None,
) -> RequestRun:
    """Queue one sending; the worker takes it within a moment. ``environment_id`` None is the active one.

    ``secrets`` are typed but not saved; they are kept encrypted until the run has ended. ``repeats_id`` is the failed run that
    is sent again after a change. ``TooMany`` where the person has too many under way or sends too fast.
    """
    check_limits(actor)
    run = add_run(actor, definition, request_id=request_id, environment_id=environment_id, name=name, secrets=secrets)
    run.repeats_id = repeats_id
    enqueue(JOB, unique_key=job_key(run.id), run_id=run.id)
    _record(actor, run)
    db.session.commit()
    return run


def add_run(
    actor: Actor,
    definition: RequestDefinition,
    *,
    request_id: str | None = None,
    environment_id: str | None = None,
    chain_run_id: str | None = None,
    name: str,
    secrets: Mapping[str, str] | None = None,
) -> RequestRun:
    """The row of a run that is to be sent, in the present transaction."""
    if request_id is not None:
        own = sa.select(Request.id).where(
            Request.id == request_id, Request.user_id == actor.user_id, Request.deleted_at.is_(None)
        )
        if db.session.scalar(own) is None:
            raise NotFound()
    run = RequestRun(
        id=new_id(),
        user_id=actor.user_id,
        request_id=request_id,
        environment_id=_environment(actor, environment_id),
        chain_run_id=chain_run_id,
        name=clean_text(name).strip()[:200] or definition.url[:200],
        state=RunState.QUEUED,
        method=definition.method,
        url=definition.url,
        definition=definition.model_dump(mode="json"),
    )
    if secrets:
        run.inputs = RUN_INPUTS.encrypt(json.dumps(dict(secrets)), run.id)
    db.session.add(run)
    db.session.flush()
    return run


def _record(actor: Actor, run: RequestRun) -> None:
    details = {"name": run.name, "method": run.method.value, "request_id": run.request_id}
    record_event(actor, "request.send", "request_run", run.id, details=details)


def start_here(
    actor: Actor,
    definition: RequestDefinition,
    *,
    request_id: str | None = None,
    environment_id: str | None = None,
    name: str,
    secrets: Mapping[str, str] | None = None,
) -> RequestRun:
    """The same as ``start_run`` for a process that sends by itself, at once: no worker takes the run."""
    check_limits(actor)
    run = add_run(actor, definition, request_id=request_id, environment_id=environment_id, name=name, secrets=secrets)
    run.state, run.started_at = RunState.RUNNING, utc_now()
    _record(actor, run)
    db.session.commit()
    return run


def _environment(actor: Actor, environment_id: str | None) -> str | None:
    """The id of that environment, or of the active one; a stranger's is ``NotFound``."""
    own = sa.select(Environment.id).where(Environment.user_id == actor.user_id)
    if environment_id is None:
        return db.session.scalar(own.where(Environment.active))
    if db.session.scalar(own.where(Environment.id == environment_id)) is None:
        raise NotFound()
    return environment_id


def check_limits(actor: Actor, sends: int = 1) -> None:
    """``TooMany`` where the person may not send ``sends`` more now. Holds the person's row: two requests are counted in turn."""
    limits = request_limits()
    db.session.execute(sa.select(User.id).where(User.id == actor.user_id).with_for_update())
    own = sa.select(sa.func.count(RequestRun.id)).where(RequestRun.user_id == actor.user_id)
    # Steps of a chain wait for each other: only the one under way counts.
    waits_for_none = sa.or_(RequestRun.chain_run_id.is_(None), RequestRun.state == RunState.RUNNING)
    active = db.session.scalar(own.where(_is_active(), waits_for_none)) or 0
    if active >= limits.active:
        raise TooMany(_("%(count)s of your requests are under way. Wait until one has ended, or cancel one.", count=active), 5)
    recent = db.session.scalar(own.where(RequestRun.created_at > utc_now() - dt.timedelta(minutes=1))) or 0
    if recent + sends > limits.per_minute:
        raise TooMany(_("You can send %(most)s requests in a minute. Try again in a moment.", most=limits.per_minute), 60)


def _is_active() -> sa.ColumnElement[bool]:
    """Literal, as in the partial index."""
    return RequestRun.state.in_([sa.literal_column(f"'{state}'") for state in ACTIVE])


def request_limits() -> RequestLimits:
    """The limits of the present app."""
    limits: RequestLimits = current_app.extensions["hub_config"].requests
    return limits


def job_key(run_id: str) -> str:
    """The unique key of a run's job."""
    return f"request_run:{run_id}"


# --- Reading -------------------------------------------------------------------------------------------------------


def get_run(actor: Actor, run_id: str) -> RequestRun:
    """One of the actor's runs as it stands; a stranger's is ``NotFound``."""
    own = sa.select(RequestRun).where(RequestRun.id == run_id, RequestRun.user_id == actor.user_id)
    found = db.session.scalar(own.execution_options(populate_existing=True))
    if found is None:
        raise NotFound()
    return found


def last_run(actor: Actor, request_id: str) -> RequestRun | None:
    """The newest run of one of the actor's requests; None where it was never sent."""
    own = sa.select(RequestRun).where(RequestRun.request_id == request_id, RequestRun.user_id == actor.user_id)
    return db.session.scalar(own.order_by(RequestRun.created_at.desc(), RequestRun.id.desc()).limit(1))


def get_body(actor: Actor, run_id: str) -> bytes | None:
    """The body of the answer, secrets masked; None where there is none (any more)."""
    own = sa.select(RequestRunBody.content).join(RequestRun, RequestRun.id == RequestRunBody.run_id)
    content = db.session.scalar(own.where(RequestRun.id == run_id, RequestRun.user_id == actor.user_id))
    return zlib.decompress(content) if content is not None else None


def list_runs(
    actor: Actor,
    *,
    request_id: str | None = None,
    state: RunState | None = None,
    status: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Page[RunRow]:
    """The actor's runs, newest first. ``status`` is a status code or a class of them (``404``, ``4xx``)."""
    statement = sa.select(*(getattr(RequestRun, name) for name in RunRow.__dataclass_fields__))
    statement = statement.where(RequestRun.user_id == actor.user_id)
    if request_id:
        statement = statement.where(RequestRun.request_id == request_id)
    if state:
        statement = statement.where(RequestRun.state == state)
    if status:
        statement = statement.where(_has_status(status.strip().lower()))
    size = clamp_limit(limit)
    order = [RequestRun.created_at, RequestRun.id]
    rows = db.session.execute(keyset(statement, order, [dt.datetime, str], cursor=cursor, limit=size))
    return make_page([RunRow(*row) for row in rows], size, "created_at", "id")


def _has_status(status: str) -> sa.ColumnElement[bool]:
    if len(status) == 3 and status[0] in "12345" and status[1:] == "xx":
        first = int(status[0]) * 100
        return RequestRun.status_code.between(first, first + 99)
    return RequestRun.status_code == int(status) if status.isdecimal() and len(status) == 3 else sa.false()


# --- Changing state ------------------------------------------------------------------------------------------------


def cancel_run(actor: Actor, run_id: str) -> RequestRun:
    """End a run that waits or is under way: nothing more of it is stored. ``Conflict`` where it has ended already.

    What was sent stays sent; a worker that still waits for the answer hangs up within a second.
    """
    run = get_run(actor, run_id)
    if not move(run.id, ACTIVE, RunState.CANCELED):
        raise Conflict(_("The request has ended already."))
    record_event(actor, "request.cancel", "request_run", run.id, details={"name": run.name})
    db.session.commit()
    return get_run(actor, run_id)


def move(run_id: str, before: tuple[RunState, ...], state: RunState, **columns: Any) -> bool:
    """Change the state of a run that is in one of ``before``, in the present transaction. Whether it was.

    A run that ends keeps no inputs.
    """
    if state not in ACTIVE:
        columns = {"inputs": None, "finished_at": utc_now(), **columns}
    statement = sa.update(RequestRun).where(RequestRun.id == run_id, RequestRun.state.in_(before)).values(state=state, **columns)
    moved = db.session.scalar(statement.returning(RequestRun.id).execution_options(synchronize_session=False))
    return moved is not None


def open_inputs(run: RequestRun) -> dict[str, str]:
    """The secrets that were typed for this run; DecryptionError where they do not open."""
    if not run.inputs:
        return {}
    inputs: dict[str, str] = json.loads(RUN_INPUTS.decrypt(run.inputs, run.id))
    return inputs
