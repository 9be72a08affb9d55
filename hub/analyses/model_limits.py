"""How much people may ask models in a calendar month (UTC), and what they did ask."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.accounts.models import Plan, User
from hub.analyses.model_tables import ModelCall, ModelLimit
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.errors import Invalid, NotAllowed, TooMany
from hub.extensions import db

_MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Limit:
    """Questions and tokens a month; None: as many as wanted."""

    questions: int | None
    tokens: int | None


#: What holds until an operator says something else.
DEFAULTS = {
    Plan.FREE: Limit(20, 400_000),
    Plan.PRO: Limit(300, 6_000_000),
    Plan.TEAM: Limit(1000, 20_000_000),
    Plan.ENTERPRISE: Limit(None, None),
}


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What one person asked this month."""

    email: str
    plan: Plan
    questions: int
    tokens_in: int
    tokens_out: int
    cost: float | None
    failed: int


@dataclass(frozen=True, slots=True)
class PersonLimit:
    """A limit of one person's own."""

    email: str
    limit: Limit


@dataclass(frozen=True, slots=True)
class UsagePage:
    """What operators see: the month's use, the largest first, and the limits."""

    since: dt.datetime
    rows: list[UsageRow]
    plans: dict[Plan, Limit]
    people: list[PersonLimit]


def check_limit(user_id: str) -> None:
    """``TooMany`` where the person has used up the month. Holds their row until the transaction ends, so that two questions at
    once are counted one after the other."""
    plan = db.session.scalar(sa.select(User.plan).where(User.id == user_id).with_for_update())
    limit = _limit_of(user_id, plan or Plan.FREE)
    month = _month_start()
    questions, tokens = db.session.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(ModelCall.tokens_in + ModelCall.tokens_out), 0)).where(
            ModelCall.user_id == user_id, ModelCall.created_at >= month, ModelCall.from_cache.is_(False)
        )
    ).one()
    wait = int((_next_month(month) - utc_now()).total_seconds())
    if limit.questions is not None and questions >= limit.questions:
        words = _(
            "You have asked the model %(count)s times this month, which is your limit. It starts anew on the 1st; "
            "an operator can raise it under Model use.",
            count=questions,
        )
        raise TooMany(words, wait)
    if limit.tokens is not None and tokens >= limit.tokens:
        words = _(
            "You have used %(count)s tokens this month, which is your limit. It starts anew on the 1st; "
            "an operator can raise it under Model use.",
            count=tokens,
        )
        raise TooMany(words, wait)


def show_usage(actor: Actor) -> UsagePage:
    """The month's use and the limits; for operators."""
    _require_operator(actor)
    month = _month_start()
    counted = (
        sa.select(
            User.email,
            User.plan,
            sa.func.count(),
            sa.func.sum(ModelCall.tokens_in),
            sa.func.sum(ModelCall.tokens_out),
            sa.func.sum(ModelCall.cost),
            sa.func.count(ModelCall.failure),
        )
        .join(ModelCall, ModelCall.user_id == User.id)
        .where(ModelCall.created_at >= month, ModelCall.from_cache.is_(False))
        .group_by(User.id, User.email, User.plan)
        .order_by(sa.func.sum(ModelCall.tokens_in + ModelCall.tokens_out).desc(), User.email)
        .limit(_MOST_ROWS)
    )
    plans, people = dict(DEFAULTS), []
    kept = sa.select(ModelLimit, User.email).outerjoin(User, User.id == ModelLimit.user_id).order_by(User.email)
    for limit, email in db.session.execute(kept.limit(_MOST_ROWS)):
        value = Limit(limit.monthly_questions, limit.monthly_tokens)
        if limit.plan is not None:
            plans[limit.plan] = value
        elif email is not None:
            people.append(PersonLimit(email, value))
    return UsagePage(month, [UsageRow(*row) for row in db.session.execute(counted)], plans, people)


def set_plan_limit(actor: Actor, plan: Plan, limit: Limit) -> None:
    """What the people of a plan may ask."""
    _require_operator(actor)
    _save(actor, limit, plan=plan)


def set_person_limit(actor: Actor, email: str, limit: Limit | None) -> None:
    """What one person may ask, whatever their plan; None: as their plan says. ``Invalid`` for an unknown address."""
    _require_operator(actor)
    user_id = db.session.scalar(sa.select(User.id).where(User.email == email.strip().lower()))
    if user_id is None:
        raise Invalid(fields={"email": _("Nobody has this address here.")})
    if limit is not None:
        _save(actor, limit, user_id=user_id)
        return
    db.session.execute(sa.delete(ModelLimit).where(ModelLimit.user_id == user_id))
    record_event(actor, "model.limit", "user", user_id, details={"removed": True})
    db.session.commit()


def _save(actor: Actor, limit: Limit, *, plan: Plan | None = None, user_id: str | None = None) -> None:
    own = ModelLimit.plan == plan if plan is not None else ModelLimit.user_id == user_id
    row = db.session.scalar(sa.select(ModelLimit).where(own))
    if row is None:
        row = ModelLimit(plan=plan, user_id=user_id)
        db.session.add(row)
    row.monthly_questions, row.monthly_tokens = limit.questions, limit.tokens
    details = {"questions": limit.questions, "tokens": limit.tokens, "plan": plan.value if plan else None}
    record_event(actor, "model.limit", "user" if user_id else "plan", user_id, details=details)
    db.session.commit()


def _limit_of(user_id: str, plan: Plan) -> Limit:
    """The person's own limit, else their plan's, else the default."""
    fitting = sa.or_(ModelLimit.user_id == user_id, ModelLimit.plan == plan)
    rows = list(db.session.scalars(sa.select(ModelLimit).where(fitting)))
    chosen = next((row for row in rows if row.user_id is not None), rows[0] if rows else None)
    return DEFAULTS[plan] if chosen is None else Limit(chosen.monthly_questions, chosen.monthly_tokens)


def _require_operator(actor: Actor) -> None:
    if not actor.is_operator:
        raise NotAllowed(_("Only operators see what models are asked."))


def _month_start() -> dt.datetime:
    return utc_now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _next_month(month: dt.datetime) -> dt.datetime:
    return (month + dt.timedelta(days=32)).replace(day=1)
