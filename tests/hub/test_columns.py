"""Column types: aware UTC times, JSON, and defaults that hold for inserts past the ORM."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, StatementError

from hub.accounts.models import Plan, User
from hub.columns import utc_now
from hub.contracts.actor import Actor

Session = sa.orm.scoped_session[sa.orm.Session]


def test_times_come_back_aware_and_in_utc(session: Session) -> None:
    east = dt.timezone(dt.timedelta(hours=3))
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=east)
    user = User(email="time@example.com", password="!", name="Time", reset_token_exp=moment)
    session.add(user)
    session.flush()
    session.expire(user)
    assert user.reset_token_exp == moment
    assert user.reset_token_exp is not None
    assert user.reset_token_exp.utcoffset() == dt.timedelta(0)


def test_a_time_without_a_zone_is_refused(session: Session) -> None:
    session.add(User(email="naive@example.com", password="!", name="Naive", reset_token_exp=dt.datetime(2026, 1, 1)))
    with pytest.raises(StatementError, match="without a zone"):
        session.flush()


def test_defaults_hold_for_inserts_past_the_orm(session: Session) -> None:
    before = utc_now() - dt.timedelta(seconds=2)
    session.execute(
        sa.text("INSERT INTO users (id, email, password, name, updated_at) VALUES ('c1', 'raw@example.com', '!', 'Raw', :now)"),
        {"now": "2026-01-01 00:00:00.000000"},
    )
    user = session.get_one(User, "c1")
    assert (user.plan, user.settings, user.email_verified, user.two_factor_enabled) == (Plan.FREE, {}, False, False)
    assert before <= user.created_at <= utc_now() + dt.timedelta(seconds=2)


def test_a_default_time_compares_equal_to_itself_after_reading(session: Session) -> None:
    """A keyset cursor reads a time and asks for rows before it; in another text form the same row would come again and again."""
    session.execute(
        sa.text("INSERT INTO users (id, email, password, name, updated_at) VALUES ('c2', 'same@example.com', '!', 'S', :now)"),
        {"now": "2026-01-01 00:00:00.000000"},
    )
    created = session.get_one(User, "c2").created_at
    assert session.scalar(sa.select(User.id).where(User.created_at == created, User.id == "c2")) == "c2"


def test_enums_take_their_own_values_only(session: Session, alice: Actor) -> None:
    with pytest.raises(IntegrityError):
        session.execute(sa.text("UPDATE users SET plan = 'GOLD'"))
