from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from hub.accounts import api_keys, session_list
from hub.accounts.models import ApiKey
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.errors import Invalid, NotAllowed, NotFound, Unauthenticated
from hub.extensions import db
from tests.hub.accounts.people import HOME, events


class TestApiKeys:
    def test_a_key_acts_for_its_owner(self, alice: Actor) -> None:
        key, secret = api_keys.create_api_key(alice, " Robot ", ["read"])
        assert secret.startswith(f"{key.key_prefix}_")
        assert len(secret) == 4 + 8 + 1 + 43
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

    def test_use_is_written_seldom(self, alice: Actor) -> None:
        _key, secret = api_keys.create_api_key(alice, "Robot", ["read"])
        api_keys.authenticate_api_key(secret)
        first = db.session.execute(sa.select(ApiKey.last_used_at)).scalar_one()
        api_keys.authenticate_api_key(secret)
        assert db.session.execute(sa.select(ApiKey.last_used_at)).scalar_one() == first

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
