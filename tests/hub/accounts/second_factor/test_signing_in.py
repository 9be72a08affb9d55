"""Sign-in in two steps, at the services."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.accounts import api_clients, password_changes, sessions, signing_in
from hub.accounts.models import Session, User
from hub.accounts.second_factor import pending, services
from hub.accounts.second_factor.models import PendingSignIn
from hub.accounts.second_factor.proofs import CodeProof, PasskeyProof
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.crypto import digest_token
from hub.errors import Invalid, NotAllowed
from hub.extensions import db
from tests.hub.accounts.people import HOME, PASSWORD, events
from tests.hub.accounts.second_factor.authenticator import Authenticator
from tests.hub.accounts.second_factor.conftest import PARTY, App, add_passkey

AppOf = Callable[[Actor], App]
EMAIL = "dora@example.com"


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


def test_a_program_sends_the_code_along(dora: Actor, app_of: AppOf) -> None:
    app = app_of(dora)
    for code in (None, "", "000000"):
        with pytest.raises(Invalid) as caught:
            api_clients.log_in(EMAIL, PASSWORD, code=code, client=HOME)
        assert set(caught.value.fields) == {"code"}
    assert api_clients.log_in(EMAIL, PASSWORD, code=app.code(), client=HOME).access_token


def test_a_program_does_not_get_in_where_a_second_factor_is_missing(
    app: Flask, dora: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = dataclasses.replace(app.extensions["hub_config"], require_second_factor=frozenset({"free"}))
    monkeypatch.setitem(app.extensions, "hub_config", config)
    before = db.session.scalar(sa.select(sa.func.count()).select_from(Session))
    with pytest.raises(NotAllowed, match="Set up a second factor"):
        api_clients.log_in(EMAIL, PASSWORD, code=None, client=HOME)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Session)) == before


def test_operators_take_it_off(dora: Actor, app_of: AppOf, told: list[str]) -> None:
    app_of(dora)
    add_passkey(dora, Authenticator(PARTY))
    token = first_half()
    services.reset_second_factor(HOME.as_actor(dora.user_id), str(dora.user_id))
    with pytest.raises(pending.Expired):
        services.finish(token, CodeProof("000000"), HOME)
    assert signing_in.sign_in(EMAIL, PASSWORD, client=HOME).token
    factors = services.list_factors(dora)
    assert (factors.is_on, factors.has_app, factors.codes_left, factors.passkeys) == (False, False, 0, [])
    assert len(events("second_factor.reset")) == 1
    assert told[-1] == "notice.second_factor_off"
    with pytest.raises(services.Conflict):
        services.reset_second_factor(HOME.as_actor(dora.user_id), str(dora.user_id))
