"""Selling plans: what a plugin that talks to a payment provider does, and what the hub asks of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from hub.contracts.analysis import LocalizedText


@dataclass(frozen=True, slots=True)
class BillingCustomer:
    """An account of the hub as a provider needs it. ``customer`` is the provider's own id; None before the first purchase."""

    account_id: str
    email: str
    customer: str | None


@dataclass(frozen=True, slots=True)
class BillingMessage:
    """A message of the provider that was proven to be its own.

    ``event_id`` is the provider's; the same one twice is heard once. ``subscription`` is what may have changed: the hub reads
    it anew, so that neither order nor age of messages matter. ``payment_failed`` tells the owner by mail; it changes nothing.
    """

    event_id: str
    kind: str
    subscription: str | None = None
    payment_failed: bool = False


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as the provider says it is now.

    ``account_id`` is the one that the checkout was made for, where the provider tells. ``plan`` is the name of what is paid
    for ("PRO"); None where it gives nothing (any more). ``status`` is the provider's own word.
    """

    subscription: str
    customer: str
    account_id: str | None
    plan: str | None
    status: str


class BillingRefused(Exception):
    """A message is not the provider's, too old, or malformed."""


class BillingUnavailable(Exception):
    """The provider did not do what was asked. ``words`` say why; asking again later may help."""

    def __init__(self, words: LocalizedText) -> None:
        super().__init__(words.en)
        self.words = words


class BillingProvider(Protocol):
    """Sells plans. ``name`` is that of its plugin. No method is called within a transaction."""

    name: str
    title: LocalizedText

    def plans(self) -> tuple[str, ...]:
        """The names of the plans that are for sale; none while the provider is not set up."""

    def checkout_url(self, customer: BillingCustomer, plan: str, *, attempt: str, success_url: str, cancel_url: str) -> str:
        """Where the person pays for the plan. The same ``attempt`` twice must not begin two purchases.

        Raises ``BillingUnavailable``.
        """

    def portal_url(self, customer: BillingCustomer, *, return_url: str) -> str:
        """Where a customer changes, cancels and pays what they have. Raises ``BillingUnavailable``."""

    def read_message(self, headers: Mapping[str, str], body: bytes) -> BillingMessage:
        """What a request to the hub's address for messages says; ``BillingRefused`` unless it is proven to be the provider's.

        Names of ``headers`` are in lower case. Uses no network.
        """

    def read_subscription(self, subscription: str) -> Subscription:
        """Ask the provider how a subscription stands now. Raises ``BillingUnavailable``."""
