from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from hub.accounts import api_clients, hash_keys, passwords, session_list, sessions, signing_in
from hub.accounts.actors import Client
from hub.accounts.api_clients import Tokens, authenticate_access_token, become_program, log_in, log_out, refresh
from hub.accounts.hash_keys import newest_hash_key
from hub.accounts.models import HashKey, Session, SessionKind, User
from hub.accounts.sessions import open_session
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.crypto import Vault
from hub.errors import NeedsReauthentication, TooMany, Unauthenticated
from hub.extensions import db
from tests.conftest import make_user
from tests.hub.accounts.people import PASSWORD, events

SCRIPT = Client(ip_address="192.0.2.9", user_agent="curl/8.5.0", via="api")
ELSEWHERE = Client(ip_address="203.0.113.5", user_agent="curl/8.5.0", via="api")


@pytest.fixture
def tokens(alice: Actor) -> Tokens:
    """Of Alice's program, which has just signed in."""
    return become_program(open_session(str(alice.user_id), SCRIPT))


def row_of(tokens: Tokens) -> Session:
    return db.session.get_one(Session, tokens.session_id, populate_existing=True)


def change(tokens: Tokens, **columns: Any) -> None:
    db.session.execute(sa.update(Session).where(Session.id == tokens.session_id).values(**columns))
    db.session.commit()


def is_over(tokens: Tokens) -> bool:
    try:
        authenticate_access_token(tokens.access_token, client=SCRIPT)
    except Unauthenticated:
        return True
    return False


class TestLoggingIn:
    def test_the_right_password_gives_tokens_of_a_program(self, alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(passwords, "check_password", lambda password, _stored, **_options: password == PASSWORD)
        tokens = log_in("Alice@example.com", PASSWORD, client=SCRIPT)
        actor = authenticate_access_token(tokens.access_token, client=ELSEWHERE)
        assert (actor.user_id, actor.via, actor.permissions) == (alice.user_id, "api", None)
        assert (actor.session_id, actor.ip_address) == (tokens.session_id, "203.0.113.5")
        row = row_of(tokens)
        assert row.kind is SessionKind.API
        stored = {row.token, row.refresh_token, row.previous_refresh_token, row.refresh_salt}
        assert stored.isdisjoint({tokens.access_token, tokens.refresh_token})
        lives = tokens.access_expires_at - utc_now(), tokens.refresh_expires_at - utc_now()
        assert [round(life / dt.timedelta(minutes=1)) for life in lives] == [15, 30 * 24 * 60]

    def test_it_is_throttled_as_the_page_is(self, alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(passwords, "check_password", lambda *_arguments, **_options: False)
        for _number in range(signing_in.ATTEMPTS_PER_ADDRESS_AND_ACCOUNT):
            with pytest.raises(Unauthenticated):
                log_in("alice@example.com", "wrong", client=SCRIPT)
        with pytest.raises(TooMany):
            log_in("alice@example.com", "wrong", client=SCRIPT)


class TestTokensAreForOnePurpose:
    def test_neither_stands_for_the_other(self, tokens: Tokens) -> None:
        for text in (tokens.refresh_token, tokens.access_token[:-1], tokens.access_token + "0", "huba_", "x" * 54):
            with pytest.raises(Unauthenticated):
                authenticate_access_token(text, client=SCRIPT)
        for text in (tokens.access_token, tokens.refresh_token[:-1] + "!", "hubr_x_y_z", "", "\0"):
            with pytest.raises(Unauthenticated):
                refresh(text, client=SCRIPT)
        assert not is_over(tokens), "rubbish ends nothing"

    def test_a_browser_and_a_program_cannot_use_each_others_token(self, alice: Actor, tokens: Tokens) -> None:
        assert sessions.load_actor(tokens.access_token, client=SCRIPT) is None
        cookie = open_session(str(alice.user_id), SCRIPT)
        with pytest.raises(Unauthenticated):
            authenticate_access_token(cookie, client=SCRIPT)

    def test_who_knows_only_the_session_ends_nothing(self, tokens: Tokens) -> None:
        made_up = f"hubr_{tokens.session_id}_{'0' * 43}_{'0' * 22}"
        with pytest.raises(Unauthenticated):
            refresh(made_up, client=SCRIPT)
        log_out(made_up, client=SCRIPT)
        assert not is_over(tokens)


class TestRefreshing:
    def test_each_refresh_changes_both_tokens_and_no_end(self, tokens: Tokens) -> None:
        again = refresh(tokens.refresh_token, client=SCRIPT)
        assert {again.access_token, again.refresh_token}.isdisjoint({tokens.access_token, tokens.refresh_token})
        assert (again.session_id, again.refresh_expires_at) == (tokens.session_id, tokens.refresh_expires_at)
        assert is_over(tokens)
        assert not is_over(again)

    def test_an_old_access_token_is_refused_and_can_be_refreshed(self, tokens: Tokens) -> None:
        change(tokens, access_expires_at=utc_now() - dt.timedelta(seconds=1))
        assert is_over(tokens)
        assert not is_over(refresh(tokens.refresh_token, client=SCRIPT))

    def test_a_lost_answer_is_given_again(self, tokens: Tokens) -> None:
        first = refresh(tokens.refresh_token, client=SCRIPT)
        assert refresh(tokens.refresh_token, client=SCRIPT) == first
        assert not is_over(first)
        assert events("session.reuse") == []

    @pytest.mark.parametrize("generations", [1, 2, 5])
    def test_a_used_token_ends_the_session_however_old_it_is(self, tokens: Tokens, generations: int) -> None:
        present = tokens
        for _number in range(generations):
            present = refresh(present.refresh_token, client=SCRIPT)
        with pytest.raises(Unauthenticated, match="used before"):
            refresh(tokens.refresh_token, client=ELSEWHERE)
        assert is_over(present)
        with pytest.raises(Unauthenticated):
            refresh(present.refresh_token, client=SCRIPT)
        (event,) = events("session.reuse")
        assert (event.success, event.ip_address, event.resource_id) == (False, "203.0.113.5", tokens.session_id)

    def test_after_the_grace_even_the_same_place_ends_it(self, tokens: Tokens) -> None:
        present = refresh(tokens.refresh_token, client=SCRIPT)
        change(tokens, refreshed_at=utc_now() - api_clients.GRACE * 2)
        with pytest.raises(Unauthenticated, match="used before"):
            refresh(tokens.refresh_token, client=SCRIPT)
        assert is_over(present)

    @pytest.mark.parametrize(
        "columns",
        [
            {"expires_at": utc_now() - dt.timedelta(seconds=1)},
            {"last_seen_at": utc_now() - sessions.IDLE_LIFETIME - dt.timedelta(minutes=1)},
        ],
    )
    def test_nothing_outlives_the_session(self, tokens: Tokens, columns: dict[str, Any]) -> None:
        change(tokens, **columns)
        assert is_over(tokens)
        with pytest.raises(Unauthenticated):
            refresh(tokens.refresh_token, client=SCRIPT)

    def test_an_access_token_never_outlives_its_session(self, tokens: Tokens) -> None:
        change(tokens, expires_at=utc_now() + dt.timedelta(minutes=3))
        again = refresh(tokens.refresh_token, client=SCRIPT)
        assert again.access_expires_at == again.refresh_expires_at


class TestEnding:
    def test_logging_out_ends_it_with_any_token_it_ever_had(self, tokens: Tokens) -> None:
        again = refresh(tokens.refresh_token, client=SCRIPT)
        log_out(tokens.refresh_token, client=SCRIPT)
        assert is_over(again)
        log_out(again.refresh_token, client=SCRIPT)
        assert [event.resource_id for event in events("user.logout")] == [tokens.session_id]

    def test_a_change_of_the_password_ends_programs_too(self, alice: Actor, tokens: Tokens) -> None:
        ended = sessions.end_sessions(alice, str(alice.user_id), but=alice.session_id)
        assert ended == 1
        assert is_over(tokens)

    def test_it_is_on_the_list(self, alice: Actor, tokens: Tokens) -> None:
        row = next(row for row in session_list.list_sessions(alice) if row.id == tokens.session_id)
        assert (row.kind, row.device) == (SessionKind.API, "curl")

    def test_an_hour_later_it_manages_no_sessions(self, alice: Actor, tokens: Tokens) -> None:
        program = authenticate_access_token(tokens.access_token, client=SCRIPT)
        assert session_list.list_sessions(program)
        change(tokens, authenticated_at=utc_now() - dt.timedelta(hours=1))
        with pytest.raises(NeedsReauthentication):
            session_list.revoke_session(program, str(alice.session_id))


class TestKeys:
    def test_a_change_of_the_encryption_key_touches_no_token(
        self, app: Flask, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(app.extensions, "hub_hash_keys", {})
        monkeypatch.setitem(app.extensions, "hub_vault", Vault((b"n" * 32, *app.extensions["hub_config"].encryption_keys)))
        assert not is_over(refresh(tokens.refresh_token, client=SCRIPT))

    def test_a_lost_encryption_key_ends_nothing_but_refreshing(
        self, app: Flask, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before, _key = newest_hash_key()
        with monkeypatch.context() as without:
            without.setitem(app.extensions, "hub_hash_keys", {})
            without.setitem(app.extensions, "hub_vault", Vault((b"n" * 32,)))
            with pytest.raises(Unauthenticated):
                refresh(tokens.refresh_token, client=SCRIPT)
            assert not is_over(tokens)
            assert newest_hash_key()[0] != before
        monkeypatch.setitem(app.extensions, "hub_hash_keys", {})
        assert db.session.get(HashKey, before), "nothing is destroyed"
        assert not is_over(refresh(tokens.refresh_token, client=SCRIPT)), "it works again once the key is back"


def test_over_the_wire(app: Flask, client: FlaskClient, alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "check_password", lambda password, _stored, **_options: password == PASSWORD)
    call = client.post
    assert call("/api/v1/auth/login", json={"email": "alice@example.com", "password": "wrong"}).status_code == 401
    tokens = call("/api/v1/auth/login", json={"email": "alice@example.com", "password": PASSWORD}).json
    bearer = {"Authorization": f"Bearer {tokens['accessToken']}"}
    me = client.get("/api/v1/me", headers=bearer).json
    assert (me["email"], me["permissions"]) == ("alice@example.com", ["read", "write"])
    named = client.patch("/api/v1/me", headers=bearer, json={"name": "Alice B."}).json
    assert (named["name"], named["language"]) == ("Alice B.", "en")
    assert client.patch("/api/v1/me", headers=bearer, json={"language": "xx"}).status_code == 422
    listed = client.get("/api/v1/sessions", headers=bearer).json["data"]
    assert [(row["kind"], row["isCurrent"]) for row in listed] == [("API", True), ("BROWSER", False)]
    assert client.post("/api/v1/sessions/revoke-others", headers=bearer).json == {"ended": 1}
    again = call("/api/v1/auth/refresh", json={"refreshToken": tokens["refreshToken"]}).json
    assert client.get("/api/v1/me", headers=bearer).status_code == 401
    bearer = {"Authorization": f"Bearer {again['accessToken']}"}
    assert call("/api/v1/auth/logout", json={"refreshToken": again["refreshToken"]}).status_code == 204
    assert client.get("/api/v1/me", headers=bearer).status_code == 401
    assert call("/api/v1/auth/refresh", json={"refreshToken": again["refreshToken"]}).status_code == 401


@pytest.fixture
def committed_user(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Somebody whom other threads see too, and who is gone afterwards: without mails, and events, which nobody can take away."""
    for module in (api_clients, sessions, hash_keys):
        monkeypatch.setattr(module, "record_event", lambda *_arguments, **_options: None)
    monkeypatch.setattr(api_clients, "notify", lambda *_arguments, **_options: None)
    with app.app_context():
        user = make_user("racer")
        db.session.commit()
        user_id = user.id
    yield user_id
    with app.app_context():
        db.session.execute(sa.delete(User).where(User.id == user_id))
        db.session.commit()


def refresh_at_once(app: Flask, refresh_token: str, clients: list[Client]) -> list[Tokens | None]:
    """What each client gets that sends the same token at the same time; None where it was refused."""

    def send(client: Client) -> Tokens | None:
        with app.app_context():
            try:
                return refresh(refresh_token, client=client)
            except Unauthenticated:
                return None

    with ThreadPoolExecutor(len(clients)) as pool:
        return list(pool.map(send, clients))


def test_one_program_that_refreshes_many_times_at_once_gets_one_answer(app: Flask, committed_user: str) -> None:
    with app.app_context():
        tokens = become_program(open_session(committed_user, SCRIPT))
    answers = refresh_at_once(app, tokens.refresh_token, [SCRIPT] * 8)
    assert answers[0] is not None
    assert answers == [answers[0]] * 8
    with app.app_context():
        assert not is_over(answers[0])


def test_of_two_places_that_refresh_at_once_one_wins_and_the_other_ends_it(app: Flask, committed_user: str) -> None:
    """In whatever order they come: nobody holds a session afterwards."""
    for _attempt in range(5):
        with app.app_context():
            tokens = become_program(open_session(committed_user, SCRIPT))
        answers = refresh_at_once(app, tokens.refresh_token, [SCRIPT, ELSEWHERE])
        won = [answer for answer in answers if answer]
        assert len(won) == 1
        with app.app_context():
            assert is_over(won[0])
