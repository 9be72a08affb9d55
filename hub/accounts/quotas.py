"""Whether a plan has room for more: the one place that looks up the plan and refuses.

Rooms above count what is theirs (``@counts``) and call ``require_room`` before they create. Limits are those of the account
that owns the things (``account_of``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.accounts.models import Plan, User
from hub.accounts.plan_limits import LIMITS, Limit, next_plan_with
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.errors import Invalid
from hub.extensions import db

#: How long what a smaller plan keeps shorter is kept on after the change.
GRACE = dt.timedelta(days=30)

Counter = Callable[[str], int]
C = TypeVar("C", bound=Counter)
_counters: dict[Limit, Counter] = {}


@dataclass(frozen=True, slots=True)
class Shortage:
    """What is used up. ``next_plan`` is the smallest plan with more of it; None where there is none."""

    limit: Limit
    used: int
    allowed: int
    plan: Plan
    next_plan: Plan | None


class PlanLimitReached(Invalid):
    """The account's plan has no room for it; the message says what is used and the way out. Nothing was changed.

    An ``Invalid``, so that every form that refuses keeps what was typed.
    """

    status = 402
    title = "Plan limit reached"

    def __init__(self, message: str, shortage: Shortage) -> None:
        super().__init__(message)
        self.shortage = shortage


@dataclass(frozen=True, slots=True)
class Account:
    """What the plan of an account says. ``kept_plan`` holds for what is kept until ``kept_until``, after a smaller plan."""

    id: str
    plan: Plan
    kept_plan: Plan | None
    kept_until: dt.datetime | None


def counts(limit: Limit) -> Callable[[C], C]:
    """Declare the function that counts how much of ``limit`` the account with this id uses, in one statement."""

    def declare(counter: C) -> C:
        _counters[limit] = counter
        return counter

    return declare


def counted_limits() -> list[Limit]:
    """The limits that something counts, in the order of the table."""
    return [limit for limit in Limit if limit in _counters]


def count_used(account_id: str, limit: Limit) -> int:
    """How much of it the account uses."""
    return _counters[limit](account_id)


def account_of(actor: Actor) -> str:
    """Whose plan holds for what the actor does: the one place that says so."""
    assert actor.user_id is not None  # noqa: S101 (the hub itself creates nothing that is counted)
    return actor.user_id


def find_account(account_id: str, *, lock: bool = False) -> Account:
    """The plan of an account; FREE where it is gone. ``lock`` holds its row, so that nobody else books until the commit."""
    statement = sa.select(User.plan, User.previous_plan, User.plan_changed_at).where(User.id == account_id)
    row = db.session.execute(statement.with_for_update(key_share=True) if lock else statement).one_or_none()
    if row is None:
        return Account(account_id, Plan.FREE, None, None)
    until = row.plan_changed_at + GRACE if row.plan_changed_at else None
    if row.previous_plan is None or until is None or until <= utc_now():
        return Account(account_id, row.plan, None, None)
    return Account(account_id, row.plan, row.previous_plan, until)


def find_shortage(actor: Actor, limit: Limit, more: int = 1, *, lock: bool = False) -> Shortage | None:
    """What stands in the way of ``more`` of it; None where the plan has room."""
    account_id = account_of(actor)
    plan = find_account(account_id, lock=lock).plan
    allowed = LIMITS[plan].of(limit)
    if allowed is None:
        return None
    used = count_used(account_id, limit)
    return Shortage(limit, used, allowed, plan, next_plan_with(limit, plan)) if used + more > allowed else None


def require_room(actor: Actor, limit: Limit, more: int = 1) -> None:
    """``PlanLimitReached`` unless the account's plan has room for ``more``.

    Holds the account's row until the transaction ends, so that of two that create at once the second counts the first one's.
    """
    shortage = find_shortage(actor, limit, more, lock=True)
    if shortage is not None:
        raise PlanLimitReached(describe_shortage(shortage), shortage)


def describe_shortage(shortage: Shortage) -> str:
    """What is used up, and the way out."""
    numbers = {"allowed": shortage.allowed, "used": shortage.used, "plan": shortage.plan.value}
    said = {
        Limit.INSTANCES: _("Your plan %(plan)s allows %(allowed)s n8n instances, and you have %(used)s.", **numbers),
        Limit.SAVED_REQUESTS: _("Your plan %(plan)s allows %(allowed)s saved requests, and you have %(used)s.", **numbers),
        Limit.ANALYSES: _("Your plan %(plan)s allows %(allowed)s analyses a month, and you have used %(used)s.", **numbers),
        Limit.MEMBERS: _("Your plan %(plan)s allows %(allowed)s members, and you have %(used)s.", **numbers),
    }[shortage.limit]
    is_monthly = shortage.limit is Limit.ANALYSES
    way_out = _("The count starts anew on the 1st.") if is_monthly else _("Delete what you no longer need.")
    if shortage.next_plan is None:
        return f"{said} {way_out}"
    number = LIMITS[shortage.next_plan].of(shortage.limit)
    amount = _("without a limit") if number is None else str(number)
    larger = _("Or change to %(plan)s (%(amount)s) under Plan and usage.", plan=shortage.next_plan.value, amount=amount)
    return f"{said} {way_out} {larger}"


# --- How long things are kept ----------------------------------------------------------------------------------------


def accounts_by_retention(most_days: int) -> dict[int, sa.Select[str]]:
    """Days -> the ids of the accounts whose data is kept so long: by their plan, and at most ``most_days``.

    Until ``GRACE`` after a change the longer of both plans holds.
    """
    days = {plan: min(limits.retention_days, most_days) for plan, limits in LIMITS.items()}
    in_grace = sa.and_(User.plan_changed_at > utc_now() - GRACE, User.previous_plan.is_not(None))
    found = {}
    for number in sorted(set(days.values())):
        fitting = [plan for plan, kept in days.items() if kept == number]
        shorter = [plan for plan, kept in days.items() if kept <= number]
        by_plan = sa.and_(User.plan.in_(fitting), sa.or_(sa.not_(in_grace), User.previous_plan.in_(shorter)))
        by_previous = sa.and_(in_grace, User.previous_plan.in_(fitting), User.plan.in_(shorter))
        found[number] = sa.select(User.id).where(sa.or_(by_plan, by_previous))
    return found


def kept_plan(account: Account, new: Plan) -> Plan:
    """The plan that still holds for what is kept after a change to ``new``: the longest of those that hold now."""
    held = [plan for plan in (account.plan, account.kept_plan) if plan is not None]
    return max([*held, new], key=lambda plan: LIMITS[plan].retention_days)
