from __future__ import annotations

import pytest

from hub.catalog.filling import make_draft, variables_of
from hub.catalog.packs import load_pack
from hub.http_builder.rendering import find_names

STRIPE = load_pack("plugins.services.stripe")
OPENAI = load_pack("plugins.services.openai")
SHOPIFY = load_pack("plugins.services.shopify")
DISCORD = load_pack("plugins.services.discord")


def test_what_is_the_services_gets_its_name_and_the_rest_stays() -> None:
    endpoint = STRIPE.endpoint("create-customer")
    draft = make_draft(
        STRIPE, endpoint, {"STRIPE_SECRET_KEY": "x", "STRIPE_VERSION": "v", "CUSTOMER_EMAIL": "a@b.c", "CUSTOMER_NAME": "A"}
    )
    assert draft.definition.auth.token == "{{stripe.STRIPE_SECRET_KEY}}"
    assert {pair.name: pair.value for pair in draft.definition.variables} == {"CUSTOMER_EMAIL": "a@b.c", "CUSTOMER_NAME": "A"}
    assert find_names(draft.definition) == {
        "stripe.STRIPE_SECRET_KEY",
        "stripe.STRIPE_VERSION",
        "CUSTOMER_EMAIL",
        "CUSTOMER_NAME",
    }
    assert draft.secrets == {}
    assert (draft.name, draft.folder, draft.origin) == ("Stripe: Create Customer", "Stripe", "pack:stripe/create-customer")
    assert draft.definition.assertions[0].expected == "2xx"


def test_what_stays_empty_is_switched_off() -> None:
    draft = make_draft(STRIPE, STRIPE.endpoint("list-customers"), {"STRIPE_SECRET_KEY": "x", "LIMIT": "10", "EMAIL": ""})
    assert {row.name: row.enabled for row in draft.definition.params} == {"limit": True, "email": False}
    assert {row.name: row.enabled for row in draft.definition.headers} == {"Stripe-Version": False}
    refund = make_draft(STRIPE, STRIPE.endpoint("create-refund"), {"STRIPE_SECRET_KEY": "x", "PAYMENT_INTENT_ID": "pi_1"})
    assert {row.name: row.enabled for row in refund.definition.body.fields} == {"payment_intent": True, "amount": False}
    assert {row.name: row.enabled for row in refund.definition.headers}["Idempotency-Key"]
    headers = make_draft(OPENAI, OPENAI.endpoint("list-models"), {"OPENAI_API_KEY": "x"}).definition.headers
    assert not any(row.enabled for row in headers)


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ("", {"SHOP", "SHOPIFY_API_VERSION", "SHOPIFY_CLIENT_ID", "SHOPIFY_CLIENT_SECRET"}),
        ("access-token", {"SHOP", "SHOPIFY_API_VERSION", "SHOPIFY_ACCESS_TOKEN"}),
        ("no-such-choice", {"SHOP", "SHOPIFY_API_VERSION", "SHOPIFY_CLIENT_ID", "SHOPIFY_CLIENT_SECRET"}),
    ],
)
def test_only_what_the_chosen_way_needs_is_asked(choice: str, names: set[str]) -> None:
    assert {variable.name for variable in variables_of(SHOPIFY, SHOPIFY.endpoint("shop"), choice)} == names


def test_an_endpoint_may_sign_in_by_its_address() -> None:
    endpoint = DISCORD.endpoint("execute-webhook")
    draft = make_draft(DISCORD, endpoint, {})
    assert draft.definition.auth.type == "none"
    assert draft.definition.url.endswith("/{{WEBHOOK_ID}}/{{discord.DISCORD_WEBHOOK_TOKEN}}")
    assert {variable.name for variable in variables_of(DISCORD, endpoint)} == {"DISCORD_WEBHOOK_TOKEN", "WEBHOOK_ID", "TEXT"}
