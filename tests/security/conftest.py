from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hub.accounts.api_keys import create_api_key
from hub.contracts.actor import Actor


@pytest.fixture(autouse=True)
def answers_instead_of_exceptions(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A route that breaks answers 500, so that one test can walk them all and name each that is wrong."""
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)


@pytest.fixture
def caller_of(app: Flask, browser_of: Callable[[Actor], FlaskClient]) -> Callable[[Actor], Callable[..., object]]:
    """Makes what calls a route as a person: pages with their browser's cookie, the API with their key."""

    def make(actor: Actor) -> Callable[..., object]:
        browser, program = browser_of(actor), app.test_client()
        _key, secret = create_api_key(actor, "Test", ["read", "write"])

        def call(route: object, path: str, headers: dict[str, str] | None = None, **options: object) -> object:
            if route.is_api:
                given = {"Authorization": f"Bearer {secret}", **(headers or {})}
                return program.open(path, method=route.method, headers=given, **options)
            return browser.open(path, method=route.method, headers=headers, **options)

        return call

    return make
