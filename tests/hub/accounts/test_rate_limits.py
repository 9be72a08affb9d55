from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.accounts import devices, passwords, rate_limits, signing_in
from hub.accounts.actors import Client
from hub.accounts.models import RateBucket, User
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.errors import Invalid, TooMany
from hub.extensions import db
from tests.hub.accounts.people import AWAY, HOME, PASSWORD, events


class TestLimits:
    def test_an_account_is_closed_to_who_guesses_from_one_address(self, carol: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(passwords, "check_password", lambda *_arguments, **_options: False)
        for _number in range(signing_in.ATTEMPTS_PER_ADDRESS_AND_ACCOUNT):
            with pytest.raises(Invalid):
                signing_in.sign_in(carol.email, "wrong", client=AWAY)
        with pytest.raises(TooMany) as caught:
            signing_in.sign_in(carol.email, "wrong", client=AWAY)
        assert 0 < caught.value.retry_after <= 300
        with pytest.raises(Invalid):  # its owner, from elsewhere, is still heard
            signing_in.sign_in(carol.email, "wrong", client=HOME)

    @pytest.mark.parametrize("tier", [0, 1])
    def test_the_wait_for_an_account_grows_with_guessing_from_many_addresses(
        self, carol: User, monkeypatch: pytest.MonkeyPatch, tier: int
    ) -> None:
        monkeypatch.setattr(passwords, "check_password", lambda *_arguments, **_options: False)
        windows = (dt.timedelta(minutes=15), dt.timedelta(days=1))
        limits = [(4, windows[0]), (1000, windows[1])] if tier == 0 else [(1000, windows[0]), (4, windows[1])]
        monkeypatch.setattr(signing_in, "ATTEMPTS_PER_ACCOUNT", limits)
        for number in range(4):
            with pytest.raises(Invalid):
                signing_in.sign_in(carol.email, "wrong", client=Client(ip_address=f"192.0.2.{number}"))
        with pytest.raises(TooMany) as caught:
            signing_in.sign_in(carol.email, "wrong", client=Client(ip_address="192.0.2.99"))
        assert windows[tier].total_seconds() - 60 < caught.value.retry_after <= windows[tier].total_seconds()

    def test_nobody_locks_an_owner_out_of_a_browser_that_they_used(self, carol: User, monkeypatch: pytest.MonkeyPatch) -> None:
        """Neither by guessing for the account nor from the same address."""
        known = dataclasses.replace(HOME, device=devices.remember_device(carol, HOME))
        monkeypatch.setattr(signing_in, "ATTEMPTS_PER_ACCOUNT", [(0, dt.timedelta(days=1))])
        monkeypatch.setattr(signing_in, "ATTEMPTS_PER_ADDRESS", 0)
        with pytest.raises(TooMany):
            signing_in.sign_in(carol.email, PASSWORD, client=HOME)
        assert signing_in.sign_in(carol.email, PASSWORD, client=known)

    def test_a_known_browser_guesses_no_further_than_any_other(self, carol: User, monkeypatch: pytest.MonkeyPatch) -> None:
        known = dataclasses.replace(HOME, device=devices.remember_device(carol, HOME))
        monkeypatch.setattr(passwords, "check_password", lambda *_arguments, **_options: False)
        for _number in range(signing_in.ATTEMPTS_PER_DEVICE):
            with pytest.raises(Invalid):
                signing_in.sign_in(carol.email, "wrong", client=known)
        with pytest.raises(TooMany):
            signing_in.sign_in(carol.email, "wrong", client=known)

    def test_a_known_browser_is_nothing_to_another_account(self, carol: User, alice: Actor) -> None:
        known = dataclasses.replace(HOME, device=devices.remember_device(carol, HOME))
        assert devices.is_known_device(carol.email, known)
        assert not devices.is_known_device("alice@example.com", known)
        assert not devices.is_known_device("nobody@example.com", known)
        assert not devices.is_known_device(carol.email, HOME)

    def test_an_address_is_limited_over_all_accounts(self, session: object, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(passwords, "check_password", lambda *_arguments, **_options: False)
        for number in range(signing_in.ATTEMPTS_PER_ADDRESS):
            with pytest.raises(Invalid):
                signing_in.sign_in(f"user{number}@example.com", "wrong", client=HOME)
        with pytest.raises(TooMany):
            signing_in.sign_in("another@example.com", "wrong", client=HOME)
        with pytest.raises(Invalid):
            signing_in.sign_in("another@example.com", "wrong", client=Client(ip_address="192.0.2.99"))

    def test_no_hash_is_made_once_the_limit_is_reached(self, session: object, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(signing_in, "ATTEMPTS_PER_ADDRESS", 0)
        monkeypatch.setattr(passwords, "check_password", lambda *_arguments, **_options: pytest.fail("hashed"))
        with pytest.raises(TooMany):
            signing_in.sign_in("a@example.com", "x", client=HOME)

    def test_a_flood_is_recorded_once_in_a_window(self, carol: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(signing_in, "ATTEMPTS_PER_ADDRESS_AND_ACCOUNT", 0)
        for _number in range(5):
            with pytest.raises(TooMany):
                signing_in.sign_in(carol.email, "wrong", client=HOME)
        refused = events("user.login")
        assert [(event.success, event.user_id, event.details["reason"]) for event in refused] == [(False, carol.id, "throttled")]

    def test_success_costs_nothing(self, carol: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(passwords, "check_password", lambda *_arguments, **_options: True)
        for _number in range(signing_in.ATTEMPTS_PER_ADDRESS * 2):
            signing_in.sign_in(carol.email, PASSWORD, client=HOME)

    def test_a_window_ends(self, session: object) -> None:
        for _number in range(3):
            rate_limits.count_attempt({"a": 3})
        with pytest.raises(TooMany):
            rate_limits.count_attempt({"a": 3})
        db.session.execute(sa.update(RateBucket).values(window_start=utc_now() - rate_limits.WINDOW))
        rate_limits.count_attempt({"a": 3})
        assert db.session.execute(sa.select(RateBucket.count)).scalar_one() == 1
        db.session.execute(sa.update(RateBucket).values(window_start=utc_now() - rate_limits.LONGEST_WINDOW * 2))
        rate_limits.drop_old_buckets()
        assert db.session.execute(sa.select(sa.func.count()).select_from(RateBucket)).scalar_one() == 0

    def test_a_longer_window_lasts_longer(self, session: object) -> None:
        day = dt.timedelta(days=1)
        rate_limits.count_attempt({"day": 1}, window=day)
        db.session.execute(sa.update(RateBucket).values(window_start=utc_now() - day + rate_limits.WINDOW))
        rate_limits.drop_old_buckets()
        with pytest.raises(TooMany) as caught:
            rate_limits.count_attempt({"day": 1}, window=day)
        assert 0 < caught.value.retry_after <= 300
        db.session.execute(sa.update(RateBucket).values(window_start=utc_now() - day))
        rate_limits.count_attempt({"day": 1}, window=day)

    @pytest.mark.parametrize(
        ("address", "block"),
        [
            ("192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
            (None, "unknown"),
            ("rubbish", "unknown"),
        ],
    )
    def test_who_counts_as_one_visitor(self, address: str | None, block: str) -> None:
        assert rate_limits.address_block(address) == block


@pytest.fixture
def clean_buckets(app: Flask) -> Iterator[None]:
    """These attempts are committed for good, so they are taken away again."""
    yield
    with app.app_context():
        db.session.execute(sa.delete(RateBucket))
        db.session.commit()


@pytest.mark.usefixtures("clean_buckets")
def test_attempts_at_the_same_time_are_all_counted(app: Flask) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def attempt(_number: int) -> bool:
        with app.app_context():
            try:
                rate_limits.count_attempt({"one": 10, "two": 100})
            except TooMany:
                return False
            return True

    with ThreadPoolExecutor(8) as pool:
        passed = list(pool.map(attempt, range(40)))
    assert passed.count(True) == 10
