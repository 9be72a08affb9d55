"""What pages ask of the database does not grow with what is in it: lists at most 6 queries, other pages at most 12."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hub.accounts import sessions
from hub.analyses import learning
from hub.catalog.services import load_packs
from hub.contracts.actor import Actor, Role
from hub.extensions import db
from tests.conftest import make_user
from tests.hub.statements import count_statements
from tests.security.estate import build_estate
from tests.security.routes import routes

LIST, PAGE = 6, 12
MANY = 30


@pytest.fixture
def owner(session: object) -> Actor:
    """An operator, so that every page opens."""
    return Actor(user_id=make_user("olivia", Role.OPERATOR).id, role=Role.OPERATOR)


def costs(app: Flask, browser: FlaskClient, ids: dict[str, str]) -> dict[str, int]:
    """Statements of each page, the look-up of session and person among them."""
    counted = {}
    for route in routes(app):
        if route.method == "GET" and not route.is_api and route.endpoint != "system.healthz":
            db.session.expire_all()
            with count_statements() as statements:
                browser.get(route.path(ids))
            counted[route.endpoint] = len(statements)
    return counted


def test_pages_stay_within_their_budget_at_any_size(
    app: Flask, owner: Actor, browser_of: Callable[[Actor], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine the pages take longer than what is kept in memory, or the note that somebody was seen, holds.
    monkeypatch.setattr(learning, "CACHE_SECONDS", math.inf)
    monkeypatch.setattr(sessions, "SEEN_EVERY", sessions.ABSOLUTE_LIFETIME)
    load_packs()
    browser = browser_of(owner)
    ids = build_estate(owner)
    build_estate(owner)
    costs(app, browser, ids)
    few = costs(app, browser, ids)
    for _number in range(MANY):
        build_estate(owner)
    many = costs(app, browser, ids)
    print("\n".join(f"{name:30} {few[name]:3} {many[name]:3}" for name in many))
    assert {name: (few[name], count) for name, count in many.items() if count > few[name]} == {}
    lists = {name for name in many if name.endswith(".index")} - {"dashboard.index"}
    budgets = {name: LIST if name in lists else PAGE for name in many}
    assert {name: count for name, count in many.items() if count > budgets[name]} == {}
    assert many["executions.index"] > 1
