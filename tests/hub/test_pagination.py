"""Keyset pages: nothing twice, nothing left out, no made-up cursor."""

from __future__ import annotations

import base64
import datetime as dt
import json

import pytest
import sqlalchemy as sa

from hub.accounts.models import User
from hub.errors import Invalid
from hub.pagination import clamp_limit, decode_cursor, encode_cursor, keyset, make_page

Session = sa.orm.scoped_session[sa.orm.Session]
MOMENT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize("descending", [True, False])
def test_pages_hold_every_row_once_even_where_times_are_equal(session: Session, descending: bool) -> None:
    for number in range(7):
        created = MOMENT + dt.timedelta(minutes=number // 3)
        session.add(User(email=f"{number}@example.com", password="!", name="N", created_at=created))
    session.flush()
    seen: list[User] = []
    cursor = None
    for _ in range(4):
        columns, kinds = (User.created_at, User.id), (dt.datetime, str)
        statement = keyset(sa.select(User), columns, kinds, cursor=cursor, limit=2, descending=descending)
        page = make_page(session.scalars(statement).all(), 2, "created_at", "id")
        seen += page.rows
        cursor = page.next_cursor
    assert cursor is None
    everybody = list(session.scalars(sa.select(User)))
    assert seen == sorted(everybody, key=lambda user: (user.created_at, user.id), reverse=descending)


def test_a_cursor_survives_the_way_to_the_browser_and_back() -> None:
    assert decode_cursor(encode_cursor([MOMENT, "c1"]), (dt.datetime, str)) == [MOMENT, "c1"]


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "%",
        "AAAA",
        "é",
        encoded({}),
        encoded(["2026"]),
        encoded(["x", "c1"]),
        encoded([5, "c1"]),
        encoded([str(MOMENT), 5]),
        encoded(["2026-01-01T00:00:00", "c1"]),
        encoded(["0001-01-01T00:00:00+14:00", "c1"]),
        encoded([str(MOMENT), "c\0"]),
    ],
)
def test_a_made_up_cursor_is_invalid(cursor: str) -> None:
    with pytest.raises(Invalid):
        decode_cursor(cursor, (dt.datetime, str))


@pytest.mark.parametrize(("asked", "given"), [(None, 50), (0, 1), (-5, 1), (10, 10), (9999, 250)])
def test_page_sizes_are_bounded(asked: int | None, given: int) -> None:
    assert clamp_limit(asked) == given
