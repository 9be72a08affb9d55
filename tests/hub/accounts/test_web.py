from __future__ import annotations

import dataclasses
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hub.accounts import users
from hub.accounts.actors import Client
from hub.accounts.demo import DEMO_EMAIL, DEMO_PASSWORD
from hub.accounts.models import User
from hub.accounts.passwords import hash_password
from hub.extensions import db
from hub.htmx import own_path
from tests.hub.pages import comparable

PASSWORD = "correct horse battery"


@pytest.fixture
def person(session: object) -> str:
    """The e-mail address of somebody with a password."""
    return users.register_user("carol@example.com", PASSWORD, "Carol", client=Client()).email


def sign_in(client: FlaskClient, email: str, password: str = PASSWORD, **form: str) -> object:
    return client.post("/login", data={"email": email, "password": password, **form})


def test_signing_in_and_out(client: FlaskClient, person: str) -> None:
    answer = sign_in(client, person, next="/account")
    assert (answer.status_code, answer.location) == (303, "/account")
    cookie = answer.headers["Set-Cookie"]
    assert re.search(r"hub_session=[\w-]{43};", cookie)
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert b"Carol" in client.get("/account").data
    token = client.get_cookie("hub_session").value
    assert client.post("/logout").status_code == 303
    assert client.get_cookie("hub_session") is None
    client.set_cookie("hub_session", token)
    assert client.get("/account").status_code == 303


def test_the_demo_user_is_named_only_where_there_is_one(app: Flask, client: FlaskClient, session: object) -> None:
    assert DEMO_PASSWORD not in client.get("/login").text
    db.session.add(User(email=DEMO_EMAIL, password=hash_password(DEMO_PASSWORD), name="Demo"))
    db.session.commit()
    assert DEMO_PASSWORD in client.get("/login").text
    development = app.extensions["hub_config"]
    app.extensions["hub_config"] = dataclasses.replace(development, env="production")
    try:
        assert DEMO_PASSWORD not in client.get("/login").text
    finally:
        app.extensions["hub_config"] = development


def test_a_closed_page_leads_to_sign_in_and_back(client: FlaskClient, session: object) -> None:
    assert client.get("/account/sessions?x=1").location == "/login?next=/account/sessions?x%3D1"
    fragment = client.get("/account", headers={"HX-Request": "true", "HX-Current-URL": "http://localhost/account"})
    assert fragment.status_code == 401
    assert fragment.headers["HX-Redirect"] == "/login?next=/account"


def test_signing_in_ends_the_browsers_old_session(client: FlaskClient, person: str) -> None:
    sign_in(client, person)
    old = client.get_cookie("hub_session").value
    sign_in(client, person)
    assert client.get_cookie("hub_session").value != old
    client.set_cookie("hub_session", old)
    assert client.get("/account").status_code == 303


def test_a_token_that_the_visitor_chose_is_never_adopted(client: FlaskClient, person: str) -> None:
    client.set_cookie("hub_session", "A" * 43)
    sign_in(client, person)
    assert client.get_cookie("hub_session").value != "A" * 43


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/ok\\..", "/a\nb", "", None, "evil"],
)
def test_next_never_leads_elsewhere(target: str | None) -> None:
    assert own_path(target) == "/"


def test_wrong_address_and_wrong_password_look_the_same(client: FlaskClient, person: str) -> None:
    wrong_password = sign_in(client, person, "not this one")
    unknown = sign_in(client, "nobody@example.com")
    assert wrong_password.status_code == unknown.status_code == 422
    assert comparable(wrong_password, person) == comparable(unknown, "nobody@example.com")


def test_registering_signs_in(client: FlaskClient, session: object) -> None:
    form = {"email": "dan@example.com", "password": PASSWORD, "name": "Dan"}
    assert client.post("/register", data=form).status_code == 303
    assert b"Dan" in client.get("/account").data
    again = client.application.test_client().post("/register", data=form)
    assert again.status_code == 422


def test_registration_can_be_closed(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.accounts.views._registration_is_open", lambda: False)
    assert client.get("/register").status_code == 403
    assert client.post("/register", data={}).status_code == 403
    assert b"/register" not in client.get("/login").data


def test_an_api_key_is_shown_once(client: FlaskClient, person: str) -> None:
    sign_in(client, person)
    answer = client.post("/account/api-keys", data={"name": "Robot", "permissions": ["read"], "days": "30"})
    assert answer.status_code == 201
    secret = re.search(rb"hub_\w{8}_[\w-]{43}", answer.data)
    assert secret
    page = client.get("/account/api-keys").data
    assert b"Robot" in page
    assert secret[0] not in page


def test_what_was_chosen_for_a_key_stays_in_the_form(client: FlaskClient, person: str) -> None:
    sign_in(client, person)
    wrong = client.post("/account/api-keys", data={"name": "Robot", "permissions": ["audit:read"], "days": "9999"})
    assert (wrong.status_code, "Choose how long" in wrong.text, 'value="Robot"' in wrong.text) == (422, True, True)
    boxes = re.findall(r'name="permissions" type="checkbox" value="([^"]+)"( checked)?', wrong.text)
    assert [name for name, checked in boxes if checked] == ["audit:read"]
    nameless = client.post("/account/api-keys", data={"name": "", "permissions": ["write"], "days": "0"})
    assert re.search(r'<option value="0" selected', nameless.text)


def test_settings_follow_to_the_next_browser(app: Flask, client: FlaskClient, person: str) -> None:
    sign_in(client, person)
    client.post("/account", data={"name": "Carol", "language": "ar", "theme": "dark"})
    other = app.test_client()
    sign_in(other, person)
    assert other.get_cookie("hub_language").value == "ar"
    assert other.get_cookie("hub_theme").value == "dark"
    assert b'lang="ar"' in other.get("/account").data
