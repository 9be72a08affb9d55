"""Chains: requests that are sent one after the other with one click, each with what the earlier ones extracted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.catalog import HttpMethod
from hub.errors import Conflict, Invalid, NotFound
from hub.extensions import db
from hub.http_builder.definitions import definition_of
from hub.http_builder.environments import get_environment
from hub.http_builder.models import Request, RequestChain, RequestChainRun, RequestRun, RunState
from hub.http_builder.running.runs import ACTIVE, add_run, check_limits
from hub.http_builder.running.worker import send_taken, take
from hub.identifiers import new_id
from hub.jobs.registry import JobContext
from hub.jobs.services import enqueue
from hub.storable import clean_text

JOB = "requests.chain"
MAX_STEPS = 20
MAX_CHAINS = 200
MAX_CHOICES = 1000


@dataclass(frozen=True, slots=True)
class ChainRow:
    """A chain in a list, with how its last run went."""

    id: str
    name: str
    steps: int
    last_run_id: str | None
    last_state: RunState | None
    last_run_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of a chain's run."""

    run_id: str
    request_id: str | None
    name: str
    method: HttpMethod
    url: str
    state: RunState
    status_code: int | None
    passed: bool | None
    duration_ms: float | None


@dataclass(frozen=True, slots=True)
class ChainProgress:
    """How a run of a chain stands."""

    id: str
    chain_id: str
    chain_name: str
    state: RunState
    created_at: dt.datetime
    finished_at: dt.datetime | None
    steps: tuple[StepRow, ...]

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    @property
    def done(self) -> int:
        """How many steps have ended."""
        return sum(step.state not in ACTIVE for step in self.steps)


# --- Chains --------------------------------------------------------------------------------------------------------


def list_chains(actor: Actor) -> list[ChainRow]:
    """The actor's chains by name."""
    newest = (
        sa.select(RequestChainRun.id)
        .where(RequestChainRun.chain_id == RequestChain.id)
        .order_by(RequestChainRun.created_at.desc(), RequestChainRun.id.desc())
        .limit(1)
        .correlate(RequestChain)
        .scalar_subquery()
    )
    rows = db.session.execute(
        sa.select(RequestChain, RequestChainRun.id, RequestChainRun.state, RequestChainRun.created_at)
        .outerjoin(RequestChainRun, RequestChainRun.id == newest)
        .where(RequestChain.user_id == actor.user_id)
        .order_by(sa.func.lower(RequestChain.name), RequestChain.id)
    )
    return [ChainRow(chain.id, chain.name, len(chain.steps), run, state, at) for chain, run, state, at in rows]


def get_chain(actor: Actor, chain_id: str) -> RequestChain:
    """One of the actor's; a stranger's is ``NotFound``."""
    own = sa.select(RequestChain).where(RequestChain.id == chain_id, RequestChain.user_id == actor.user_id)
    found = db.session.scalar(own)
    if found is None:
        raise NotFound()
    return found


def save_chain(actor: Actor, chain_id: str | None, name: str, steps: Sequence[str]) -> RequestChain:
    """Change a chain, or make one (None). ``steps`` are ids of the actor's requests; ``Invalid`` names what is wrong."""
    chain = get_chain(actor, chain_id) if chain_id else None
    name = clean_text(name).strip()
    problems = {}
    if not 1 <= len(name) <= 200:
        problems["name"] = _("Enter a name of at most 200 characters.")
    if not 1 <= len(steps) <= MAX_STEPS:
        problems["steps"] = _("Choose at least one request and at most %(most)s.", most=MAX_STEPS)
    elif set(steps) - {request.id for request in _requests(actor, steps)}:
        problems["steps"] = _("One of the requests is no longer here. Choose another.")
    if problems:
        raise Invalid(fields=problems)
    if chain is None:
        held = sa.select(sa.func.count(RequestChain.id)).where(RequestChain.user_id == actor.user_id)
        if (db.session.scalar(held) or 0) >= MAX_CHAINS:
            raise Conflict(_("There can be at most %(most)s chains. Delete one first.", most=MAX_CHAINS))
        chain = RequestChain(id=new_id(), user_id=actor.user_id)
        db.session.add(chain)
    chain.name, chain.steps = name, list(steps)
    action = "request_chain.update" if chain_id else "request_chain.create"
    record_event(actor, action, "request_chain", chain.id, details={"name": name, "steps": len(steps)})
    db.session.commit()
    return chain


def list_choices(actor: Actor) -> list[tuple[str, str]]:
    """The requests that a step may be, by name: id and label."""
    own = sa.select(Request.id, Request.name, Request.method).where(Request.user_id == actor.user_id)
    own = own.where(Request.deleted_at.is_(None))
    rows = db.session.execute(own.order_by(sa.func.lower(Request.name), Request.id).limit(MAX_CHOICES))
    return [(request_id, f"{method} {name}") for request_id, name, method in rows]


def delete_chain(actor: Actor, chain_id: str) -> None:
    """Delete a chain with its runs. One that is under way is cut off."""
    chain = get_chain(actor, chain_id)
    db.session.delete(chain)
    record_event(actor, "request_chain.delete", "request_chain", chain_id, details={"name": chain.name})
    db.session.commit()


def _requests(actor: Actor, steps: Sequence[str]) -> Sequence[Request]:
    own = sa.select(Request).where(Request.id.in_(steps), Request.user_id == actor.user_id, Request.deleted_at.is_(None))
    return db.session.scalars(own).all()


# --- Runs of chains ------------------------------------------------------------------------------------------------


def start_chain(actor: Actor, chain_id: str, environment_id: str | None = None) -> RequestChainRun:
    """Queue a run of all steps as they are now; ``environment_id`` None is the active one."""
    chain = get_chain(actor, chain_id)
    if environment_id is not None:
        get_environment(actor, environment_id)
    requests = {request.id: request for request in _requests(actor, chain.steps)}
    if not chain.steps or set(chain.steps) - requests.keys():
        raise Conflict(_("One of the chain's requests is no longer here. Edit the chain first."))
    check_limits(actor, len(chain.steps))
    run = RequestChainRun(id=new_id(), user_id=actor.user_id, chain_id=chain.id, state=RunState.QUEUED)
    db.session.add(run)
    db.session.flush()
    for request_id in chain.steps:
        request = requests[request_id]
        add_run(
            actor,
            definition_of(request),
            request_id=request.id,
            environment_id=environment_id,
            chain_run_id=run.id,
            name=request.name,
        )
    enqueue(JOB, unique_key=job_key(run.id), chain_run_id=run.id)
    record_event(actor, "request_chain.run", "request_chain", chain.id, details={"name": chain.name, "run_id": run.id})
    db.session.commit()
    return run


def job_key(chain_run_id: str) -> str:
    """The unique key of the job of a chain's run."""
    return f"chain_run:{chain_run_id}"


def show_chain_run(actor: Actor, chain_run_id: str) -> ChainProgress:
    """How a run of one of the actor's chains stands."""
    own = sa.select(RequestChainRun, RequestChain.name).join(RequestChain, RequestChain.id == RequestChainRun.chain_id)
    found = db.session.execute(
        own.where(RequestChainRun.id == chain_run_id, RequestChainRun.user_id == actor.user_id).execution_options(
            populate_existing=True
        )
    ).one_or_none()
    if found is None:
        raise NotFound()
    run, name = found
    columns = (getattr(RequestRun, column) for column in StepRow.__dataclass_fields__ if column != "run_id")
    steps = db.session.execute(_steps_of(sa.select(RequestRun.id, *columns), run.id))
    return ChainProgress(
        run.id, run.chain_id, name, run.state, run.created_at, run.finished_at, tuple(StepRow(*step) for step in steps)
    )


def cancel_chain_run(actor: Actor, chain_run_id: str) -> None:
    """End a run of a chain: the step under way is given up, no other begins. ``Conflict`` where it has ended already."""
    show_chain_run(actor, chain_run_id)
    if not _move_chain(chain_run_id, ACTIVE, RunState.CANCELED):
        raise Conflict(_("The chain has ended already."))
    _end_steps(chain_run_id, ACTIVE, RunState.CANCELED)
    record_event(actor, "request_chain.cancel", "request_chain_run", chain_run_id)
    db.session.commit()


def run_chain(chain_run_id: str, context: JobContext) -> None:
    """Send the steps in order until one fails. A run that is RUNNING already lost its worker, and nothing is sent again."""
    taken = _move_chain(chain_run_id, (RunState.QUEUED,), RunState.RUNNING)
    if not taken:
        interrupt_chain(chain_run_id)
        return
    step_ids = db.session.scalars(_steps_of(sa.select(RequestRun.id), chain_run_id)).all()
    db.session.commit()
    state = RunState.DONE
    for number, run_id in enumerate(step_ids):
        context.report(number, len(step_ids))
        run = take(run_id)
        if run is None:
            return  # cancelled
        if not _has_passed(run_id, send_taken(run)):
            state = RunState.FAILED
            break
    _move_chain(chain_run_id, (RunState.RUNNING,), state)
    _end_steps(chain_run_id, (RunState.QUEUED,), RunState.CANCELED)
    db.session.commit()


def interrupt_chain(chain_run_id: str) -> None:
    """Say of a chain that lost its worker that it did, and of the steps that did not begin that they did not. Commits."""
    if _move_chain(chain_run_id, ACTIVE, RunState.INTERRUPTED):
        _end_steps(chain_run_id, (RunState.RUNNING,), RunState.INTERRUPTED)
        _end_steps(chain_run_id, (RunState.QUEUED,), RunState.CANCELED)
    db.session.commit()


def _has_passed(run_id: str, state: RunState) -> bool:
    """Answered, as its assertions demand (without any: below 400), and with all that the next steps may need."""
    run = db.session.get(RequestRun, run_id, populate_existing=True)
    if run is None or state is not RunState.DONE:
        return False
    is_good = run.passed if run.passed is not None else (run.status_code or 0) < 400
    return is_good and all(each["found"] for each in run.extracted)


def _move_chain(chain_run_id: str, before: tuple[RunState, ...], state: RunState) -> bool:
    ended = None if state in ACTIVE else utc_now()
    statement = (
        sa.update(RequestChainRun)
        .where(RequestChainRun.id == chain_run_id, RequestChainRun.state.in_(before))
        .values(state=state, finished_at=ended)
    )
    moved = db.session.scalar(statement.returning(RequestChainRun.id).execution_options(synchronize_session=False))
    return moved is not None


def _end_steps(chain_run_id: str, before: tuple[RunState, ...], state: RunState) -> None:
    statement = (
        sa.update(RequestRun)
        .where(RequestRun.chain_run_id == chain_run_id, RequestRun.state.in_(before))
        .values(state=state, inputs=None, finished_at=utc_now())
    )
    db.session.execute(statement.execution_options(synchronize_session=False))


def _steps_of(statement: sa.Select, chain_run_id: str) -> sa.Select:  # type: ignore[type-arg]
    """In the order in which they were added: ids grow."""
    return statement.where(RequestRun.chain_run_id == chain_run_id).order_by(RequestRun.created_at, RequestRun.id)
