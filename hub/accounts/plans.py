"""Which plan an account has: changed by operators, and by what they sell plans through."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _

from hub.accounts.models import Plan, User
from hub.accounts.plan_limits import LIMITS, ORDER, Limit, PlanLimits
from hub.accounts.quotas import account_of, count_used, counted_limits, find_account, kept_plan
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor, Role
from hub.errors import Invalid, NotAllowed
from hub.extensions import db
from hub.pagination import Page, clamp_limit, keyset, make_page
from hub.plan_settings import PlanSettings


@dataclass(frozen=True, slots=True)
class Use:
    """How much of one limit is used. ``allowed`` None: as much as wanted; ``next_allowed`` is what ``next_plan`` gives."""

    limit: Limit
    used: int
    allowed: int | None
    next_plan: Plan | None
    next_allowed: int | None

    @property
    def is_full(self) -> bool:
        """Whether nothing more fits in."""
        return self.allowed is not None and self.used >= self.allowed


@dataclass(frozen=True, slots=True)
class Usage:
    """An account's plan and what is used of it. Until ``kept_until`` what was kept is kept as ``kept_plan`` said."""

    plan: Plan
    uses: list[Use]
    kept_plan: Plan | None
    kept_until: dt.datetime | None
    resets_at: dt.datetime
    """When the month's count starts anew."""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person in the operators' list."""

    id: str
    email: str
    name: str
    plan: Plan
    role: Role
    created_at: dt.datetime


def show_usage(actor: Actor) -> Usage:
    """The plan that holds for the actor and what is used of it. One statement a limit, and one."""
    account = find_account(account_of(actor))
    larger = ORDER[ORDER.index(account.plan) + 1 :]
    following = larger[0] if larger else None
    uses = [
        Use(
            limit=limit,
            used=count_used(account.id, limit),
            allowed=LIMITS[account.plan].of(limit),
            next_plan=following,
            next_allowed=LIMITS[following].of(limit) if following else None,
        )
        for limit in counted_limits()
    ]
    month = utc_now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    resets_at = (month + dt.timedelta(days=32)).replace(day=1)
    return Usage(account.plan, uses, account.kept_plan, account.kept_until, resets_at)


def promised_limits() -> dict[Plan, PlanLimits]:
    """The table as it holds on this hub: nothing is kept longer than the operator says."""
    config = current_app.extensions["hub_config"]
    most = min(config.plans.execution_keep_days, config.requests.keep_days)
    return {plan: replace(limits, retention_days=min(limits.retention_days, most)) for plan, limits in LIMITS.items()}


def new_plan() -> Plan:
    """The plan with which accounts begin."""
    settings: PlanSettings = current_app.extensions["hub_config"].plans
    return Plan(settings.new_plan)


def list_people(
    actor: Actor, *, search: str = "", plan: Plan | None = None, cursor: str | None = None, limit: int | None = None
) -> Page[PersonRow]:
    """Everybody with an account, by e-mail address; for operators. ``search`` is looked for in address and name."""
    _require_operator(actor)
    limit = clamp_limit(limit)
    statement = sa.select(*(getattr(User, name) for name in PersonRow.__dataclass_fields__))
    if wanted := search.strip():
        found = sa.or_(User.email.icontains(wanted, autoescape=True), User.name.icontains(wanted, autoescape=True))
        statement = statement.where(found)
    if plan is not None:
        statement = statement.where(User.plan == plan)
    paged = keyset(statement, (User.email, User.id), (str, str), cursor=cursor, limit=limit, descending=False)
    return make_page([PersonRow(*row) for row in db.session.execute(paged)], limit, "email", "id")


def change_plan(actor: Actor, email: str, plan: Plan) -> bool:
    """Give the person with this address a plan; whether it is another one. For operators. ``Invalid`` for an unknown one."""
    _require_operator(actor)
    user_id = db.session.scalar(sa.select(User.id).where(User.email == email.strip().lower()))
    if user_id is None:
        raise Invalid(fields={"email": _("Nobody has this address here.")})
    changed = set_plan(actor, user_id, plan)
    db.session.commit()
    return changed


def set_plan(actor: Actor, account_id: str, plan: Plan, *, because: Mapping[str, Any] | None = None) -> bool:
    """Change the plan in the present transaction; whether it was another one. The caller commits and has checked the right.

    Nothing is deleted: what is above a new limit stays, and what was kept longer is kept on for a while (``quotas.GRACE``).
    """
    account = find_account(account_id, lock=True)
    if account.plan is plan:
        return False
    values = {"plan": plan, "previous_plan": kept_plan(account, plan), "plan_changed_at": utc_now()}
    db.session.execute(sa.update(User).where(User.id == account_id).values(values))
    details = {"from": account.plan.value, "to": plan.value, **(because or {})}
    record_event(actor, "user.plan", "user", account_id, details=details)
    return True


def _require_operator(actor: Actor) -> None:
    if not actor.is_operator:
        raise NotAllowed(_("Only operators see and change the plans of others."))
