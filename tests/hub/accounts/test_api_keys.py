from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.accounts import api_keys, session_list
from hub.accounts.models import ApiKey, Session
from hub.accounts.token_texts import with_checksum
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.crypto import Vault, digest_token
from hub.errors import Invalid, NeedsReauthentication, NotAllowed, NotFound, Unauthenticated, Unavailable
from hub.extensions import db
from tests.hub.accounts.people import HOME, events
from tests.hub.statements import count_statements


class TestApiKeys:
    def test_a_key_acts_for_its_owner(self, alice: Actor) -> None:
        key, secret = api_keys.create_api_key(alice, " Robot ", ["read"])
        assert secret.startswith(f"{key.key_prefix}_")
        assert len(secret) == 4 + 8 + 1 + 43 + 6
        assert secret not in (key.key, key.key_prefix)
        actor = api_keys.authenticate_api_key(secret, client=HOME)
        assert (actor.user_id, actor.via, actor.permissions) == (alice.user_id, "api", frozenset({"read"}))
        assert actor.ip_address == "192.0.2.1"

    def test_a_key_may_be_narrow(self, alice: Actor) -> None:
        _key, secret = api_keys.create_api_key(alice, "Robot", ["audit:read", "instances:write", "audit:read"])
        assert api_keys.authenticate_api_key(secret).permissions == {"audit:read", "instances:write"}

    def test_a_key_manages_neither_keys_nor_sessions(self, alice: Actor) -> None:
        _key, secret = api_keys.create_api_key(alice, "Robot", ["read", "write"])
        robot = api_keys.authenticate_api_key(secret)
        with pytest.raises(NotAllowed):
            api_keys.create_api_key(robot, "Another", ["read"])
        with pytest.raises(NotAllowed):
            session_list.list_sessions(robot)
        with pytest.raises(NotAllowed):
            session_list.revoke_other_sessions(robot)

    def test_a_typing_error_never_reaches_the_database(self, alice: Actor) -> None:
        _key, secret = api_keys.create_api_key(alice, "Robot", ["read"])
        swapped = secret[:20] + secret[21] + secret[20] + secret[22:]
        with count_statements() as statements:
            for text in (swapped, secret[:-1], secret + "x", secret.upper(), "hub_", "", "hub_\0", f" {secret}"):
                if text != secret:
                    with pytest.raises(Unauthenticated):
                        api_keys.authenticate_api_key(text)
        assert statements == []

    def test_keys_from_before_go_on_working(self, alice: Actor) -> None:
        old = "hub_AbCd1234_" + "a-_Z" * 10 + "xyz"
        row = ApiKey(user_id=alice.user_id, name="Old", key=digest_token(old), key_prefix=old[:12], permissions=["read"])
        db.session.add(row)
        db.session.commit()
        for _time in range(2):
            assert api_keys.authenticate_api_key(old).user_id == alice.user_id
            db.session.refresh(row)
            assert row.key != digest_token(old)
            assert row.hash_key_id is not None
        with pytest.raises(Unauthenticated):
            api_keys.authenticate_api_key(old[:-1] + "_")

    def test_writing_a_plain_digest_into_the_database_makes_no_new_key(self, alice: Actor) -> None:
        key, _secret = api_keys.create_api_key(alice, "Robot", ["read"])
        chosen = with_checksum(f"{key.key_prefix}_{'0' * 43}")
        db.session.execute(sa.update(ApiKey).values(key=digest_token(chosen)))
        with pytest.raises(Unauthenticated):
            api_keys.authenticate_api_key(chosen)

    def test_a_lost_encryption_key_is_said_and_destroys_nothing(
        self, app: Flask, alice: Actor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _key, secret = api_keys.create_api_key(alice, "Robot", ["read"])
        with monkeypatch.context() as without:
            without.setitem(app.extensions, "hub_hash_keys", {})
            without.setitem(app.extensions, "hub_vault", Vault((b"n" * 32,)))
            with pytest.raises(Unavailable):
                api_keys.authenticate_api_key(secret)
            _second, other = api_keys.create_api_key(alice, "Second", ["read"])
            api_keys.authenticate_api_key(other)
        monkeypatch.setitem(app.extensions, "hub_hash_keys", {})
        assert api_keys.authenticate_api_key(secret).user_id == alice.user_id

    def test_it_wants_a_recent_proof(self, alice: Actor) -> None:
        db.session.execute(sa.update(Session).values(authenticated_at=utc_now() - dt.timedelta(hours=1)))
        with pytest.raises(NeedsReauthentication):
            api_keys.create_api_key(alice, "Robot", ["read"])

    def test_the_use_of_a_key_that_is_over_is_audited_but_not_each_time(self, alice: Actor) -> None:
        key, secret = api_keys.create_api_key(alice, "Robot", ["read"])
        api_keys.revoke_api_key(alice, key.id)
        for _number in range(3):
            with pytest.raises(Unauthenticated):
                api_keys.authenticate_api_key(secret, client=HOME)
        (event,) = events("api_key.use")
        assert (event.success, event.ip_address, event.details["reason"]) == (False, "192.0.2.1", "revoked")

    def test_use_is_written_seldom(self, alice: Actor) -> None:
        _key, secret = api_keys.create_api_key(alice, "Robot", ["read"])
        api_keys.authenticate_api_key(secret)
        first = db.session.execute(sa.select(ApiKey.last_used_at)).scalar_one()
        api_keys.authenticate_api_key(secret)
        assert db.session.execute(sa.select(ApiKey.last_used_at)).scalar_one() == first
        db.session.execute(sa.update(ApiKey).values(last_used_at=first - api_keys.NOTED_EVERY * 2))
        api_keys.authenticate_api_key(secret, client=HOME)
        used = db.session.execute(sa.select(ApiKey.last_used_at, ApiKey.last_used_address)).one()
        assert used.last_used_at >= first
        assert used.last_used_address == "192.0.2.1"

    def test_revoked_expired_and_unknown_keys_are_refused(self, alice: Actor, bob: Actor) -> None:
        key, secret = api_keys.create_api_key(alice, "Robot", ["read"], utc_now() + dt.timedelta(days=1))
        with pytest.raises(NotFound):
            api_keys.revoke_api_key(bob, key.id)
        assert api_keys.list_api_keys(bob) == []
        api_keys.authenticate_api_key(secret)
        db.session.execute(sa.update(ApiKey).values(expires_at=utc_now() - dt.timedelta(seconds=1)))
        with pytest.raises(Unauthenticated):
            api_keys.authenticate_api_key(secret)
        _second, other = api_keys.create_api_key(alice, "Second", ["read"])
        api_keys.revoke_api_key(alice, _second.id)
        for text in (other, secret[:-1] + "!", key.key, ""):
            with pytest.raises(Unauthenticated):
                api_keys.authenticate_api_key(text)
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
            api_keys.create_api_key(alice, name, permissions, expires_at)
        assert list(caught.value.fields) == [field]
