"""Stripe: people pay for their plan with Stripe Checkout, once an operator has set keys and prices."""

from __future__ import annotations

from collections.abc import Callable

from hub.plugin_api import BillingProvider, PluginSettings, hookimpl
from plugins.billing.stripe_billing.provider import StripeBilling
from plugins.billing.stripe_billing.settings import SETTINGS


@hookimpl
def hub_register_billing_provider(register: Callable[[BillingProvider], None]) -> None:
    register(StripeBilling())


@hookimpl
def hub_register_settings(register: Callable[[PluginSettings], None]) -> None:
    register(SETTINGS)
