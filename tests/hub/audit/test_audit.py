from __future__ import annotations

import ast
import inspect
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from hub.audit import services
from hub.audit.services import EventFilter, list_events, record_event
from hub.contracts.actor import Actor
from hub.errors import Invalid, NotAllowed
from hub.extensions import db


def write(actor: Actor, *actions: str, success: bool = True) -> None:
    for action in actions:
        record_event(actor, action, action.split(".")[0], success=success)
        db.session.commit()


def test_a_user_sees_their_own_events_and_an_operator_all(alice: Actor, bob: Actor, operator: Actor) -> None:
    write(alice, "instance.create")
    write(bob, "instance.delete")
    assert [event.action for event in list_events(alice).rows] == ["instance.create"]
    assert {event.action for event in list_events(operator).rows} == {"instance.create", "instance.delete"}
    only_bob = list_events(operator, EventFilter(user="Bob@example.com")).rows
    assert [(event.action, event.user_email) for event in only_bob] == [("instance.delete", "bob@example.com")]
    with pytest.raises(NotAllowed):
        list_events(alice, EventFilter(user="bob@example.com"))


def test_filters(alice: Actor) -> None:
    write(alice, "instance.create", "user.login")
    write(alice, "user.login", success=False)
    assert len(list_events(alice, EventFilter(action="user.")).rows) == 2
    assert len(list_events(alice, EventFilter(action="%")).rows) == 0
    assert [event.success for event in list_events(alice, EventFilter(action="user.login", success=False)).rows] == [False]


def test_pages_follow_each_other_without_gap_or_repeat(alice: Actor) -> None:
    write(alice, *(f"step.{number}" for number in range(7)))
    seen, cursor = [], None
    while True:
        page = list_events(alice, cursor=cursor, limit=3)
        seen += [event.action for event in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [f"step.{number}" for number in reversed(range(7))]
    with pytest.raises(Invalid):
        list_events(alice, cursor="rubbish")


def test_an_event_keeps_where_it_came_from(alice: Actor) -> None:
    actor = Actor(alice.user_id, ip_address="192.0.2.7", user_agent="x" * 500, via="api")
    write(actor, "instance.create")
    event = list_events(alice).rows[0]
    assert (event.ip_address, len(event.user_agent or ""), event.details) == ("192.0.2.7", 400, {"via": "api"})


def test_nothing_in_the_room_changes_or_deletes() -> None:
    tree = ast.parse(inspect.getsource(services))
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not called & {"update", "delete", "merge", "commit"}


def test_the_page(alice: Actor, bob: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    write(alice, "instance.create")
    write(bob, "instance.delete")
    page = browser_of(alice).get("/audit?action=instance")
    assert b"instance.create" in page.data
    assert b"instance.delete" not in page.data
    part = browser_of(alice).get("/audit", headers={"HX-Request": "true"}).data
    assert part.lstrip().startswith(b'<div id="events">')
