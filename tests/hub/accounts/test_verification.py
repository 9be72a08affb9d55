from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from hub.accounts import sessions, signing_in, users, verification
from hub.accounts.models import Registration, Session, User
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.errors import Invalid, NeedsReauthentication, NotAllowed, NotFound, TooMany
from hub.extensions import db
from hub.jobs.models import Job
from hub.mail.messages import build_message
from hub.mail.models import Mail
from hub.mail.services import MailboxRow
from tests.hub.accounts.people import AWAY, HOME, PASSWORD, events, mailbox, person, token_in

pytestmark = pytest.mark.usefixtures("quick_hashes", "session")


def register(email: str = "Eve@Example.com ", password: str = PASSWORD) -> MailboxRow:
    verification.begin_registration(email, password, " Eve ", client=HOME)
    return mailbox()[-1]


def count(model: type) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


class TestRegistering:
    def test_the_link_and_the_password_make_the_account(self) -> None:
        mail = register()
        assert (mail.recipient, mail.purpose, mail.language) == ("eve@example.com", "account.register", "en")
        assert count(User) == 0
        told: list[User] = []
        with users.user_registered.connected_to(told.append):
            user = verification.finish_registration(token_in(mail), PASSWORD, client=HOME)
        assert told == [user]
        assert (user.email, user.name, user.email_verified, user.settings) == ("eve@example.com", "Eve", True, {"language": "en"})
        assert events("user.register")[0].user_id == user.id
        assert signing_in.sign_in("eve@example.com", PASSWORD, client=HOME)
        assert count(Registration) == 0

    def test_the_token_is_stored_as_a_digest(self) -> None:
        token = token_in(register())
        stored = db.session.scalars(sa.select(Registration)).one()
        assert len(token) == 43
        assert len(stored.token or "") == 64
        assert token not in (stored.token or "")

    def test_the_owner_of_the_address_makes_nobody_elses_account(self) -> None:
        """A stranger registers with another's address; its owner opens the link and knows no password."""
        token = token_in(register())
        for _number in range(verification.ATTEMPTS_PER_LINK):
            with pytest.raises(Invalid):
                verification.finish_registration(token, "a guess", client=HOME)
        with pytest.raises(TooMany):
            verification.finish_registration(token, PASSWORD, client=HOME)
        assert count(User) == 0
        assert len([event for event in events("user.register") if not event.success]) == verification.ATTEMPTS_PER_LINK

    def test_a_link_works_once_and_a_day(self) -> None:
        first, second = register(), register()
        verification.finish_registration(token_in(second), PASSWORD, client=HOME)
        for mail in (first, second):
            with pytest.raises(NotFound):
                verification.finish_registration(token_in(mail), PASSWORD, client=HOME)
        third = register("frank@example.com")
        db.session.execute(sa.update(Registration).values(expires_at=utc_now()))
        with pytest.raises(NotFound):
            verification.finish_registration(token_in(third), PASSWORD, client=HOME)
        verification.drop_old_registrations()
        assert count(Registration) == 0

    def test_who_has_an_account_is_told_by_mail_only(self, dana: User) -> None:
        mail = register(dana.email)
        assert (mail.recipient, mail.purpose) == (dana.email, "account.exists")
        assert "token=" not in mail.text
        assert count(Registration) == 0

    def test_the_request_does_the_same_for_everybody(self, dana: User) -> None:
        """What is stored and queued before the answer does not depend on who has an account."""
        for email in (dana.email, "nobody@example.com"):
            verification.begin_registration(email, PASSWORD, "X", client=HOME)
        jobs = db.session.scalars(sa.select(Job)).all()
        assert [job.name for job in jobs] == [verification.REGISTRATION_JOB] * 2
        rows = db.session.scalars(sa.select(Registration)).all()
        assert [(row.token, len(row.password)) for row in rows] == [(None, 60)] * 2

    @pytest.mark.parametrize(
        "email",
        [
            *("eve", "a b@example.com", "a,b@example.com", "<a@example.com>", "a@b@c", "a@example.com\u202e", "@example.com"),
            *("a..b@example.com", ".a@example.com", "a@.example.com", "a@example.", "a@-example.com", "a@example..com"),
            *("ü@example.com", "=?utf-8?q?x?=@example.com", f"{'a' * 250}@example.com"),
        ],
    )
    def test_what_is_no_single_address_is_refused(self, email: str) -> None:
        with pytest.raises(Invalid) as caught:
            register(email)
        assert list(caught.value.fields) == ["email"]

    @pytest.mark.parametrize("email", ["o'neil+hub@mail.example.co.uk", "a@localhost", "x@xn--mgbh0fb.xn--kgbechtv", "#@b_c-d.e"])
    def test_to_every_address_that_is_taken_a_mail_can_be_written(self, email: str) -> None:
        register(email)
        row = Mail(id="m", recipient=email, subject="Subject", language="en")
        assert f"To: {email}".encode() in bytes(build_message(row, "Text", "hub@example.com"))

    def test_an_easy_password_is_refused(self) -> None:
        with pytest.raises(Invalid) as caught:
            register(password="eve@example.com")
        assert list(caught.value.fields) == ["password"]

    def test_nobody_is_flooded_with_mail(self) -> None:
        for _number in range(verification.MAILS_PER_ADDRESS):
            register()
        with pytest.raises(TooMany):
            register()
        register("another@example.com")


@pytest.fixture
def nadia() -> Actor:
    """Has an account and has not confirmed her address."""
    return person(users.register_user("nadia@example.com", PASSWORD, "Nadia", client=HOME).id)


class TestConfirming:
    def test_the_link_confirms_once(self, nadia: Actor) -> None:
        with pytest.raises(NotAllowed):
            verification.require_verified(nadia)
        verification.ask_to_confirm(nadia)
        token = token_in(mailbox()[-1])
        assert verification.find_confirmation(nadia, token) == "nadia@example.com"
        assert verification.confirm_email(nadia, token) is None
        verification.require_verified(nadia)
        with pytest.raises(NotFound):
            verification.confirm_email(nadia, token)

    def test_a_new_mail_ends_the_earlier_link(self, nadia: Actor) -> None:
        tokens = []
        for _number in range(2):
            verification.ask_to_confirm(nadia)
            tokens.append(token_in(mailbox()[-1]))
        with pytest.raises(NotFound):
            verification.confirm_email(nadia, tokens[0])
        verification.confirm_email(nadia, tokens[1])

    def test_an_old_link_is_over(self, nadia: Actor) -> None:
        verification.ask_to_confirm(nadia)
        token = token_in(mailbox()[-1])
        db.session.execute(sa.update(User).values(verify_token_exp=utc_now()))
        with pytest.raises(NotFound):
            verification.confirm_email(nadia, token)

    def test_it_is_sent_again_a_few_times_an_hour(self, nadia: Actor) -> None:
        for _number in range(verification.MAILS_PER_ADDRESS):
            verification.ask_to_confirm(nadia)
        with pytest.raises(TooMany):
            verification.ask_to_confirm(nadia)

    def test_who_is_confirmed_gets_no_mail(self, dana: User) -> None:
        verification.ask_to_confirm(person(dana.id))
        assert mailbox() == []


class TestChangingTheAddress:
    def test_it_changes_when_the_new_one_is_confirmed(self, dana: User) -> None:
        me = person(dana.id)
        elsewhere = person(dana.id, AWAY)
        dana.reset_token, dana.reset_token_exp = "r" * 64, utc_now() + dt.timedelta(hours=1)
        verification.ask_to_change_email(me, " New@Example.com")
        mails = {mail.recipient: mail for mail in mailbox()}
        assert mails["dana@example.com"].purpose == "notice.email_change_asked"
        assert "new@example.com" in mails["dana@example.com"].text
        assert verification.pending_email(me) == "new@example.com"
        assert dana.email == "dana@example.com"
        token = verification.confirm_email(me, token_in(mails["new@example.com"]))
        assert token
        db.session.refresh(dana)
        assert (dana.email, dana.new_email, dana.verify_token, dana.reset_token) == ("new@example.com", None, None, None)
        told = mailbox()[-1]
        assert (told.recipient, told.purpose) == ("dana@example.com", "notice.email_changed")
        assert db.session.scalars(sa.select(Session.id)).all() == [me.session_id]
        assert elsewhere.session_id != me.session_id
        assert sessions.load_actor(token, client=HOME)

    def test_it_needs_a_recent_proof_both_times(self, dana: User) -> None:
        me = person(dana.id)
        verification.ask_to_change_email(me, "new@example.com")
        token = token_in(mailbox()[-1])
        db.session.execute(sa.update(Session).values(authenticated_at=utc_now() - dt.timedelta(days=1)))
        with pytest.raises(NeedsReauthentication):
            verification.ask_to_change_email(me, "other@example.com")
        with pytest.raises(NeedsReauthentication):
            verification.confirm_email(me, token)
        with pytest.raises(NeedsReauthentication):
            verification.find_confirmation(me, token)

    def test_a_link_is_nothing_to_another_account(self, dana: User, nadia: Actor) -> None:
        """Whoever gets it at a mistyped address cannot take the account."""
        verification.ask_to_change_email(person(dana.id), "typo@example.com")
        token = token_in(mailbox()[-1])
        with pytest.raises(NotFound):
            verification.confirm_email(nadia, token)
        assert dana.email == "dana@example.com"

    def test_an_address_with_an_account_is_answered_alike(self, dana: User, nadia: Actor) -> None:
        verification.ask_to_change_email(person(dana.id), "nadia@example.com")
        mail = mailbox()[-1]
        assert (mail.recipient, mail.purpose) == ("nadia@example.com", "account.taken")
        assert "token=" not in mail.text

    def test_an_address_that_was_taken_meanwhile_changes_nothing(self, dana: User) -> None:
        me = person(dana.id)
        verification.ask_to_change_email(me, "new@example.com")
        token = token_in(mailbox()[-1])
        users.register_user("new@example.com", PASSWORD, "New", client=HOME)
        with pytest.raises(NotFound):
            verification.confirm_email(me, token)
        db.session.expire_all()
        assert dana.email == "dana@example.com"

    def test_it_may_be_withdrawn(self, dana: User) -> None:
        me = person(dana.id)
        verification.ask_to_change_email(me, "new@example.com")
        token = token_in(mailbox()[-1])
        verification.forget_new_email(me)
        with pytest.raises(NotFound):
            verification.confirm_email(me, token)

    @pytest.mark.parametrize("email", ["dana@example.com", "nonsense"])
    def test_what_is_no_other_address_is_refused(self, dana: User, email: str) -> None:
        with pytest.raises(Invalid):
            verification.ask_to_change_email(person(dana.id), email)
