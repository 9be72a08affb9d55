"""What operators and owners see where a key is lost, and that saving other things destroys nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hub.contracts.actor import Actor
from hub.crypto import Vault
from hub.extensions import db
from hub.http_builder import environments
from hub.http_builder.environments import VariableDraft
from hub.instances import services as instances
from hub.instances.models import Instance

RIGHT, WRONG = bytes(range(1, 33)), bytes(range(101, 133))


@pytest.fixture
def lose_key(app: Flask) -> Iterator[Callable[[], None]]:
    """Puts a wrong key in place of the right one; what the dashboard counted is forgotten before and after."""
    right = app.extensions["hub_vault"]

    def lose() -> None:
        app.extensions.pop("hub_lost_values", None)
        app.extensions["hub_vault"] = Vault((WRONG,))

    yield lose
    app.extensions["hub_vault"] = right
    app.extensions.pop("hub_lost_values", None)


@pytest.fixture
def shop(alice: Actor) -> Instance:
    return instances.create_instance(alice, name="Shop", url="http://127.0.0.9:5678", api_key="n8n-secret-key")


def test_operators_see_which_rows_cannot_be_read(
    shop: Instance, operator: Actor, browser_of: Callable[[Actor], FlaskClient], lose_key: Callable[[], None]
) -> None:
    browser = browser_of(operator)
    assert "Every value was made with the newest key" in browser.get("/system/keys").text
    lose_key()
    page = browser.get("/system/keys").text
    assert "1 value cannot be read" in page
    assert all(words in page for words in ("n8n API key", "Shop", "alice@example.com", "enters the key again"))
    assert "1 secret cannot be read" in browser.get("/").text


def test_others_see_neither_page_nor_banner(
    shop: Instance, alice: Actor, browser_of: Callable[[Actor], FlaskClient], lose_key: Callable[[], None]
) -> None:
    lose_key()
    browser = browser_of(alice)
    assert browser.get("/system/keys").status_code == 403
    assert "secret cannot be read" not in browser.get("/").text


def test_the_owner_sees_it_on_the_instance_and_may_go_on_saving(
    app: Flask, shop: Instance, alice: Actor, browser_of: Callable[[Actor], FlaskClient], lose_key: Callable[[], None]
) -> None:
    before, right = shop.api_key, app.extensions["hub_vault"]
    browser = browser_of(alice)
    words = "The stored API key cannot be opened"
    assert words not in browser.get(f"/instances/{shop.id}").text
    lose_key()
    assert words in browser.get(f"/instances/{shop.id}").text
    instances.update_instance(alice, shop.id, name="Shop of Alice", url=shop.url)
    db.session.refresh(shop)
    assert (shop.name, shop.api_key) == ("Shop of Alice", before)
    app.extensions["hub_vault"] = right
    assert instances.known_secrets(shop) == ["n8n-secret-key"]
    assert words not in browser.get(f"/instances/{shop.id}").text


def test_a_secret_variable_keeps_its_envelope(alice: Actor, lose_key: Callable[[], None]) -> None:
    draft = VariableDraft(name="TOKEN", value="hidden", is_secret=True, hosts=("api.example.com",))
    variable = environments.create_variable(alice, None, draft)
    before = variable.secret_value
    lose_key()
    changed = VariableDraft(name="RENAMED", value="", is_secret=True, hosts=("api.example.com",))
    environments.update_variable(alice, variable.id, changed)
    db.session.refresh(variable)
    assert (variable.name, variable.secret_value) == ("RENAMED", before)
