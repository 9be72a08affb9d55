"""Who gets in: sign-in on every route, refusal of cross-site requests and of forms without their token, headers everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hub.accounts.actors import Client
from hub.accounts.models import User
from hub.accounts.sessions import open_session
from hub.accounts.web import PUBLIC_ENDPOINTS
from hub.contracts.actor import Actor, Role
from hub.extensions import db
from tests.security.estate import build_estate
from tests.security.routes import SAFE, Route, routes

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def unsafe_routes(app: Flask) -> list[Route]:
    return [route for route in routes(app) if route.method not in SAFE]


@pytest.fixture
def ids(alice: Actor) -> dict[str, str]:
    return build_estate(alice)


@pytest.fixture
def with_tokens(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """CSRF tokens are checked, as outside of tests."""
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)


def test_the_public_list_names_real_endpoints_and_little(app: Flask) -> None:
    known = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert known >= PUBLIC_ENDPOINTS
    pages = {name for name in PUBLIC_ENDPOINTS if not name.startswith(("api", "openapi"))}
    assert pages == {
        "static",
        "system.healthz",
        "system.security_txt",
        "preferences.choose",
        "accounts.login",
        "accounts.submit_login",
        "accounts.register",
        "accounts.submit_register",
        "second_factor.ask",
        "second_factor.submit",
        "second_factor.ask_for_passkey",
        "second_factor.begin_passkey_sign_in",
        "second_factor.sign_in_with_passkey",
        "registration.confirm",
        "registration.submit_confirm",
        "passwords.forgot",
        "passwords.submit_forgot",
        "passwords.reset",
        "passwords.submit_reset",
        "passwords.strength",
        "mail.mailbox",
        "billing.hear",
    }


@pytest.mark.parametrize("file", ["", '; filename="a.json"'])
def test_a_part_of_a_form_without_a_name_is_refused(
    ids: dict[str, str], alice: Actor, browser_of: Callable[[Actor], FlaskClient], file: str
) -> None:
    part = f"--x\r\nContent-Disposition: form-data{file}\r\n\r\n1\r\n--x--\r\n"
    address = f"/requests/{ids['request_id']}/preview"
    answer = browser_of(alice).post(address, data=part.encode(), content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 422
    assert "Each part of the form needs a name." in answer.text


def test_nobody_gets_in_unknown(app: Flask, ids: dict[str, str], client: FlaskClient) -> None:
    """Without a session pages lead to sign-in, fragments too; without a key the API answers 401. A cookie opens no API."""
    in_cookie = app.test_client()
    in_cookie.set_cookie("hub_session", "x" * 43)
    wrong = []
    for route in routes(app):
        if route.endpoint in PUBLIC_ENDPOINTS:
            continue
        path = route.path(ids)
        for browser in (client, in_cookie):
            page = browser.open(path, method=route.method)
            part = browser.open(path, method=route.method, headers={"HX-Request": "true"})
            if route.is_api:
                fine = page.status_code == part.status_code == 401
            else:
                leads = page.location.startswith("/login") and part.headers["HX-Redirect"].startswith("/login")
                fine = (page.status_code, part.status_code) == (303, 401) and leads
            if not fine:
                wrong.append((str(route), page.status_code, part.status_code))
    assert wrong == []


def test_a_session_opens_no_api_and_a_key_no_page(
    app: Flask, ids: dict[str, str], alice: Actor, browser_of: Callable[[Actor], FlaskClient]
) -> None:
    from hub.accounts.api_keys import create_api_key

    _key, secret = create_api_key(alice, "Test", ["read", "write"])
    browser, program = browser_of(alice), app.test_client()
    wrong = []
    for route in routes(app):
        if route.endpoint in PUBLIC_ENDPOINTS:
            continue
        path = route.path(ids)
        if route.is_api:
            answer, expected = browser.open(path, method=route.method), 401
        else:
            answer, expected = program.open(path, method=route.method, headers={"Authorization": f"Bearer {secret}"}), 303
        if answer.status_code != expected:
            wrong.append((str(route), answer.status_code))
    assert wrong == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:81"},
    ],
)
@pytest.mark.usefixtures("with_tokens")
def test_every_unsafe_route_refuses_other_sites(
    app: Flask, ids: dict[str, str], alice: Actor, caller_of: Callable[..., Any], headers: dict[str, str]
) -> None:
    call = caller_of(alice)
    answers = [(str(route), call(route, route.path(ids), headers).status_code) for route in unsafe_routes(app)]
    assert [answer for answer in answers if answer[1] != 403] == []
    assert len(answers) > 5


@pytest.mark.usefixtures("with_tokens")
def test_every_unsafe_page_needs_its_token(app: Flask, ids: dict[str, str], alice: Actor, caller_of: Callable[..., Any]) -> None:
    """The API takes no cookie, so it needs no token; every form does, sign-in among them."""
    call = caller_of(alice)
    wrong = []
    for route in unsafe_routes(app):
        for form in ({}, {"csrf_token": "rubbish"}):
            status = call(route, route.path(ids), {"Sec-Fetch-Site": "same-origin"}, data=form).status_code
            if not route.is_api and status != 400:
                wrong.append((str(route), status))
    assert wrong == []


@pytest.mark.usefixtures("with_tokens")
def test_a_form_with_its_token_works(client: FlaskClient, alice: Actor) -> None:
    """Else the two tests above would pass on an app that refuses everything."""
    page = client.get("/login").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    form = {"csrf_token": token[1], "email": "alice@example.com", "password": "wrong"}
    assert client.post("/login", data=form, headers={"Origin": "http://localhost"}).status_code == 422
    assert client.post("/login", data={**form, "csrf_token": ""}, headers={"X-CSRFToken": token[1]}).status_code == 422
    assert app_without_its_cookie(client).post("/login", data=form).status_code == 400


def app_without_its_cookie(client: FlaskClient) -> FlaskClient:
    """Another browser: a token is bound to the browser that it was given to."""
    return client.application.test_client()


def test_headers_are_on_every_answer(
    app: Flask, ids: dict[str, str], alice: Actor, operator: Actor, caller_of: Callable[..., Any], client: FlaskClient
) -> None:
    calls = [caller_of(alice), caller_of(operator), lambda route, path: client.open(path, method=route.method)]
    wrong = []
    for route in routes(app):
        for call in calls:
            answer = call(route, route.path(ids))
            wrong += [(str(route), problem) for problem in header_problems(answer)]
    for path in ("/there-is-no-such-page", "/static/none.css"):
        wrong += [(path, problem) for problem in header_problems(client.get(path), cached=path.startswith("/static"))]
    assert wrong == []


def header_problems(answer: Any, *, cached: bool = False) -> list[str]:
    """What is missing or too lax in an answer's headers."""
    problems = [name for name, value in HEADERS.items() if answer.headers.get(name) != value]
    policy = answer.headers.get("Content-Security-Policy", "")
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";") if " " in part.strip())
    nonces = set(re.findall(r'<script\b[^>]*\bnonce="([\w-]{22})"', answer.text)) if answer.mimetype == "text/html" else set()
    expected = " ".join(f"'nonce-{nonce}'" for nonce in nonces) or "'none'"
    if directives.get("default-src") != "'none'" or directives.get("script-src") != expected:
        problems.append(f"lax policy: {policy}")
    if directives.get("require-trusted-types-for") != "'script'" or directives.get("trusted-types") != "default":
        problems.append(f"lax policy: {policy}")
    if "unsafe" in policy or "frame-ancestors 'none'" not in policy:
        problems.append(f"lax policy: {policy}")
    if not cached and "no-store" not in answer.headers.get("Cache-Control", ""):
        problems.append("may be cached")
    if not cached and not {"Cookie", "HX-Request"} <= set(answer.vary):
        problems.append("Vary")
    problems += ["cookie without HttpOnly" for cookie in answer.headers.getlist("Set-Cookie") if "HttpOnly" not in cookie]
    return problems


def test_behind_https_the_cookie_is_bound_to_its_host(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, session: object
) -> None:
    import dataclasses

    from hub.accounts import users

    users.register_user("e@example.com", "correct horse", "E", client=Client())
    config = dataclasses.replace(app.extensions["hub_config"], public_url="https://hub.example.com")
    monkeypatch.setitem(app.extensions, "hub_config", config)
    form = {"email": "e@example.com", "password": "correct horse"}
    answer = client.post("/login", data=form, base_url="https://hub.example.com")
    cookie = next(value for value in answer.headers.getlist("Set-Cookie") if value.startswith("__Host-hub="))
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "/\\evil.example", "/%0d%0aSet-Cookie:x=1\r\n"])
def test_no_redirect_leads_away(browser_of: Callable[[Actor], FlaskClient], alice: Actor, target: str) -> None:
    browser = browser_of(alice)
    for answer in (
        browser.get("/login", query_string={"next": target}),
        browser.post("/preferences/", data={"next": target, "theme": "dark"}),
    ):
        assert answer.status_code == 303
        assert answer.location == "/"


def test_nobody_gives_themselves_rights(client: FlaskClient, session: object) -> None:
    extra = {"role": "OPERATOR", "plan": "ENTERPRISE", "is_operator": "1", "email_verified": "1", "id": "c1"}
    client.post("/register", data={"email": "f@example.com", "password": "correct horse", "name": "F", **extra})
    client.post("/account", data={"name": "F", "language": "en", "theme": "dark", "email": "g@example.com", **extra})
    user = db.session.query(User).filter_by(email="f@example.com").one()
    assert (user.role, user.plan, user.email_verified) == (Role.USER, "FREE", False)
    assert client.get("/plugins").status_code == 403


def test_a_lost_role_counts_at_once(alice: Actor, operator: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    browser = browser_of(operator)
    assert browser.get("/plugins").status_code == 200
    db.session.get_one(User, operator.user_id).role = Role.USER
    db.session.commit()
    assert browser.get("/plugins").status_code == 403


def test_an_unexpected_error_says_nothing(
    app: Flask, alice: Actor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    token = open_session(str(alice.user_id), Client())
    browser = app.test_client()
    browser.set_cookie("hub_session", token)

    def explode(*_arguments: object) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr("hub.accounts.session_list.list_sessions", explode)
    answer = browser.get("/account/sessions")
    assert answer.status_code == 500
    assert "swordfish" not in answer.text
    assert "Something went wrong" in answer.text
    assert "swordfish" in caplog.text


def test_health_needs_no_sign_in_and_tells_the_truth(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.exc import OperationalError

    assert client.get("/healthz").json == {"status": "ok"}

    def fail(*_arguments: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("down"))

    monkeypatch.setattr(db.session, "execute", fail)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert "down" not in answer.text


def test_a_refused_fragment_says_why_in_few_words(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    answer = browser_of(alice).get("/executions/c000", headers={"HX-Request": "true"})
    assert answer.status_code == 404
    assert "data-error" in answer.text
    assert "<html" not in answer.text
