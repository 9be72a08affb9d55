from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.http import RequestDefinition, RequestDraft
from hub.http_builder.models import RequestChainRun, RequestRun, RequestRunBody, RunState
from hub.http_builder.running import retention
from hub.http_builder.running.chains import save_chain, start_chain
from hub.http_builder.running.runs import add_run, start_here, start_run
from hub.http_builder.services import create_request
from hub.jobs.models import Job, JobState

Session = sa.orm.scoped_session[sa.orm.Session]
ASK = RequestDefinition(url="https://a.test")


@pytest.fixture
def request_id(alice: Actor, session: Session) -> str:
    return create_request(alice, RequestDraft(name="A", definition=ASK)).id


@pytest.fixture
def keep(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    config = app.extensions["hub_config"]

    def choose(**limits: int) -> None:
        monkeypatch.setitem(
            app.extensions, "hub_config", dataclasses.replace(config, requests=dataclasses.replace(config.requests, **limits))
        )

    return choose


def add(actor: Actor, request_id: str | None, *, days: int = 0, state: RunState = RunState.DONE, name: str = "x") -> RequestRun:
    run = add_run(actor, ASK, request_id=request_id, name=name)
    run.state, run.created_at = state, utc_now() - dt.timedelta(days=days)
    return run


def names(session: Session) -> list[str]:
    return sorted(session.scalars(sa.select(RequestRun.name)))


def test_old_runs_go_with_their_bodies(alice: Actor, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(5):
        run = add(alice, None, days=31, name=f"old {number}")
        session.add(RequestRunBody(run_id=run.id, content=b""))
    add(alice, None, days=29, name="young")
    add(alice, None, days=31, state=RunState.RUNNING, name="under way")
    session.commit()
    assert retention.prune_runs() == 5
    assert names(session) == ["under way", "young"]
    assert session.scalars(sa.select(RequestRunBody)).all() == []


def test_each_request_keeps_its_newest(
    alice: Actor, bob: Actor, request_id: str, session: Session, keep: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(keep_runs=2)
    monkeypatch.setattr(retention, "BATCH", 2)
    for day in range(6):
        add(alice, request_id, days=day, name=f"saved {day}")
        add(alice, None, days=day, name=f"tried {day}")
    add(bob, None, days=9, name="bob")
    session.commit()
    assert retention.prune_runs() == 8
    assert names(session) == ["bob", "saved 0", "saved 1", "tried 0", "tried 1"]


def test_what_nothing_works_on_is_interrupted(alice: Actor, request_id: str, session: Session) -> None:
    long_ago = utc_now() - dt.timedelta(minutes=11)
    killed = start_here(alice, ASK, name="killed")
    fresh = start_here(alice, ASK, name="fresh")
    waiting = start_run(alice, ASK, name="waiting")
    given_up = start_run(alice, ASK, name="given up")
    chain = save_chain(alice, None, "Chain", [request_id])
    chain_run = start_chain(alice, chain.id)
    killed.started_at = waiting.created_at = given_up.created_at = chain_run.created_at = long_ago
    for lost in (f"request_run:{given_up.id}", f"chain_run:{chain_run.id}"):
        session.execute(sa.update(Job).where(Job.unique_key == lost).values(state=JobState.FAILED))
    session.commit()
    assert retention.end_abandoned_runs() == 2
    session.expire_all()
    assert (killed.state, given_up.state) == (RunState.INTERRUPTED, RunState.INTERRUPTED)
    assert (fresh.state, waiting.state) == (RunState.RUNNING, RunState.QUEUED)
    assert session.scalar(sa.select(RequestChainRun.state)) is RunState.INTERRUPTED
    assert session.scalar(sa.select(RequestRun.state).where(RequestRun.chain_run_id == chain_run.id)) is RunState.CANCELED
