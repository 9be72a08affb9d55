from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hub.accounts.actors import Client
from hub.accounts.api_clients import become_program
from hub.accounts.api_keys import create_api_key
from hub.accounts.sessions import open_session
from hub.contracts.actor import Actor
from hub.json_api import PERSON, list_scopes
from tests.hub.accounts.people import person


@pytest.fixture(autouse=True)
def answers_instead_of_exceptions(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A route that breaks answers 500, so that one test can walk them all and name each that is wrong."""
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)


@pytest.fixture
def caller_of(app: Flask, browser_of: Callable[[Actor], FlaskClient]) -> Callable[[Actor], Callable[..., object]]:
    """Makes what calls a route as a person: pages with their browser's cookie, the API with their key, or the access token
    of a program where no key is enough."""

    def make(actor: Actor) -> Callable[..., object]:
        browser, program = browser_of(actor), app.test_client()
        _key, secret = create_api_key(person(str(actor.user_id)), "Test", ["read", "write"])
        token = become_program(open_session(str(actor.user_id), Client(via="api"))).access_token
        persons_own = {name for name, scope in list_scopes().items() if scope.endswith(f":{PERSON}")}

        def call(route: object, path: str, headers: dict[str, str] | None = None, **options: object) -> object:
            if route.is_api:
                bearer = token if route.endpoint in persons_own else secret
                given = {"Authorization": f"Bearer {bearer}", **(headers or {})}
                return program.open(path, method=route.method, headers=given, **options)
            return browser.open(path, method=route.method, headers=headers, **options)

        return call

    return make
