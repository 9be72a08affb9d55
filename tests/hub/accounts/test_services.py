from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.accounts import passwords, rate_limits, services
from hub.accounts.models import ApiKey, RateBucket, Session, User
from hub.accounts.services import Client
from hub.audit.models import AuditLog
from hub.columns import utc_now
from hub.contracts.actor import Actor, Role
from hub.errors import Invalid, NotAllowed, NotFound, TooMany, Unauthenticated
from hub.extensions import db

PASSWORD = "correct horse battery"
HOME = Client(ip_address="192.0.2.1", user_agent="Firefox")


@pytest.fixture
def carol(session: object) -> User:
    return services.register_user(" Carol@Example.com ", PASSWORD, "Carol", client=HOME)


def events(action: str) -> list[AuditLog]:
    return list(db.session.execute(sa.select(AuditLog).where(AuditLog.action == action)).scalars())


class TestRegistering:
    def test_keeps_no_password(self, carol: User) -> None:
        assert carol.email == "carol@example.com"
        assert carol.password.startswith("$2b$12$")
        assert (carol.role, carol.settings) == (Role.USER, {})
        assert events("user.register")[0].user_id == carol.id

    @pytest.mark.parametrize(
        ("email", "password", "name", "field"),
        [
            ("carol", PASSWORD, "Carol", "email"),
            ("a b@example.com", PASSWORD, "Carol", "email"),
            ("c@example.com", "short", "Carol", "password"),
            ("c@example.com", "x" * 1025, "Carol", "password"),
            ("c@example.com", PASSWORD, "  ", "name"),
        ],
    )
    def test_names_the_wrong_field(self, session: object, email: str, password: str, name: str, field: str) -> None:
        with pytest.raises(Invalid) as caught:
            services.register_user(email, password, name, client=HOME)
        assert list(caught.value.fields) == [field]

    def test_refuses_an_address_twice_in_any_case(self, carol: User) -> None:
        with pytest.raises(Invalid) as caught:
            services.register_user("CAROL@example.com", PASSWORD, "Carol", client=HOME)
        assert "email" in caught.value.fields

    def test_tells_the_rooms_above(self, session: object) -> None:
        told: list[User] = []
        with services.user_registered.connected_to(told.append):
            user = services.register_user("d@example.com", PASSWORD, "D", client=HOME)
        assert told == [user]


class TestPasswords:
    def test_no_password_is_truncated(self) -> None:
        stored = passwords.hash_password("x" * 100 + "a")
        assert passwords.check_password("x" * 100 + "a", stored)
        assert not passwords.check_password("x" * 100 + "b", stored)

    def test_the_same_letters_in_other_code_points_fit(self) -> None:
        assert passwords.check_password("caf\u00e9 caf\u00e9", passwords.hash_password("cafe\u0301 cafe\u0301"))

    @pytest.mark.parametrize("stored", [None, "!", ""])
    def test_an_unknown_person_costs_a_whole_check(self, stored: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
        costs = []
        real = passwords.bcrypt.checkpw

        def watched(password: bytes, hashed: bytes) -> bool:
            costs.append(hashed[:7])
            return real(password, hashed)

        monkeypatch.setattr(passwords.bcrypt, "checkpw", watched)
        assert not passwords.check_password(PASSWORD, stored)
        assert costs == [b"$2b$12$"]


class TestSigningIn:
    def test_only_digests_are_stored(self, carol: User) -> None:
        token = services.sign_in(carol.email, PASSWORD, client=HOME)
        row = db.session.execute(sa.select(Session)).scalar_one()
        assert len(token) == 43
        assert token not in (row.token, row.refresh_token)
        assert len(row.token) == len(row.refresh_token) == 64
        assert row.token != row.refresh_token
        assert (row.ip_address, row.user_agent) == ("192.0.2.1", "Firefox")

    def test_the_token_leads_to_its_person(self, carol: User) -> None:
        signed_in = services.load_actor(services.sign_in(carol.email, PASSWORD, client=HOME), client=HOME)
        assert signed_in
        assert signed_in.actor.user_id == carol.id
        assert signed_in.actor.ip_address == "192.0.2.1"
        assert signed_in.name == "Carol"
        assert services.load_actor("x" * 43, client=HOME) is None

    def test_success_and_failure_are_audited(self, carol: User) -> None:
        services.sign_in(carol.email, PASSWORD, client=HOME)
        for email in (carol.email, "nobody@example.com"):
            with pytest.raises(Invalid):
                services.sign_in(email, "wrong", client=HOME)
        assert [(event.success, event.user_id) for event in events("user.login")] == [
            (True, carol.id),
            (False, carol.id),
            (False, None),
        ]
        assert not any("nobody" in str(event.details) for event in events("user.login"))

    @pytest.mark.parametrize(
        ("column", "age"),
        [("last_seen_at", services.IDLE_LIFETIME), ("expires_at", dt.timedelta(0))],
    )
    def test_an_idle_or_old_session_is_over(self, carol: User, column: str, age: dt.timedelta) -> None:
        token = services.sign_in(carol.email, PASSWORD, client=HOME)
        db.session.execute(sa.update(Session).values({column: utc_now() - age - dt.timedelta(seconds=1)}))
        assert services.load_actor(token, client=HOME) is None
        services.drop_dead_sessions()
        assert db.session.execute(sa.select(sa.func.count()).select_from(Session)).scalar_one() == 0

    def test_being_seen_is_written_seldom(self, carol: User) -> None:
        token = services.sign_in(carol.email, PASSWORD, client=HOME)
        before = db.session.execute(sa.select(Session.last_seen_at)).scalar_one()
        services.load_actor(token, client=HOME)
        assert db.session.execute(sa.select(Session.last_seen_at)).scalar_one() == before
        long_ago = utc_now() - services.SEEN_EVERY * 2
        db.session.execute(sa.update(Session).values(last_seen_at=long_ago))
        services.load_actor(token, client=HOME)
        assert db.session.execute(sa.select(Session.last_seen_at)).scalar_one() > long_ago

    def test_sessions_are_listed_and_ended(self, carol: User, bob: Actor) -> None:
        tokens = [services.sign_in(carol.email, PASSWORD, client=HOME) for _number in range(3)]
        people = [services.load_actor(token, client=HOME) for token in tokens]
        me = people[0].actor
        assert [row.is_current for row in services.list_sessions(me)] == [True, False, False]
        with pytest.raises(NotFound):
            services.revoke_session(bob, str(people[1].actor.session_id))
        services.revoke_session(me, str(people[1].actor.session_id))
        assert services.load_actor(tokens[1], client=HOME) is None
        assert services.revoke_other_sessions(me) == 1
        assert services.load_actor(tokens[2], client=HOME) is None
        services.sign_out(me)
        assert services.load_actor(tokens[0], client=HOME) is None
        assert len(events("session.revoke")) == 2
        assert len(events("user.logout")) == 1


class TestLimits:
    def test_an_account_is_closed_for_a_while_even_to_the_right_password(self, carol: User) -> None:
        for number in range(services.ATTEMPTS_PER_ACCOUNT):
            with pytest.raises(Invalid):
                services.sign_in(carol.email, "wrong", client=Client(ip_address=f"192.0.2.{number}"))
        with pytest.raises(TooMany) as caught:
            services.sign_in(carol.email, PASSWORD, client=HOME)
        assert 0 < caught.value.retry_after <= 300

    def test_an_address_is_limited_over_all_accounts(self, session: object, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(passwords, "check_password", lambda *_arguments: False)
        for number in range(services.ATTEMPTS_PER_ADDRESS):
            with pytest.raises(Invalid):
                services.sign_in(f"user{number}@example.com", "wrong", client=HOME)
        with pytest.raises(TooMany):
            services.sign_in("another@example.com", "wrong", client=HOME)
        with pytest.raises(Invalid):
            services.sign_in("another@example.com", "wrong", client=Client(ip_address="192.0.2.99"))

    def test_no_hash_is_made_once_the_limit_is_reached(self, session: object, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(services, "ATTEMPTS_PER_ACCOUNT", 0)
        monkeypatch.setattr(passwords, "check_password", lambda *_arguments: pytest.fail("hashed"))
        with pytest.raises(TooMany):
            services.sign_in("a@example.com", "x", client=HOME)

    def test_success_costs_nothing(self, carol: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(passwords, "check_password", lambda *_arguments: True)
        for _number in range(services.ATTEMPTS_PER_ADDRESS * 2):
            services.sign_in(carol.email, PASSWORD, client=HOME)

    def test_a_window_ends(self, session: object) -> None:
        for _number in range(3):
            rate_limits.count_attempt({"a": 3})
        with pytest.raises(TooMany):
            rate_limits.count_attempt({"a": 3})
        db.session.execute(sa.update(RateBucket).values(window_start=utc_now() - rate_limits.WINDOW))
        rate_limits.count_attempt({"a": 3})
        assert db.session.execute(sa.select(RateBucket.count)).scalar_one() == 1
        db.session.execute(sa.update(RateBucket).values(window_start=utc_now() - rate_limits.WINDOW * 3))
        rate_limits.drop_old_buckets()
        assert db.session.execute(sa.select(sa.func.count()).select_from(RateBucket)).scalar_one() == 0

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


class TestApiKeys:
    def test_a_key_acts_for_its_owner(self, alice: Actor) -> None:
        key, secret = services.create_api_key(alice, " Robot ", ["read"])
        assert secret.startswith(f"{key.key_prefix}_")
        assert len(secret) == 4 + 8 + 1 + 43
        assert secret not in (key.key, key.key_prefix)
        actor = services.authenticate_api_key(secret, client=HOME)
        assert (actor.user_id, actor.via, actor.permissions) == (alice.user_id, "api", frozenset({"read"}))
        assert actor.ip_address == "192.0.2.1"

    def test_a_key_may_be_narrow(self, alice: Actor) -> None:
        _key, secret = services.create_api_key(alice, "Robot", ["audit:read", "instances:write", "audit:read"])
        assert services.authenticate_api_key(secret).permissions == {"audit:read", "instances:write"}

    def test_a_key_manages_neither_keys_nor_sessions(self, alice: Actor) -> None:
        _key, secret = services.create_api_key(alice, "Robot", ["read", "write"])
        robot = services.authenticate_api_key(secret)
        with pytest.raises(NotAllowed):
            services.create_api_key(robot, "Another", ["read"])
        with pytest.raises(NotAllowed):
            services.list_sessions(robot)
        with pytest.raises(NotAllowed):
            services.revoke_other_sessions(robot)

    def test_use_is_written_seldom(self, alice: Actor) -> None:
        _key, secret = services.create_api_key(alice, "Robot", ["read"])
        services.authenticate_api_key(secret)
        first = db.session.execute(sa.select(ApiKey.last_used_at)).scalar_one()
        services.authenticate_api_key(secret)
        assert db.session.execute(sa.select(ApiKey.last_used_at)).scalar_one() == first

    def test_revoked_expired_and_unknown_keys_are_refused(self, alice: Actor, bob: Actor) -> None:
        key, secret = services.create_api_key(alice, "Robot", ["read"], utc_now() + dt.timedelta(days=1))
        with pytest.raises(NotFound):
            services.revoke_api_key(bob, key.id)
        assert services.list_api_keys(bob) == []
        services.authenticate_api_key(secret)
        db.session.execute(sa.update(ApiKey).values(expires_at=utc_now() - dt.timedelta(seconds=1)))
        with pytest.raises(Unauthenticated):
            services.authenticate_api_key(secret)
        _second, other = services.create_api_key(alice, "Second", ["read"])
        services.revoke_api_key(alice, _second.id)
        for text in (other, secret[:-1] + "!", key.key, ""):
            with pytest.raises(Unauthenticated):
                services.authenticate_api_key(text)
        assert [event.action for event in events("api_key.revoke")] == ["api_key.revoke"]

    @pytest.mark.parametrize(
        ("name", "permissions", "expires_at", "field"),
        [
            ("", ["read"], None, "name"),
            ("Robot", [], None, "permissions"),
            ("Robot", ["*"], None, "permissions"),
            ("Robot", ["read"], dt.datetime(2020, 1, 1, tzinfo=dt.UTC), "expires_at"),
        ],
    )
    def test_names_the_wrong_field(
        self, alice: Actor, name: str, permissions: list[str], expires_at: dt.datetime | None, field: str
    ) -> None:
        with pytest.raises(Invalid) as caught:
            services.create_api_key(alice, name, permissions, expires_at)
        assert list(caught.value.fields) == [field]
