from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from hub.accounts import passwords, step_up
from hub.accounts.models import Session
from hub.accounts.step_up import ConfirmationWay, confirm_identity, is_recent, require_recent
from hub.contracts.actor import SYSTEM, Actor
from hub.errors import Invalid, NeedsReauthentication, NotAllowed, TooMany
from hub.extensions import db
from tests.hub.accounts.people import PASSWORD, events

FRAGMENT = {"HX-Request": "true", "HX-Current-URL": "http://localhost/account/api-keys?x=1"}


def age(by: dt.timedelta = step_up.RECENT) -> None:
    """Everybody showed who they are so much longer ago."""
    for row in db.session.scalars(sa.select(Session)):
        row.authenticated_at -= by
    db.session.commit()


@pytest.fixture
def any_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """``PASSWORD`` fits everybody, without the cost of a hash."""
    monkeypatch.setattr(passwords, "check_password", lambda password, _stored, **_options: password == PASSWORD)


class TestRequireRecent:
    def test_who_signed_in_a_moment_ago_passes(self, alice: Actor) -> None:
        require_recent(alice)

    def test_after_twenty_minutes_it_asks_again(self, alice: Actor) -> None:
        age(step_up.RECENT - step_up.TIME_TO_TYPE)
        require_recent(alice)
        assert not is_recent(alice, remaining=step_up.TIME_TO_TYPE)
        age(step_up.TIME_TO_TYPE)
        with pytest.raises(NeedsReauthentication):
            require_recent(alice)

    def test_another_persons_session_proves_nothing(self, alice: Actor, bob: Actor) -> None:
        with pytest.raises(NeedsReauthentication):
            require_recent(dataclasses.replace(alice, session_id=bob.session_id))
        with pytest.raises(NeedsReauthentication):
            require_recent(dataclasses.replace(alice, session_id=None))

    def test_no_key_and_not_the_hub_itself(self, alice: Actor) -> None:
        for nobody in (SYSTEM, dataclasses.replace(alice, permissions=frozenset({"read", "write"}))):
            with pytest.raises(NotAllowed) as caught:
                require_recent(nobody)
            assert not isinstance(caught.value, NeedsReauthentication)
        with pytest.raises(NeedsReauthentication):
            require_recent(Actor(user_id=alice.user_id, via="job"))

    def test_the_command_line_passes(self, alice: Actor) -> None:
        require_recent(Actor(user_id=alice.user_id, via="cli"))


@pytest.mark.usefixtures("any_password")
class TestConfirming:
    def test_it_counts_from_now_and_the_old_token_ends(self, alice: Actor) -> None:
        old = db.session.get_one(Session, alice.session_id).token
        age()
        token = confirm_identity(alice, "password", {"password": PASSWORD})
        require_recent(alice)
        stored = db.session.get_one(Session, alice.session_id).token
        assert stored not in (old, token)
        assert [event.success for event in events("session.confirm")] == [True]

    def test_a_wrong_password_is_audited_and_changes_nothing(self, alice: Actor) -> None:
        age()
        with pytest.raises(Invalid) as caught:
            confirm_identity(alice, "password", {"password": "wrong"})
        assert list(caught.value.fields) == ["password"]
        with pytest.raises(Invalid):
            confirm_identity(alice, "magic", {})
        assert not is_recent(alice)
        assert [event.details["way"] for event in events("session.confirm") if not event.success] == ["password", None]

    def test_guessing_ends_after_ten(self, alice: Actor) -> None:
        for _number in range(step_up.ATTEMPTS):
            with pytest.raises(Invalid):
                confirm_identity(alice, "password", {"password": "wrong"})
        for _number in range(3):
            with pytest.raises(TooMany):
                confirm_identity(alice, "password", {"password": PASSWORD})
        assert len(events("session.confirm")) == step_up.ATTEMPTS + 1, "the refusals are recorded once"

    def test_who_has_a_stronger_way_needs_it(self, alice: Actor, bob: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
        def check(_user_id: str, form: object) -> None:
            if form["code"] != "123456":
                raise Invalid(fields={"code": "Wrong."})

        code = ConfirmationWay("code", "accounts/_confirm_password.html", lambda user_id: user_id == alice.user_id, check)
        monkeypatch.setattr(step_up, "_stronger_ways", [])
        step_up.add_way(code)
        assert [way.name for way in step_up.list_ways(alice)] == ["code"]
        assert [way.name for way in step_up.list_ways(bob)] == ["password"]
        with pytest.raises(Invalid):
            confirm_identity(alice, "password", {"password": PASSWORD})
        with pytest.raises(Invalid):
            confirm_identity(alice, "code", {"code": "1"})
        assert confirm_identity(alice, "code", {"code": "123456"})


@pytest.fixture
def browser(alice: Actor, browser_of: Callable[[Actor], FlaskClient], monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """Alice's browser, an hour after signing in, on a hub where the list of keys wants a recent proof."""

    def ask(actor: Actor) -> list[object]:
        require_recent(actor)
        return []

    monkeypatch.setattr("hub.accounts.api_keys.list_api_keys", ask)
    monkeypatch.setattr("hub.accounts.api_keys.revoke_api_key", lambda actor, _key_id: require_recent(actor))
    browser = browser_of(alice)
    age()
    return browser


@pytest.mark.usefixtures("any_password")
class TestPages:
    def test_a_page_leads_to_confirmation_and_back(self, browser: FlaskClient) -> None:
        answer = browser.get("/account/api-keys?x=1")
        assert (answer.status_code, answer.location) == (303, "/account/confirm?next=/account/api-keys?x%3D1")
        page = browser.get(answer.location)
        assert 'value="/account/api-keys?x=1"' in page.text
        before = browser.get_cookie("hub_session").value
        form = {"way": "password", "next": "/account/api-keys?x=1"}
        wrong = browser.post("/account/confirm", data={**form, "password": "wrong"})
        assert wrong.status_code == 422
        assert "The password is wrong." in wrong.text
        right = browser.post("/account/confirm", data={**form, "password": PASSWORD})
        assert (right.status_code, right.location) == (303, "/account/api-keys?x=1")
        after = browser.get_cookie("hub_session").value
        assert after != before
        assert browser.get("/account/api-keys").status_code == 200
        browser.set_cookie("hub_session", before)
        assert browser.get("/account").location.startswith("/login")

    def test_a_fragment_leads_the_whole_page_there(self, browser: FlaskClient) -> None:
        answer = browser.get("/account/api-keys", headers=FRAGMENT)
        assert (answer.status_code, answer.headers["HX-Redirect"]) == (403, "/account/confirm?next=/account/api-keys?x%3D1")

    def test_a_form_comes_back_to_its_page_and_says_that_nothing_was_done(self, browser: FlaskClient) -> None:
        answer = browser.post("/account/api-keys/k/revoke", headers={"Referer": "http://localhost/account/api-keys"})
        assert (answer.status_code, answer.location) == (303, "/account/confirm?next=/account/api-keys")
        assert "Nothing was changed yet" in browser.get(answer.location).text

    def test_nothing_leads_elsewhere(self, browser: FlaskClient) -> None:
        form = {"way": "password", "password": PASSWORD, "next": "//evil.example"}
        assert browser.post("/account/confirm", data=form).location == "/"
        age()
        answer = browser.post("/account/api-keys/k/revoke", headers={"Referer": "http://evil.example//evil.example"})
        assert answer.location == "/account/confirm?next=/"
