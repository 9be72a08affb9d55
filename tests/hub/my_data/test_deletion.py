"""The end of an account: at once useless, then empty, and the audit log says so and stays valid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from hub.accounts.actors import Client
from hub.accounts.api_clients import become_program
from hub.accounts.api_keys import authenticate_api_key, create_api_key
from hub.accounts.models import Session, User
from hub.accounts.sessions import open_session
from hub.analyses.stop_switch import is_stopped
from hub.audit.models import AuditLog
from hub.audit.verification import verify_all
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.errors import Conflict, Invalid, NeedsReauthentication, Unauthenticated
from hub.extensions import db
from hub.instances.models import Instance
from hub.jobs.models import Job, JobState
from hub.jobs.registry import JobContext
from hub.my_data import deletion, services
from hub.my_data.jobs import keep_house
from hub.my_data.ownership import Person, owned_by, owned_tables
from tests.conftest import make_user
from tests.hub.accounts.people import events
from tests.hub.factories import make_execution, make_instance, make_workflow
from tests.security.estate import build_estate

EMAIL = "alice@example.com"


def ignore(_done: int, _total: int) -> None:
    """A report that nobody reads."""


@pytest.fixture
def at_cli(alice: Actor) -> Actor:
    """Alice, who needs no proof."""
    db.session.commit()
    return Actor(user_id=alice.user_id, via="cli")


def rows_of(owner: Actor, email: str) -> dict[str, int]:
    person = Person(str(owner.user_id), email)
    counts = {}
    for table in owned_tables():
        if table.name != "audit_logs":
            counts[table.name] = db.session.scalar(sa.select(sa.func.count()).select_from(table).where(owned_by(table, person)))
    return counts


def test_everything_of_the_person_goes_and_nothing_of_another(
    at_cli: Actor, bob: Actor, fill: Callable[[Actor], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "BATCH", 2)
    build_estate(at_cli)
    build_estate(bob)
    mine = fill(at_cli)
    fill(bob)
    before = rows_of(bob, "bob@example.com")
    services.request_deletion(at_cli, EMAIL)
    deletion.run_deletion(str(at_cli.user_id), ignore)
    assert {table: number for table, number in rows_of(at_cli, EMAIL).items() if number} == {"mails": 1}, "the last one"
    assert rows_of(bob, "bob@example.com") == before
    for table in owned_tables():
        key = next(iter(table.primary_key.columns))
        if table.name in mine:
            assert db.session.scalar(sa.select(sa.func.count()).select_from(table).where(key == mine[table.name])) == 0


def test_at_once_nobody_can_sign_in_and_no_key_opens(
    at_cli: Actor, alice: Actor, browser_of: Callable[[Actor], FlaskClient]
) -> None:
    """Before the job has begun."""
    ids = build_estate(alice)
    browser = browser_of(alice)
    _key, secret = create_api_key(at_cli, "Script", ["read"])
    assert browser.post("/account/data/delete", data={"email": f" {EMAIL.upper()} "}).headers["Location"] == "/login"
    assert "Your account was deleted" in browser.get("/login").text
    assert browser.get("/account").headers["Location"].startswith("/login")
    with pytest.raises(Unauthenticated):
        authenticate_api_key(secret)
    user = db.session.get_one(User, alice.user_id, populate_existing=True)
    assert (user.email.endswith("@deleted.invalid"), user.name, user.password) == (True, "-", "!")
    assert set(db.session.scalars(sa.select(Instance.api_key).where(Instance.user_id == alice.user_id))) == {""}
    assert is_stopped(str(alice.user_id), ids["instance_id"])
    assert db.session.get_one(Job, ids["job_id"], populate_existing=True).state is JobState.FAILED
    (event,) = events("user.delete")
    assert event.details["counts"]["instances"] == 1
    assert make_user("alice").id != alice.user_id, "the address is free again"


def test_a_stranger_in_front_of_an_open_browser_cannot(
    alice: Actor, browser_of: Callable[[Actor], FlaskClient], long_ago: Callable[[Actor], None]
) -> None:
    browser = browser_of(alice)
    assert "Delete my account for ever" in browser.get("/account/data").text
    long_ago(alice)
    assert "Delete my account for ever" not in browser.get("/account/data").text
    assert "/account/confirm" in browser.post("/account/data/delete", data={"email": EMAIL}).headers["Location"]
    with pytest.raises(NeedsReauthentication):
        services.request_deletion(alice, EMAIL)


def test_the_address_must_be_typed(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    answer = browser_of(alice).post("/account/data/delete", data={"email": "alice@example.org"})
    assert answer.status_code == 422
    assert "Type your e-mail address exactly" in answer.text
    assert "alice@example.org" in answer.text


def test_the_last_operator_stays(operator: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    db.session.commit()
    at_cli = Actor(user_id=operator.user_id, role=operator.role, via="cli")
    assert "You are the only operator" in browser_of(operator).get("/account/data").text
    with pytest.raises(Conflict, match="only operator"):
        services.request_deletion(at_cli, "oscar@example.com")
    make_user("olga", operator.role)
    services.request_deletion(at_cli, "oscar@example.com")
    with pytest.raises(Invalid):
        services.request_deletion(at_cli, "oscar@example.com")


def test_a_killed_deletion_goes_on(at_cli: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed at each batch in turn; who lost its job gets another from the housekeeping."""
    monkeypatch.setattr(deletion, "BATCH", 3)
    workflow = make_workflow(make_instance(at_cli))
    for number in range(10):
        make_execution(workflow, number)
    services.request_deletion(at_cli, EMAIL)

    class Killed(BaseException):
        pass

    killed = 0
    for fatal in range(1, 200):
        reports = 0

        def tick(_done: int, _total: int, fatal: int = fatal) -> None:
            nonlocal reports
            reports += 1
            if reports == fatal:
                raise Killed

        try:
            deletion.run_deletion(str(at_cli.user_id), tick)
            break
        except Killed:
            killed += 1
            db.session.execute(sa.update(Job).values(state=JobState.FAILED))
            db.session.commit()
            keep_house(JobContext("j", 1))
            waiting = sa.select(sa.func.count()).select_from(Job).where(Job.state == JobState.QUEUED, Job.name == deletion.JOB)
            assert db.session.scalar(waiting) == 1
    assert killed > 10
    assert db.session.get(User, at_cli.user_id) is None
    assert len(events("user.erased")) == 1


def test_the_audit_log_stays(at_cli: Actor, fill: Callable[[Actor], dict[str, Any]]) -> None:
    build_estate(at_cli)
    own = sa.select(AuditLog.id).where(AuditLog.user_id == at_cli.user_id)
    before = set(db.session.scalars(own))
    services.request_deletion(at_cli, EMAIL)
    deletion.run_deletion(str(at_cli.user_id), ignore)
    after = set(db.session.scalars(own))
    assert before < after
    assert [event.user_id for event in events("user.erased")] == [at_cli.user_id]


def test_only_an_account_whose_end_was_asked_for_is_deleted(at_cli: Actor) -> None:
    """A job that names somebody else, by whatever mistake, does nothing."""
    assert deletion.run_deletion(str(at_cli.user_id), ignore) == {}
    assert db.session.get(User, at_cli.user_id) is not None


def test_nobody_is_taken_for_deleted_by_a_chosen_address(at_cli: Actor) -> None:
    db.session.execute(sa.update(User).where(User.id == at_cli.user_id).values(email="mine@deleted.invalid"))
    db.session.commit()
    assert deletion.run_deletion(str(at_cli.user_id), ignore) == {}
    assert db.session.get(User, at_cli.user_id) is not None


def test_a_signed_in_program_deletes_the_account_and_a_key_may_not(client: FlaskClient, alice: Actor, at_cli: Actor) -> None:
    token = open_session(str(alice.user_id), Client(via="api"))
    tokens = become_program(token)
    _key, secret = create_api_key(at_cli, "Script", ["read", "write"])

    def delete(bearer: str, email: str) -> int:
        headers = {"Authorization": f"Bearer {bearer}"}
        return client.post("/api/v1/me/deletion", json={"email": email}, headers=headers).status_code

    assert delete(secret, EMAIL) == 403
    assert delete(tokens.access_token, "bob@example.com") == 422
    db.session.execute(sa.update(Session).values(authenticated_at=utc_now() - dt.timedelta(hours=1)))
    db.session.commit()
    assert delete(tokens.access_token, EMAIL) == 403
    db.session.execute(sa.update(Session).values(authenticated_at=utc_now()))
    db.session.commit()
    assert delete(tokens.access_token, EMAIL) == 204
    assert delete(tokens.access_token, EMAIL) == 401
    deletion.run_deletion(str(alice.user_id), ignore)
    assert db.session.get(User, alice.user_id) is None
    db.session.rollback()
    assert verify_all({}).ok
