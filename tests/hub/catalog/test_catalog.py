from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from hub.catalog.models import Template
from hub.catalog.services import (
    PackOrigin,
    find_endpoints,
    list_categories,
    list_services,
    list_templates,
    load_packs,
    store_packs,
)
from hub.contracts.actor import Actor
from hub.contracts.catalog import ServicePack
from hub.extensions import db


def pack(service: str = "acme", *names: str, url: str = "https://api.example.com/v1") -> ServicePack:
    return ServicePack.model_validate(
        {
            "service_id": service,
            "service_name": service.title(),
            "category": "tests",
            "endpoints": [
                {"endpoint_id": name, "endpoint_name": name.title(), "method": "GET", "url_template": f"{url}/{name}"}
                for name in names or ("one", "two")
            ],
        }
    )


def stored() -> dict[str, Template]:
    return {row.endpoint_id: row for row in db.session.execute(sa.select(Template)).scalars()}


def test_packs_are_stored_once(alice: Actor) -> None:
    assert store_packs([pack()], drop_others=True) == 2
    assert store_packs([pack()], drop_others=True) == 0
    assert [row.endpoint_id for row in list_templates(alice).rows] == ["one", "two"]


def test_the_hubs_own_packs_are_stored_whole_and_once(alice: Actor) -> None:
    assert load_packs() == sum(card.endpoints for card in list_services(alice))
    assert load_packs() == 0
    assert len(list_services(alice)) == 14
    row = stored()["create-customer"]
    assert (row.service_name, row.is_official, row.plugin) == ("Stripe", True, "stripe")
    assert row.body_template == {"email": "{{CUSTOMER_EMAIL}}", "name": "{{CUSTOMER_NAME}}"}
    assert row.headers["Stripe-Version"] == "{{STRIPE_VERSION}}"
    assert "STRIPE_SECRET_KEY" in {variable["name"] for variable in row.variables}


def test_a_changed_template_keeps_its_id_and_count(alice: Actor) -> None:
    store_packs([pack()], drop_others=True)
    before = stored()["one"]
    before.usage_count = 7
    ids = {name: row.id for name, row in stored().items()}
    assert store_packs([pack(url="https://api.example.com/v2")], drop_others=True) == 2
    db.session.expire_all()
    after = stored()
    assert after["one"].url_template == "https://api.example.com/v2/one"
    assert after["one"].usage_count == 7
    assert {name: row.id for name, row in after.items()} == ids


def test_what_a_pack_no_longer_has_is_dropped(alice: Actor) -> None:
    store_packs([pack(), pack("other", "three")], drop_others=True)
    store_packs([pack("acme", "two")], drop_others=False)
    assert set(stored()) == {"two", "three"}
    store_packs([pack("acme", "two")], drop_others=True)
    assert set(stored()) == {"two"}


def test_a_plugin_with_a_problem_costs_no_template(alice: Actor, app: object, monkeypatch: pytest.MonkeyPatch) -> None:
    store_packs([pack("other", "three")], drop_others=True)
    plugins = app.extensions["hub_plugins"]
    monkeypatch.setattr(plugins.plugins["stripe"], "problem", "broken")
    load_packs()
    assert "three" in stored()
    for info in plugins.plugins.values():
        monkeypatch.setattr(info, "problem", None)
    load_packs()
    assert "three" not in stored()
    assert "list-customers" in stored()


def test_filters_and_pages(alice: Actor) -> None:
    store_packs([pack("acme", "one", "two"), pack("zeta", "three")], drop_others=True)
    assert [row.endpoint_id for row in list_templates(alice, service="zeta").rows] == ["three"]
    assert [row.endpoint_id for row in list_templates(alice, search="TW").rows] == ["two"]
    assert list_templates(alice, search="%").rows == []
    assert list_templates(alice, category="nothing").rows == []
    first = list_templates(alice, limit=2)
    assert [row.endpoint_id for row in list_templates(alice, limit=2, cursor=first.next_cursor).rows] == ["three"]


def test_services_are_counted_and_found_by_their_requests(alice: Actor) -> None:
    origins = {"zeta": PackOrigin("zeta_pack", False)}
    store_packs([pack("acme", "one", "two"), pack("zeta", "three")], drop_others=True, origins=origins)
    stored()["two"].usage_count = 3
    db.session.flush()
    acme, zeta = list_services(alice)
    assert (acme.service.service_id, acme.endpoints, acme.used, acme.origin) == ("acme", 2, 3, PackOrigin())
    assert (zeta.service.service_id, zeta.endpoints, zeta.used, zeta.origin) == ("zeta", 1, 0, origins["zeta"])
    assert [card.service.service_id for card in list_services(alice, search="three")] == ["zeta"]
    assert [row.endpoint_id for row in find_endpoints(alice, "acme")] == ["two", "one"]
    assert list_categories(alice) == ["tests"]


def test_a_search_reads_both_languages(alice: Actor) -> None:
    load_packs()
    assert [card.service.service_id for card in list_services(alice, search="جداول جوجل")] == ["google-sheets"]
    assert {"slack", "twilio", "telegram", "discord"} <= {row.service_id for row in find_endpoints(alice, "إرسال رسالة")}
    assert {row.endpoint_id for row in find_endpoints(alice, "create refund", "payments")} == {"create-refund"}


def test_the_page_lists_services_by_category(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    load_packs()
    page = browser_of(alice).get("/templates").text
    for name in ("Stripe", "Shopify Admin", "WhatsApp Cloud API", "Artificial intelligence", "9 requests"):
        assert name in page
    part = browser_of(alice).get("/templates?search=refund", headers={"HX-Request": "true"}).text
    assert "Create Refund" in part
    assert "<html" not in part
    assert "List Customers" not in part
    assert "No templates found" in browser_of(alice).get("/templates?search=nothing-like-this").text


def test_the_page_is_in_the_readers_language(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    load_packs()
    browser = browser_of(alice)
    browser.set_cookie("hub_language", "ar")
    assert "جداول جوجل" in browser.get("/templates").text
