"""Sign-in in two steps, at the services."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from hub.accounts import api_clients, password_changes, session_list, sessions, signing_in
from hub.accounts.models import Session, User
from hub.accounts.second_factor import pending, services
from hub.accounts.second_factor.models import PendingSignIn
from hub.accounts.second_factor.proofs import CodeProof, PasskeyProof
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.crypto import digest_token
from hub.errors import Invalid, NotAllowed, Unauthenticated
from hub.extensions import db
from tests.hub.accounts.people import HOME, PASSWORD, events
from tests.hub.accounts.second_factor.authenticator import Authenticator
from tests.hub.accounts.second_factor.conftest import PARTY, App, add_passkey

AppOf = Callable[[Actor], App]
EMAIL = "dora@example.com"
FORM = {"email": EMAIL, "password": PASSWORD}
LOGIN, SECOND = "/api/v1/auth/login", "/api/v1/auth/second-factor"


def first_half() -> str:
    result = signing_in.sign_in(EMAIL, PASSWORD, client=HOME)
    assert result.token is None
    assert result.pending
    return result.pending


def test_without_a_second_factor_the_password_is_enough(dora: Actor) -> None:
    result = signing_in.sign_in(EMAIL, PASSWORD, client=HOME)
    assert result.token
    assert result.pending is None


def test_the_password_alone_makes_no_session(dora: Actor, app_of: AppOf) -> None:
    app = app_of(dora)
    before = db.session.scalar(sa.select(sa.func.count()).select_from(Session))
    token = first_half()
    assert sessions.load_actor(token, client=HOME) is None
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Session)) == before
    assert db.session.scalar(sa.select(PendingSignIn.token)) != token
    signed_in = sessions.load_actor(services.finish(token, CodeProof(app.code()), HOME), client=HOME)
    assert signed_in
    assert signed_in.has_second_factor
    assert len(events("second_factor.ask")) == 1


def test_a_waiting_sign_in_ends_once_used_and_after_ten_minutes(
    dora: Actor, app_of: AppOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_of(dora)
    token, other = first_half(), first_half()
    services.finish(token, CodeProof(app.code()), HOME)
    app._clock.tick()
    for nothing in (token, "", None, "x" * 43):
        with pytest.raises(pending.Expired):
            services.finish(nothing, CodeProof(app.code()), HOME)
    late = pending.utc_now() + pending.LIFETIME
    monkeypatch.setattr(pending, "utc_now", lambda: late)
    with pytest.raises(pending.Expired):
        services.finish(other, CodeProof(app.code()), HOME)


def test_a_wrong_code_leaves_it_waiting(dora: Actor, app_of: AppOf) -> None:
    app = app_of(dora)
    token = first_half()
    with pytest.raises(Invalid):
        services.finish(token, CodeProof("000000"), HOME)
    assert services.finish(token, CodeProof(app.code()), HOME)


def test_it_opens_no_session_of_another_person(dora: Actor, bob: Actor, app_of: AppOf) -> None:
    app_of(dora)
    his = app_of(bob)
    with pytest.raises(Invalid):
        services.finish(first_half(), CodeProof(his.code()), HOME)
    with pytest.raises(Invalid):
        services.finish(first_half(), CodeProof(his.recovery_codes[0]), HOME)


def test_the_browsers_old_session_ends_with_the_second_half(dora: Actor, app_of: AppOf) -> None:
    app = app_of(dora)
    old = sessions.open_session(str(dora.user_id), HOME)
    token = signing_in.sign_in(EMAIL, PASSWORD, client=HOME, replaces=old).pending
    assert sessions.load_actor(old, client=HOME)
    services.finish(token, CodeProof(app.code()), HOME, replaces=old)
    assert sessions.load_actor(old, client=HOME) is None


def test_a_passkey_is_a_second_factor_even_without_verification(dora: Actor, bob: Actor) -> None:
    device, his = Authenticator(PARTY, verifies=False), Authenticator(PARTY)
    add_passkey(dora, device)
    add_passkey(bob, his)
    token = first_half()
    options = services.ask_for_passkey(token, PARTY)
    (allowed,) = options["allowCredentials"]
    assert allowed["id"] == services.passkeys.bytes_to_base64url(device.credential_id)
    with pytest.raises(Invalid):
        services.finish(token, PasskeyProof(his.sign(options), PARTY), HOME)
    with pytest.raises(pending.Expired):
        services.finish(token, PasskeyProof(device.sign(options), PARTY), HOME)
    options = services.ask_for_passkey(token, PARTY)
    assert services.finish(token, PasskeyProof(device.sign(options), PARTY), HOME)


def test_only_a_passkey_still_asks_after_the_password(dora: Actor) -> None:
    codes = add_passkey(dora, Authenticator(PARTY))
    assert services.finish(first_half(), CodeProof(codes[0]), HOME)
    with pytest.raises(Invalid):
        services.finish(first_half(), CodeProof("000000"), HOME)


def test_a_new_password_does_not_get_round_it(dora: Actor, app_of: AppOf) -> None:
    """Neither for a sign-in that waits with the old one, nor for the new one."""
    app = app_of(dora)
    waiting = first_half()
    reset = "the token of a mailed link"
    values = {"reset_token": digest_token(reset), "reset_token_exp": utc_now() + dt.timedelta(minutes=1)}
    db.session.execute(sa.update(User).where(User.id == dora.user_id).values(values))
    password_changes.reset_password(reset, "a wholly new passphrase", client=HOME)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Session)) == 0
    with pytest.raises(pending.Expired):
        services.finish(waiting, CodeProof(app.code()), HOME)
    result = signing_in.sign_in(EMAIL, PASSWORD, client=HOME)
    assert (result.token, result.pending is None) == (None, False)


def test_a_program_may_send_the_code_along(client: FlaskClient, dora: Actor, app_of: AppOf) -> None:
    app = app_of(dora)
    wrong = client.post(LOGIN, json={**FORM, "code": "000000"})
    assert (wrong.status_code, [error["pointer"] for error in wrong.json["errors"]]) == (422, ["#/code"])
    tokens = client.post(LOGIN, json={**FORM, "code": app.code()})
    assert tokens.status_code == 200
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {tokens.json['accessToken']}"}).json["email"] == EMAIL


def test_a_program_may_send_the_code_afterwards(client: FlaskClient, dora: Actor, app_of: AppOf) -> None:
    app = app_of(dora)
    before = db.session.scalar(sa.select(sa.func.count()).select_from(Session))
    first = client.post(LOGIN, json=FORM)
    assert (first.status_code, first.json["ways"]) == (202, ["app", "recovery-code"])
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Session)) == before
    waiting = first.json["pendingToken"]
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {waiting}"}).status_code == 401
    wrong = client.post(SECOND, json={"pendingToken": waiting, "code": "000000"})
    assert (wrong.status_code, [error["pointer"] for error in wrong.json["errors"]]) == (422, ["#/code"])
    body = {"pendingToken": waiting, "code": app.code()}
    tokens = client.post(SECOND, json=body)
    assert set(tokens.json) == {"accessToken", "refreshToken", "sessionId", "accessExpiresAt", "refreshExpiresAt"}
    app._clock.tick()
    for over in (body, {"pendingToken": "x" * 43, "code": app.code()}):
        assert client.post(SECOND, json=over).status_code == 401
    kinds = [row["kind"] for row in session_rows(client, tokens.json["accessToken"])]
    assert kinds.count("API") == 1


def test_a_program_of_who_has_only_passkeys_needs_a_recovery_code(client: FlaskClient, dora: Actor) -> None:
    codes = add_passkey(dora, Authenticator(PARTY))
    first = client.post(LOGIN, json=FORM)
    assert (first.status_code, first.json["ways"]) == (202, ["recovery-code"])
    assert client.post(SECOND, json={"pendingToken": first.json["pendingToken"], "code": codes[0]}).status_code == 200


def test_a_programs_codes_are_guessed_no_further_than_on_the_page(client: FlaskClient, dora: Actor, app_of: AppOf) -> None:
    app_of(dora)
    body = {"pendingToken": client.post(LOGIN, json=FORM).json["pendingToken"], "code": "000000"}
    answers = [client.post(SECOND, json=body) for _number in range(6)]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert len([event for event in events("second_factor.check") if event.details.get("reason") == "too many"]) == 1
    client.post(SECOND, json=body)
    assert len([event for event in events("second_factor.check") if event.details.get("reason") == "too many"]) == 1


def session_rows(client: FlaskClient, access_token: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = client.get("/api/v1/sessions", headers={"Authorization": f"Bearer {access_token}"}).json[
        "data"
    ]
    return rows


def test_the_first_factor_ends_what_began_without_one(dora: Actor, app_of: AppOf) -> None:
    """A thief who knows the password is out, in browsers and programs; so is nobody else's session and not this one."""
    browser = sessions.open_session(str(dora.user_id), HOME)
    program = api_clients.log_in(EMAIL, PASSWORD, client=HOME)
    app_of(dora)
    assert sessions.load_actor(browser, client=HOME) is None
    with pytest.raises(Unauthenticated):
        api_clients.authenticate_access_token(program.access_token, client=HOME)
    assert [row.id for row in session_list.list_sessions(dora)] == [dora.session_id]
    assert len(events("session.revoke")) == 2


def test_a_further_factor_ends_nothing_and_without_the_last_one_all_begins_anew(dora: Actor, app_of: AppOf) -> None:
    app_of(dora)
    browser = sessions.open_session(str(dora.user_id), HOME)
    add_passkey(dora, Authenticator(PARTY))
    services.remove_app(dora)
    assert sessions.load_actor(browser, client=HOME)
    services.remove_passkey(dora, services.list_factors(dora).passkeys[0].id)
    assert sessions.load_actor(browser, client=HOME) is None


def test_a_program_does_not_get_in_where_a_second_factor_is_missing(
    app: Flask, dora: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = dataclasses.replace(app.extensions["hub_config"], require_second_factor=frozenset({"free"}))
    monkeypatch.setitem(app.extensions, "hub_config", config)
    before = db.session.scalar(sa.select(sa.func.count()).select_from(Session))
    with pytest.raises(NotAllowed, match="Set up a second factor"):
        api_clients.log_in(EMAIL, PASSWORD, client=HOME)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Session)) == before


def test_a_program_that_signed_in_before_one_was_demanded_is_stopped(
    app: Flask, dora: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = api_clients.log_in(EMAIL, PASSWORD, client=HOME)
    config = dataclasses.replace(app.extensions["hub_config"], require_second_factor=frozenset({"free"}))
    monkeypatch.setitem(app.extensions, "hub_config", config)
    for tokens in (program, api_clients.refresh(program.refresh_token, client=HOME)):
        with pytest.raises((NotAllowed, Unauthenticated)):
            api_clients.authenticate_access_token(tokens.access_token, client=HOME)


def test_operators_take_it_off(dora: Actor, app_of: AppOf, told: list[str]) -> None:
    app_of(dora)
    add_passkey(dora, Authenticator(PARTY))
    token = first_half()
    browser = sessions.open_session(str(dora.user_id), HOME)
    services.reset_second_factor(HOME.as_actor(dora.user_id), str(dora.user_id))
    assert sessions.load_actor(browser, client=HOME) is None, "a lost device may be signed in"
    with pytest.raises(pending.Expired):
        services.finish(token, CodeProof("000000"), HOME)
    assert signing_in.sign_in(EMAIL, PASSWORD, client=HOME).token
    factors = services.list_factors(dora)
    assert (factors.is_on, factors.has_app, factors.codes_left, factors.passkeys) == (False, False, 0, [])
    assert len(events("second_factor.reset")) == 1
    assert told[-1] == "notice.second_factor_off"
    with pytest.raises(services.Conflict):
        services.reset_second_factor(HOME.as_actor(dora.user_id), str(dora.user_id))
