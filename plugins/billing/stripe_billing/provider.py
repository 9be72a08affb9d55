"""Stripe Checkout and the customer portal as the hub's way of selling plans."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Mapping
from typing import Any

from hub.plugin_api import (
    BillingCustomer,
    BillingMessage,
    BillingRefused,
    BillingUnavailable,
    LocalizedText,
    SettingValue,
    Subscription,
    read_settings,
)
from plugins.billing.stripe_billing.client import Json, call
from plugins.billing.stripe_billing.signature import BadSignature, check_signature

NAME = "stripe_billing"
#: Field of the settings -> the plan that its price pays for.
PRICES = {"price_pro": "PRO", "price_team": "TEAM", "price_enterprise": "ENTERPRISE"}
#: States in which a subscription gives what it was bought for. "past_due": Stripe still tries to collect.
GIVES = frozenset({"trialing", "active", "past_due"})
#: Where the hub's account is written on what Stripe keeps.
_MARK = "hub_account"
_ID = re.compile(r"[A-Za-z0-9_]{1,255}")

Values = Mapping[str, SettingValue]


class StripeBilling:
    """The provider. Its settings are read at each call, so a change holds at once."""

    name = NAME
    title = LocalizedText(en="Stripe", ar="Stripe")

    def plans(self) -> tuple[str, ...]:
        """The plans that have a price; none until key and signing secret are there."""
        values = read_settings(NAME)
        if not values["secret_key"] or not values["signing_secret"]:
            return ()
        return tuple(plan for field, plan in PRICES.items() if values[field])

    def checkout_url(self, customer: BillingCustomer, plan: str, *, attempt: str, success_url: str, cancel_url: str) -> str:
        """A Checkout Session in subscription mode; its page."""
        values = read_settings(NAME)
        price = next((values[field] for field, own in PRICES.items() if own == plan), None)
        if not price:
            raise BillingUnavailable(LocalizedText(en="This plan has no price.", ar="ليس لهذه الخطة سعر."))
        form = {
            "mode": "subscription",
            "line_items[0][price]": str(price),
            "line_items[0][quantity]": "1",
            "client_reference_id": customer.account_id,
            f"subscription_data[metadata][{_MARK}]": customer.account_id,
            "success_url": success_url,
            "cancel_url": cancel_url,
            **({"customer": customer.customer} if customer.customer else {"customer_email": customer.email}),
        }
        # Stripe refuses a key that comes again with other fields, so they are part of it.
        key = hashlib.sha256(json.dumps([attempt, form], sort_keys=True).encode()).hexdigest()
        session = call(str(values["secret_key"]), "POST", "/v1/checkout/sessions", form, attempt=f"hub-{key}")
        return _text(session, "url")

    def portal_url(self, customer: BillingCustomer, *, return_url: str) -> str:
        """A session of the customer portal; its page."""
        form = {"customer": customer.customer or "", "return_url": return_url}
        session = call(str(read_settings(NAME)["secret_key"]), "POST", "/v1/billing_portal/sessions", form)
        return _text(session, "url")

    def read_message(self, headers: Mapping[str, str], body: bytes) -> BillingMessage:
        """An event that Stripe signed. Those about anything else are heard and lead to nothing."""
        secret = read_settings(NAME)["signing_secret"]
        if not secret:
            raise BillingRefused("No signing secret is set.")
        try:
            check_signature(headers.get("stripe-signature", ""), body, str(secret), time.time())
            event = json.loads(body)
            kind, event_id, about = event["type"], event["id"], event["data"]["object"]
        except BadSignature as error:
            raise BillingRefused(str(error)) from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BillingRefused("The message is no event.") from error
        if not isinstance(kind, str) or not isinstance(event_id, str) or not isinstance(about, dict):
            raise BillingRefused("The message is no event.")
        subscription = _subscription_in(kind, about)
        failed = kind == "invoice.payment_failed" and subscription is not None
        return BillingMessage(event_id=event_id, kind=kind, subscription=subscription, payment_failed=failed)

    def read_subscription(self, subscription: str) -> Subscription:
        """The subscription as Stripe has it now."""
        values = read_settings(NAME)
        if not _ID.fullmatch(subscription):
            raise BillingUnavailable(LocalizedText(en="This is no id of Stripe.", ar="هذا ليس معرّفًا من Stripe."))
        found = call(str(values["secret_key"]), "GET", f"/v1/subscriptions/{subscription}")
        status = _text(found, "status")
        metadata = found.get("metadata")
        account_id = metadata.get(_MARK) if isinstance(metadata, dict) else None
        plan = _plan_of(found, values) if status in GIVES else None
        if status in GIVES and plan is None and account_id is not None:
            # Sold by this hub: somebody pays, so a price that was taken out of the settings must not end what they have.
            raise BillingUnavailable(
                LocalizedText(en="No plan in the settings has this price.", ar="لا خطة في الإعدادات لها هذا السعر.")
            )
        return Subscription(
            subscription=subscription,
            customer=_id_of(found.get("customer")) or "",
            account_id=account_id if isinstance(account_id, str) else None,
            plan=plan,
            status=status,
        )


def _subscription_in(kind: str, about: Json) -> str | None:
    """The id of the subscription that an event is about."""
    if kind in ("customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted"):
        return _id_of(about.get("id"))
    if kind == "checkout.session.completed":
        return _id_of(about.get("subscription")) if about.get("mode") == "subscription" else None
    if kind == "invoice.payment_failed":
        parent = about.get("parent")
        details = parent.get("subscription_details") if isinstance(parent, dict) else None
        # Before 2025-03-31 it stood on the invoice itself; the address for messages may have an older version.
        return _id_of((details if isinstance(details, dict) else about).get("subscription"))
    return None


def _plan_of(found: Json, values: Values) -> str | None:
    """The largest plan among the prices of the subscription's items."""
    items = found.get("items")
    data = items.get("data") if isinstance(items, dict) else None
    paid = {_id_of(item.get("price")) for item in data or () if isinstance(item, dict)}
    return next((plan for field, plan in reversed(PRICES.items()) if values[field] and values[field] in paid), None)


def _id_of(value: Any) -> str | None:
    """An id, which Stripe writes alone or within the object that it names."""
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def _text(found: Json, name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str):
        raise BillingUnavailable(
            LocalizedText(en=f"Stripe’s answer has no field “{name}”.", ar=f"إجابة Stripe ليس فيها الحقل «{name}».")
        )
    return value
