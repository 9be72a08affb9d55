from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from hub.contracts.actor import Actor
from hub.contracts.http import RequestDefinition, RequestDraft
from hub.errors import Conflict, Invalid, NotFound, TooMany
from hub.http_builder.models import RequestChain, RequestRun, RunState
from hub.http_builder.running.chain_pages import arrange
from hub.http_builder.running.chains import (
    cancel_chain_run,
    get_chain,
    list_chains,
    run_chain,
    save_chain,
    show_chain_run,
    start_chain,
)
from hub.http_builder.services import create_request, delete_request
from hub.jobs.registry import JobContext
from tests.hub.egress.servers import Received, Server, Talk, answer, routed

Session = sa.orm.scoped_session[sa.orm.Session]
Start = Callable[[Talk], Server]
CONTEXT = JobContext("job", 1)

pytestmark = pytest.mark.usefixtures("send")


@pytest.fixture
def request_of(alice: Actor, session: Session) -> Callable[..., str]:
    """Saves a request of Alice's; answers its id."""

    def make(name: str, url: str, **fields: object) -> str:
        definition = RequestDefinition.model_validate({"url": url, **fields})
        return create_request(alice, RequestDraft(name=name, definition=definition)).id

    return make


def states(actor: Actor, chain_run_id: str) -> list[str]:
    progress = show_chain_run(actor, chain_run_id)
    return [progress.state.value, *(step.state.value for step in progress.steps)]


def test_each_step_sees_what_the_earlier_ones_extracted(
    alice: Actor, start_server: Start, request_of: Callable[..., str]
) -> None:
    server = start_server(routed({"/login": answer(200, b'{"token": "abc-123"}'), "/me/abc-123": answer(200)}))
    login = request_of("Log in", server.url("/login"), extractions=[{"variable": "T", "path": "$.token"}])
    me = request_of("Me", server.url("/me/{{T}}"))
    chain = save_chain(alice, None, "Both", [login, me])
    run = start_chain(alice, chain.id)
    assert states(alice, run.id) == ["QUEUED", "QUEUED", "QUEUED"]
    run_chain(run.id, CONTEXT)
    assert states(alice, run.id) == ["DONE", "DONE", "DONE"]
    assert [each.target for each in server.received] == ["/login", "/me/abc-123"]
    run_chain(run.id, CONTEXT)
    assert len(server.received) == 2
    [row] = list_chains(alice)
    assert (row.steps, row.last_run_id, row.last_state) == (2, run.id, RunState.DONE)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"assertions": [{"subject": "body", "path": "$.ok", "expected": "true"}]},
        {"assertions": [{"subject": "status", "expected": "404"}], "extractions": [{"variable": "A", "path": "$.none"}]},
        {"headers": [{"name": "X", "value": "{{MISSING}}"}]},
    ],
)
def test_it_stops_at_the_first_that_fails(
    alice: Actor, start_server: Start, request_of: Callable[..., str], fields: dict[str, object]
) -> None:
    server = start_server(routed({"/bad": answer(404, b'{"ok": false}'), "/next": answer(200)}))
    steps = [request_of("Bad", server.url("/bad"), **fields), request_of("Next", server.url("/next"))]
    run = start_chain(alice, save_chain(alice, None, "Chain", steps).id)
    run_chain(run.id, CONTEXT)
    assert states(alice, run.id)[::2] == ["FAILED", "CANCELED"]
    assert all(each.target != "/next" for each in server.received)


def test_an_answer_that_was_expected_is_no_failure(alice: Actor, start_server: Start, request_of: Callable[..., str]) -> None:
    server = start_server(routed({"/gone": answer(404)}))
    gone = request_of("Gone", server.url("/gone"), assertions=[{"subject": "status", "expected": "404"}])
    run = start_chain(alice, save_chain(alice, None, "Chain", [gone]).id)
    run_chain(run.id, CONTEXT)
    assert states(alice, run.id) == ["DONE", "DONE"]


def test_a_chain_that_lost_its_worker_sends_nothing_again(
    alice: Actor, session: Session, start_server: Start, request_of: Callable[..., str]
) -> None:
    server = start_server(routed({"/a": answer(200)}))
    run = start_chain(alice, save_chain(alice, None, "Chain", [request_of("A", server.url("/a"))] * 2).id)
    run.state = RunState.RUNNING
    first = session.scalars(sa.select(RequestRun).order_by(RequestRun.created_at, RequestRun.id)).first()
    assert first is not None
    first.state = RunState.RUNNING
    session.commit()
    run_chain(run.id, CONTEXT)
    assert states(alice, run.id) == ["INTERRUPTED", "INTERRUPTED", "CANCELED"]
    assert server.received == []


def test_a_cancelled_chain_begins_no_further_step(alice: Actor, start_server: Start, request_of: Callable[..., str]) -> None:
    runs = []

    def talk(_request: Received, connection: object) -> None:
        connection.sendall(answer(200))

    server = start_server(talk)
    chain = save_chain(alice, None, "Chain", [request_of("A", server.url("/a"))] * 3)
    runs.append(start_chain(alice, chain.id).id)
    cancel_chain_run(alice, runs[0])
    run_chain(runs[0], CONTEXT)
    assert states(alice, runs[0]) == ["CANCELED"] * 4
    with pytest.raises(Conflict):
        cancel_chain_run(alice, runs[0])
    assert server.received == []


def test_chains_are_checked_and_their_owners(alice: Actor, bob: Actor, request_of: Callable[..., str]) -> None:
    request_id = request_of("A", "https://a.test")
    for name, steps in (("", [request_id]), ("x", []), ("x", [request_id] * 21), ("x", ["none"])):
        with pytest.raises(Invalid):
            save_chain(alice, None, name, steps)
    with pytest.raises(Invalid):
        save_chain(bob, None, "x", [request_id])
    chain = save_chain(alice, None, "x", [request_id] * 20)
    for attempt in (lambda: get_chain(bob, chain.id), lambda: start_chain(bob, chain.id)):
        with pytest.raises(NotFound):
            attempt()
    run = start_chain(alice, chain.id)
    start_chain(alice, chain.id)
    start_chain(alice, chain.id)
    with pytest.raises(TooMany):
        start_chain(alice, chain.id)
    with pytest.raises(NotFound):
        show_chain_run(bob, run.id)
    delete_request(alice, request_id)
    with pytest.raises(Conflict, match="no longer"):
        start_chain(alice, chain.id)


@pytest.mark.parametrize(
    ("wish", "steps"),
    [
        ("up-2", ["a", "c", "b"]),
        ("up-0", ["a", "b", "c"]),
        ("down-0", ["b", "a", "c"]),
        ("down-2", ["a", "b", "c"]),
        ("remove-1", ["a", "c"]),
        ("more", ["a", "b", "c"]),
        ("up-9", ["a", "b", "c"]),
        ("jump-1", ["a", "b", "c"]),
    ],
)
def test_the_form_moves_steps(wish: str, steps: list[str]) -> None:
    assert arrange(["a", "b", "c"], wish) == steps


def test_the_pages(
    app: Flask, alice: Actor, session: Session, browser_of: Callable[[Actor], FlaskClient], request_of: Callable[..., str]
) -> None:
    browser = browser_of(alice)
    assert "No chains yet" in browser.get("/chains").text
    assert "no request to chain" in browser.get("/chains/new").text
    one, two = request_of("First one", "https://a.test"), request_of("Second one", "https://b.test")
    moved = browser.post("/chains", data={"name": "Kept", "step": [one, two, ""], "arrange": "up-1"})
    assert moved.status_code == 200
    assert "Kept" in moved.text
    assert session.scalar(sa.select(RequestChain)) is None
    assert browser.post("/chains", data={"name": "", "step": [one]}).status_code == 422
    place = browser.post("/chains", data={"name": "Both", "step": [one, two, ""]}).headers["Location"]
    assert browser.post(place, data={"name": "Both", "step": [two, one]}).status_code == 303
    shown = browser.post(f"{place}/run").headers["Location"]
    page = browser.get(shown)
    assert page.text.index("Second one") < page.text.index("First one")
    assert "every 700ms" in page.text
    fragment = browser.get(shown, headers={"HX-Request": "true"})
    assert fragment.text.strip().startswith('<div id="progress"')
    assert browser.post(f"{shown}/cancel").status_code == 303
    assert "every 700ms" not in browser.get(shown).text
    runs = browser.get("/runs").text
    assert "First one" in runs
    assert "Nothing was sent" not in runs
    assert "No runs found" in browser.get("/runs?state=DONE&status=4xx").text
    assert browser.post(f"{place}/delete").status_code == 303
