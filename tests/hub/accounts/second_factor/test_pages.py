from __future__ import annotations

import dataclasses
import datetime as dt
import html
import json
import re
from collections.abc import Callable
from urllib.parse import unquote

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from hub.accounts.models import Plan, Session, User
from hub.accounts.second_factor import services
from hub.accounts.second_factor.passkeys import RelyingParty
from hub.accounts.second_factor.web import current_relying_party
from hub.columns import utc_now
from hub.contracts.actor import Actor, Role
from hub.extensions import db
from tests.hub.accounts.people import PASSWORD
from tests.hub.accounts.second_factor.authenticator import Authenticator
from tests.hub.accounts.second_factor.conftest import PARTY, App, Clock, add_passkey

AppOf = Callable[[Actor], App]
BrowserOf = Callable[[Actor], FlaskClient]
FORM = {"email": "dora@example.com", "password": PASSWORD}


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found
    return html.unescape(found[1])


def age_sessions() -> None:
    db.session.execute(sa.update(Session).values(authenticated_at=utc_now() - dt.timedelta(hours=1)))
    db.session.commit()


class TestSignIn:
    def test_in_two_steps(self, client: FlaskClient, dora: Actor, app_of: AppOf) -> None:
        app = app_of(dora)
        answer = client.post("/login", data={**FORM, "next": "/account"})
        assert (answer.status_code, answer.location) == (303, "/login/second-factor?next=/account")
        assert client.get_cookie("hub_session") is None
        page = client.get(answer.location)
        assert '<input type="hidden" name="next" value="/account">' in page.text
        assert client.get("/account").location.startswith("/login")
        wrong = client.post("/login/second-factor", data={"code": "000000", "next": "/account"})
        assert wrong.status_code == 422
        assert 'id="error-code"' in wrong.text
        right = client.post("/login/second-factor", data={"code": app.code(), "next": "/account"})
        assert (right.status_code, right.location) == (303, "/account")
        assert "Dora" in client.get("/account").text
        assert client.get("/login/second-factor").location.startswith("/login?next=/")

    def test_too_many_codes_say_when_to_come_back(self, client: FlaskClient, dora: Actor, app_of: AppOf) -> None:
        app_of(dora)
        client.post("/login", data=FORM)
        answers = [client.post("/login/second-factor", data={"code": "000000"}) for _number in range(6)]
        assert [answer.status_code for answer in answers] == [422] * 5 + [429]
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 300

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_without_a_first_half_it_begins_anew(self, client: FlaskClient, session: object, method: str) -> None:
        answer = client.open("/login/second-factor", method=method.upper(), query_string={"next": "//evil.example"})
        assert (answer.status_code, answer.location) == (303, "/login?next=/")

    def test_passkeys_are_offered_where_they_work(self, app: Flask, client: FlaskClient, dora: Actor) -> None:
        add_passkey(dora, Authenticator(PARTY))
        for host, offered in (("localhost", True), ("127.0.0.1:8000", False), ("[::1]", False), ("hub.example", False)):
            base = f"http://{host}/"
            assert ("data-passkey" in client.get("/login", base_url=base).text) is offered
            browser = app.test_client()
            browser.post("/login", data=FORM, base_url=base)
            assert ("data-passkey" in browser.get("/login/second-factor", base_url=base).text) is offered
            assert browser.post("/login/passkey/challenge", base_url=base).status_code == (200 if offered else 409)

    def test_with_a_passkey_alone(self, client: FlaskClient, dora: Actor) -> None:
        device = Authenticator(PARTY)
        add_passkey(dora, device)
        ceremony = client.post("/login/passkey/challenge").json
        form = {"ceremony": ceremony["token"], "passkey": device.sign(ceremony["options"]), "next": "/account"}
        answer = client.post("/login/passkey", data=form)
        assert (answer.status_code, answer.location) == (303, "/account")
        assert "Dora" in client.get("/account").text
        again = client.application.test_client().post("/login/passkey", data=form)
        assert again.location == "/login?next=/account"

    def test_a_passkeys_answer_is_worth_nothing_in_another_browser(self, app: Flask, client: FlaskClient, dora: Actor) -> None:
        device = Authenticator(PARTY)
        add_passkey(dora, device)
        ceremony = client.post("/login/passkey/challenge").json
        form = {"ceremony": ceremony["token"], "passkey": device.sign(ceremony["options"])}
        thief = app.test_client()
        thief.post("/login/passkey/challenge")
        assert thief.post("/login/passkey", data=form).location == "/login?next=/"
        assert thief.get("/account").location.startswith("/login")
        assert client.post("/login/passkey", data=form).location == "/"

    def test_with_a_passkey_after_the_password(self, client: FlaskClient, dora: Actor) -> None:
        device = Authenticator(PARTY, verifies=False)
        add_passkey(dora, device)
        client.post("/login", data=FORM)
        ceremony = client.post("/login/second-factor/passkey").json
        wrong = client.post("/login/second-factor", data={"passkey": "{}"})
        assert wrong.status_code == 422
        assert "The passkey was not accepted" in wrong.text
        ceremony = client.post("/login/second-factor/passkey").json
        answer = client.post("/login/second-factor", data={"passkey": device.sign(ceremony["options"])})
        assert answer.status_code == 303
        assert client.get("/account").status_code == 200


class TestOwnFactors:
    def test_from_nothing_to_an_app_with_codes(self, browser_of: BrowserOf, dora: Actor, clock: Clock) -> None:
        browser = browser_of(dora)
        assert "No second factor yet" in browser.get("/account/security").text
        page = browser.get("/account/security/app")
        assert page.headers["Cache-Control"] == "no-store"
        assert '<img src="data:image/svg+xml' in page.text
        secret = re.search(r'id="secret">([A-Z2-7 ]+)<', page.text)[1].replace(" ", "")
        form = {"sealed": hidden(page.text, "sealed"), "code": "000000"}
        wrong = browser.post("/account/security/app", data=form)
        assert wrong.status_code == 422
        assert hidden(wrong.text, "sealed") == form["sealed"]
        done = browser.post("/account/security/app", data={**form, "code": clock.code(secret)})
        assert done.status_code == 201
        codes = re.findall(r"[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}", done.text)
        assert len(set(codes)) == 10
        file = unquote(re.search(r'href="data:text/plain;charset=utf-8,([^"]+)"', done.text)[1])
        assert set(codes) < set(file.splitlines())
        page = browser.get("/account/security").text
        assert "10 codes left" in page
        assert not any(code in page for code in codes)
        assert browser.post("/account/security/app", data={"sealed": "x", "code": "1"}).location == "/account/security/app"

    def test_what_changes_something_asks_again_who_it_is(self, browser_of: BrowserOf, dora: Actor, app_of: AppOf) -> None:
        app = app_of(dora)
        add_passkey(dora, Authenticator(PARTY))
        passkey = services.list_factors(dora).passkeys[0]
        browser = browser_of(dora)
        age_sessions()
        for path in ("/account/security/app", "/account/security/passkeys/new"):
            assert browser.get(path).location == f"/account/confirm?next={path}"
        for path in ("app", "app/remove", "codes", "passkeys", "passkeys/challenge", f"passkeys/{passkey.id}/remove"):
            assert browser.post(f"/account/security/{path}").location.startswith("/account/confirm"), path
        assert services.list_factors(dora).codes_left == 10
        page = browser.get("/account/confirm?next=/account/security/app").text
        assert 'name="password"' not in page
        assert 'name="code"' in page
        assert "data-passkey" in page
        form = {"way": "code", "next": "/account/security/app"}
        assert browser.post("/account/confirm", data={**form, "way": "password", "password": PASSWORD}).status_code == 422
        assert browser.post("/account/confirm", data={**form, "code": "000000"}).status_code == 422
        assert browser.post("/account/confirm", data={**form, "code": app.code()}).location == "/account/security/app"
        assert browser.get("/account/security/app").status_code == 200

    def test_a_passkey_confirms_too(self, browser_of: BrowserOf, dora: Actor, bob: Actor) -> None:
        device, his = Authenticator(PARTY), Authenticator(PARTY)
        add_passkey(dora, device)
        add_passkey(bob, his)
        browser = browser_of(dora)
        age_sessions()
        for signer, status in ((his, 422), (device, 303)):
            ceremony = browser.post("/account/confirm/passkey").json
            form = {"way": "passkey", "ceremony": ceremony["token"], "passkey": signer.sign(ceremony["options"])}
            assert browser.post("/account/confirm", data=form).status_code == status
        assert browser.get("/account/security/app").status_code == 200

    def test_passkeys_are_added_renamed_and_removed(self, browser_of: BrowserOf, dora: Actor) -> None:
        browser, device = browser_of(dora), Authenticator(PARTY)
        assert browser.get("/account/security/passkeys/new").status_code == 200
        for name, status in (("", 422), ("<b>Phone</b>", 201)):
            ceremony = browser.post("/account/security/passkeys/challenge").json
            form = {"ceremony": ceremony["token"], "passkey": device.create(ceremony["options"]), "name": name}
            assert browser.post("/account/security/passkeys", data=form).status_code == status
        page = browser.get("/account/security").text
        assert "&lt;b&gt;Phone&lt;/b&gt;" in page
        passkey = services.list_factors(dora).passkeys[0]
        browser.post(f"/account/security/passkeys/{passkey.id}", data={"name": " "})
        assert "at most 80 characters" in browser.get("/account/security").text
        browser.post(f"/account/security/passkeys/{passkey.id}", data={"name": "Laptop"})
        assert services.list_factors(dora).passkeys[0].name == "Laptop"
        assert browser.post(f"/account/security/passkeys/{passkey.id}/remove").location == "/account/security"
        assert services.list_factors(dora).passkeys == []

    def test_new_codes(self, browser_of: BrowserOf, dora: Actor, app_of: AppOf) -> None:
        old = app_of(dora).recovery_codes
        answer = browser_of(dora).post("/account/security/codes")
        assert answer.status_code == 201
        codes = re.findall(r"[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}", answer.text)
        assert not set(codes) & set(old)


class TestRequired:
    @pytest.fixture
    def demand(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
        def of(who: str) -> None:
            config = dataclasses.replace(app.extensions["hub_config"], require_second_factor=frozenset({who}))
            monkeypatch.setitem(app.extensions, "hub_config", config)

        return of

    @pytest.mark.parametrize(("who", "role", "plan"), [("operators", Role.OPERATOR, Plan.FREE), ("team", Role.USER, Plan.TEAM)])
    def test_nothing_else_opens_until_there_is_one(
        self, demand: Callable[[str], None], browser_of: BrowserOf, dora: Actor, app_of: AppOf, who: str, role: Role, plan: Plan
    ) -> None:
        browser = browser_of(dora)
        demand(who)
        assert browser.get("/account").status_code == 200
        db.session.execute(sa.update(User).where(User.id == dora.user_id).values(role=role, plan=plan))
        db.session.commit()
        for path in ("/", "/account", "/executions", "/there-is/nothing"):
            answer = browser.get(path)
            assert answer.location == ("/account/security" if path != "/there-is/nothing" else None)
        assert browser.post("/account", data={"name": "X"}).location == "/account/security"
        fragment = browser.get("/executions", headers={"HX-Request": "true"})
        assert (fragment.status_code, fragment.headers["HX-Redirect"]) == (204, "/account/security")
        assert "Set up a second factor to go on" in browser.get("/account/security").text
        assert browser.get("/account/security/app").status_code == 200
        app_of(dora)
        assert browser_of(dora).get("/account").status_code == 200

    def test_the_last_one_stays(
        self, demand: Callable[[str], None], browser_of: BrowserOf, dora: Actor, app_of: AppOf, told: list[str]
    ) -> None:
        app_of(dora)
        demand("free")
        browser = browser_of(dora)
        assert browser.post("/account/security/app/remove").status_code == 409
        factors = services.list_factors(dora)
        assert (factors.is_on, factors.has_app, factors.codes_left) == (True, True, 10)
        add_passkey(dora, Authenticator(PARTY))
        assert browser.post("/account/security/app/remove").status_code == 303
        assert told[-1] == "notice.app_removed"

    def test_signing_out_is_always_possible_and_keys_stay(
        self, app: Flask, demand: Callable[[str], None], browser_of: BrowserOf, dora: Actor
    ) -> None:
        from hub.accounts.api_keys import create_api_key

        _key, secret = create_api_key(dora, "Robot", ["read"])
        demand("free")
        program = app.test_client()
        assert program.get("/api/v1/instances", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
        assert browser_of(dora).post("/logout").location == "/login"


@pytest.mark.parametrize(
    ("public_url", "env", "opened", "expected"),
    [
        (None, "development", "http://localhost:8000/", RelyingParty("localhost", "http://localhost:8000")),
        (None, "development", "https://dev.example/", RelyingParty("dev.example", "https://dev.example")),
        (None, "development", "http://127.0.0.1:8000/", None),
        (None, "production", "https://spoofed.example/", None),
        (
            "https://hub.example.com/",
            "production",
            "https://spoofed.example/",
            RelyingParty("hub.example.com", "https://hub.example.com"),
        ),
        (
            "https://hub.example.com:8443",
            "production",
            "https://x/",
            RelyingParty("hub.example.com", "https://hub.example.com:8443"),
        ),
        ("http://hub.example.com", "production", "http://hub.example.com/", None),
        ("https://192.0.2.1", "production", "https://192.0.2.1/", None),
        ("https://[2001:db8::1]", "production", "https://x/", None),
    ],
)
def test_where_passkeys_belong(
    app: Flask, monkeypatch: pytest.MonkeyPatch, public_url: str | None, env: str, opened: str, expected: RelyingParty | None
) -> None:
    config = dataclasses.replace(app.extensions["hub_config"], public_url=public_url, env=env)
    monkeypatch.setitem(app.extensions, "hub_config", config)
    with app.test_request_context("/", base_url=opened):
        assert current_relying_party() == expected


def test_answers_for_the_browser_are_json(client: FlaskClient, session: object) -> None:
    answer = client.post("/login/passkey/challenge")
    assert answer.mimetype == "application/json"
    assert set(json.loads(answer.data)) == {"token", "options"}
