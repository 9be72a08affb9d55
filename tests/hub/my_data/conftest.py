from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.accounts.models import Session
from hub.contracts.actor import Actor
from hub.extensions import db
from hub.my_data.ownership import owned_tables
from tests.any_rows import make_row


@pytest.fixture
def fill(session: Any) -> Callable[[Actor], dict[str, Any]]:
    """Gives a person a row in every table that may hold theirs; answers the keys by table."""

    def make(owner: Actor) -> dict[str, Any]:
        parents: dict[str, Any] = {"users": owner.user_id}
        for table in owned_tables():
            columns = {column.name: value for column in table.columns if (value := _by_hand(table, column, owner)) is not None}
            if table.name not in (*parents, "audit_logs"):
                make_row(table, parents, **columns)
        db.session.commit()
        return parents

    return make


def _by_hand(table: sa.Table, column: sa.Column[Any], owner: Actor) -> Any:
    """What names the person where no foreign key does."""
    email = db.session.scalar(sa.text("SELECT email FROM users WHERE id = :id"), {"id": owner.user_id})
    named = {"mails.recipient": email, "registrations.email": email, "automation_stops.scope": f"user:{owner.user_id}"}
    return named.get(f"{table.name}.{column.name}")


@pytest.fixture
def long_ago(app: Flask) -> Callable[[Actor], None]:
    """Lets the proof of who somebody is grow old."""

    def age(owner: Actor) -> None:
        past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
        db.session.execute(sa.update(Session).where(Session.user_id == owner.user_id).values(authenticated_at=past))
        db.session.commit()

    return age
