"""Two people, and every route, page, fragment and API call that takes an id."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from hub.contracts.actor import Actor
from tests.hub.pages import comparable
from tests.security.estate import MARK, build_estate
from tests.security.routes import Route, routes

MISSING = "c" + "0" * 24
#: Bodies that operations of the API ask for before they look for the object; a new one fails here with 422.
BODIES: dict[str, dict[str, object]] = {
    "api.apply_run_suggestion": {"suggestion": 0, "version": "1"},
    "api.update_instance": {"name": "Mine now"},
    "api.give_feedback": {"helpful": True},
    "api.set_instance_automation_switch": {"stopped": True},
    "api.set_workflow_automation": {"level": "PROPOSE"},
    "api.request_repair": {"suggestionIndex": 0, "digest": "0" * 64},
    "api.update_request": {"name": "Mine now"},
    "api.send_request": {},
    "api.preview_request": {},
    "api.preview_save_to_n8n": {},
    "api.save_request_to_n8n": {},
    "api.make_request_of_execution": {},
    "api.update_environment": {"name": "Mine now"},
    "api.create_environment_variable": {"name": "MINE", "value": "x"},
    "api.update_variable": {"value": "x"},
    "api.update_chain": {"name": "Mine now", "steps": []},
    "api.run_chain": {},
    "api.update_webhook": {"name": "Mine now"},
}
FRAGMENT = {"HX-Request": "true"}
#: Filters of lists that take an id.
FILTERS = ("instance_id", "workflow_id", "execution_id", "analysis_id")


def queries_for(route: Route, ids: dict[str, str]) -> list[dict[str, str]]:
    """Filters that a list might take: pages say ``instance``, the API ``instanceId``."""

    def spell(name: str) -> str:
        return name.replace("_id", "Id") if route.is_api else name.removesuffix("_id")

    return [{}, {"search": MARK, "user": "alice@example.com"}, *({spell(name): ids[name]} for name in FILTERS)]


def routes_with_ids(app: Flask) -> list[Route]:
    return [route for route in routes(app) if route.parameters]


@pytest.fixture
def estates(alice: Actor, bob: Actor) -> tuple[dict[str, str], dict[str, str]]:
    """What Alice owns, and what Bob owns."""
    return build_estate(alice), build_estate(bob)


def test_every_parameter_is_known(app: Flask, estates: tuple[dict[str, str], dict[str, str]]) -> None:
    """A new kind of id must be added to ``estate.py``, or nobody would try a stranger's."""
    unknown = {str(route): set(route.parameters) - set(estates[0]) for route in routes_with_ids(app)}
    assert {route: names for route, names in unknown.items() if names} == {}


def test_a_strangers_object_is_not_found(
    app: Flask, estates: tuple[dict[str, str], dict[str, str]], bob: Actor, caller_of: Callable[..., Any]
) -> None:
    """Each id of a route is tried alone too, the others being Bob's own: no way in through a nested id."""
    alices, bobs = estates
    call = caller_of(bob)
    wrong = []
    for route in routes_with_ids(app):
        for stranger in route.parameters:
            path = route.path({**bobs, stranger: alices[stranger]})
            missing = route.path({**bobs, stranger: MISSING})
            for headers in ({}, FRAGMENT):
                body = BODIES.get(route.endpoint)
                answer, nothing = call(route, path, headers, json=body), call(route, missing, headers, json=body)
                told_apart = comparable(answer, alices[stranger]) != comparable(nothing, MISSING)
                if (answer.status_code, nothing.status_code) != (404, 404) or told_apart or MARK in answer.text:
                    wrong.append((str(route), stranger, headers, answer.status_code, nothing.status_code, told_apart))
    assert wrong == []


def test_the_owner_does_get_there(app: Flask, alice: Actor, caller_of: Callable[..., Any]) -> None:
    """The same addresses lead somewhere for their owner; else the test above would prove nothing."""
    wrong = []
    for route in routes_with_ids(app):
        answer = caller_of(alice)(route, route.path(build_estate(alice)), json=BODIES.get(route.endpoint))
        if answer.status_code in (401, 403, 404, 405) or (answer.status_code >= 500 and route.method == "GET"):
            wrong.append((str(route), answer.status_code))
    assert wrong == []


def test_lists_show_nothing_of_a_stranger(
    app: Flask, estates: tuple[dict[str, str], dict[str, str]], alice: Actor, bob: Actor, caller_of: Callable[..., Any]
) -> None:
    """Every page that Bob may open, with his own ids and with Alice's as filters, in full and as a fragment."""
    alices, bobs = estates
    call = caller_of(bob)
    mark = f"{MARK}{alice.user_id}"
    leaks = []
    for route in routes(app):
        if route.method != "GET":
            continue
        for query in queries_for(route, alices):
            for headers in ({}, FRAGMENT) if not query else ({},):
                answer = call(route, route.path(bobs), headers, query_string=query)
                if mark in answer.text or answer.status_code >= 500:
                    leaks.append((str(route), query, headers, answer.status_code))
    assert leaks == []


def test_operators_see_no_more_of_other_peoples_things(
    app: Flask, estates: tuple[dict[str, str], dict[str, str]], operator: Actor, caller_of: Callable[..., Any]
) -> None:
    call = caller_of(operator)
    found = [
        (str(route), answer.status_code)
        for route in routes_with_ids(app)
        if (answer := call(route, route.path(estates[0]), json=BODIES.get(route.endpoint))).status_code != 404
    ]
    assert found == []


def test_ids_in_bodies_are_checked_too(
    app: Flask, estates: tuple[dict[str, str], dict[str, str]], bob: Actor, caller_of: Callable[..., Any]
) -> None:
    """Every field of the API's document that names an object, sent with Alice's id."""
    document = app.test_client().get("/api/v1/openapi.json").json
    schemas, call = document["components"]["schemas"], caller_of(bob)
    tried, wrong = [], []
    for route in routes(app):
        described = document["paths"].get(re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.rule.rule), {}).get(route.method.lower(), {})
        content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
        schema = schemas.get(content.get("schema", {}).get("$ref", "").rpartition("/")[2], {})
        for field in schema.get("properties", {}):
            parameter = re.sub(r"Id$", "_id", field)
            if parameter in estates[0]:
                answer = call(route, route.path(estates[1]), json={field: estates[0][parameter]})
                tried.append(field)
                if answer.status_code != 404:
                    wrong.append((str(route), field, answer.status_code))
    assert wrong == []
    assert "executionId" in tried
