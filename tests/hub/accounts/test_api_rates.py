from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.accounts import api_rates
from hub.accounts.api_rates import ApiRates
from hub.accounts.models import Plan, RateBucket, User
from hub.accounts.plan_limits import LIMITS
from hub.contracts.actor import Actor
from hub.extensions import db
from tests.conftest import make_user
from tests.hub.statements import count_statements

FREE = LIMITS[Plan.FREE].api_requests_per_minute


def count(rates: ApiRates, user_id: str | None, calls: int) -> int:
    """How many of so many calls are let through."""
    return sum(rates.count_call(str(user_id)).left >= 0 for _number in range(calls))


def test_every_plan_has_limits_and_a_dearer_one_never_less() -> None:
    limits = [LIMITS[plan].api_requests_per_minute for plan in Plan]
    assert limits == sorted(limits)


def test_exactly_the_limit_is_let_through(alice: Actor, bob: Actor) -> None:
    rates = ApiRates()
    assert count(rates, alice.user_id, FREE + 20) == FREE
    assert count(rates, bob.user_id, 1) == 1


def test_it_tells_how_many_are_left_and_until_when(alice: Actor) -> None:
    rates = ApiRates()
    held = [rates.count_call(str(alice.user_id)) for _number in range(FREE + 2)]
    assert [max(0, one.remaining) for one in held] == [*range(FREE - 1, -1, -1), 0, 0]
    assert {0 < one.seconds <= 60 for one in held} == {True}


def test_few_calls_cost_a_write_and_refused_ones_none(alice: Actor) -> None:
    rates = ApiRates()
    with count_statements() as statements:
        count(rates, alice.user_id, FREE)
    assert len([text for text in statements if text.startswith("INSERT")]) == api_rates.SLICES
    with count_statements() as statements:
        assert count(rates, alice.user_id, 100) == 0
    assert statements == []


def test_processes_share_the_limit_and_the_loss_is_bounded(alice: Actor) -> None:
    processes = [ApiRates() for _number in range(3)]
    for process in processes[1:]:
        assert count(process, alice.user_id, 1) == 1
    allowed = 2 + count(processes[0], alice.user_id, FREE * 2)
    assert FREE - 2 * (FREE // api_rates.SLICES) <= allowed <= FREE
    rest = sum(count(process, alice.user_id, FREE) for process in processes[1:])
    assert allowed + rest == FREE, "nothing is lost once the others use what they hold"


def test_a_new_minute_begins_anew(alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = ApiRates()
    count(rates, alice.user_id, FREE * 2)
    later = api_rates.utc_now() + api_rates.WINDOW + dt.timedelta(seconds=1)
    monkeypatch.setattr(api_rates, "utc_now", lambda: later)
    assert count(rates, alice.user_id, FREE * 2) == FREE


def test_a_dearer_plan_counts_with_the_next_slice(alice: Actor) -> None:
    rates = ApiRates()
    assert count(rates, alice.user_id, 1) == 1
    db.session.execute(sa.update(User).values(plan=Plan.PRO))
    assert count(rates, alice.user_id, 1_000) == LIMITS[Plan.PRO].api_requests_per_minute - 1


def test_what_is_over_is_forgotten(alice: Actor, bob: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = ApiRates()
    monkeypatch.setattr(api_rates, "_MOST_KEPT", 1)
    count(rates, alice.user_id, 1)
    later = api_rates.utc_now() + api_rates.WINDOW * 2
    monkeypatch.setattr(api_rates, "utc_now", lambda: later)
    count(rates, bob.user_id, 1)
    assert set(rates._slices) == {bob.user_id}


@pytest.fixture
def committed_user(app: Flask) -> Iterator[str]:
    """Somebody whom other threads see too, and who is gone afterwards."""
    with app.app_context():
        user = make_user("caller")
        db.session.commit()
        user_id = user.id
    yield user_id
    with app.app_context():
        db.session.execute(sa.delete(User).where(User.id == user_id))
        db.session.execute(sa.delete(RateBucket).where(RateBucket.key == f"api:{user_id}"))
        db.session.commit()


def test_threads_and_processes_at_once_never_get_more(app: Flask, committed_user: str) -> None:
    processes = [ApiRates() for _number in range(2)]

    def call(number: int) -> bool:
        with app.app_context():
            return processes[number % 2].count_call(committed_user).left >= 0

    with ThreadPoolExecutor(8) as pool:
        allowed = sum(pool.map(call, range(FREE * 3)))
    assert allowed == FREE
