"""A Stripe on loopback that answers by facts of its API, and signs as Stripe does.

The facts (paths, names and shapes of fields, statuses, the signature, idempotency) are from Stripe's public documentation, read
on 2026-11-23: API reference (Checkout Sessions, Customer portal sessions, Subscriptions, Prices, Events, Errors, Idempotent
requests), "Receive Stripe events in your webhook endpoint" (signature), and the changelog of 2025-03-31.basil (billing periods
moved to subscription items; an invoice names its subscription in ``parent.subscription_details``). Values are our own.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

KEY = "rk_test_51Hub0000000000"
SECRET = "whsec_hub0000000000000"
VERSION = "2025-03-31.basil"
#: 2026-11-23 12:00 UTC.
NOON = 1_795_435_200

Json = dict[str, Any]


@dataclass
class FakeStripe:
    """Objects by id, and what was asked."""

    server: HTTPServer
    subscriptions: dict[str, Json] = field(default_factory=dict)
    prices: dict[str, Json] = field(default_factory=dict)
    sessions: list[Json] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    #: Answers to POST by Idempotency-Key, with the parameters that they were for.
    remembered: dict[str, tuple[dict[str, str], Json]] = field(default_factory=dict)
    #: The next answer instead of the right one.
    failing: Response | None = None

    def __call__(self, request: Request) -> Response:
        form = dict(parse_qsl(request.get_data(as_text=True), keep_blank_values=True))
        self.asked.append((request.method, request.path, form))
        if self.failing is not None:
            failing, self.failing = self.failing, None
            return failing
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return error(401, "invalid_request_error", None, "Invalid API Key provided")
        assert request.headers["Stripe-Version"] == VERSION
        if request.method == "GET":
            assert "Idempotency-Key" not in request.headers
            return self._find(*request.path.removeprefix("/v1/").split("/", 1))
        key = request.headers.get("Idempotency-Key")
        if key in self.remembered:
            before, answer = self.remembered[key]
            if before != form:
                return error(400, "idempotency_error", None, "Keys can only be used with the same parameters")
            return reply(answer)
        answer = self._create(request.path, form)
        if key is not None:
            self.remembered[key] = (form, answer)
        return reply(answer)

    def _find(self, kind: str, name: str) -> Response:
        found = {"subscriptions": self.subscriptions, "prices": self.prices}[kind].get(name)
        if found is None:
            return error(404, "invalid_request_error", "resource_missing", f"No such {kind.rstrip('s')}: '{name}'")
        return reply(found)

    def _create(self, path: str, form: dict[str, str]) -> Json:
        if path == "/v1/billing_portal/sessions":
            return {
                "id": "bps_1",
                "object": "billing_portal.session",
                "customer": form["customer"],
                "livemode": False,
                "return_url": form["return_url"],
                "url": f"https://billing.stripe.com/p/session/{form['customer']}",
            }
        assert path == "/v1/checkout/sessions"
        number = len(self.sessions) + 1
        session = {
            "id": f"cs_test_{number}",
            "object": "checkout.session",
            "client_reference_id": form["client_reference_id"],
            "customer": form.get("customer"),
            "customer_email": form.get("customer_email"),
            "livemode": False,
            "metadata": {},
            "mode": form["mode"],
            "payment_status": "unpaid",
            "status": "open",
            "subscription": None,
            "success_url": form["success_url"],
            "cancel_url": form["cancel_url"],
            "url": f"https://checkout.stripe.com/c/pay/cs_test_{number}",
        }
        self.sessions.append(session)
        self.paid_form = form
        return session

    def pay(self, status: str = "active") -> Json:
        """Somebody pays on the newest session's page: its subscription comes to be. The event that says so."""
        session = self.sessions[-1]
        number = len(self.subscriptions) + 1
        subscription = make_subscription(
            f"sub_{number}",
            session["customer"] or f"cus_{number}",
            self.paid_form["line_items[0][price]"],
            status,
            {"hub_account": self.paid_form["subscription_data[metadata][hub_account]"]},
        )
        self.subscriptions[subscription["id"]] = subscription
        session |= {"status": "complete", "payment_status": "paid", "subscription": subscription["id"]}
        session["customer"] = subscription["customer"]
        return make_event("checkout.session.completed", session)


def make_subscription(name: str, customer: str, price: str, status: str, metadata: Json) -> Json:
    """A subscription to one price, as 2025-03-31.basil and later write it."""
    return {
        "id": name,
        "object": "subscription",
        "cancel_at_period_end": False,
        "created": NOON,
        "customer": customer,
        "ended_at": None,
        "items": {
            "object": "list",
            "data": [
                {
                    "id": f"si_{name}",
                    "object": "subscription_item",
                    "current_period_end": NOON + 2_592_000,
                    "current_period_start": NOON,
                    "price": {"id": price, "object": "price", "active": True, "recurring": {"interval": "month"}},
                    "quantity": 1,
                    "subscription": name,
                }
            ],
            "has_more": False,
            "url": f"/v1/subscription_items?subscription={name}",
        },
        "latest_invoice": f"in_{name}",
        "livemode": False,
        "metadata": metadata,
        "status": status,
    }


def make_invoice(subscription: str, *, before_basil: bool = False) -> Json:
    """An invoice whose payment failed."""
    about: Json = {"id": "in_1", "object": "invoice", "attempt_count": 1, "attempted": True, "status": "open"}
    if before_basil:
        return {**about, "subscription": subscription}
    details = {"metadata": {}, "subscription": subscription}
    return {**about, "parent": {"type": "subscription_details", "quote_details": None, "subscription_details": details}}


_numbers = iter(range(1, 10**9))


def make_event(kind: str, about: Json, name: str | None = None) -> Json:
    """An event with a snapshot of the object."""
    return {
        "id": name or f"evt_{next(_numbers)}",
        "object": "event",
        "api_version": VERSION,
        "created": NOON,
        "data": {"object": json.loads(json.dumps(about))},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }


def sign(body: bytes, at: float, *secrets: str) -> str:
    """The header that Stripe would send: one signature for each secret that is alive."""
    signatures = [hmac.new(secret.encode(), f"{int(at)}.".encode() + body, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={int(at)}", *(f"v1={signature}" for signature in signatures), "v0=0123456789abcdef"])


def reply(found: Json, status: int = 200) -> Response:
    return Response(json.dumps(found), status, mimetype="application/json")


def error(status: int, kind: str, code: str | None, message: str) -> Response:
    said = {"type": kind, "message": message, **({"code": code} if code else {})}
    return reply({"error": said}, status)
