from __future__ import annotations

import datetime as dt
import enum

import pytest
import sqlalchemy as sa

from hub.audit.chain import canonical_text, plain_details
from hub.audit.models import AuditChain, AuditLog
from hub.audit.services import record_event
from hub.audit.verification import verify_all
from hub.contracts.actor import SYSTEM, Actor
from hub.extensions import db
from tests.conftest import make_user
from tests.hub.statements import count_statements


def actions() -> list[str]:
    return list(db.session.scalars(sa.select(AuditLog.action).order_by(AuditLog.chain, AuditLog.sequence)))


def test_the_canonical_text_does_not_depend_on_the_database() -> None:
    moment = dt.datetime(2026, 11, 1, 12, 0, 0, 1, tzinfo=dt.timezone(dt.timedelta(hours=3)))
    given = {"b": 1.0, "a": {"z": 1e22, "y": -0.0, "x": "ع\n"}, "t": moment, "f": 0.1, "n": None, "l": [True, 10**22]}
    stored = {
        "a": {"x": "ع\n", "y": 0, "z": 10**22},
        "b": 1,
        "f": 0.1,
        "l": [True, 1e22],
        "n": None,
        "t": moment.astimezone(dt.UTC),
    }
    assert canonical_text(given) == canonical_text(stored)
    assert (
        canonical_text(given) == '{"a":{"x":"ع\\n","y":0,"z":1e+22},"b":1,"f":0.1,"l":[true,1e+22],"n":null,"t":1793523600000001}'
    )


def test_details_become_what_both_databases_keep() -> None:
    class Colour(enum.StrEnum):
        RED = "red"

    given = {
        1: Colour.RED,
        "nul": "a\0b\ud800",
        "set": {"b", "a"},
        "big": 2**60,
        "nan": float("nan"),
        "when": dt.date(2026, 1, 2),
    }
    kept = {"1": "red", "nul": "ab?", "set": ["a", "b"], "big": str(2**60), "nan": "nan", "when": "2026-01-02"}
    assert plain_details(given) == kept
    assert type(plain_details(given)["1"]) is str or plain_details(given)["1"] == "red"


def test_events_are_there_exactly_when_the_change_is(alice: Actor) -> None:
    db.session.commit()
    record_event(alice, "one", "x")
    db.session.rollback()
    record_event(alice, "two", "x")
    inner = db.session.begin_nested()
    record_event(alice, "three", "x")
    inner.rollback()
    with db.session.begin_nested():
        record_event(alice, "four", "x")
    assert actions() == []
    db.session.commit()
    assert actions() == ["two", "four"]
    record_event(alice, "five", "x")
    db.session.remove()
    db.session.commit()
    assert actions() == ["two", "four"]


def test_a_change_without_its_event_is_not_kept(alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    db.session.commit()
    make_user("dora")
    record_event(alice, "user.create", "user")
    monkeypatch.setattr("hub.audit.chain.row_hash", lambda _text, _seal: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        db.session.commit()
    db.session.rollback()
    assert db.session.scalar(sa.text("SELECT count(*) FROM users WHERE email LIKE 'dora%'")) == 0


def test_many_events_of_many_chains_cost_three_statements(alice: Actor, bob: Actor) -> None:
    db.session.commit()
    for number in range(50):
        record_event((alice, bob, SYSTEM)[number % 3], "step", "x", str(number))
    with count_statements() as statements:
        db.session.commit()
    assert len(statements) == 3
    heads = {head.chain: head.sequence for head in db.session.scalars(sa.select(AuditChain))}
    assert heads == {alice.user_id: 17, bob.user_id: 17, "": 16}
    db.session.rollback()
    assert verify_all({}).ok
