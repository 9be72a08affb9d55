"""Attempts counted in the database, so that a limit holds over all workers and restarts."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.dialects import postgresql, sqlite

from hub.accounts.models import RateBucket
from hub.columns import utc_now
from hub.errors import TooMany
from hub.extensions import db

WINDOW = dt.timedelta(minutes=5)
#: No window is longer: what began before it counts no more.
LONGEST_WINDOW = dt.timedelta(days=1)


def address_block(ip_address: str | None) -> str:
    """What one visitor holds: an IPv4 address, or a whole /64 of IPv6."""
    try:
        address = ipaddress.ip_address(ip_address or "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def count_attempt(limits: Mapping[str, int], *, window: dt.timedelta = WINDOW) -> None:
    """Count one attempt against each key and commit it; TooMany when any key is above its limit for this window.

    A key has one ``window``, at most ``LONGEST_WINDOW``; whoever limits the same thing over several names a key for each.
    One statement counts all keys, in one order, so that concurrent attempts neither slip through nor deadlock.
    """
    now = utc_now()
    table = RateBucket.__table__
    dialect: Any = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
    insert = dialect.insert(table).values([{"key": key, "window_start": now, "count": 1} for key in sorted(limits)])
    over = table.c.window_start <= now - window
    upsert = insert.on_conflict_do_update(
        index_elements=[table.c.key],
        set_={
            "count": sa.case((over, 1), else_=table.c.count + 1),
            "window_start": sa.case((over, now), else_=table.c.window_start),
        },
    ).returning(table.c.key, table.c.count.label("attempts"), table.c.window_start)
    buckets = db.session.execute(upsert).all()
    db.session.commit()
    full = [bucket.window_start for bucket in buckets if bucket.attempts > limits[bucket.key]]
    if full:
        seconds = max(1, int((max(full) + window - now).total_seconds()))
        is_first = any(bucket.attempts == limits[bucket.key] + 1 for bucket in buckets)
        raise TooMany(
            _("Too many attempts. Try again in %(minutes)s min.", minutes=-(-seconds // 60)), seconds, is_first=is_first
        )


def give_back(keys: Mapping[str, int]) -> None:
    """Take one attempt off again, in the present transaction: a success is no attack, and refunds only itself."""
    db.session.execute(sa.update(RateBucket).where(RateBucket.key.in_(list(keys))).values(count=RateBucket.count - 1))


def drop_old_buckets() -> None:
    """Forget windows that are over."""
    db.session.execute(sa.delete(RateBucket).where(RateBucket.window_start < utc_now() - LONGEST_WINDOW))
    db.session.commit()
