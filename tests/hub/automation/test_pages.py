"""Automation as a person without JavaScript, a program and a shell use it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hub.automation import services
from hub.automation.models import AutomationLevel
from hub.cli import main
from hub.contracts.actor import Actor
from tests.hub.automation.conftest import Shop


@pytest.fixture
def page(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> FlaskClient:
    return browser_of(alice)


def test_a_level_is_chosen_on_the_workflows_page(page: FlaskClient, shop: Shop) -> None:
    address = f"/workflows/{shop.workflow_id}"
    assert re.search(r'value="OFF" checked', page.get(address).text)
    assert page.post(f"{address}/automation", data={"level": "VERIFY"}).location == address
    assert re.search(r'value="VERIFY" checked', page.get(address).text)
    assert page.post(f"{address}/automation", data={"level": "ALL"}).status_code == 422
    assert services.find_level(shop.workflow_id).level is AutomationLevel.VERIFY


def test_a_proposal_is_applied_with_one_click_from_the_dashboard(page: FlaskClient, shop: Shop) -> None:
    shop.set_level(AutomationLevel.PROPOSE)
    shop.run(shop.fail())
    html = page.get("/").text
    form = re.search(r'<form method="post" action="(/analyses/\w+/repairs)">(.*?)</form>', html, re.DOTALL)
    assert form
    sent = dict(re.findall(r'name="(suggestion|digest)" value="([^"]*)"', form[2]))
    page.post(form[1], data=sent)
    assert [(row.automatic, row.digest) for row in shop.repairs()] == [(False, sent["digest"])]
    assert "Waiting for you" not in page.get("/").text


def test_the_stop_switch_is_one_click_and_says_so(page: FlaskClient, shop: Shop) -> None:
    page.post("/automation/switch", data={"stopped": "1"})
    assert "Automation is stopped" in page.get("/automation").text
    assert "Automation is stopped" in page.get("/").text
    page.post("/automation/switch", data={"stopped": "0"})
    assert "Automation is stopped" not in page.get("/automation").text


def test_the_shell_stops_and_starts_everybody(app: Flask, shop: Shop) -> None:
    shell = app.test_cli_runner()
    assert "stopped for everybody" in shell.invoke(main, ["automation", "stop"]).output
    assert services.get_switch(shop.actor).hub
    assert "goes on" in shell.invoke(main, ["automation", "start"]).output
    assert not services.get_switch(shop.actor).is_stopped
    set_ = shell.invoke(main, ["automation", "level", shop.workflow_id, "propose", "--user", "alice@example.com"])
    assert "PROPOSE" in set_.output
    assert shop.workflow_id in shell.invoke(main, ["automation", "list", "--user", "alice@example.com"]).output
    report = shell.invoke(main, ["calibration", "--user", "alice@example.com"])
    assert "labels 0" in report.output
