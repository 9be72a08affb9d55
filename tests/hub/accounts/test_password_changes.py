from __future__ import annotations

import dataclasses
import datetime as dt
from contextlib import suppress

import pytest
import sqlalchemy as sa

from hub.accounts import devices, password_changes, passwords, sessions, signing_in, users, verification
from hub.accounts.actors import Client
from hub.accounts.models import KnownDevice, Session, User
from hub.columns import utc_now
from hub.errors import Invalid, NeedsReauthentication, NotFound, TooMany
from hub.extensions import db
from hub.jobs.models import Job
from tests.hub.accounts.people import AWAY, HOME, PASSWORD, events, mailbox, person, token_in

NEW = "another violet harbour"


def ask(email: str = "dana@example.com") -> str:
    """Ask for a link, and take it out of the mail."""
    password_changes.ask_for_reset(email, client=AWAY)
    return token_in(mailbox()[-1])


class TestResetting:
    def test_the_link_sets_a_new_password_once(self, dana: User) -> None:
        token = ask(" Dana@Example.com")
        assert len(token) == 43
        assert token not in str(dana.reset_token)
        assert password_changes.find_reset(token) == dana.email
        password_changes.reset_password(token, NEW, client=AWAY)
        assert signing_in.sign_in(dana.email, NEW, client=HOME)
        with pytest.raises(Invalid):
            signing_in.sign_in(dana.email, PASSWORD, client=HOME)
        assert not password_changes.find_reset(token)
        with pytest.raises(NotFound):
            password_changes.reset_password(token, NEW, client=AWAY)

    def test_of_two_at_the_same_time_one_counts(self, dana: User, monkeypatch: pytest.MonkeyPatch) -> None:
        """The second overtakes the first while that one hashes."""
        token, real = ask(), passwords.hash_password

        def overtaken(password: str, **options: bool) -> str:
            monkeypatch.setattr(passwords, "hash_password", real)
            password_changes.reset_password(token, "the one who was faster", client=HOME)
            return real(password, **options)

        monkeypatch.setattr(passwords, "hash_password", overtaken)
        with pytest.raises(NotFound):
            password_changes.reset_password(token, NEW, client=AWAY)
        assert signing_in.sign_in(dana.email, "the one who was faster", client=HOME)
        assert len(events("user.password_reset")) == 1

    def test_it_signs_nobody_in_and_ends_all_sessions(self, dana: User) -> None:
        person(dana.id)
        person(dana.id, AWAY)
        password_changes.reset_password(ask(), NEW, client=AWAY)
        assert db.session.scalars(sa.select(Session)).all() == []
        told = mailbox()[-1]
        assert (told.recipient, told.purpose) == (dana.email, "notice.password_changed")
        assert [event.user_id for event in events("user.password_reset")] == [dana.id]

    def test_it_leaves_the_second_factor_alone(self, dana: User) -> None:
        dana.two_factor_enabled, dana.two_factor_secret = True, "sealed"
        db.session.commit()
        password_changes.reset_password(ask(), NEW, client=AWAY)
        db.session.refresh(dana)
        assert (dana.two_factor_enabled, dana.two_factor_secret) == (True, "sealed")

    def test_who_was_locked_out_gets_in_afterwards(self, dana: User, monkeypatch: pytest.MonkeyPatch) -> None:
        device = password_changes.reset_password(ask(), NEW, client=AWAY)
        monkeypatch.setattr(signing_in, "ATTEMPTS_PER_ACCOUNT", [(0, dt.timedelta(days=1))])
        with pytest.raises(TooMany):
            signing_in.sign_in(dana.email, NEW, client=AWAY)
        assert signing_in.sign_in(dana.email, NEW, client=dataclasses.replace(AWAY, device=device))

    def test_a_flood_of_strangers_keeps_nobody_from_it(self, dana: User, monkeypatch: pytest.MonkeyPatch) -> None:
        flooded = passwords._Queue(waiting=0)
        assert flooded._places.acquire(blocking=False)
        monkeypatch.setattr(passwords, "_strangers", flooded)
        token = ask()
        device = password_changes.reset_password(token, NEW, client=AWAY)
        assert signing_in.sign_in(dana.email, NEW, client=dataclasses.replace(AWAY, device=device)).token

    def test_an_hour_ends_it(self, dana: User) -> None:
        token = ask()
        left = dana.reset_token_exp - utc_now()
        assert dt.timedelta(minutes=59) < left <= password_changes.RESET_LIFETIME
        db.session.execute(sa.update(User).values(reset_token_exp=utc_now()))
        with pytest.raises(NotFound):
            password_changes.reset_password(token, NEW, client=AWAY)

    def test_a_later_link_ends_it(self, dana: User) -> None:
        first, second = ask(), ask()
        assert not password_changes.find_reset(first)
        assert password_changes.find_reset(second)

    def test_a_change_of_password_or_address_ends_it(self, dana: User) -> None:
        me = person(dana.id)
        token = ask()
        password_changes.change_password(me, NEW)
        assert not password_changes.find_reset(token)
        token = ask()
        verification.ask_to_change_email(me, "new@example.com")
        verification.confirm_email(me, token_in(mailbox()[-1]))
        assert not password_changes.find_reset(token)

    def test_a_token_of_another_kind_does_not_open_it(self, dana: User) -> None:
        verification.ask_to_change_email(person(dana.id), "new@example.com")
        confirmation = token_in(mailbox()[-1])
        assert not password_changes.find_reset(confirmation)
        with pytest.raises(NotFound):
            verification.confirm_email(person(dana.id), ask())

    def test_an_unknown_address_costs_and_says_the_same(self, dana: User) -> None:
        for email in (dana.email, "nobody@example.com"):
            password_changes.ask_for_reset(email, client=AWAY)
        jobs = db.session.scalars(sa.select(Job)).all()
        assert [job.name for job in jobs] == [password_changes.RESET_JOB] * 2
        assert [mail.recipient for mail in mailbox()] == [dana.email]
        assert [(event.success, event.user_id) for event in events("user.password_reset_ask")] == [(True, dana.id), (False, None)]

    def test_it_confirms_the_address(self, session: object, quick_hashes: None) -> None:
        user = users.register_user("nadia@example.com", PASSWORD, "Nadia", client=HOME)
        password_changes.reset_password(ask("nadia@example.com"), NEW, client=AWAY)
        db.session.refresh(user)
        assert user.email_verified

    def test_an_easy_password_leaves_the_link_alive(self, dana: User) -> None:
        token = ask()
        for easy in ("password", "short", "x" * 1025, dana.email):
            with pytest.raises(Invalid):
                password_changes.reset_password(token, easy, client=AWAY)
        assert password_changes.find_reset(token) == dana.email

    def test_tokens_are_not_guessed_without_end(self, dana: User) -> None:
        for _number in range(password_changes.RESETS_PER_ADDRESS):
            with pytest.raises(NotFound):
                password_changes.reset_password("x" * 43, NEW, client=AWAY)
        with pytest.raises(TooMany):
            password_changes.reset_password("x" * 43, NEW, client=AWAY)

    def test_one_person_gets_few_mails_and_one_address_asks_for_few(self, dana: User) -> None:
        for _number in range(verification.MAILS_PER_ADDRESS):
            password_changes.ask_for_reset(dana.email, client=HOME)
        with pytest.raises(TooMany):
            password_changes.ask_for_reset(dana.email, client=HOME)
        for number in range(password_changes.RESETS_PER_ADDRESS):
            password_changes.ask_for_reset(f"user{number}@example.com", client=AWAY)
        with pytest.raises(TooMany):
            password_changes.ask_for_reset("one.more@example.com", client=AWAY)

    def test_strangers_who_ask_keep_no_owner_from_the_mail(self, dana: User) -> None:
        device = devices.remember_device(dana, HOME)
        for number in range(verification.MAILS_PER_HOUR * 2):
            stranger = Client(ip_address=f"203.0.113.{number % 5}", user_agent="curl", device="x" * 43)
            with suppress(TooMany):
                password_changes.ask_for_reset(dana.email, client=stranger)
        assert len(mailbox()) == verification.MAILS_PER_HOUR
        for client in (AWAY, dataclasses.replace(HOME, device="y" * 43)):
            with pytest.raises(TooMany):
                password_changes.ask_for_reset(dana.email, client=client)
        for _number in range(verification.MAILS_PER_ADDRESS):
            password_changes.ask_for_reset(dana.email, client=dataclasses.replace(HOME, device=device))
        with pytest.raises(TooMany):
            password_changes.ask_for_reset(dana.email, client=dataclasses.replace(HOME, device=device))


class TestChanging:
    def test_all_other_sessions_and_browsers_end(self, dana: User) -> None:
        me, other = person(dana.id), person(dana.id, AWAY)
        devices.remember_device(dana, AWAY)
        token, _device = password_changes.change_password(me, NEW)
        signed_in = sessions.load_actor(token, client=HOME)
        assert signed_in
        assert signed_in.actor.session_id == me.session_id != other.session_id
        assert db.session.scalars(sa.select(Session.id)).all() == [me.session_id]
        assert len(db.session.scalars(sa.select(KnownDevice)).all()) == 1
        assert signing_in.sign_in(dana.email, NEW, client=HOME)
        assert mailbox()[-1].purpose == "notice.password_changed"

    def test_it_needs_a_recent_proof(self, dana: User) -> None:
        me = person(dana.id)
        db.session.execute(sa.update(Session).values(authenticated_at=utc_now() - dt.timedelta(days=1)))
        with pytest.raises(NeedsReauthentication):
            password_changes.change_password(me, NEW)

    def test_an_easy_password_changes_nothing(self, dana: User) -> None:
        before = dana.password
        with pytest.raises(Invalid):
            password_changes.change_password(person(dana.id), "dana@example.com")
        assert dana.password == before

    def test_an_operator_sets_one(self, dana: User) -> None:
        person(dana.id)
        password_changes.replace_password(dana.id, NEW, client=HOME)
        assert db.session.scalars(sa.select(Session)).all() == []
        assert signing_in.sign_in(dana.email, NEW, client=HOME)
