from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

from hub.catalog.packs import load_pack

PACK = load_pack("plugins.services.stripe")
ENDPOINTS = {endpoint.endpoint_id: endpoint for endpoint in PACK.endpoints}


def test_the_seeds_example_is_there() -> None:
    seed = ENDPOINTS["list-customers"]
    assert (PACK.service_id, PACK.service_name, PACK.category) == ("stripe", "Stripe", "payments")
    assert (seed.endpoint_name, seed.method, seed.url_template) == (
        "List Customers",
        "GET",
        "https://api.stripe.com/v1/customers",
    )
    assert seed.headers == {"Authorization": "Bearer {{STRIPE_SECRET_KEY}}"}
    (variable,) = seed.variables
    assert (variable.name, variable.description, variable.required) == ("STRIPE_SECRET_KEY", "Stripe Secret API Key", True)


def test_every_request_is_authorised_and_bodies_are_forms() -> None:
    assert len(ENDPOINTS) == 6
    for endpoint in PACK.endpoints:
        assert endpoint.headers["Authorization"] == "Bearer {{STRIPE_SECRET_KEY}}"
        has_body = endpoint.method == "POST"
        assert (endpoint.body_template is not None) is has_body
        assert (endpoint.headers.get("Content-Type") == "application/x-www-form-urlencoded") is has_body
        assert all(isinstance(value, str) for value in (endpoint.body_template or {}).values())


def test_paths_are_stripes_own(shared: Path) -> None:
    facts = json.loads((shared / "research/vendor_ops.json").read_text(encoding="utf-8"))["stripe"]
    known = {(fact["method"], fact["path"]): fact["content_types"] for fact in facts["ops"]}
    unlisted = []
    for endpoint in PACK.endpoints:
        address = urlsplit(endpoint.url_template)
        assert f"{address.scheme}://{address.netloc}" == facts["server"]
        content_types = known.get((endpoint.method, address.path))
        if content_types is None:
            unlisted.append((endpoint.method, address.path))
        else:
            sent = endpoint.headers.get("Content-Type")
            assert content_types == ([sent] if sent else [])
    # The facts list collections only; this one reads a member of a collection that they list.
    assert unlisted == [("GET", "/v1/payment_intents/{{PAYMENT_INTENT_ID}}")]
    assert ("GET", "/v1/payment_intents") in known
