from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask

from hub.accounts import api_rates
from hub.accounts.models import Plan
from hub.accounts.plan_limits import LIMITS
from hub.contracts.actor import Actor
from tests.hub.api.conftest import Program

FREE = LIMITS[Plan.FREE].api_requests_per_minute


@pytest.fixture(autouse=True)
def limits(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """As outside of tests."""
    monkeypatch.setitem(app.config, "API_RATE_LIMITS", True)
    monkeypatch.setitem(app.extensions, "hub_api_rates", api_rates.ApiRates())


def test_headers_count_down_over_all_keys_of_an_account(program_of: Callable[..., Program], alice: Actor, bob: Actor) -> None:
    first, second, others = program_of(alice), program_of(alice, "account:read"), program_of(bob)
    answers = [program.call("GET", "/me") for program in (first, second, others)]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {f'"plan";q={FREE};w=60'}
    told = [re.fullmatch(r'"plan";r=(\d+);t=(\d+)', answer.headers["RateLimit"]) for answer in answers]
    assert [int(one[1]) for one in told if one] == [FREE - 1, FREE - 2, FREE - 1]
    assert all(0 < int(one[2]) <= 60 for one in told if one)


def test_beyond_the_limit_it_says_when_to_come_back(program: Program) -> None:
    statuses = [program.call("GET", "/me").status_code for _number in range(FREE)]
    assert set(statuses) == {200}
    answer = program.call("GET", "/me")
    assert (answer.status_code, answer.mimetype) == (429, "application/problem+json")
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["RateLimit"].startswith('"plan";r=0;t=')
    assert str(FREE) in answer.json["detail"]


def test_refused_calls_count_and_strangers_do_not(program_of: Callable[..., Program], alice: Actor) -> None:
    program = program_of(alice, "account:read")
    assert program.call("GET", "/audit").headers["RateLimit"].startswith(f'"plan";r={FREE - 1};')
    stranger = Program(program.client, program.spec, "hub_12345678_rubbish")
    assert "RateLimit" not in stranger.call("GET", "/me").headers
    assert "RateLimit" not in program.client.get("/api/v1/openapi.json").headers
