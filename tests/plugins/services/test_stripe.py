from __future__ import annotations

from hub.catalog.packs import load_pack
from hub.contracts.http import BearerAuth

PACK = load_pack("plugins.services.stripe")
ENDPOINTS = {endpoint.endpoint_id: endpoint for endpoint in PACK.endpoints}


def test_the_seeds_example_is_there() -> None:
    seed = ENDPOINTS["list-customers"]
    assert (PACK.service_id, PACK.service_name.en, PACK.category) == ("stripe", "Stripe", "payments")
    assert (seed.endpoint_name.en, seed.method, seed.url_template) == (
        "List Customers",
        "GET",
        "https://api.stripe.com/v1/customers",
    )
    assert PACK.auth == BearerAuth(token="{{STRIPE_SECRET_KEY}}")
    key = PACK.variables[0]
    assert (key.name, key.required, key.secret) == ("STRIPE_SECRET_KEY", True, True)
    assert key.description.en.startswith("Stripe Secret API Key")


def test_bodies_are_forms_and_sent_once() -> None:
    for endpoint in PACK.endpoints:
        has_body = endpoint.method == "POST"
        assert (endpoint.body.kind == "form") is has_body
        assert ("Idempotency-Key" in {header.name for header in endpoint.headers}) is has_body
