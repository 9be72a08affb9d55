from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.accounts.models import RateBucket, User
from hub.accounts.second_factor import pending, proofs, recovery, services, totp
from hub.contracts.actor import Actor
from hub.crypto import Vault
from hub.database.key_rotation import rotate_keys
from hub.errors import Invalid, NeedsReauthentication, NotFound, TooMany, Unavailable
from hub.extensions import db
from tests.hub.accounts.people import HOME, events
from tests.hub.accounts.second_factor.conftest import App, Clock

AppOf = Callable[[Actor], App]


def stored(actor: Actor) -> User:
    return db.session.get_one(User, actor.user_id, populate_existing=True)


def test_the_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B: the last six of its eight digits."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    generator = totp._generator(secret)
    for seconds, digits in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        assert totp.code_at(generator, seconds // totp.STEP) == digits


class TestSettingUp:
    def test_nothing_changes_until_a_code_shows_that_it_was_scanned(self, dora: Actor, clock: Clock) -> None:
        enrolment = services.begin_app(dora)
        with pytest.raises(Invalid):
            services.confirm_app(dora, enrolment.sealed, "000000")
        assert not stored(dora).two_factor_enabled
        assert stored(dora).two_factor_secret is None
        codes = services.confirm_app(dora, enrolment.sealed, clock.code(enrolment.secret))
        assert len(codes) == 10
        assert stored(dora).two_factor_enabled

    def test_the_secret_is_encrypted_for_its_row(self, dora: Actor, bob: Actor, app_of: AppOf) -> None:
        app = app_of(dora)
        sealed = stored(dora).two_factor_secret
        assert sealed
        assert app.secret not in sealed
        assert totp.read_secret(str(dora.user_id), sealed) == app.secret
        with pytest.raises(totp.DecryptionError):
            totp.read_secret(str(bob.user_id), sealed)

    def test_the_picture_is_drawn_here_and_holds_the_address(self, dora: Actor) -> None:
        enrolment = services.begin_app(dora)
        assert enrolment.picture.startswith("data:image/svg+xml")
        assert "http" not in unquote(enrolment.picture).replace("http://www.w3.org/2000/svg", "")
        parts = urlsplit(enrolment.uri)
        values = parse_qs(parts.query)
        assert unquote(parts.path) == "/AI-HTTP Hub:dora@example.com"
        assert (values["secret"], values["issuer"]) == ([enrolment.secret], ["AI-HTTP Hub"])

    def test_a_secret_is_its_owners_and_for_half_an_hour(self, dora: Actor, bob: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
        sealed = services.begin_app(dora).sealed
        for actor, text in ((bob, sealed), (dora, "rubbish"), (dora, "")):
            with pytest.raises(pending.Expired):
                services.open_app_enrolment(actor, text)
        late = totp.utc_now() + totp.ENROLMENT
        monkeypatch.setattr(totp, "utc_now", lambda: late)
        with pytest.raises(pending.Expired):
            services.open_app_enrolment(dora, sealed)

    def test_the_code_that_confirmed_it_is_used_up(self, dora: Actor, clock: Clock) -> None:
        enrolment = services.begin_app(dora)
        code = clock.code(enrolment.secret)
        services.confirm_app(dora, enrolment.sealed, code)
        with pytest.raises(Invalid, match="used already"):
            proofs.accept_code(str(dora.user_id), code, HOME)

    def test_a_new_phone_replaces_the_old_one(self, dora: Actor, clock: Clock, app_of: AppOf, told: list[str]) -> None:
        old, new = app_of(dora), app_of(dora)
        assert new.recovery_codes == []
        with pytest.raises(Invalid):
            proofs.accept_code(str(dora.user_id), old.code(), HOME)
        proofs.accept_code(str(dora.user_id), new.code(), HOME)
        assert told == ["notice.second_factor_on", "notice.app_replaced"]

    def test_it_needs_a_recent_sign_in(self, dora: Actor) -> None:
        stranger = Actor(user_id=dora.user_id)
        for change in (
            lambda: services.begin_app(stranger),
            lambda: services.confirm_app(stranger, "", ""),
            lambda: services.remove_app(stranger),
            lambda: services.renew_codes(stranger),
            lambda: services.remove_passkey(stranger, "c1"),
            lambda: services.begin_passkey(stranger, None),
        ):
            with pytest.raises(NeedsReauthentication):
                change()


class TestCodes:
    @pytest.mark.parametrize(("drift", "fine"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
    def test_clocks_may_differ_by_one_step(self, dora: Actor, clock: Clock, app_of: AppOf, drift: int, fine: bool) -> None:
        app = app_of(dora)
        clock.tick(3)
        code = app.code(drift)
        if not fine:
            with pytest.raises(Invalid, match="wrong or too old"):
                proofs.accept_code(str(dora.user_id), code, HOME)
            return
        proofs.accept_code(str(dora.user_id), f"{code[:3]} {code[3:]}", HOME)
        db.session.commit()
        assert [event.details["method"] for event in events("second_factor.check")] == ["app"]

    def test_each_counts_once(self, dora: Actor, clock: Clock, app_of: AppOf) -> None:
        app = app_of(dora)
        proofs.accept_code(str(dora.user_id), app.code(), HOME)
        for drift in (0, -1):
            with pytest.raises(Invalid, match="used already"):
                proofs.accept_code(str(dora.user_id), app.code(drift), HOME)
        clock.tick()
        proofs.accept_code(str(dora.user_id), app.code(), HOME)
        db.session.commit()
        checks = [(event.success, event.details.get("reason")) for event in events("second_factor.check")]
        assert sorted(checks, key=str) == [(False, "used before"), (False, "used before"), (True, None), (True, None)]

    @pytest.mark.parametrize("text", ["", " ", "１２３４５６", "12345", "1234567", "\0", "é" * 6, "x" * 10_000])
    def test_rubbish_is_wrong(self, dora: Actor, app_of: AppOf, text: str) -> None:
        app_of(dora)
        with pytest.raises(Invalid):
            proofs.accept_code(str(dora.user_id), text, HOME)

    def test_five_wrong_ones_close_it_to_the_right_one(self, dora: Actor, clock: Clock, app_of: AppOf) -> None:
        app = app_of(dora)
        for _number in range(5):
            with pytest.raises(Invalid):
                proofs.accept_code(str(dora.user_id), "000000", HOME)
        with pytest.raises(TooMany):
            proofs.accept_code(str(dora.user_id), app.code(), HOME)
        assert [event.details["reason"] for event in events("second_factor.check")].count("too many") == 1

    @pytest.mark.parametrize(("allowed", "window"), proofs.LIMITS[1:])
    def test_slower_guessing_meets_the_longer_windows(self, dora: Actor, app_of: AppOf, allowed: int, window: object) -> None:
        app_of(dora)
        short = [key for limit in proofs.LIMITS if limit[1] < window for key in [proofs._bucket(str(dora.user_id), limit[1])]]
        for _number in range(allowed):
            with pytest.raises(Invalid):
                proofs.accept_code(str(dora.user_id), "000000", HOME)
            db.session.execute(sa.delete(RateBucket).where(RateBucket.key.in_(short)))
        with pytest.raises(TooMany) as caught:
            proofs.accept_code(str(dora.user_id), "000000", HOME)
        assert caught.value.retry_after > 300

    def test_digits_of_other_keyboards_and_spaces_are_taken(self, dora: Actor, app_of: AppOf) -> None:
        app = app_of(dora)
        code = app.code()
        eastern = code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
        proofs.accept_code(str(dora.user_id), f" {eastern[:3]}\u00a0{eastern[3:]}", HOME)
        for rubbish in ("½⅓", "²³⁴⁵⁶⁷", "１２३x"):
            with pytest.raises(Invalid):
                proofs.accept_code(str(dora.user_id), rubbish, HOME)

    def test_right_codes_cost_nothing(self, dora: Actor, clock: Clock, app_of: AppOf) -> None:
        app = app_of(dora)
        for _number in range(8):
            proofs.accept_code(str(dora.user_id), app.code(), HOME)
            clock.tick()
        assert set(db.session.scalars(sa.select(RateBucket.count))) == {0}

    def test_a_lost_key_is_said_and_nothing_is_destroyed(
        self, app: Flask, dora: Actor, app_of: AppOf, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        phone = app_of(dora)
        monkeypatch.setitem(app.extensions, "hub_vault", Vault((bytes(range(100, 132)),)))
        for text in (phone.code(), phone.recovery_codes[0]):
            with pytest.raises(Unavailable):
                proofs.accept_code(str(dora.user_id), text, HOME)
        monkeypatch.undo()
        assert recovery.count_left(str(dora.user_id)) == 10


def test_seeds_are_long_and_random(dora: Actor) -> None:
    seeds = {services.begin_app(dora).secret for _number in range(20)}
    assert len(seeds) == 20
    assert {len(totp.base64.b32decode(seed)) for seed in seeds} == {20}


def test_rotating_the_encryption_key_leaves_codes_valid(
    app: Flask, dora: Actor, app_of: AppOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = app_of(dora)
    user_id, old, new = str(dora.user_id), app.extensions["hub_config"].encryption_keys[0], bytes(range(100, 132))
    monkeypatch.setitem(app.extensions, "hub_vault", Vault((new, old)))
    assert rotate_keys(HOME.as_actor(None)).rotated >= 2
    monkeypatch.setitem(app.extensions, "hub_vault", Vault((new,)))
    proofs.accept_code(user_id, phone.recovery_codes[0], HOME)
    phone._clock.tick()
    proofs.accept_code(user_id, phone.code(), HOME)


def test_removing_the_last_factor_takes_everything_with_it(dora: Actor, app_of: AppOf, told: list[str]) -> None:
    app_of(dora)
    services.remove_app(dora)
    user = stored(dora)
    assert (user.two_factor_enabled, user.two_factor_secret, user.recovery_key) == (False, None, None)
    assert db.session.scalar(sa.text("SELECT count(*) FROM recovery_codes")) == 0
    assert told == ["notice.second_factor_on", "notice.second_factor_off"]
    assert len(events("second_factor.disable")) == 1
    with pytest.raises(NotFound):
        services.remove_app(dora)
