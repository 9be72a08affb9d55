"""How many calls of the API an account makes in a minute, over all of its keys and all processes of the hub.

A call must not cost a write, so each process takes calls from the account's minute in the database in slices of a tenth, and
counts its own slice in memory. An account never gets more than its limit; what other processes hold of their slices and
do not use by the end of the minute it does not get: with P processes up to (P - 1) slices.
"""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app
from flask_babel import gettext as _
from sqlalchemy.dialects import postgresql, sqlite

from hub.accounts.models import Plan, RateBucket, User
from hub.accounts.plan_limits import LIMITS
from hub.columns import utc_now
from hub.errors import TooMany
from hub.extensions import db

WINDOW = dt.timedelta(minutes=1)
#: A slice is this part of the limit.
SLICES = 10
#: Accounts whose slices one process keeps; beyond, those whose minute is over are forgotten.
_MOST_KEPT = 1_000


@dataclass(slots=True)
class Slice:
    """What a process holds of an account's present minute. ``taken`` is what all processes took until then."""

    limit: int
    ends_at: dt.datetime
    left: int
    taken: int

    @property
    def remaining(self) -> int:
        """Calls that this account may still make in this minute, as far as this process knows."""
        return self.left + max(0, self.limit - self.taken)

    @property
    def seconds(self) -> int:
        """Until the minute ends, rounded up."""
        return max(1, -int((utc_now() - self.ends_at) // dt.timedelta(seconds=1)))


class ApiRates:
    """The slices of one process."""

    def __init__(self) -> None:
        self._slices: dict[str, Slice] = {}
        self._lock = threading.Lock()

    def count_call(self, user_id: str) -> Slice:
        """Count one call; answers how the account stands after it. ``left`` is negative where it is one too many.

        Commits where a new slice is taken, so it comes before anything else in a request.
        """
        with self._lock:
            held = self._slices.get(user_id)
            if held is not None and held.ends_at > utc_now() and (held.left > 0 or held.taken >= held.limit):
                return self._use(held)
        fresh = _take_slice(user_id)
        with self._lock:
            held = self._slices.get(user_id)
            if held is not None and held.ends_at > fresh.ends_at:
                fresh = held
            elif held is not None and held.ends_at == fresh.ends_at:
                fresh.left += max(0, held.left)
                fresh.taken = max(fresh.taken, held.taken)
            elif len(self._slices) >= _MOST_KEPT:
                now = utc_now()
                self._slices = {key: kept for key, kept in self._slices.items() if kept.ends_at > now}
            self._slices[user_id] = fresh
            return self._use(fresh)

    @staticmethod
    def _use(held: Slice) -> Slice:
        held.left = max(-1, held.left - 1)
        return Slice(held.limit, held.ends_at, held.left, held.taken)


def _take_slice(user_id: str) -> Slice:
    """Take the next slice of the account's minute from the database, or begin a new minute."""
    plan = db.session.scalar(sa.select(User.plan).where(User.id == user_id)) or Plan.FREE
    limit, now = LIMITS[plan].api_requests_per_minute, utc_now()
    size = max(1, limit // SLICES)
    table = RateBucket.__table__
    dialect: Any = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
    over = table.c.window_start <= now - WINDOW
    taken = dialect.insert(table).values(key=f"api:{user_id}", window_start=now, count=size)
    taken = taken.on_conflict_do_update(
        index_elements=[table.c.key],
        set_={
            "count": sa.case((over, size), else_=table.c.count + size),
            "window_start": sa.case((over, now), else_=table.c.window_start),
        },
    ).returning(table.c.count.label("taken"), table.c.window_start)
    bucket = db.session.execute(taken).one()
    db.session.commit()
    got = max(0, min(size, limit - (bucket.taken - size)))
    return Slice(limit, bucket.window_start + WINDOW, got, min(bucket.taken, limit))


def count_call(user_id: str) -> Slice:
    """``ApiRates.count_call`` of this process."""
    rates: ApiRates = current_app.extensions["hub_api_rates"]
    return rates.count_call(user_id)


def init_app(app: Flask) -> None:
    """Begin without any slice."""
    app.extensions["hub_api_rates"] = ApiRates()


def require_left(held: Slice) -> None:
    """``TooMany`` where the call that was counted is beyond the limit of the plan."""
    if held.left < 0:
        words = _("Your plan allows %(limit)s calls of the API in a minute.", limit=held.limit)
        raise TooMany(words, held.seconds)
