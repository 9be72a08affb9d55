"""``hub_register_billing_provider``: buying, changing and ending a plan with Stripe, from the button to the plan.

Facts of Stripe's API and their date stand in ``stripe.py``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug import Response
from werkzeug.test import TestResponse

from hub.accounts.billing import services
from hub.accounts.billing.models import BillingAccount, BillingEvent
from hub.accounts.models import Plan, User
from hub.accounts.plans import change_plan, set_plan
from hub.contracts.actor import Actor
from hub.errors import Conflict, NotAllowed
from hub.extensions import db
from hub.jobs.models import Job
from hub.jobs.services import RetryLater
from hub.plugin_settings.services import run_check
from plugins.billing.stripe_billing.settings import SETTINGS
from tests.hub.accounts.people import events, mailbox, run_jobs
from tests.plugins.stripe_billing.conftest import VALUES, save_values
from tests.plugins.stripe_billing.stripe import KEY, SECRET, FakeStripe, make_event, make_invoice, make_subscription, sign

URL = "/billing/stripe_billing/events"
DEEP = b"[" * 9000
Json = dict[str, Any]


@pytest.fixture
def browser(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> FlaskClient:
    return browser_of(alice)


def plan_of(actor: Actor) -> Plan:
    return db.session.scalars(sa.select(User.plan).where(User.id == actor.user_id)).one()


def send(client: FlaskClient, event: Json, secret: str = SECRET) -> TestResponse:
    """What Stripe does with an event."""
    body = json.dumps(event).encode()
    headers = {"Stripe-Signature": sign(body, time.time(), secret), "Content-Type": "application/json; charset=utf-8"}
    return client.post(URL, data=body, headers=headers)


def buy(browser: FlaskClient, client: FlaskClient, stripe: FakeStripe, plan: str = "PRO") -> Json:
    """From the button to the plan; the subscription."""
    browser.post("/account/plan/checkout", data={"plan": plan})
    assert send(client, stripe.pay()).status_code == 200
    run_jobs()
    return next(reversed(stripe.subscriptions.values()))


def billing_jobs() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(Job).where(Job.name == services.JOB)) or 0


class TestBuying:
    def test_from_the_button_to_the_plan(
        self, alice: Actor, browser: FlaskClient, client: FlaskClient, stripe: FakeStripe
    ) -> None:
        shown = browser.get("/account/usage").text
        assert "Change to PRO" in shown
        assert "Change to ENTERPRISE" not in shown
        answer = browser.post("/account/plan/checkout", data={"plan": "PRO"})
        assert 'href="https://checkout.stripe.com/c/pay/cs_test_1"' in answer.text
        (_method, _path, form) = stripe.asked[-1]
        assert form["mode"] == "subscription"
        assert form["line_items[0][price]"] == "price_pro1"
        assert (form["client_reference_id"], form["customer_email"]) == (alice.user_id, "alice@example.com")
        assert form["success_url"].endswith("/account/usage?paid=1")
        assert plan_of(alice) is Plan.FREE
        assert send(client, stripe.pay()).status_code == 200
        assert plan_of(alice) is Plan.FREE  # the worker makes it so
        run_jobs()
        assert plan_of(alice) is Plan.PRO
        (event,) = events("user.plan")
        assert event.details["provider"] == "stripe_billing"
        assert "Change or end it" in browser.get("/account/usage").text

    def test_two_clicks_are_one_purchase(self, browser: FlaskClient, stripe: FakeStripe) -> None:
        for _click in range(2):
            assert "cs_test_1" in browser.post("/account/plan/checkout", data={"plan": "PRO"}).text
        assert len(stripe.sessions) == 1
        browser.post("/account/plan/checkout", data={"plan": "TEAM"})
        assert len(stripe.sessions) == 2

    def test_who_pays_already_changes_it_where_they_pay(
        self, alice: Actor, browser: FlaskClient, client: FlaskClient, stripe: FakeStripe
    ) -> None:
        bought = buy(browser, client, stripe)
        assert browser.post("/account/plan/checkout", data={"plan": "TEAM"}).status_code == 409
        assert len(stripe.sessions) == 1
        answer = browser.post("/account/plan/portal")
        assert f'href="https://billing.stripe.com/p/session/{bought["customer"]}"' in answer.text
        assert stripe.asked[-1][2]["return_url"].endswith("/account/usage")

    def test_after_the_end_the_same_customer_buys_again(
        self, alice: Actor, browser: FlaskClient, client: FlaskClient, stripe: FakeStripe
    ) -> None:
        bought = buy(browser, client, stripe)
        bought["status"] = "canceled"
        send(client, make_event("customer.subscription.deleted", bought))
        run_jobs()
        assert plan_of(alice) is Plan.FREE
        buy(browser, client, stripe, "TEAM")
        assert plan_of(alice) is Plan.TEAM
        assert stripe.sessions[-1]["customer"] == bought["customer"]

    def test_what_is_not_for_sale_is_refused(self, browser: FlaskClient, stripe: FakeStripe) -> None:
        for plan in ("ENTERPRISE", "FREE", "GOLD", ""):
            assert browser.post("/account/plan/checkout", data={"plan": plan}).status_code == 422
        assert browser.post("/account/plan/portal").status_code == 409
        assert stripe.asked == []

    def test_an_api_key_buys_nothing(self, alice: Actor, stripe: FakeStripe) -> None:
        program = Actor(user_id=alice.user_id, permissions=frozenset({"write"}))
        with pytest.raises(NotAllowed):
            services.begin_checkout(program, Plan.PRO, success_url="https://x", cancel_url="https://x")

    def test_without_the_secrets_nothing_is_offered(self, browser: FlaskClient, client: FlaskClient, stripe: FakeStripe) -> None:
        save_values(signing_secret=None)
        assert "Ask your operator" in browser.get("/account/usage").text
        assert browser.post("/account/plan/checkout", data={"plan": "PRO"}).status_code == 404
        assert send(client, make_event("ping", {})).status_code == 400

    @pytest.mark.parametrize(
        "answer",
        [
            Response('{"error": {"type": "invalid_request_error", "message": "No price"}}', 400, mimetype="application/json"),
            Response('{"error": "x"}', 402, mimetype="application/json"),
            Response("<html>", 200),
            Response("[]", 200, mimetype="application/json"),
            Response('{"url": "javascript:alert(1)"}', 200, mimetype="application/json"),
            Response('{"url": null}', 200, mimetype="application/json"),
            Response("", 302, headers={"Location": "https://evil.example"}),
            Response("{}", 500, mimetype="application/json"),
        ],
    )
    def test_a_stripe_that_fails_is_told_of(self, browser: FlaskClient, stripe: FakeStripe, answer: Response) -> None:
        stripe.failing = answer
        shown = browser.post("/account/plan/checkout", data={"plan": "PRO"})
        assert shown.status_code == 503
        assert "javascript:" not in shown.text
        assert KEY not in shown.text


class TestMessages:
    @pytest.mark.parametrize("secret", ["whsec_wrong", KEY, ""])
    def test_a_forged_one_changes_nothing(
        self, alice: Actor, browser: FlaskClient, client: FlaskClient, stripe: FakeStripe, secret: str
    ) -> None:
        browser.post("/account/plan/checkout", data={"plan": "PRO"})
        assert send(client, stripe.pay(), secret).status_code == 400
        assert db.session.scalar(sa.select(sa.func.count()).select_from(BillingEvent)) == 0
        assert billing_jobs() == 0
        assert plan_of(alice) is Plan.FREE

    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"type": 1, "id": 2, "data": {"object": {}}}', b'{"id": "e"}', DEEP])
    def test_what_is_no_event_is_refused(self, client: FlaskClient, stripe: FakeStripe, body: bytes) -> None:
        headers = {"Stripe-Signature": sign(body, time.time(), SECRET)}
        assert client.post(URL, data=body, headers=headers).status_code == 400

    def test_a_large_one_is_not_read(self, client: FlaskClient, stripe: FakeStripe) -> None:
        assert client.post(URL, data=b" " * 300_000).status_code == 413

    def test_an_unknown_provider_is_not_found(self, client: FlaskClient, stripe: FakeStripe) -> None:
        assert client.post("/billing/paypal/events", data=b"{}").status_code == 404

    def test_the_same_one_is_heard_once(
        self, alice: Actor, browser: FlaskClient, client: FlaskClient, stripe: FakeStripe
    ) -> None:
        browser.post("/account/plan/checkout", data={"plan": "PRO"})
        event = stripe.pay()
        for _time in range(3):
            assert send(client, event).status_code == 200
        assert billing_jobs() == 1
        run_jobs()
        asked = len(stripe.asked)
        assert send(client, event).status_code == 200
        run_jobs()
        assert len(stripe.asked) == asked
        assert db.session.scalar(sa.select(sa.func.count()).select_from(BillingEvent)) == 1
        assert len(events("user.plan")) == 1

    def test_in_any_order_they_lead_to_what_stripe_says_now(
        self, alice: Actor, browser: FlaskClient, client: FlaskClient, stripe: FakeStripe
    ) -> None:
        """The end comes before the beginning and a change; each carries an old state."""
        browser.post("/account/plan/checkout", data={"plan": "PRO"})
        completed = stripe.pay()
        subscription = stripe.subscriptions["sub_1"]
        updated = make_event("customer.subscription.updated", {**subscription, "status": "past_due"})
        deleted = make_event("customer.subscription.deleted", {**subscription, "status": "canceled"})
        for event in (deleted, updated, completed):
            send(client, event)
        run_jobs()
        assert plan_of(alice) is Plan.PRO
        subscription["status"] = "canceled"
        send(client, make_event("customer.subscription.updated", {**subscription, "status": "active"}))
        run_jobs()
        assert plan_of(alice) is Plan.FREE

    def test_an_earlier_reading_never_takes_the_place_of_a_later(
        self, alice: Actor, browser: FlaskClient, client: FlaskClient, stripe: FakeStripe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The first job read "canceled", was held up, and writes after the second one, which read "active"."""
        bought = buy(browser, client, stripe)
        row = db.session.get_one(BillingAccount, alice.user_id)
        late, began = dict(bought, status="canceled"), row.read_at
        provider = services._providers()["stripe_billing"]
        stale = dict(stripe.subscriptions, sub_1=late)
        monkeypatch.setattr(stripe, "subscriptions", stale)
        monkeypatch.setattr(services, "utc_now", lambda: began.replace(year=began.year - 1))
        found = provider.read_subscription("sub_1")
        assert services._apply(Actor(user_id=alice.user_id, via="job"), "stripe_billing", found, services.utc_now()) is False
        assert plan_of(alice) is Plan.PRO

    @pytest.mark.parametrize(
        ("status", "plan"),
        [
            ("active", Plan.PRO),
            ("trialing", Plan.PRO),
            ("past_due", Plan.PRO),
            ("unpaid", Plan.FREE),
            ("canceled", Plan.FREE),
            ("paused", Plan.FREE),
            ("incomplete_expired", Plan.FREE),
        ],
    )
    def test_what_each_status_gives(
        self, alice: Actor, browser: FlaskClient, client: FlaskClient, stripe: FakeStripe, status: str, plan: Plan
    ) -> None:
        bought = buy(browser, client, stripe)
        bought["status"] = status
        send(client, make_event("customer.subscription.updated", bought))
        run_jobs()
        assert plan_of(alice) is plan

    def test_a_change_at_stripe_changes_the_plan(
        self, alice: Actor, browser: FlaskClient, client: FlaskClient, stripe: FakeStripe
    ) -> None:
        bought = buy(browser, client, stripe)
        bought["items"]["data"][0]["price"]["id"] = "price_team1"
        send(client, make_event("customer.subscription.updated", bought))
        run_jobs()
        assert plan_of(alice) is Plan.TEAM

    def test_an_end_takes_back_only_what_was_paid_for(
        self, alice: Actor, operator: Actor, browser: FlaskClient, client: FlaskClient, stripe: FakeStripe
    ) -> None:
        bought = buy(browser, client, stripe)
        change_plan(operator, "alice@example.com", Plan.ENTERPRISE)
        bought["status"] = "canceled"
        send(client, make_event("customer.subscription.deleted", bought))
        run_jobs()
        assert plan_of(alice) is Plan.ENTERPRISE

    def test_a_subscription_to_something_else_is_nobodys(self, alice: Actor, client: FlaskClient, stripe: FakeStripe) -> None:
        stripe.subscriptions["sub_9"] = make_subscription("sub_9", "cus_9", "price_mug", "active", {})
        assert send(client, make_event("customer.subscription.updated", {"id": "sub_9"})).status_code == 200
        run_jobs()
        (event,) = events("billing.apply")
        assert (event.success, event.details["reason"]) == (False, "unknown")
        assert plan_of(alice) is Plan.FREE

    def test_a_price_that_left_the_settings_ends_nothing(
        self, alice: Actor, browser: FlaskClient, client: FlaskClient, stripe: FakeStripe
    ) -> None:
        bought = buy(browser, client, stripe)
        save_values(price_pro="price_other1")
        send(client, make_event("customer.subscription.updated", bought))
        with pytest.raises(RetryLater, match="No plan in the settings"):
            run_jobs()
        assert plan_of(alice) is Plan.PRO

    def test_a_stripe_that_is_away_is_asked_again(
        self, alice: Actor, browser: FlaskClient, client: FlaskClient, stripe: FakeStripe
    ) -> None:
        browser.post("/account/plan/checkout", data={"plan": "PRO"})
        send(client, stripe.pay())
        event_id = db.session.scalars(sa.select(BillingEvent.id)).one()
        stripe.failing = Response("busy", 503)
        with pytest.raises(RetryLater):
            run_jobs()
        assert plan_of(alice) is Plan.FREE
        services.handle_event(event_id)
        services.handle_event(event_id)
        assert plan_of(alice) is Plan.PRO
        assert len(events("billing.apply")) == 1

    def test_events_about_other_things_are_heard_and_nothing_follows(self, client: FlaskClient, stripe: FakeStripe) -> None:
        for kind, about in (
            ("customer.created", {"id": "cus_1", "object": "customer"}),
            ("checkout.session.completed", {"id": "cs_1", "mode": "payment", "subscription": None}),
            ("invoice.payment_failed", {"id": "in_1", "object": "invoice", "parent": None}),
            ("customer.subscription.updated", {"id": "../prices/price_pro1"}),
        ):
            assert send(client, make_event(kind, about)).status_code == 200
        assert billing_jobs() == 0
        assert stripe.asked == []


@pytest.mark.parametrize("before_basil", [False, True])
def test_a_failed_payment_is_told_by_mail_and_changes_nothing(
    alice: Actor, browser: FlaskClient, client: FlaskClient, stripe: FakeStripe, before_basil: bool
) -> None:
    bought = buy(browser, client, stripe)
    bought["status"] = "past_due"
    event = make_event("invoice.payment_failed", make_invoice(bought["id"], before_basil=before_basil))
    for _time in range(2):
        send(client, event)
    run_jobs()
    mails = [mail for mail in mailbox() if mail.purpose == "billing.payment_failed"]
    assert [mail.recipient for mail in mails] == ["alice@example.com"]
    assert "/account/usage" in mails[0].text
    assert plan_of(alice) is Plan.PRO


class TestSettings:
    @pytest.mark.parametrize(
        ("changed", "wrong"),
        [
            ({}, set()),
            ({"secret_key": "pk_test_1"}, {"secret_key"}),
            ({"secret_key": "sk_live_1 2"}, {"secret_key"}),
            ({"signing_secret": "secret"}, {"signing_secret"}),
            ({"price_team": "prod_1"}, {"price_team"}),
            ({"price_team": "price_pro1"}, {"price_pro"}),
        ],
    )
    def test_the_form_of_values(self, changed: dict[str, str], wrong: set[str]) -> None:
        assert set(SETTINGS.validate({**VALUES, **changed})) == wrong

    def test_the_check_asks_for_each_price(self, stripe: FakeStripe) -> None:
        stripe.prices["price_pro1"] = {"id": "price_pro1", "active": True, "type": "recurring", "livemode": False}
        stripe.prices["price_team1"] = {"id": "price_team1", "active": False, "type": "recurring", "livemode": False}
        run_check("stripe_billing")
        assert SETTINGS.check is not None
        report = SETTINGS.check(VALUES)
        assert [line.state for line in report.lines] == ["good", "bad"]
        assert not report.ok
        assert "test mode" in report.lines[0].text.en
        stripe.prices.clear()
        assert "resource_missing" in SETTINGS.check(VALUES).lines[0].text.en
        assert not SETTINGS.check({**VALUES, "secret_key": None}).ok


def test_an_account_that_is_deleted_takes_its_billing_along(
    alice: Actor, browser: FlaskClient, client: FlaskClient, stripe: FakeStripe
) -> None:
    bought = buy(browser, client, stripe)
    db.session.execute(sa.delete(User).where(User.id == alice.user_id))
    db.session.commit()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(BillingAccount)) == 0
    send(client, make_event("customer.subscription.updated", bought))
    run_jobs()
    assert events("billing.apply")[-1].success is False


def test_a_plan_given_by_an_operator_can_be_paid_for_too(alice: Actor, stripe: FakeStripe) -> None:
    set_plan(alice, str(alice.user_id), Plan.TEAM)
    offer = services.find_offer(alice)
    assert offer is not None
    assert (offer.plans, offer.is_customer) == ((Plan.PRO,), False)
    with pytest.raises(Conflict):
        services.open_portal(alice, return_url="https://x")
