"""What docs/security/ says, held against the code."""

from __future__ import annotations

import csv
import datetime as dt
import importlib
import inspect
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient

from hub import crypto
from hub.accounts import sessions
from hub.accounts.models import Session, User
from hub.audit.models import AuditLog
from hub.config import SETTINGS
from hub.contracts.actor import Actor
from hub.extensions import db
from tests.security.estate import build_estate
from tests.security.routes import routes

ROOT = Path(__file__).resolve().parents[2]
DECISIONS = (ROOT / "docs" / "security" / "decisions.md").read_text(encoding="utf-8")
TABLE = ROOT / "docs" / "security" / "asvs.csv"


def test_every_decision_is_written_down() -> None:
    """Each requirement that this test is said to show has its section, and the section says something."""
    with TABLE.open(encoding="utf-8", newline="") as stream:
        wanted = {row["id"] for row in csv.DictReader(stream) if "::test_every_decision_is_written_down" in row["tests"]}
    said = {
        name: len(body)
        for title, body in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", DECISIONS, re.MULTILINE | re.DOTALL)
        for name in re.findall(r"\d+\.\d+\.\d+", title)
    }
    assert sorted(name for name in wanted if said.get(name, 0) < 200) == []
    assert len(wanted) > 15


def _value_of(place: str, app: Flask) -> Any:
    """What a setting's default, an entry of the app's configuration or a constant of a module says."""
    module, _colon, name = place.partition(":")
    if not name:
        return int(next(setting.default or "" for setting in SETTINGS if setting.name == place))
    return app.config[name] if module == "hub.app" else getattr(importlib.import_module(module), name)


def test_numbers_are_those_of_the_code(app: Flask) -> None:
    rows = re.findall(r"^\|(?:[^|\n]*\|)*?\s*(\d+)( \w+)?[^|\n]*\| `([\w.:]+)` \|$", DECISIONS, re.MULTILINE)
    units = {"days": 86_400, "minutes": 60}
    wrong = []
    for number, unit, place in rows:
        value = _value_of(place, app)
        said = dt.timedelta(seconds=int(number) * units[unit.strip()]) if isinstance(value, dt.timedelta) else int(number)
        if value != said:
            wrong.append((place, said, value))
    assert wrong == []
    assert len(rows) == len(re.findall(r"\| `(?:[\w.]+:\w+|HUB_\w+)` \|$", DECISIONS, re.MULTILINE)) > 15


def test_the_places_that_it_names_are_there() -> None:
    for path in re.findall(r"`(docs/[\w./-]+|tests/[\w./-]+)`", DECISIONS):
        assert (ROOT / path).is_file(), path
    known = {setting.name for setting in SETTINGS} | {"HUB_ENV"}
    assert set(re.findall(r"`(HUB_[A-Z_]+)`", DECISIONS)) <= known


def test_no_answer_opens_itself_to_other_origins(app: Flask, alice: Actor, caller_of: Callable[..., Any]) -> None:
    ids, call = build_estate(alice), caller_of(alice)
    for route in routes(app):
        if route.method == "GET":
            answer = call(route, route.path(ids), {"Origin": "https://evil.example"})
            assert not [name for name in dict(answer.headers) if name.startswith("Access-Control")], route


def test_reading_changes_nothing(app: Flask, alice: Actor, caller_of: Callable[..., Any]) -> None:
    """Every GET once: no row of what a person owns comes, goes or changes."""
    ids, call = build_estate(alice), caller_of(alice)
    watched = [mapper.local_table for mapper in db.Model.registry.mappers if "user_id" in mapper.local_table.columns]
    noted = {"sessions", "api_keys", "audit_logs", "rate_buckets", "request_usage", "oauth_tokens"}  # that they were used

    def look() -> dict[str, list[Any]]:
        return {table.name: sorted(map(repr, db.session.execute(table.select()))) for table in watched if table.name not in noted}

    before = look()
    for route in routes(app):
        if route.method == "GET":
            call(route, route.path(ids))
    after = look()
    assert {name for name in before if before[name] != after[name]} == set()
    assert len(before) > 5


def test_every_answer_says_what_it_is(app: Flask, alice: Actor, caller_of: Callable[..., Any]) -> None:
    ids, call = build_estate(alice), caller_of(alice)
    wrong = []
    for route in routes(app):
        if route.method != "GET":
            continue
        answer = call(route, route.path(ids))
        if not answer.data:
            continue
        kind = answer.content_type
        is_page = answer.data.lstrip()[:1] == b"<"
        if (answer.mimetype.startswith("text/") and "charset=utf-8" not in kind) or (answer.mimetype == "text/html") != is_page:
            wrong.append((str(route), kind))
    assert wrong == []


def test_password_fields_are_masked_and_open_to_managers() -> None:
    """Every field that a password is typed into; and none for a hint or a secret question."""
    fields = []
    for file in (ROOT / "templates").rglob("*.html"):
        fields += re.findall(r"[^\n]*(?:name=|\()['\"](?:\w*_)?password['\"][^\n]*", file.read_text(encoding="utf-8"))
    assert len(fields) >= 3
    assert [field for field in fields if "password" not in re.sub(r"name=['\"]\w+['\"]", "", field)] == []
    everything = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "templates").rglob("*.html"))
    assert "onpaste" not in everything
    assert 'autocomplete="off" type="password"' not in everything
    assert not [column.name for column in User.__table__.columns if re.search(r"hint|question", column.name)]


def test_no_password_expires() -> None:
    columns = User.__table__.columns.keys()
    assert not [name for name in columns if "password" in name and re.search(r"expire|until|valid|age", name)]


def test_tokens_are_long_and_random(alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty-two bytes of the system's randomness each."""
    from hub.accounts.actors import Client

    asked: list[int] = []
    real = secrets.token_urlsafe
    monkeypatch.setattr(secrets, "token_urlsafe", lambda count=None: asked.append(count or 32) or real(count))
    tokens = {sessions.open_session(str(alice.user_id), Client()) for _ in range(20)}
    assert len(tokens) == 20
    assert min(len(token) for token in tokens) >= 43
    assert all(count >= 32 for count in asked)
    assert not {row.token for row in db.session.query(Session)} & tokens


def test_every_page_leads_out(app: Flask, alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    browser, ids = browser_of(alice), build_estate(alice)
    pages = 0
    for route in routes(app):
        if route.method == "GET" and not route.is_api:
            answer = browser.get(route.path(ids))
            if answer.status_code == 200 and "<html" in answer.text:
                pages += 1
                assert 'action="/logout"' in answer.text, route
    assert pages > 20


def test_signed_values_have_one_algorithm_and_a_purpose(app: Flask) -> None:
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    mine = signer.dumps({"a": 1})
    assert signer.loads(mine) == {"a": 1}
    body, stamp, mac = mine.rsplit(".", 2)
    for forged in (f"{body}.{stamp}.", f"{body}.{stamp}", f"{body}.{stamp}.{'A' * len(mac)}", f"e30.{stamp}.{mac}"):
        with pytest.raises(Exception, match=r"signature|separator|No|does not match"):
            signer.loads(forged)
    assert signer.salt != b"wtf-csrf-token"
    assert len(app.config["SECRET_KEY"]) == 64


def test_envelopes_are_aes_256_gcm() -> None:
    assert "AESGCM(" in inspect.getsource(crypto)
    assert AESGCM(secrets.token_bytes(32))
    imported = re.findall(r"^from cryptography[\w.]* import (.+)$", inspect.getsource(crypto), re.MULTILINE)
    assert {name.strip() for line in imported for name in line.split(",")} <= {"AESGCM", "HKDF", "SHA256", "InvalidTag", "hashes"}


def test_htmx_keeps_no_pages() -> None:
    frame = (ROOT / "templates" / "base.html").read_text(encoding="utf-8")
    for setting in ('"historyCacheSize": 0', '"allowEval": false', '"allowScriptTags": false', '"selfRequestsOnly": true'):
        assert setting in frame
    assert "inlineScriptNonce" not in frame


def test_production_shows_no_development_pages(config: Any) -> None:
    import dataclasses

    from hub import create_app

    production = create_app(dataclasses.replace(config, env="production", public_url=None))
    with production.app_context():
        db.engine.dispose()
    assert not production.debug
    assert "styleguide.index" not in production.view_functions


def test_events_have_times_in_utc(alice: Actor) -> None:
    from hub.audit.services import record_event

    event = record_event(alice, "test.event", "test")
    db.session.commit()
    stored = db.session.get_one(AuditLog, event.id).created_at
    assert stored.utcoffset() == dt.timedelta(0)
    assert abs(stored - dt.datetime.now(dt.UTC)) < dt.timedelta(hours=1)
