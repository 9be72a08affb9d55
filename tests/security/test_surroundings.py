"""What stands around the app: proxies, host names, cookies, the file that says whom to tell, and errors that tell nothing."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import logging
import re
import runpy
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, request, session, url_for
from flask.testing import FlaskClient
from jinja2 import TemplateError
from sqlalchemy.exc import OperationalError

from hub import create_app
from hub.config import Config, check_settings
from hub.contracts.actor import Actor
from hub.egress.tls import tls_context
from hub.extensions import db
from hub.security_contact import write_security_txt

ROOT = Path(__file__).resolve().parents[2]
SPOOFED = {
    "X-Forwarded-For": "198.51.100.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "444",
    "X-Forwarded-Prefix": "/evil",
    "X-Real-IP": "198.51.100.9",
    "Forwarded": "for=198.51.100.9;host=evil.example;proto=https",
    "X-Original-URL": "/evil",
    "X-HTTP-Method-Override": "DELETE",
}


@pytest.fixture
def make_app(config: Config) -> Iterator[Callable[..., Flask]]:
    """An app of its own with some settings changed, and a page that says what the app believes of the request."""
    made = []

    def make(**changes: Any) -> Flask:
        app = create_app(dataclasses.replace(config, **changes))
        made.append(app)

        def believed() -> dict[str, Any]:
            session["seen"] = "1"
            return {
                "address": request.remote_addr,
                "secure": request.is_secure,
                "host": request.host,
                "method": request.method,
                "link": url_for("system.healthz", _external=True),
            }

        app.add_url_rule("/believed", "system.healthz_believed", believed)
        app.before_request_funcs[None] = [each for each in app.before_request_funcs[None] if each.__name__ != "_require_sign_in"]
        return app

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()


def test_nobody_overrides_what_no_proxy_was_configured_for(make_app: Callable[..., Flask]) -> None:
    answer = make_app().test_client().get("/believed", headers=SPOOFED)
    assert answer.json == {
        "address": "127.0.0.1",
        "secure": False,
        "host": "localhost",
        "method": "GET",
        "link": "http://localhost/healthz",
    }


@pytest.mark.parametrize(("hops", "address"), [(1, "192.0.2.3"), (2, "192.0.2.2")])
def test_as_many_proxies_are_believed_as_are_configured(make_app: Callable[..., Flask], hops: int, address: str) -> None:
    """The last entries are the proxies' own; what stands before them came from the visitor."""
    forwarded = {
        "X-Forwarded-For": "198.51.100.9, 192.0.2.2, 192.0.2.3",
        "X-Forwarded-Proto": ", ".join(["https"] * hops),
        "X-Forwarded-Host": ", ".join(["hub.example"] * hops),
    }
    believed = make_app(trusted_proxies=hops).test_client().get("/believed", headers={**SPOOFED, **forwarded}).json
    assert (believed["address"], believed["secure"], believed["host"]) == (address, True, "hub.example")
    assert believed["link"] == "https://hub.example/healthz"


def test_the_web_server_believes_no_header_by_itself() -> None:
    """gunicorn would take https from any X-Forwarded-Proto of this machine, whatever the hub is configured for."""
    settings = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    assert settings["forwarded_allow_ips"] == ""
    assert settings["forwarder_headers"] == ""
    assert settings["control_socket_disable"] is True


@pytest.mark.parametrize("public_url", ["https://hub.example.com", "https://hub.example.com:443/", "https://HUB.example.com"])
def test_production_answers_under_its_own_host_alone(make_app: Callable[..., Flask], public_url: str) -> None:
    client = make_app(env="production", public_url=public_url).test_client()
    assert client.get("/believed", base_url="https://hub.example.com").status_code == 200
    for host in ("evil.example", "hub.example.com.evil.example", "hub.example.com:444", "127.0.0.1"):
        for path in ("/believed", "/login", "/api/v1/me", "/static/js/hub.js", "/none"):
            answer = client.get(path, base_url=f"https://{host}")
            assert answer.status_code == 400, (host, path)
            assert "evil" not in answer.text
        assert client.get("/healthz", base_url=f"https://{host}").status_code == 200


def test_without_a_public_address_or_in_development_any_host_will_do(make_app: Callable[..., Flask]) -> None:
    for changes in ({"env": "production", "public_url": None}, {"public_url": "https://hub.example.com"}):
        assert make_app(**changes).test_client().get("/believed", base_url="https://other.example").status_code == 200


def test_every_cookie_is_bound_to_host_and_https(make_app: Callable[..., Flask]) -> None:
    client = make_app(env="production", public_url="https://hub.example.com").test_client()
    answers = [
        client.get("/believed", base_url="https://hub.example.com"),
        client.post("/preferences/", data={"theme": "dark", "language": "ar"}, base_url="https://hub.example.com"),
    ]
    cookies = [cookie for answer in answers for cookie in answer.headers.getlist("Set-Cookie")]
    assert {cookie.partition("=")[0] for cookie in cookies} >= {"__Host-hub_state"}
    for cookie in cookies:
        assert cookie.startswith("__Host-")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


def test_security_txt_says_whom_to_tell(make_app: Callable[..., Flask]) -> None:
    assert make_app().test_client().get("/.well-known/security.txt").status_code == 404
    answer = make_app(security_contact="mailto:a@hub.example").test_client().get("/.well-known/security.txt")
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    assert answer.text.startswith("Contact: mailto:a@hub.example\n")
    expires = dt.datetime.fromisoformat(re.search(r"^Expires: (.+)$", answer.text, re.MULTILINE)[1])
    assert dt.timedelta(days=100) < expires - dt.datetime.now(dt.UTC) < dt.timedelta(days=365)


def test_security_txt_names_its_own_address() -> None:
    text = write_security_txt(
        "https://hub.example/report", "https://hub.example/", dt.datetime(2026, 11, 23, 9, 5, tzinfo=dt.UTC)
    )
    assert text == (
        "Contact: https://hub.example/report\nExpires: 2027-05-22T00:00:00Z\nPreferred-Languages: en, ar\n"
        "Canonical: https://hub.example/.well-known/security.txt\n"
    )


@pytest.mark.parametrize(
    ("text", "contact"),
    [
        ("a@hub.example", "mailto:a@hub.example"),
        ("mailto:a@hub.example", "mailto:a@hub.example"),
        ("https://hub.example/report?a=1", "https://hub.example/report?a=1"),
        ("http://hub.example", None),
        ("somebody", None),
        ("a@hub.example\nExpires: 2099", None),
    ],
)
def test_a_contact_is_a_mail_address_or_a_page(text: str, contact: str | None) -> None:
    findings = {finding.setting.name: finding for finding in check_settings({"HUB_SECURITY_CONTACT": text})}
    found = findings["HUB_SECURITY_CONTACT"]
    assert (found.value, found.problem is None) == (contact, contact is not None)


def test_outgoing_tls_is_current_and_verified() -> None:
    context = tls_context(None, True, ssl.SSLSocket)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    weak = re.compile(r"RC4|3DES|DES-CBC|NULL|EXPORT|MD5|anon", re.IGNORECASE)
    assert not [cipher["name"] for cipher in context.get_ciphers() if weak.search(cipher["name"])]


def test_signing_out_clears_the_browser(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    answer = browser_of(alice).post("/logout")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'


def test_nobody_forges_a_line_of_the_log(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("hub.test")
    log.error("%s asks for %d of %s", "eve\n2026-01-01 ERROR forged", 3, Path("/a\x1b[2J"))
    log.error("%(who)s", {"who": "a\u2028b"})
    log.error("100% sure")
    assert caplog.messages == ["eve\\n2026-01-01 ERROR forged asks for 3 of /a\\x1b[2J", "a\\u2028b", "100% sure"]


def test_uploads_are_bounded_before_they_are_read(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    """A body that says it is too large is refused unread."""
    browser = browser_of(alice)
    for path in ("/requests/import", "/analyses/upload", "/requests/preview"):
        answer = browser.post(
            path, environ_overrides={"CONTENT_LENGTH": "20000001"}, content_type="multipart/form-data; boundary=x"
        )
        assert answer.status_code == 413, path


# --- Errors ------------------------------------------------------------------------------------------------------------

#: What no answer may hold: words of the error, of Python, of SQL, and places of this machine.
TELLING = re.compile(
    rf"swordfish|Traceback|File \"|\.py\b|sqlalchemy|psycopg|sqlite|SELECT |{re.escape(str(ROOT))}|/hub/|RuntimeError|jinja",
    re.IGNORECASE,
)


def _raise(error: BaseException) -> Callable[..., Any]:
    def fail(*_arguments: Any, **_options: Any) -> Any:
        raise error

    return fail


FAILURES = {
    "service": ("hub.accounts.session_list.list_sessions", RuntimeError("swordfish in /hub/accounts.py")),
    "database": (
        "hub.accounts.session_list.list_sessions",
        OperationalError("SELECT swordfish", {}, Exception("sqlite3 is gone")),
    ),
    "template": ("hub.htmx.render_template", TemplateError("swordfish in jinja")),
    "memory": ("hub.accounts.session_list.list_sessions", MemoryError("swordfish")),
    "recursion": ("hub.accounts.session_list.list_sessions", RecursionError("swordfish")),
    "unicode": ("hub.accounts.session_list.list_sessions", UnicodeDecodeError("utf-8", b"\xff", 0, 1, "swordfish")),
    "value": ("hub.accounts.session_list.list_sessions", ValueError("swordfish")),
    "key": ("hub.accounts.session_list.list_sessions", KeyError("swordfish")),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_no_page_tells_what_broke(
    name: str,
    headers: dict[str, str],
    alice: Actor,
    browser_of: Callable[[Actor], FlaskClient],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    browser = browser_of(alice)
    place, error = FAILURES[name]
    monkeypatch.setattr(place, _raise(error))
    answer = browser.get("/account/sessions", headers=headers)
    assert answer.status_code == 500
    assert not TELLING.search(answer.text), answer.text
    assert "swordfish" in caplog.text
    assert {"X-Content-Type-Options", "Content-Security-Policy"} <= set(answer.headers.keys())


@pytest.mark.parametrize("error", [each[1] for each in FAILURES.values()], ids=list(FAILURES))
def test_no_answer_of_the_api_tells_what_broke(
    error: Exception, alice: Actor, caller_of: Callable[..., Any], app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.security.routes import routes

    call = caller_of(alice)
    monkeypatch.setattr("hub.instances.services.list_instances", _raise(error))
    route = next(route for route in routes(app) if route.endpoint == "api.list_instances")
    answer = call(route, "/api/v1/instances")
    assert answer.status_code == 500
    assert answer.mimetype == "application/problem+json"
    assert not TELLING.search(answer.text.replace(answer.json["instance"], "")), answer.text


def test_what_flask_refuses_tells_nothing_either(
    app: Flask, alice: Actor, browser_of: Callable[[Actor], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = browser_of(alice)
    answers = {
        404: [
            browser.get("/none"),
            browser.get("/api/v1/none"),
            browser.get("/static/../hub/app.py"),
            browser.get("/static/js/"),
        ],
        405: [browser.post("/account/sessions"), browser.open("/", method="TRACE"), browser.delete("/api/v1/me")],
        413: [browser.post("/requests/import", data=b"x" * 20_000_001, content_type="application/octet-stream")],
    }
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    answers[400] = [browser.post("/account", data={"csrf_token": "x"})]
    for status, given in answers.items():
        for answer in given:
            assert answer.status_code == status, (status, answer.status_code, answer.text)
            assert not TELLING.search(re.sub(r"/static/[\w./-]+", "", answer.text)), answer.text


def test_a_break_while_a_change_is_made_leaves_nothing(
    alice: Actor, browser_of: Callable[[Actor], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing fails open: what was half done is taken back."""
    from hub.http_builder.models import Environment

    browser = browser_of(alice)
    monkeypatch.setattr("hub.http_builder.environments.record_event", _raise(RuntimeError("swordfish")))
    assert browser.post("/environments", data={"name": "Half"}).status_code == 500
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Environment)) == 0


def test_the_hubs_own_secrets_are_in_no_answer(config: Config, client: FlaskClient) -> None:
    texts = {base64.b64encode(key).decode() for key in config.encryption_keys}
    for path in ("/login", "/healthz", "/api/v1/openapi.json", "/.well-known/security.txt", "/none"):
        assert not any(text in client.get(path).text for text in texts)
