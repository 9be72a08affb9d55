"""Plans that are paid for: where to pay, what the provider's messages change, and nothing twice.

A message only says that something may have changed. The worker then reads the subscription anew, so messages that come late,
again or in another order all lead to what the provider says now.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.dialects import postgresql, sqlite

from hub.accounts.billing.models import BillingAccount, BillingEvent
from hub.accounts.models import Plan, User
from hub.accounts.notices import language_of
from hub.accounts.plans import set_plan
from hub.accounts.quotas import account_of, find_account
from hub.audit.services import record_event
from hub.columns import utc_now
from hub.contracts.actor import SYSTEM, Actor
from hub.contracts.billing import (
    BillingCustomer,
    BillingMessage,
    BillingProvider,
    BillingRefused,
    BillingUnavailable,
    Subscription,
)
from hub.errors import Conflict, HubError, Invalid, NotAllowed, NotFound, Unavailable
from hub.extensions import db
from hub.i18n import current_language
from hub.identifiers import new_id
from hub.jobs.services import enqueue
from hub.mail.services import send_mail
from hub.plugin_manager import PluginManager

JOB = "billing.read"
#: Longer than any provider sends a message again.
KEEP_EVENTS = dt.timedelta(days=90)
#: A second click within it leads to the same purchase.
_ATTEMPT = dt.timedelta(minutes=10)


class MessageRefused(HubError):
    """What came to the address for messages is not the provider's."""


@dataclass(frozen=True, slots=True)
class Offer:
    """How a person may change their plan themselves. ``is_customer``: they pay already, and change it where they pay."""

    provider: str
    title: str
    plans: tuple[Plan, ...]
    is_customer: bool


def find_offer(actor: Actor) -> Offer | None:
    """What is for sale; None without a billing plugin that is set up."""
    provider = _ready_provider()
    if provider is None:
        return None
    account_id = account_of(actor)
    row = _find_row(account_id, provider.name)
    present = find_account(account_id).plan
    sold = tuple(plan for plan in _sold(provider) if plan is not present)
    title = provider.title.in_language(current_language())
    return Offer(provider.name, title, sold, row is not None and row.plan is not None)


def begin_checkout(actor: Actor, plan: Plan, *, success_url: str, cancel_url: str) -> str:
    """Where the actor pays for the plan. ``Conflict`` where they pay for one already, which is changed where they pay."""
    provider, account_id = _provider_for(actor), account_of(actor)
    if plan not in _sold(provider):
        raise Invalid(_("Choose one of the plans."))
    row = _find_row(account_id, provider.name)
    if row is not None and row.plan is not None:
        raise Conflict(_("You pay for a plan already. Change it where you pay."))
    customer = _customer(account_id, row)
    record_event(actor, "billing.checkout", "user", account_id, details={"provider": provider.name, "plan": plan.value})
    db.session.commit()
    attempt = f"{account_id}:{plan.value}:{int(utc_now().timestamp() // _ATTEMPT.total_seconds())}"
    try:
        url = provider.checkout_url(customer, plan.value, attempt=attempt, success_url=success_url, cancel_url=cancel_url)
    except BillingUnavailable as error:
        raise Unavailable(error.words.in_language(current_language())) from error
    return _own_page(url)


def open_portal(actor: Actor, *, return_url: str) -> str:
    """Where the actor changes or ends what they pay for."""
    provider, account_id = _provider_for(actor), account_of(actor)
    row = _find_row(account_id, provider.name)
    if row is None:
        raise Conflict(_("You pay for no plan yet."))
    customer = _customer(account_id, row)
    record_event(actor, "billing.portal", "user", account_id, details={"provider": provider.name})
    db.session.commit()
    try:
        return _own_page(provider.portal_url(customer, return_url=return_url))
    except BillingUnavailable as error:
        raise Unavailable(error.words.in_language(current_language())) from error


def _own_page(url: str) -> str:
    """The address, unless it is none that a browser should follow to a payment."""
    parts = urlsplit(url)
    if parts.scheme != "https" and (parts.scheme, parts.hostname) not in (("http", "127.0.0.1"), ("http", "localhost")):
        raise Unavailable(_("The payment provider answered no address to go to."))
    return url


# --- Messages ----------------------------------------------------------------------------------------------------------


def hear(provider_name: str, headers: Mapping[str, str], body: bytes) -> None:
    """Take a message of a provider in. One that was heard before changes nothing; ``MessageRefused`` for one not its own."""
    provider = _providers().get(provider_name)
    if provider is None:
        raise NotFound()
    db.session.rollback()
    try:
        message = provider.read_message(headers, body)
    except BillingRefused as error:
        raise MessageRefused(str(error)) from error
    event_id = _note(provider_name, message)
    if event_id is None:
        db.session.rollback()
        return
    details = {"provider": provider_name, "kind": message.kind[:80]}
    record_event(SYSTEM, "billing.message", "billing_event", event_id, details=details)
    if message.subscription is not None:
        enqueue(JOB, job_id=event_id, event_id=event_id)
    db.session.commit()


def _note(provider: str, message: BillingMessage) -> str | None:
    """The id of the new event; None where the provider's id is known."""
    insert = sqlite.insert if db.session.get_bind().dialect.name == "sqlite" else postgresql.insert
    row = {
        "id": new_id(),
        "provider": provider,
        "event_id": message.event_id[:255],
        "kind": message.kind[:80],
        "subscription": message.subscription[:255] if message.subscription else None,
        "payment_failed": message.payment_failed,
        "created_at": utc_now(),
    }
    return db.session.scalar(insert(BillingEvent).values(row).on_conflict_do_nothing().returning(BillingEvent.id))


def handle_event(event_id: str) -> None:
    """Read what a message was about and make it so. Idempotent; ``BillingUnavailable`` while the provider does not answer."""
    event = db.session.get(BillingEvent, event_id, populate_existing=True)
    provider = _providers().get(event.provider) if event else None
    if event is None or provider is None or event.subscription is None or event.handled_at is not None:
        return
    subscription_id, payment_failed, began = event.subscription, event.payment_failed, utc_now()
    db.session.rollback()  # no transaction while the provider is asked
    found = provider.read_subscription(subscription_id)
    account_id = _account_behind(provider.name, found)
    details = {"provider": provider.name, "status": found.status[:40], "plan": found.plan}
    if account_id is None:
        record_event(SYSTEM, "billing.apply", "billing_event", event_id, success=False, details={**details, "reason": "unknown"})
    else:
        actor = Actor(user_id=account_id, via="job")
        changed = _apply(actor, provider.name, found, began)
        record_event(actor, "billing.apply", "user", account_id, details={**details, "changed": changed})
        if payment_failed:
            _tell_of_failed_payment(account_id)
    db.session.execute(sa.update(BillingEvent).where(BillingEvent.id == event_id).values(handled_at=utc_now()))
    db.session.commit()


def _account_behind(provider: str, found: Subscription) -> str | None:
    """Whose subscription it is: the account that it was bought for, else the one that the customer is known to be."""
    by_customer = sa.select(BillingAccount.user_id).where(
        BillingAccount.provider == provider, BillingAccount.customer == found.customer
    )
    known = db.session.scalar(by_customer.limit(1))
    if known is not None or found.account_id is None:
        return known
    return db.session.scalar(sa.select(User.id).where(User.id == found.account_id))


def _apply(actor: Actor, provider: str, found: Subscription, began: dt.datetime) -> bool:
    """Make the plan what is paid for; whether it changed. The account's row is held, so that two readings come in turn."""
    account = find_account(account_of(actor), lock=True)
    row = db.session.get(BillingAccount, account.id, populate_existing=True)
    if row is not None and row.read_at > began:
        return False  # read later by another message
    plan = next((plan for plan in Plan if plan.value == found.plan), None)
    if plan is None and (row is None or row.subscription != found.subscription):
        return False  # the end of one that holds no more, or never did
    given = row.plan if row is not None else None
    if row is None:
        row = BillingAccount(user_id=account.id)
        db.session.add(row)
    row.provider, row.customer, row.subscription = provider, found.customer, found.subscription
    row.plan, row.status, row.read_at = plan, found.status[:40], began
    because = {"provider": provider, "status": found.status[:40]}
    if plan is not None:
        return set_plan(actor, account.id, plan, because=because)
    # An end takes back what was paid for, not what an operator gave since.
    return account.plan is given and set_plan(actor, account.id, Plan.FREE, because=because)


def _tell_of_failed_payment(account_id: str) -> None:
    user = db.session.get_one(User, account_id)
    language = language_of(user)
    link = current_app.extensions["hub_config"].base_url + "/account/usage"
    with force_locale(language):
        text = _(
            "A payment for the plan of your AI-HTTP Hub account failed. Your plan stays as it is while the payment is tried "
            "again. Look at your means of payment here:"
        )
        send_mail(user.email, _("A payment failed"), f"{text}\n{link}", purpose="billing.payment_failed", language=language)


def forget_old_events() -> int:
    """Forget messages that nobody sends again; how many. Commits."""
    old = sa.delete(BillingEvent).where(BillingEvent.created_at < utc_now() - KEEP_EVENTS).returning(BillingEvent.id)
    forgotten = len(db.session.scalars(old).all())
    db.session.commit()
    return forgotten


# --- Parts -------------------------------------------------------------------------------------------------------------


def _providers() -> dict[str, BillingProvider]:
    manager: PluginManager = current_app.extensions["hub_plugins"]
    return manager.registry.billing


def _ready_provider() -> BillingProvider | None:
    return next((provider for provider in _providers().values() if provider.plans()), None)


def _provider_for(actor: Actor) -> BillingProvider:
    if actor.permissions is not None:
        raise NotAllowed(_("Sign in to do this; an API key may not."))
    provider = _ready_provider()
    if provider is None:
        raise NotFound()
    return provider


def _sold(provider: BillingProvider) -> tuple[Plan, ...]:
    offered = provider.plans()
    return tuple(plan for plan in Plan if plan.value in offered)


def _find_row(account_id: str, provider: str) -> BillingAccount | None:
    row = db.session.get(BillingAccount, account_id, populate_existing=True)
    return row if row is not None and row.provider == provider else None


def _customer(account_id: str, row: BillingAccount | None) -> BillingCustomer:
    email = db.session.scalars(sa.select(User.email).where(User.id == account_id)).one()
    return BillingCustomer(account_id, email, row.customer if row else None)
