"""The page of one's plan, the operators' list, the command and the API: all say and change the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from hub.accounts.models import Plan, User
from hub.accounts.plan_limits import LIMITS
from hub.accounts.plans import change_plan, list_people
from hub.cli import main
from hub.contracts.actor import Actor
from hub.errors import Invalid, NotAllowed
from hub.extensions import db
from tests.hub.accounts.people import events, give_plan
from tests.hub.accounts.test_quotas import FREE, fill_instances, fill_requests
from tests.hub.api.conftest import Program, program, program_of, spec
from tests.hub.http_builder.test_pages import PLAIN

__all__ = ["program", "program_of", "spec"]


def plan_of(actor: Actor) -> Plan:
    return db.session.scalars(sa.select(User.plan).where(User.id == actor.user_id)).one()


class TestTheUsagePage:
    def test_it_shows_what_is_used_and_what_the_next_plan_gives(
        self, alice: Actor, browser_of: Callable[[Actor], FlaskClient]
    ) -> None:
        fill_instances(alice, 2)
        page = browser_of(alice).get("/account/usage").text
        assert "Your plan is FREE" in page
        assert f"2 of {FREE.instances}" in page
        assert f"0 of {FREE.saved_requests}" in page
        assert "PRO gives 1,000." in page
        assert page.count("<meter") == 3
        assert "Something is used up" not in page
        assert "Ask your operator" in page

    def test_what_is_used_up_is_said_with_what_stays(self, alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
        give_plan(alice, Plan.PRO)
        fill_instances(alice, FREE.instances + 1)
        db.session.execute(sa.update(User).where(User.id == alice.user_id).values(plan=Plan.FREE))
        page = browser_of(alice).get("/account/usage").text
        assert f"{FREE.instances + 1} of {FREE.instances}" in page
        assert "Something is used up" in page

    def test_after_a_smaller_plan_it_says_until_when_data_is_kept(
        self, alice: Actor, operator: Actor, browser_of: Callable[[Actor], FlaskClient]
    ) -> None:
        give_plan(alice, Plan.TEAM)
        change_plan(operator, "alice@example.com", Plan.FREE)
        page = browser_of(alice).get("/account/usage").text
        assert "Your data is kept longer for now" in page
        assert "as in TEAM" in page

    def test_without_a_limit_there_is_no_bar(self, alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
        give_plan(alice, Plan.ENTERPRISE)
        assert browser_of(alice).get("/account/usage").text.count("<meter") == 1


class TestForms:
    def test_a_refused_instance_keeps_what_was_typed(self, alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
        fill_instances(alice, FREE.instances)
        typed = {"name": "Fourth", "url": "https://fourth.example.com", "api_key": "k"}
        answer = browser_of(alice).post("/instances", data=typed)
        assert answer.status_code == 402
        assert "Your plan FREE allows" in answer.text
        assert 'value="Fourth"' in answer.text

    @pytest.mark.parametrize(("headers", "status"), [({}, 402), ({"HX-Request": "true"}, 422)])
    def test_a_refused_request_stays_in_the_builder(
        self, alice: Actor, browser_of: Callable[[Actor], FlaskClient], headers: dict[str, str], status: int
    ) -> None:
        fill_requests(alice, FREE.saved_requests)
        typed = {**PLAIN, "name": "Mine", "url": "https://api.example.com/typed"}
        answer = browser_of(alice).post("/requests", data=typed, headers=headers)
        assert answer.status_code == status
        assert "Your plan FREE allows" in answer.text
        assert "https://api.example.com/typed" in answer.text

    def test_a_page_that_has_no_form_leads_to_the_usage(self, alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
        fill_requests(alice, FREE.saved_requests)
        one = db.session.scalars(sa.text("SELECT id FROM requests LIMIT 1")).one()
        answer = browser_of(alice).post(f"/requests/{one}/duplicate")
        assert answer.status_code == 402
        assert 'href="/account/usage"' in answer.text
        (event,) = events("access.refused")
        assert event.details["reason"] == "plan_limit"


class TestTheApi:
    def test_usage(self, alice: Actor, program: Program) -> None:
        fill_instances(alice, 2)
        found = program.get("/account/usage")
        assert found["plan"] == "FREE"
        assert found["uses"][0] == {"limit": "instances", "used": 2, "allowed": FREE.instances}
        assert [row["plan"] for row in found["plans"]] == ["FREE", "PRO", "TEAM", "ENTERPRISE"]
        assert found["plans"][3]["limits"]["instances"] is None

    def test_nothing_is_promised_that_the_operator_does_not_keep(
        self, app: Flask, program: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        config = app.extensions["hub_config"]
        plans = dataclasses.replace(config.plans, execution_keep_days=45)
        monkeypatch.setitem(app.extensions, "hub_config", dataclasses.replace(config, plans=plans))
        found = program.get("/account/usage")
        assert [row["limits"]["retentionDays"] for row in found["plans"]] == [30, 45, 45, 45]

    def test_the_problem_says_what_is_short(self, alice: Actor, program: Program) -> None:
        fill_instances(alice, FREE.instances)
        body = {"name": "Fourth", "url": "https://fourth.example.com", "apiKey": "k"}
        answer = program.call("POST", "/instances", json=body)
        assert (answer.status_code, answer.json["type"]) == (402, "/api/v1/docs#plan-limit-reached")
        assert answer.json["title"] == "Plan limit reached"
        assert answer.json["shortage"] == {
            "limit": "instances",
            "used": FREE.instances,
            "allowed": FREE.instances,
            "plan": "FREE",
            "nextPlan": "PRO",
        }

    def test_the_documented_place_explains_it(self, client: FlaskClient) -> None:
        assert 'id="plan-limit-reached"' in client.get("/api/v1/docs").text


class TestOperators:
    def test_they_change_plans_on_the_page(
        self, alice: Actor, operator: Actor, browser_of: Callable[[Actor], FlaskClient]
    ) -> None:
        browser = browser_of(operator)
        assert "alice@example.com" in browser.get("/people?search=ALICE").text
        assert "alice@example.com" not in browser.get("/people?wanted=TEAM").text
        answer = browser.post("/people/plan", data={"email": "alice@example.com", "plan": "TEAM", "search": "alice"})
        assert (answer.status_code, answer.location) == (303, "/people?search=alice")
        assert plan_of(alice) is Plan.TEAM
        (event,) = events("user.plan")
        assert (event.user_id, event.resource_id) == (operator.user_id, alice.user_id)

    @pytest.mark.parametrize("sent", [{"email": "alice@example.com", "plan": "X"}, {"email": "nobody@x.org", "plan": "PRO"}, {}])
    def test_what_is_wrong_is_said(
        self, alice: Actor, operator: Actor, browser_of: Callable[[Actor], FlaskClient], sent: dict[str, str]
    ) -> None:
        answer = browser_of(operator).post("/people/plan", data=sent)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
        assert plan_of(alice) is Plan.FREE

    def test_nobody_else_may(self, alice: Actor, bob: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
        with pytest.raises(NotAllowed):
            change_plan(alice, "alice@example.com", Plan.ENTERPRISE)
        with pytest.raises(NotAllowed):
            list_people(bob)
        browser = browser_of(alice)
        assert browser.get("/people").status_code == 403
        assert browser.post("/people/plan", data={"email": "alice@example.com", "plan": "PRO"}).status_code == 403
        assert plan_of(alice) is Plan.FREE

    def test_the_list_comes_in_pages(self, alice: Actor, bob: Actor, operator: Actor) -> None:
        first = list_people(operator, limit=2)
        rest = list_people(operator, limit=2, cursor=first.next_cursor)
        assert [row.email.partition("@")[0] for row in (*first.rows, *rest.rows)] == ["alice", "bob", "oscar"]
        with pytest.raises(Invalid):
            list_people(operator, cursor="x")

    def test_the_command(self, app: Flask, alice: Actor) -> None:
        run = app.test_cli_runner().invoke
        result = run(main, ["user", "plan", "alice@example.com", "pro"])
        assert (result.exit_code, result.output) == (0, "alice@example.com has the plan PRO now.\n")
        assert "already" in run(main, ["user", "plan", "alice@example.com", "PRO"]).output
        assert plan_of(alice) is Plan.PRO
        (event,) = events("user.plan")
        assert event.details["via"] == "cli"
        assert run(main, ["user", "plan", "nobody@x.org", "PRO"]).exit_code != 0


def test_new_accounts_begin_with_the_operators_plan(app: Flask, session: object, monkeypatch: pytest.MonkeyPatch) -> None:
    config = app.extensions["hub_config"]
    plans = dataclasses.replace(config.plans, new_plan="ENTERPRISE")
    monkeypatch.setitem(app.extensions, "hub_config", dataclasses.replace(config, plans=plans))
    runner = app.test_cli_runner()
    runner.invoke(main, ["user", "create", "new@example.com", "--password-stdin"], input="a long password\n")
    assert db.session.scalars(sa.select(User.plan).where(User.email == "new@example.com")).one() is Plan.ENTERPRISE
    assert LIMITS[Plan.ENTERPRISE].instances is None
