from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from hub.catalog.models import Template
from hub.catalog.packs import PackError, load_pack
from hub.catalog.services import list_services, list_templates, load_packs, store_packs
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
    assert list_services(alice) == [("acme", "Acme", "tests"), ("zeta", "Zeta", "tests")]


def test_the_page_lists_the_bundled_packs(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    load_packs()
    page = browser_of(alice).get("/templates?service=stripe").text
    assert "List Customers" in page
    assert "{{STRIPE_SECRET_KEY}}" in page
    part = browser_of(alice).get("/templates?search=refund", headers={"HX-Request": "true"}).text
    assert "Create Refund" in part
    assert "List Customers" not in part


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"category": None}, "category: "),
        ({"surprise": 1}, "surprise: "),
        ({"endpoints": []}, "endpoints: "),
        ({"endpoints": [{"endpoint_id": "One"}]}, "endpoints.0.endpoint_id: "),
        ({"endpoints": [{"url_template": "http://api.example.com"}]}, "endpoints.0.url_template: "),
        ({"endpoints": [{"url_template": "https://x.example/{{KEY}}"}]}, "placeholders and variables differ: KEY"),
        ({"endpoints": [{}, {}]}, "endpoint ids are used twice: one"),
    ],
)
def test_a_wrong_pack_is_refused_with_its_place(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    data = json.loads(pack("acme", "one").model_dump_json())
    template = data["endpoints"][0]
    data |= change
    if change.get("endpoints"):
        data["endpoints"] = [{**template, **part} for part in change["endpoints"]]
    file = tmp_path / "pack.yaml"
    file.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(PackError) as caught:
        load_pack(file)
    assert str(file) in str(caught.value)
    assert reason in str(caught.value)


@pytest.mark.parametrize("text", ["{", "- 1", "", "!!python/object/apply:os.system [id]"])
def test_a_file_that_is_no_pack_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "pack.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PackError):
        load_pack(file)
    with pytest.raises(PackError):
        load_pack(tmp_path / "missing.yaml")
