"""Registering, resetting and changing, as pages: with a mail server as in production, and with the mailbox of development."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from hub.accounts import signing_in, users
from hub.accounts.models import KnownDevice, Session, User
from hub.accounts.sessions import load_actor, open_session
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.extensions import db
from hub.jobs.models import Job
from hub.mail.models import Mail
from hub.mail.services import read_text
from hub.mail_settings import MailSettings
from tests.hub.accounts.people import HOME, PASSWORD, mailbox, run_jobs, token_in
from tests.hub.pages import comparable

pytestmark = pytest.mark.usefixtures("quick_hashes", "session")
NEW = "another violet harbour"


@pytest.fixture
def by_mail(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub has a mail server, so that nobody registers without a mail. Nothing is sent: the queue's last step is left out."""
    config = app.extensions["hub_config"]
    monkeypatch.setitem(
        app.extensions, "hub_config", dataclasses.replace(config, mail=MailSettings("127.0.0.1", sender="hub@example.com"))
    )
    monkeypatch.setattr("hub.mail.services.enqueue", lambda *_arguments, **_options: None)


def queued() -> list[tuple[str, str, str]]:
    """(recipient, purpose, text) of what is to be sent, oldest first."""
    run_jobs()
    return [
        (mail.recipient, mail.purpose, read_text(mail)) for mail in db.session.scalars(sa.select(Mail).order_by(Mail.created_at))
    ]


def token_of(text: str) -> str:
    return text.partition("token=")[2].split()[0]


def register(client: FlaskClient, email: str, **form: str) -> object:
    return client.post("/register", data={"email": email, "password": PASSWORD, "name": "Dan", **form})


@pytest.mark.usefixtures("by_mail")
class TestRegisteringByMail:
    def test_form_mail_link_account(self, client: FlaskClient) -> None:
        answer = register(client, "dan@example.com")
        assert answer.status_code == 200
        assert "dan@example.com" in answer.text
        assert client.get("/account").status_code == 303
        ((recipient, purpose, text),) = queued()
        assert (recipient, purpose) == ("dan@example.com", "account.register")
        token = token_of(text)
        page = client.get("/register/confirm", query_string={"token": token})
        assert page.status_code == 200
        assert "dan@example.com" in page.text
        wrong = client.post("/register/confirm", data={"token": token, "password": "not this one"})
        assert wrong.status_code == 422
        before = open_session(users.register_user("guest@example.com", PASSWORD, "Guest", client=HOME).id, HOME)
        client.set_cookie("hub_session", before)
        done = client.post("/register/confirm", data={"token": token, "password": PASSWORD})
        assert (done.status_code, done.location) == (303, "/")
        assert load_actor(before, client=HOME) is None, "whoever was signed in here before is not any more"
        assert "Confirm your e-mail address" not in client.get("/account").text
        assert client.get("/register/confirm", query_string={"token": token}).status_code == 404

    @pytest.mark.parametrize("language", ["en", "ar"])
    def test_nobody_learns_who_has_an_account(self, client: FlaskClient, dana: User, language: str) -> None:
        client.get("/register")  # the visitor's own cookie
        client.set_cookie("hub_language", language)
        known, unknown = register(client, dana.email), register(client, "nobody@example.com")
        assert known.status_code == unknown.status_code == 200
        assert comparable(known, dana.email) == comparable(unknown, "nobody@example.com")
        assert set(dict(known.headers)) == set(dict(unknown.headers))
        assert [(mail[0], mail[1]) for mail in queued()] == [
            (dana.email, "account.exists"),
            ("nobody@example.com", "account.register"),
        ]

    def test_a_registration_that_waits_signs_nobody_in(self, client: FlaskClient, dana: User) -> None:
        """Else a stranger would learn from it whether the address had an account."""
        register(client, dana.email, password="a stranger's own words")
        register(client, "nobody@example.com", password="a stranger's own words")
        answers = [
            client.post("/login", data={"email": email, "password": "a stranger's own words"})
            for email in (dana.email, "nobody@example.com")
        ]
        assert [answer.status_code for answer in answers] == [422, 422]
        assert comparable(answers[0], dana.email) == comparable(answers[1], "nobody@example.com")

    def test_what_was_typed_is_kept_and_the_meter_shown_without_script(self, client: FlaskClient) -> None:
        answer = register(client, "dan@example.com", password="password123")
        assert answer.status_code == 422
        assert 'value="dan@example.com"' in answer.text
        assert "password123" not in answer.text
        assert 'data-score="0"' in answer.text
        assert queued() == []

    def test_mails_are_in_the_readers_language(self, client: FlaskClient, dana: User) -> None:
        client.set_cookie("hub_language", "ar")
        register(client, "dan@example.com")
        client.post("/password/forgot", data={"email": dana.email})
        run_jobs()
        assert db.session.scalars(sa.select(Mail.language)).all() == ["ar", "ar"]

    def test_production_without_mail_lets_nobody_register(
        self, app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        config = dataclasses.replace(app.extensions["hub_config"], env="production", mail=MailSettings())
        monkeypatch.setitem(app.extensions, "hub_config", config)
        assert register(client, "dan@example.com").status_code == 403
        assert "/register" not in client.get("/login").text
        assert "Ask an operator" in client.get("/password/forgot").text


class TestDevelopmentWithoutAMailServer:
    def test_registering_works_at_once_and_the_address_is_confirmed_later(self, client: FlaskClient) -> None:
        assert register(client, "dan@example.com").status_code == 303
        page = client.get("/account").text
        assert "Confirm your e-mail address" in page
        assert "/system/mailbox" in page
        link = f"/account/email/confirm?token={token_in(mailbox()[-1])}"
        assert client.get(link).status_code == 200
        assert client.post("/account/email/confirm", data={"token": link.partition("=")[2]}).status_code == 303
        assert "Confirm your e-mail address" not in client.get("/account").text

    def test_the_mail_is_sent_again_a_few_times(self, client: FlaskClient) -> None:
        register(client, "dan@example.com")
        for _number in range(4):
            client.post("/account/email/again")
        client.get("/account")
        client.post("/account/email/again")
        assert "Too many attempts" in client.get("/account").text

    def test_a_link_needs_its_owner_signed_in(self, client: FlaskClient) -> None:
        register(client, "dan@example.com")
        token = token_in(mailbox()[-1])
        client.post("/logout")
        asked = client.get("/account/email/confirm", query_string={"token": token})
        assert asked.location == f"/login?next=/account/email/confirm?token%3D{token}"


class TestResetting:
    def test_form_mail_link_password(self, client: FlaskClient, dana: User) -> None:
        assert "/password/forgot" in client.get("/login").text
        assert client.post("/password/forgot", data={"email": "Dana@example.com"}).status_code == 200
        mail = mailbox()[-1]
        token = token_in(mail)
        assert f"/password/reset?token={token}" in mail.text
        assert client.get("/password/reset", query_string={"token": token}).status_code == 200
        easy = client.post("/password/reset", data={"token": token, "password": "password"})
        assert easy.status_code == 422
        assert token in easy.text
        done = client.post("/password/reset", data={"token": token, "password": NEW})
        assert (done.status_code, done.location) == (303, "/login")
        assert "Your new password is set" in client.get("/login").text
        assert client.get("/account").status_code == 303
        assert client.get("/password/reset", query_string={"token": token}).status_code == 404
        assert client.post("/password/reset", data={"token": token, "password": NEW}).status_code == 404

    def test_nobody_learns_who_has_an_account(self, client: FlaskClient, dana: User) -> None:
        known, unknown = (client.post("/password/forgot", data={"email": email}) for email in (dana.email, "nobody@example.com"))
        assert known.status_code == unknown.status_code == 200
        assert comparable(known, dana.email) == comparable(unknown, "nobody@example.com")
        assert [job.name for job in db.session.scalars(sa.select(Job))] == ["accounts.mail_reset"] * 2

    def test_a_link_never_leads_to_the_host_that_a_visitor_named(self, client: FlaskClient, dana: User) -> None:
        client.post("/password/forgot", data={"email": dana.email}, headers={"Host": "evil.example"})
        assert "evil.example" not in mailbox()[-1].text

    def test_nonsense_is_no_address(self, client: FlaskClient) -> None:
        answer = client.post("/password/forgot", data={"email": "nonsense"})
        assert answer.status_code == 422
        assert 'value="nonsense"' in answer.text


@pytest.fixture
def browser(client: FlaskClient, dana: User) -> FlaskClient:
    """Dana is signed in."""
    assert client.post("/login", data={"email": dana.email, "password": PASSWORD}).status_code == 303
    return client


class TestChanging:
    def test_the_password(self, browser: FlaskClient, app: Flask, dana: User) -> None:
        other = app.test_client()
        other.post("/login", data={"email": dana.email, "password": PASSWORD})
        before = browser.get_cookie("hub_session").value
        assert browser.post("/account/password", data={"password": NEW}).location == "/account/credentials"
        assert browser.get_cookie("hub_session").value != before
        assert "Your password was changed" in browser.get("/account/credentials").text
        assert other.get("/account").status_code == 303
        assert len(db.session.scalars(sa.select(KnownDevice)).all()) == 1

    def test_the_address(self, browser: FlaskClient, dana: User) -> None:
        assert browser.post("/account/email", data={"email": "new@example.com"}).status_code == 303
        assert "new@example.com" in browser.get("/account/credentials").text
        token = token_in(next(mail for mail in mailbox() if mail.recipient == "new@example.com"))
        assert "new@example.com" in browser.get("/account/email/confirm", query_string={"token": token}).text
        browser.post("/account/email/confirm", data={"token": token})
        assert "Your e-mail address is confirmed" in browser.get("/account/credentials").text
        db.session.refresh(dana)
        assert dana.email == "new@example.com"

    def test_the_change_may_be_withdrawn(self, browser: FlaskClient, dana: User) -> None:
        browser.post("/account/email", data={"email": "new@example.com"})
        browser.post("/account/email/withdraw")
        assert "new@example.com" not in browser.get("/account/credentials").text

    def test_wrong_input_is_explained_beside_its_field(self, browser: FlaskClient) -> None:
        answer = browser.post("/account/email", data={"email": "nonsense"})
        assert answer.status_code == 422
        assert 'value="nonsense"' in answer.text
        answer = browser.post("/account/password", data={"password": "qwertyuiop"})
        assert answer.status_code == 422
        assert "commonest" in answer.text
        assert "qwertyuiop" not in answer.text

    def test_a_link_long_after_signing_in_leads_to_confirmation_and_back(self, browser: FlaskClient, dana: User) -> None:
        browser.post("/account/email", data={"email": "new@example.com"})
        token = token_in(next(mail for mail in mailbox() if mail.recipient == "new@example.com"))
        db.session.execute(sa.update(Session).values(authenticated_at=utc_now() - dt.timedelta(days=1)))
        link = f"/account/email/confirm?token={token}"
        page = browser.get(browser.get(link).location)
        assert f'value="{link}"' in page.text
        form = {"way": "password", "password": PASSWORD, "next": link}
        assert browser.post("/account/confirm", data=form).location == link
        browser.post("/account/email/confirm", data={"token": token})
        db.session.refresh(dana)
        assert dana.email == "new@example.com"

    @pytest.mark.parametrize(("path", "form"), [("password", {"password": NEW}), ("email", {"email": "new@example.com"})])
    def test_long_after_signing_in_one_confirms_first(self, browser: FlaskClient, path: str, form: dict[str, str]) -> None:
        db.session.execute(sa.update(Session).values(authenticated_at=utc_now() - dt.timedelta(days=1)))
        page = browser.get("/account/credentials").text
        assert 'action="/account/password"' not in page
        assert "/account/confirm?next=/account/credentials" in page
        assert browser.post(f"/account/{path}", data=form).location.startswith("/account/confirm")


def test_the_meter_answers_as_one_types(client: FlaskClient) -> None:
    def ask(**form: str) -> str:
        return client.post("/password/strength", data=form, headers={"HX-Request": "true"}).text

    assert 'data-score="4"' in ask(password="correct horse battery staple")
    assert 'data-score="0"' in ask(password="password")
    assert 'data-score="0"' in ask(password="maya.haddad", email="maya.haddad@example.com")
    assert "data-score" not in ask(password="")
    assert "data-score" not in ask()


def test_the_browser_of_a_new_session_is_known(client: FlaskClient, dana: User, app: Flask) -> None:
    client.post("/login", data={"email": dana.email, "password": PASSWORD})
    first = client.get_cookie("hub_device")
    assert first.value
    assert first.http_only
    assert first.same_site == "Lax"
    client.post("/logout")
    assert client.get_cookie("hub_device").value == first.value
    client.post("/login", data={"email": dana.email, "password": PASSWORD})
    assert client.get_cookie("hub_device").value != first.value
    assert mailbox() == []
    app.test_client().post("/login", data={"email": dana.email, "password": PASSWORD})
    assert [mail.purpose for mail in mailbox()] == ["notice.new_device"]


def test_guessing_strangers_do_not_lock_the_owner_out(
    app: Flask, browser: FlaskClient, dana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner signs out, strangers use up the account's attempts, the owner signs in."""
    browser.post("/logout")
    monkeypatch.setattr(signing_in, "ATTEMPTS_PER_ACCOUNT", [(2, dt.timedelta(days=1))])
    answers = [
        app.test_client()
        .post("/login", data={"email": dana.email, "password": "x"}, environ_base={"REMOTE_ADDR": f"192.0.2.{number}"})
        .status_code
        for number in range(5)
    ]
    assert answers == [422, 422, 429, 429, 429]
    assert browser.post("/login", data={"email": dana.email, "password": PASSWORD}).status_code == 303


def test_an_unverified_person_is_told_on_every_page(browser_of: Callable[[Actor], FlaskClient], alice: Actor) -> None:
    browser = browser_of(alice)
    assert "Confirm your e-mail address" not in browser.get("/account/sessions").text
    db.session.get_one(User, alice.user_id).email_verified = False
    page = browser.get("/account/sessions").text
    assert "Confirm your e-mail address" in page
