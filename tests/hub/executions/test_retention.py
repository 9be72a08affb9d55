"""Data of executions is forgotten when the plan's time is over; what happened stays."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.accounts.models import Plan
from hub.accounts.plan_limits import LIMITS
from hub.accounts.plans import set_plan
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.executions import retention
from hub.executions.models import DetailState, Execution
from hub.extensions import db
from hub.instances.models import Instance
from tests.hub.accounts.people import events, give_plan
from tests.hub.factories import make_execution, make_instance, make_workflow

DAYS = LIMITS[Plan.FREE].retention_days


def add(instance: Instance, days: float, number: int = 1) -> str:
    """An execution with data that began so many days ago; its id."""
    workflow = make_workflow(instance, f"W{number}")
    columns = {"data": {"data": {}}, "error": {"message": "x"}, "detail_state": DetailState.STORED, "fingerprint": "f"}
    return make_execution(workflow, number, started_at=utc_now() - dt.timedelta(days=days), error_message="x", **columns).id


def state_of(execution_id: str) -> DetailState:
    columns = sa.select(Execution.detail_state, Execution.data, Execution.error, Execution.error_message, Execution.fingerprint)
    state, data, error, message, fingerprint = db.session.execute(columns.where(Execution.id == execution_id)).one()
    assert (message, fingerprint) == ("x", "f")
    assert (data is None) == (error is None) == (state is DetailState.UNAVAILABLE)
    return DetailState(state)


def test_old_data_goes_and_the_rest_stays(alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    main = make_instance(alice)
    old, older, young = add(main, DAYS + 1), add(main, DAYS + 9, 2), add(main, DAYS - 1, 3)
    sample = add(make_instance(alice, "Sample", is_sample=True), DAYS + 1, 4)
    assert retention.forget_old_details() == 2
    assert [state_of(key) for key in (old, older)] == [DetailState.UNAVAILABLE] * 2
    assert [state_of(key) for key in (young, sample)] == [DetailState.STORED] * 2
    assert len(events("execution.forget")) == 2
    assert retention.forget_old_details() == 0


def test_everybody_as_their_plan_says(alice: Actor, bob: Actor) -> None:
    give_plan(bob, Plan.PRO)
    alices, bobs = add(make_instance(alice), DAYS + 1), add(make_instance(bob), DAYS + 1)
    retention.forget_old_details()
    assert (state_of(alices), state_of(bobs)) == (DetailState.UNAVAILABLE, DetailState.STORED)


def test_switching_down_forgets_nothing_at_once(alice: Actor) -> None:
    give_plan(alice, Plan.ENTERPRISE)
    kept = add(make_instance(alice), DAYS + 1)
    set_plan(alice, str(alice.user_id), Plan.FREE)
    assert retention.forget_old_details() == 0
    assert state_of(kept) is DetailState.STORED


def test_the_operators_bound_holds_for_every_plan(app: Flask, alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    config = app.extensions["hub_config"]
    plans = dataclasses.replace(config.plans, execution_keep_days=3)
    monkeypatch.setitem(app.extensions, "hub_config", dataclasses.replace(config, plans=plans))
    give_plan(alice, Plan.ENTERPRISE)
    gone = add(make_instance(alice), 4)
    assert retention.forget_old_details() == 1
    assert state_of(gone) is DetailState.UNAVAILABLE
