from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from hub.accounts import passwords, session_list, sessions, signing_in
from hub.accounts.models import RateBucket, Session, User
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.errors import Invalid, NotFound, TooMany
from hub.extensions import db
from tests.hub.accounts.people import HOME, PASSWORD, events


class TestSigningIn:
    def test_only_digests_are_stored(self, carol: User) -> None:
        token = signing_in.sign_in(carol.email, PASSWORD, client=HOME).token
        row = db.session.execute(sa.select(Session)).scalar_one()
        assert len(token) == 43
        assert token not in (row.token, row.refresh_token)
        assert len(row.token) == len(row.refresh_token) == 64
        assert row.token != row.refresh_token
        assert (row.ip_address, row.user_agent) == ("192.0.2.1", "Firefox")

    def test_the_token_leads_to_its_person(self, carol: User) -> None:
        signed_in = sessions.load_actor(signing_in.sign_in(carol.email, PASSWORD, client=HOME).token, client=HOME)
        assert signed_in
        assert signed_in.actor.user_id == carol.id
        assert signed_in.actor.ip_address == "192.0.2.1"
        assert signed_in.name == "Carol"
        assert sessions.load_actor("x" * 43, client=HOME) is None

    def test_success_and_failure_are_audited(self, carol: User) -> None:
        signing_in.sign_in(carol.email, PASSWORD, client=HOME)
        for email in (carol.email, "nobody@example.com"):
            with pytest.raises(Invalid):
                signing_in.sign_in(email, "wrong", client=HOME)
        assert [(event.success, event.user_id) for event in events("user.login")] == [
            (True, carol.id),
            (False, carol.id),
            (False, None),
        ]
        assert not any("nobody" in str(event.details) for event in events("user.login"))

    def test_in_a_flood_an_attempt_is_turned_away_before_anything_is_written(
        self, carol: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        flooded = passwords._Queue(waiting=0)
        assert flooded._places.acquire(blocking=False)
        monkeypatch.setattr(passwords, "_strangers", flooded)
        counted = sa.select(sa.func.count()).select_from(RateBucket).where(RateBucket.key.startswith("login"))
        with pytest.raises(TooMany) as caught:
            signing_in.sign_in(carol.email, PASSWORD, client=HOME)
        assert caught.value.retry_after == 5
        assert db.session.scalar(counted) == 0
        flooded._places.release()
        assert signing_in.sign_in(carol.email, PASSWORD, client=HOME).token
        assert db.session.scalar(counted)

    @pytest.mark.parametrize(
        ("column", "age"),
        [("last_seen_at", sessions.IDLE_LIFETIME), ("expires_at", dt.timedelta(0))],
    )
    def test_an_idle_or_old_session_is_over(self, carol: User, column: str, age: dt.timedelta) -> None:
        token = signing_in.sign_in(carol.email, PASSWORD, client=HOME).token
        db.session.execute(sa.update(Session).values({column: utc_now() - age - dt.timedelta(seconds=1)}))
        assert sessions.load_actor(token, client=HOME) is None
        sessions.drop_dead_sessions()
        assert db.session.execute(sa.select(sa.func.count()).select_from(Session)).scalar_one() == 0

    def test_being_seen_is_written_seldom(self, carol: User) -> None:
        token = signing_in.sign_in(carol.email, PASSWORD, client=HOME).token
        before = db.session.execute(sa.select(Session.last_seen_at)).scalar_one()
        sessions.load_actor(token, client=HOME)
        assert db.session.execute(sa.select(Session.last_seen_at)).scalar_one() == before
        long_ago = utc_now() - sessions.SEEN_EVERY * 2
        db.session.execute(sa.update(Session).values(last_seen_at=long_ago))
        sessions.load_actor(token, client=HOME)
        assert db.session.execute(sa.select(Session.last_seen_at)).scalar_one() > long_ago

    def test_sessions_are_listed_and_ended(self, carol: User, bob: Actor) -> None:
        tokens = [signing_in.sign_in(carol.email, PASSWORD, client=HOME).token for _number in range(3)]
        people = [sessions.load_actor(token, client=HOME) for token in tokens]
        me = people[0].actor
        assert [row.is_current for row in session_list.list_sessions(me)] == [True, False, False]
        with pytest.raises(NotFound):
            session_list.revoke_session(bob, str(people[1].actor.session_id))
        session_list.revoke_session(me, str(people[1].actor.session_id))
        assert sessions.load_actor(tokens[1], client=HOME) is None
        assert session_list.revoke_other_sessions(me) == 1
        assert sessions.load_actor(tokens[2], client=HOME) is None
        sessions.sign_out(me)
        assert sessions.load_actor(tokens[0], client=HOME) is None
        assert len(events("session.revoke")) == 2
        assert len(events("user.logout")) == 1
