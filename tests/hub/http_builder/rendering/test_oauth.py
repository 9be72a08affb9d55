"""OAuth2 against a little authorization server on loopback: fetched, kept, renewed, refused, signed in for."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from pytest_httpserver import HTTPServer
from werkzeug import Request as Asked
from werkzeug import Response

from hub.accounts.models import User
from hub.audit.models import AuditLog
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.exchange import Exchange, ExchangeLimits, WireRequest
from hub.contracts.http import Auth, BasicAuth, OAuth2ClientCredentials, OAuth2Code, RequestDefinition
from hub.egress import EgressError, current_policy, send_exchange
from hub.extensions import db
from hub.http_builder import oauth_sign_in
from hub.http_builder.definitions import columns_of
from hub.http_builder.models import OAuthToken, Request
from hub.http_builder.rendering import RenderError, TokenError, Value, Values, has_token, prepare, token_for
from hub.http_builder.rendering.oauth import client_of, fetch_token
from hub.http_builder.rendering.tokens import MARGIN
from hub.http_builder.rendering.words import describe_token_error
from tests.conftest import make_user

SECRET = "client/secret:1"


class AuthorizationServer:
    """RFC 6749 and 7636, as far as a client can tell. Tokens are numbered; ``refuse`` and ``answer`` change what it says."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("").rstrip("/")
        self.host = urlsplit(self.url).netloc
        self.forms: list[dict[str, str]] = []
        self.logins: list[str] = []
        self.expires_in: int | None = 3600
        self.answer: Response | None = None
        self.refresh_tokens: set[str] = set()
        self.codes: dict[str, str] = {}
        self._lock = threading.Lock()
        server.expect_request("/token", method="POST").respond_with_handler(self._token)

    def _token(self, asked: Asked) -> Response:
        with self._lock:
            form = asked.form.to_dict()
            self.forms.append(form)
            self.logins.append(asked.headers.get("Authorization", ""))
            number = len(self.forms)
            if self.answer is not None:
                return self.answer
            kind = form["grant_type"]
            if kind == "refresh_token":
                if form["refresh_token"] not in self.refresh_tokens:
                    return self._refuse("invalid_grant")
                self.refresh_tokens.remove(form["refresh_token"])
            if kind == "authorization_code":
                challenge = self.codes.pop(form["code"], "")
                given = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
                if given != challenge:
                    return self._refuse("invalid_grant")
            answer: dict[str, Any] = {"access_token": f"access-token-{number}", "token_type": "Bearer"}
            if self.expires_in is not None:
                answer["expires_in"] = self.expires_in
            if kind != "client_credentials":
                answer["refresh_token"] = f"refresh-token-{number}"
                self.refresh_tokens.add(answer["refresh_token"])
            return Response(json.dumps(answer), content_type="application/json")

    def _refuse(self, error: str) -> Response:
        return Response(json.dumps({"error": error}), 400, content_type="application/json")

    def approve(self, address: str) -> dict[str, str]:
        """The person signs in at ``address``: what the service sends back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        self.codes["code-1"] = asked["code_challenge"]
        return {"code": "code-1", "state": asked["state"]}


@pytest.fixture
def server(httpserver: HTTPServer) -> AuthorizationServer:
    return AuthorizationServer(httpserver)


@pytest.fixture
def send(app: Flask) -> Callable[[WireRequest, ExchangeLimits], Exchange]:
    with app.app_context():
        policy = current_policy()
    return lambda wire, limits: send_exchange(policy, wire, limits)


def definition_with(server: AuthorizationServer, **fields: Any) -> RequestDefinition:
    auth = OAuth2ClientCredentials(
        token_url=f"{server.url}/token", client_id="my client", client_secret="{{CLIENT_SECRET}}", **fields
    )
    return RequestDefinition(url=f"{server.url}/api", auth=auth)


def values_with(server: AuthorizationServer, **more: Any) -> Values:
    return Values([Value("CLIENT_SECRET", SECRET, True, more.get("hosts", (server.host,)))])


def stored_tokens() -> list[OAuthToken]:
    return list(db.session.scalars(sa.select(OAuthToken)))


# --- Client credentials ----------------------------------------------------------------------------------------------


def test_a_token_is_fetched_once_and_kept_encrypted(server: AuthorizationServer, alice: Actor, send: Any) -> None:
    definition, values = definition_with(server, scope="read", audience="https://api"), values_with(server)
    assert not has_token(alice, definition, values)
    assert token_for(alice, definition, values, send) == "access-token-1"
    assert token_for(alice, definition, values, send) == "access-token-1"
    assert server.forms == [{"grant_type": "client_credentials", "scope": "read", "audience": "https://api"}]
    login = base64.b64decode(server.logins[0].removeprefix("Basic ")).decode()
    assert login == "my+client:client%2Fsecret%3A1"
    [row] = stored_tokens()
    assert has_token(alice, definition, values)
    assert "access-token" not in row.access_token
    assert row.access_token.startswith("v1.")


def test_the_client_can_sign_in_by_the_form(server: AuthorizationServer, alice: Actor, send: Any) -> None:
    definition = definition_with(server, client_authentication="body")
    assert token_for(alice, definition, values_with(server), send) == "access-token-1"
    assert server.forms == [{"grant_type": "client_credentials", "client_id": "my client", "client_secret": SECRET}]
    assert server.logins == [""]


def test_a_token_is_renewed_a_minute_before_it_runs_out(server: AuthorizationServer, alice: Actor, send: Any) -> None:
    definition, values = definition_with(server), values_with(server)
    token_for(alice, definition, values, send)
    [row] = stored_tokens()
    row.expires_at = utc_now() + MARGIN * 1.5
    db.session.commit()
    assert token_for(alice, definition, values, send) == "access-token-1"
    row.expires_at = utc_now() + MARGIN * 0.9
    db.session.commit()
    assert token_for(alice, definition, values, send) == "access-token-2"


def test_a_refused_token_is_fetched_anew_once(server: AuthorizationServer, alice: Actor, send: Any) -> None:
    server.expires_in = None
    definition, values = definition_with(server), values_with(server)
    first = token_for(alice, definition, values, send)
    second = token_for(alice, definition, values, send, refused=first)
    assert (first, second) == ("access-token-1", "access-token-2")
    # Another run that was refused with the first token takes what is there by now.
    assert token_for(alice, definition, values, send, refused=first) == second


def test_tokens_are_apart_by_person_client_scope_and_host(
    server: AuthorizationServer, alice: Actor, bob: Actor, send: Any
) -> None:
    definition, values = definition_with(server), values_with(server, hosts=(server.host, "127.0.0.1", "localhost"))
    elsewhere = definition.model_copy(update={"url": definition.url.replace(server.host, "localhost:1")})
    scoped = definition_with(server, scope="write")
    tokens = [
        token_for(actor, asked, values, send)
        for actor, asked in ((alice, definition), (bob, definition), (alice, scoped), (alice, elsewhere))
    ]
    assert len(set(tokens)) == 4


def test_a_token_goes_no_further_than_the_clients_secret(server: AuthorizationServer, alice: Actor, send: Any) -> None:
    stolen = definition_with(server).model_copy(update={"url": "https://evil.example/"})
    with pytest.raises(RenderError) as raised:
        token_for(alice, stolen, values_with(server), send)
    [problem] = raised.value.problems
    assert (problem.place, problem.code, problem.details["host"]) == ("auth.client_secret", "secret-host", "evil.example")
    assert server.forms == []


def test_a_client_that_is_not_filled_in(server: AuthorizationServer, alice: Actor, send: Any) -> None:
    auth = OAuth2ClientCredentials(token_url="{{MISSING}}")
    with pytest.raises(RenderError) as raised:
        token_for(alice, RequestDefinition(url="", auth=auth), Values(), send)
    assert {(problem.place, problem.code) for problem in raised.value.problems} == {
        ("auth.token_url", "unresolved"),
        ("auth.client_id", "auth-empty"),
        ("auth.client_secret", "auth-empty"),
        ("url", "url-missing"),
    }


@pytest.mark.parametrize(
    ("answer", "code", "details"),
    [
        (
            Response('{"error": "invalid_client", "error_description": "Bad client/secret:1"}', 401),
            "refused",
            {"error": "invalid_client", "description": "Bad ••••••"},
        ),
        (Response('{"error": "bad_verification_code"}', 200), "refused", {"error": "bad_verification_code", "description": ""}),
        (Response("error=slow_down&error_description=Wait", 200), "refused", {"error": "slow_down", "description": "Wait"}),
        (Response('{"error": {"code": 403, "message": "no"}}', 403), "refused", {"error": "403", "description": ""}),
        (Response("<html>", 404), "status", {"status": 404}),
        (Response("", 302, {"Location": "/login"}), "status", {"status": 302}),
        (Response("<html>", 200), "no-token", {}),
        (Response('{"access_token": ""}', 200), "no-token", {}),
        (Response('{"access_token": ["x"]}', 200), "no-token", {}),
        (Response("[" * 100_000, 200), "no-token", {}),
        (Response(b"\xff\xfe", 200), "no-token", {}),
    ],
)
def test_answers_without_a_token(
    server: AuthorizationServer, alice: Actor, send: Any, answer: Response, code: str, details: dict[str, Any]
) -> None:
    server.answer = answer
    with pytest.raises(TokenError) as raised:
        token_for(alice, definition_with(server), values_with(server), send)
    assert (raised.value.code, raised.value.details) == (code, details)
    assert stored_tokens() == []
    assert SECRET not in describe_token_error(code, details)


def test_a_form_as_answer(server: AuthorizationServer, alice: Actor, send: Any) -> None:
    server.answer = Response(urlencode({"access_token": "form-token", "expires_in": "nonsense"}), 200)
    assert token_for(alice, definition_with(server), values_with(server), send) == "form-token"
    assert stored_tokens()[0].expires_at is None


def test_a_token_url_that_is_not_there(server: AuthorizationServer, alice: Actor) -> None:
    def send(_wire: WireRequest, _limits: ExchangeLimits) -> Exchange:
        raise EgressError("dns", host="auth.example")

    with pytest.raises(TokenError) as raised:
        token_for(alice, definition_with(server), values_with(server), send)
    assert raised.value.details == {"egress": "dns", "host": "auth.example"}
    assert "auth.example" in describe_token_error("unreachable", raised.value.details)


def test_what_is_asked_is_bounded_and_bound(server: AuthorizationServer, send: Any) -> None:
    asked: list[tuple[WireRequest, ExchangeLimits]] = []

    def note(wire: WireRequest, limits: ExchangeLimits) -> Exchange:
        asked.append((wire, limits))
        return send(wire, limits)

    client = client_of(definition_with(server), values_with(server))
    fetch_token(client, {"grant_type": "client_credentials"}, note)
    [(wire, limits)] = asked
    assert wire.secret_hosts == ((SECRET, (server.host,)),)
    assert SECRET in wire.secrets
    assert (limits.follow_redirects, limits.max_bytes) == (False, 200_000)
    assert SECRET not in repr(client)
    assert SECRET not in repr(wire).replace(repr(wire.headers), "")


@pytest.fixture
def committed(app: Flask) -> Iterator[Actor]:
    """A person whose rows other threads see."""
    with app.app_context():
        actor = Actor(user_id=make_user("oauth-threads").id)
        db.session.commit()
        yield actor
        db.session.execute(sa.delete(User).where(User.id == actor.user_id))
        db.session.commit()


def test_many_at_once_fetch_one_token(app: Flask, server: AuthorizationServer, committed: Actor, send: Any) -> None:
    definition, values = definition_with(server), values_with(server)

    def fetch(_number: int) -> str:
        with app.app_context():
            return token_for(committed, definition, values, send)

    with ThreadPoolExecutor(8) as threads:
        tokens = set(threads.map(fetch, range(16)))
    assert tokens == {"access-token-1"}
    assert len(server.forms) == 1


# --- Authorization code ----------------------------------------------------------------------------------------------


def saved(actor: Actor, auth: Auth, url: str) -> Request:
    definition = RequestDefinition(url=url, auth=auth)
    request = Request(user_id=actor.user_id, name="My calendar", **columns_of(definition))
    db.session.add(request)
    db.session.commit()
    return request


@pytest.fixture
def calendar(server: AuthorizationServer, alice: Actor) -> Request:
    auth = OAuth2Code(
        authorization_url=f"{server.url}/authorize?prompt=consent",
        token_url=f"{server.url}/token",
        client_id="calendar-app",
        scope="read write",
    )
    return saved(alice, auth, f"{server.url}/events")


def begin(browser: FlaskClient, request: Request) -> str:
    """Open the page; the address that its link leads to."""
    page = browser.get(f"/requests/oauth/sign-in?request_id={request.id}")
    assert page.status_code == 200
    assert "My calendar" in page.text
    [address] = [part.partition('"')[0] for part in page.text.split('href="') if "code_challenge" in part]
    return address.replace("&amp;", "&")


def flashed(browser: FlaskClient) -> str:
    with browser.session_transaction() as kept:
        return " ".join(message for _kind, message in kept.pop("_flashes", []))


def test_signing_in_stores_a_token(
    server: AuthorizationServer, alice: Actor, calendar: Request, browser_of: Callable[[Actor], FlaskClient], send: Any
) -> None:
    browser = browser_of(alice)
    address = begin(browser, calendar)
    asked = parse_qs(urlsplit(address).query)
    assert asked["prompt"] == ["consent"]
    assert asked["scope"] == ["read write"]
    assert asked["redirect_uri"] == ["http://localhost/requests/oauth/callback"]
    back = browser.get("/requests/oauth/callback", query_string=server.approve(address))
    assert (back.status_code, back.location) == (303, f"/requests/{calendar.id}")
    assert "signed in" in flashed(browser)
    assert server.forms[0]["client_id"] == "calendar-app"
    assert server.forms[0]["redirect_uri"] == asked["redirect_uri"][0]
    definition = RequestDefinition.model_validate({"url": calendar.url, "auth": calendar.auth})
    token = token_for(alice, definition, Values(), send)
    assert token == "access-token-1"
    assert ("Authorization", "Bearer access-token-1") in prepare(definition, Values(), files={}, token=token).wire.headers
    assert db.session.scalar(sa.select(sa.func.count()).where(AuditLog.action == "request.sign-in")) == 1


def test_the_refresh_token_is_rotated(
    server: AuthorizationServer, alice: Actor, calendar: Request, browser_of: Callable[[Actor], FlaskClient], send: Any
) -> None:
    browser = browser_of(alice)
    browser.get("/requests/oauth/callback", query_string=server.approve(begin(browser, calendar)))
    definition = RequestDefinition.model_validate({"url": calendar.url, "auth": calendar.auth})
    second = token_for(alice, definition, Values(), send, refused="access-token-1")
    third = token_for(alice, definition, Values(), send, refused=second)
    assert [form.get("refresh_token") for form in server.forms] == [None, "refresh-token-1", "refresh-token-2"]
    assert third == "access-token-3"
    server.refresh_tokens.clear()
    with pytest.raises(TokenError) as raised:
        token_for(alice, definition, Values(), send, refused=third)
    assert raised.value.code == "sign-in-needed"
    assert stored_tokens() == []


def test_a_service_that_keeps_the_refresh_token(
    server: AuthorizationServer, alice: Actor, calendar: Request, browser_of: Callable[[Actor], FlaskClient], send: Any
) -> None:
    browser = browser_of(alice)
    browser.get("/requests/oauth/callback", query_string=server.approve(begin(browser, calendar)))
    definition = RequestDefinition.model_validate({"url": calendar.url, "auth": calendar.auth})
    server.answer = Response('{"access_token": "next"}', 200)
    assert token_for(alice, definition, Values(), send, refused="access-token-1") == "next"
    server.answer = None
    assert token_for(alice, definition, Values(), send, refused="next") == "access-token-3"
    assert server.forms[2]["refresh_token"] == "refresh-token-1"


def test_nobody_is_signed_in_yet(server: AuthorizationServer, alice: Actor, calendar: Request, send: Any) -> None:
    definition = RequestDefinition.model_validate({"url": calendar.url, "auth": calendar.auth})
    with pytest.raises(TokenError) as raised:
        token_for(alice, definition, Values(), send)
    assert raised.value.code == "sign-in-needed"


def test_an_answer_that_was_not_asked_for(
    server: AuthorizationServer,
    alice: Actor,
    bob: Actor,
    calendar: Request,
    browser_of: Callable[[Actor], FlaskClient],
) -> None:
    browser, other = browser_of(alice), browser_of(alice)
    answer = server.approve(begin(browser, calendar))
    for stranger in (other, browser_of(bob)):
        assert stranger.get("/requests/oauth/callback", query_string=answer).location == "/requests"
        assert "no sign-in" in flashed(stranger)
    wrong = browser.get("/requests/oauth/callback", query_string={**answer, "state": "x"})
    assert wrong.location == f"/requests/{calendar.id}"
    assert "no sign-in" in flashed(browser)
    # Each sign-in ends once, well or badly.
    assert browser.get("/requests/oauth/callback", query_string=answer).location == "/requests"
    assert server.forms == []


def test_another_person_in_the_same_browser(
    server: AuthorizationServer, alice: Actor, bob: Actor, calendar: Request, browser_of: Callable[[Actor], FlaskClient]
) -> None:
    browser, bobs = browser_of(alice), browser_of(bob)
    answer = server.approve(begin(browser, calendar))
    with browser.session_transaction() as kept:
        sealed = kept["oauth_sign_in"]
    with bobs.session_transaction() as kept:
        kept["oauth_sign_in"] = sealed
    bobs.get("/requests/oauth/callback", query_string=answer)
    assert "no sign-in" in flashed(bobs)
    assert server.forms == []


def test_a_declined_a_late_and_a_changed_sign_in(
    server: AuthorizationServer,
    alice: Actor,
    calendar: Request,
    browser_of: Callable[[Actor], FlaskClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser = browser_of(alice)
    state = server.approve(begin(browser, calendar))["state"]
    browser.get("/requests/oauth/callback", query_string={"state": state, "error": "access_denied"})
    assert "declined" in flashed(browser)

    with monkeypatch.context() as slow:
        slow.setattr(oauth_sign_in, "MAX_SECONDS", -1)
        answer = server.approve(begin(browser, calendar))
    browser.get("/requests/oauth/callback", query_string=answer)
    assert "too long" in flashed(browser)

    answer = server.approve(begin(browser, calendar))
    calendar.url = "https://evil.example/"
    db.session.commit()
    browser.get("/requests/oauth/callback", query_string=answer)
    assert "no sign-in" in flashed(browser)
    assert server.forms == []


def test_a_wrong_verifier_is_refused_by_the_server(
    server: AuthorizationServer, alice: Actor, calendar: Request, browser_of: Callable[[Actor], FlaskClient]
) -> None:
    browser = browser_of(alice)
    answer = server.approve(begin(browser, calendar))
    server.codes["code-1"] = "another challenge"
    browser.get("/requests/oauth/callback", query_string=answer)
    assert "expired or was taken back" in flashed(browser)
    assert stored_tokens() == []


def test_requests_that_have_no_sign_in(
    server: AuthorizationServer, alice: Actor, bob: Actor, calendar: Request, browser_of: Callable[[Actor], FlaskClient]
) -> None:
    browser = browser_of(alice)
    plain = saved(alice, BasicAuth(username="u"), "https://a.example/")
    assert browser.get(f"/requests/oauth/sign-in?request_id={plain.id}").status_code == 303
    assert "no OAuth2 sign-in" in flashed(browser)
    empty = saved(alice, OAuth2Code(token_url="{{X}}"), "https://a.example/")
    assert browser.get(f"/requests/oauth/sign-in?request_id={empty.id}").status_code == 303
    assert "{{X}} has no value" in flashed(browser)
    assert browser_of(bob).get(f"/requests/oauth/sign-in?request_id={calendar.id}").status_code == 404
    assert browser.get("/requests/oauth/sign-in").status_code == 404
