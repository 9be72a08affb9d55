from __future__ import annotations

import json
import re

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer

from hub.contracts.actor import Actor
from hub.egress import EgressPolicy
from hub.extensions import db
from hub.plugin_settings.models import SETTINGS, PluginSetting
from plugins.billing.stripe_billing import client
from plugins.billing.stripe_billing.provider import NAME
from tests.plugins.stripe_billing.stripe import KEY, SECRET, FakeStripe

VALUES = {
    "secret_key": KEY,
    "signing_secret": SECRET,
    "price_pro": "price_pro1",
    "price_team": "price_team1",
    "price_enterprise": None,
}


def save_values(**changed: str | None) -> None:
    """The plugin's settings, as an operator left them."""
    row = db.session.get(PluginSetting, NAME)
    if row is None:
        row = PluginSetting(plugin=NAME)
        db.session.add(row)
    row.sealed = SETTINGS.encrypt(json.dumps({**VALUES, **changed}), NAME)
    db.session.commit()


@pytest.fixture
def stripe(app: Flask, alice: Actor, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> FakeStripe:
    """Stripe on loopback, and the plugin set up for it."""
    fake = FakeStripe(httpserver)
    httpserver.expect_request(re.compile("/v1/.*")).respond_with_handler(fake)
    monkeypatch.setattr(client, "API", httpserver.url_for("").rstrip("/"))
    monkeypatch.setitem(app.extensions, "hub_egress", EgressPolicy(loopback=True))
    save_values()
    return fake
