from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.contracts.http import RequestDefinition
from hub.egress import EgressPolicy
from hub.errors import Conflict, NotFound, TooMany
from hub.extensions import db
from hub.http_builder.environments import VariableDraft, create_environment, create_variable, list_variables
from hub.http_builder.models import RequestRun, RequestRunBody, RunState, Variable
from hub.http_builder.running import cancel_run, get_body, get_run, list_runs, start_run
from hub.http_builder.running.runs import move
from hub.http_builder.running.sending import _exchange, _Plan, _prepare, _store
from hub.http_builder.running.words import describe_run_error
from hub.http_builder.running.worker import run_queued, take
from hub.jobs.models import Job
from tests.hub.egress.servers import Received, Server, Talk, answer, routed, saying

Send = Callable[..., RequestRun]
Start = Callable[[Talk], Server]
Session = sa.orm.scoped_session[sa.orm.Session]


def secret(name: str, value: str, *hosts: str) -> VariableDraft:
    return VariableDraft(name, value, is_secret=True, hosts=hosts)


def error_of(run: RequestRun) -> tuple[RunState, str | None]:
    return run.state, run.error["code"] if run.error else None


def test_an_answer_is_kept_with_all_that_is_known_of_it(send: Send, start_server: Start, alice: Actor) -> None:
    server = start_server(saying(answer(201, b'{"id": 7}', Content_Type="application/json; charset=utf-8", X_Id="7")))
    run = send(method="POST", url=server.url("/orders?a=1"), body={"kind": "json", "text": '{"n": 1}'}, name="Make an order")
    assert (run.state, run.status_code, run.reason, run.media_type) == (RunState.DONE, 201, "Said", "application/json")
    assert (run.name, run.method, run.body_size, run.truncated, run.error) == ("Make an order", "POST", 9, False, None)
    assert get_body(alice, run.id) == b'{"id": 7}'
    assert ["X-Id", "7"] in run.response_headers
    assert run.sent is not None
    assert (run.sent["method"], run.sent["url"], run.sent["body"]) == ("POST", server.url("/orders?a=1"), '{"n": 1}')
    assert run.timing is not None
    assert run.duration_ms == run.timing["total_ms"] > 0
    assert [hop["status"] for hop in run.hops] == [201]
    assert run.started_at is not None
    assert run.finished_at is not None
    assert (server.received[0].method, server.received[0].body) == ("POST", b'{"n": 1}')


def test_a_secret_goes_out_and_is_nowhere_to_be_read(send: Send, start_server: Start, alice: Actor, session: Session) -> None:
    def echo(request: Received, connection: object) -> None:
        connection.sendall(answer(200, request.everything.encode(), X_Echo=request.all("authorization")[0]))

    server = start_server(echo)
    create_variable(alice, None, secret("TOKEN", "s3cret-value-1", f"one.test:{server.port}"))
    run = send(url=server.url("/?key={{TOKEN}}"), auth={"type": "bearer", "token": "{{TOKEN}}"})
    assert server.received[0].all("authorization") == ["Bearer s3cret-value-1"]
    assert run.state is RunState.DONE
    row = session.execute(sa.select(RequestRun.__table__).where(RequestRun.id == run.id)).mappings().one()
    assert "s3cret-value-1" not in repr(dict(row))
    body = get_body(alice, run.id)
    assert body is not None
    assert b"s3cret-value-1" not in body
    assert b"{{TOKEN}}" in body


def test_a_secret_that_was_typed_goes_to_the_urls_host_and_is_wiped(send: Send, start_server: Start, session: Session) -> None:
    server = start_server(saying(answer(200)))
    run = send(url=server.url(), auth={"type": "bearer", "token": "{{TYPED}}"}, secrets={"TYPED": "typed-secret-2"})
    assert server.received[0].all("authorization") == ["Bearer typed-secret-2"]
    assert run.inputs is None


def test_inputs_are_sealed_while_the_run_waits(alice: Actor, session: Session) -> None:
    run = start_run(alice, RequestDefinition(url="https://a.test"), name="x", secrets={"TYPED": "typed-secret-2"})
    assert run.inputs is not None
    assert "typed-secret-2" not in run.inputs
    assert cancel_run(alice, run.id).inputs is None


def test_what_cannot_be_sent_is_refused_with_every_reason(send: Send, start_server: Start, alice: Actor) -> None:
    server = start_server(saying(answer(200)))
    create_variable(alice, None, secret("TOKEN", "s3cret-value-1", "elsewhere.test"))
    headers = [{"name": "X-Key", "value": "{{TOKEN}}"}, {"name": "X-Other", "value": "{{MISSING}}"}]
    run = send(url=server.url(), headers=headers)
    assert run.state is RunState.REFUSED
    assert run.error is not None
    assert run.error["code"] == "not-ready"
    assert {problem["code"] for problem in run.error["details"]["problems"]} == {"unresolved", "secret-host"}
    assert server.received == []


def test_what_the_guard_refuses_is_no_failure_of_the_other_server(
    app: Flask, send: Send, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = EgressPolicy(resolver=lambda host, _port: ["169.254.169.254"] if host == "metadata.test" else [])
    monkeypatch.setitem(app.extensions, "hub_egress", policy)
    assert error_of(send(url="http://metadata.test/latest")) == (RunState.REFUSED, "address-never")
    assert error_of(send(url="http://unknown.test")) == (RunState.FAILED, "dns")


def test_a_broken_exchange_says_how_far_it_came(send: Send, start_server: Start) -> None:
    cut = start_server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"))
    run = send(url=cut.url())
    assert (run.state, run.error and run.error["code"], run.error and run.error["phase"]) == (
        RunState.FAILED,
        "reset",
        "download",
    )
    assert run.timing is not None
    assert run.sent is not None
    assert run.duration_ms is not None


def test_a_secret_whose_key_is_gone_is_named(send: Send, alice: Actor, session: Session) -> None:
    variable = create_variable(alice, None, secret("TOKEN", "s3cret-value-1", "one.test"))
    variable.secret_value = "v1.00000000.AAAA.AAAA"
    session.flush()
    assert [row.is_lost for row in list_variables(alice, None)] == [True]
    run = send(url="http://one.test", headers=[{"name": "X-Key", "value": "{{TOKEN}}"}])
    assert run.error == {"code": "secret-lost", "details": {"name": "TOKEN"}}
    assert run.state is RunState.REFUSED


def test_the_narrower_scope_wins(send: Send, start_server: Start, alice: Actor) -> None:
    server = start_server(saying(answer(200)))
    environment = create_environment(alice, "Staging")
    assert environment.active
    create_variable(alice, None, VariableDraft("A", "user"))
    create_variable(alice, None, VariableDraft("B", "user"))
    create_variable(alice, environment.id, VariableDraft("A", "staging"))
    run = send(url=server.url("/{{A}}/{{B}}/{{C}}"), variables=[{"name": "C", "value": "own"}])
    assert server.received[0].target == "/staging/user/own"
    assert run.environment_id == environment.id


def test_extracted_values_become_variables(send: Send, start_server: Start, alice: Actor, session: Session) -> None:
    body = json.dumps({"token": "fresh-token-9", "items": [{"id": 41}, {"id": 42}]}).encode()
    server = start_server(routed({"/login": answer(200, body, X_Page="next"), "/items": answer(200)}))
    extractions = [
        {"variable": "TOKEN", "path": "$.token", "secret": True, "scope": "user"},
        {"variable": "ITEM", "path": "$.items[1].id"},
        {"variable": "PAGE", "source": "header", "path": "x-page", "scope": "user"},
        {"variable": "NONE", "path": "$.none"},
        {"variable": "not a name", "path": "$.token"},
    ]
    run = send(url=server.url("/login"), extractions=extractions)
    assert [(each["variable"], each["found"], each["problem"]) for each in run.extracted] == [
        ("TOKEN", True, None),
        ("ITEM", True, None),
        ("PAGE", True, None),
        ("NONE", False, "no-match"),
        ("not a name", False, "bad-name"),
    ]
    assert b"fresh-token-9" not in (get_body(alice, run.id) or b"")
    rows = {row.name: row for row in list_variables(alice, None)}
    assert (rows["ITEM"].value, rows["PAGE"].value, rows["TOKEN"].value) == ("42", "next", None)
    assert rows["TOKEN"].hosts == (f"one.test:{server.port}",)
    assert send(url=server.url("/items"), auth={"type": "bearer", "token": "{{TOKEN}}"}).state is RunState.DONE
    assert server.received[1].all("authorization") == ["Bearer fresh-token-9"]
    assert "fresh-token-9" not in repr(session.execute(sa.select(Variable.__table__)).all())


def test_a_run_is_sent_once_whatever_happens(alice: Actor, session: Session, start_server: Start, send: Send) -> None:
    server = start_server(saying(answer(200)))
    run = start_run(alice, RequestDefinition(url=server.url()), name="x")
    assert session.scalar(sa.select(Job.arguments).where(Job.name == "requests.send")) == {"run_id": run.id}
    run_queued(run.id)
    run_queued(run.id)
    assert len(server.received) == 1
    assert get_run(alice, run.id).state is RunState.DONE
    lost = start_run(alice, RequestDefinition(url=server.url()), name="x")
    assert move(lost.id, (RunState.QUEUED,), RunState.RUNNING)
    run_queued(lost.id)
    assert get_run(alice, lost.id).state is RunState.INTERRUPTED
    assert len(server.received) == 1


def test_what_was_cancelled_is_not_sent(alice: Actor, session: Session, start_server: Start, send: Send) -> None:
    server = start_server(saying(answer(200)))
    run = start_run(alice, RequestDefinition(url=server.url()), name="x")
    cancel_run(alice, run.id)
    run_queued(run.id)
    assert (get_run(alice, run.id).state, server.received) == (RunState.CANCELED, [])
    with pytest.raises(Conflict):
        cancel_run(alice, run.id)


def test_what_was_cancelled_meanwhile_stores_nothing(alice: Actor, session: Session, start_server: Start, send: Send) -> None:
    server = start_server(saying(answer(200, b'{"token": "late"}')))
    definition = RequestDefinition.model_validate({"url": server.url(), "extractions": [{"variable": "T", "path": "$.token"}]})
    run = start_run(alice, definition, name="x")
    taken = take(run.id)
    assert taken is not None
    plan = _Plan.of(taken)
    ready = _prepare(plan, taken, None)
    cancel_run(alice, run.id)
    assert _store(plan, _exchange(plan.definition, ready)) is RunState.CANCELED
    assert len(server.received) == 1
    assert get_run(alice, run.id).state is RunState.CANCELED
    assert session.scalar(sa.select(RequestRunBody)) is None
    assert list_variables(alice, None) == []


def test_runs_are_their_owners(alice: Actor, bob: Actor, session: Session) -> None:
    run = start_run(alice, RequestDefinition(url="https://a.test"), name="x")
    environment = create_environment(alice, "Staging")
    assert list_runs(bob).rows == []
    for attempt in (
        lambda: get_run(bob, run.id),
        lambda: cancel_run(bob, run.id),
        lambda: start_run(bob, RequestDefinition(url="https://a.test"), name="x", environment_id=environment.id),
        lambda: start_run(bob, RequestDefinition(url="https://a.test"), name="x", request_id="none"),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert get_body(bob, run.id) is None


def test_nobody_sends_without_end(alice: Actor, session: Session) -> None:
    runs = [start_run(alice, RequestDefinition(url="https://a.test"), name="x") for _ in range(16)]
    with pytest.raises(TooMany, match="16"):
        start_run(alice, RequestDefinition(url="https://a.test"), name="x")
    for run in runs:
        cancel_run(alice, run.id)
    for _ in range(44):
        cancel_run(alice, start_run(alice, RequestDefinition(url="https://a.test"), name="x").id)
    with pytest.raises(TooMany, match="60"):
        start_run(alice, RequestDefinition(url="https://a.test"), name="x")


def test_the_list_is_filtered_and_paged(alice: Actor, session: Session) -> None:
    for number, (state, status) in enumerate([(RunState.DONE, 200), (RunState.DONE, 404), (RunState.FAILED, None)]):
        run = start_run(alice, RequestDefinition(url="https://a.test"), name=f"{number}")
        move(run.id, (RunState.QUEUED,), state, status_code=status, created_at=utc_now())
    db.session.commit()
    assert [row.name for row in list_runs(alice).rows] == ["2", "1", "0"]
    assert [row.name for row in list_runs(alice, state=RunState.DONE).rows] == ["1", "0"]
    assert [row.name for row in list_runs(alice, status="4xx").rows] == ["1"]
    assert [row.name for row in list_runs(alice, status="200").rows] == ["0"]
    assert list_runs(alice, status="nonsense").rows == []
    first = list_runs(alice, limit=2)
    assert [row.name for row in list_runs(alice, limit=2, cursor=first.next_cursor).rows] == ["0"]


def test_what_a_test_expects_is_filled_in_and_secrets_in_it_are_masked(
    send: Send, start_server: Start, alice: Actor, session: Session
) -> None:
    """Nothing of it is sent, so the hosts of a secret do not matter."""
    server = start_server(saying(answer(200, b'{"shop": "north", "key": "s3cret-value-2", "text": "={{ $json.id }} of {{A}}"}')))
    create_variable(alice, None, VariableDraft("SHOP", "north"))
    create_variable(alice, None, VariableDraft("ONCE", "{{SHOP}}"))
    create_variable(alice, None, secret("KEY", "s3cret-value-2", "other.test"))
    tests = [
        {"subject": "body", "path": "$.shop", "comparison": "equals", "expected": "{{SHOP}}"},
        {"subject": "body", "path": "$.shop", "comparison": "matches", "expected": "^{{ SHOP }}$"},
        {"subject": "body", "path": "$.key", "comparison": "equals", "expected": "{{KEY}}"},
        {"subject": "body", "path": "$.key", "comparison": "not-equals", "expected": "x{{KEY}}"},
        {"subject": "body", "path": "$.shop", "comparison": "not-equals", "expected": "{{ONCE}}"},
        {"subject": "body", "path": "$.text", "comparison": "contains", "expected": "={{ $json.id }}"},
        {"subject": "body", "path": "$.shop", "comparison": "exists", "expected": "{{NOBODY}}"},
        {"subject": "status", "comparison": "equals", "expected": "{{NOBODY}}", "enabled": False},
    ]
    run = send(url=server.url(), assertions=tests)
    assert [(each["passed"], each["problem"]) for each in run.assertions] == [(True, None)] * 7
    assert [each["expected"] for each in run.assertions] == [
        "north",
        "^north$",
        "{{KEY}}",
        "x{{KEY}}",
        "{{SHOP}}",
        "={{ $json.id }}",
        "{{NOBODY}}",
    ]
    row = session.execute(sa.select(RequestRun.__table__).where(RequestRun.id == run.id)).mappings().one()
    assert "s3cret-value-2" not in repr(dict(row))


def test_a_name_that_a_test_expects_and_nobody_knows_is_named_before_sending(app: Flask, send: Send, start_server: Start) -> None:
    server = start_server(saying(answer(200, b"{}")))
    test = {"subject": "body", "path": "$.shop", "comparison": "equals", "expected": "{{NOBODY}}"}
    run = send(url=server.url("/{{NOR_THIS}}"), assertions=[{"subject": "status", "expected": "200"}, test])
    assert error_of(run) == (RunState.REFUSED, "not-ready")
    assert server.received == []
    assert run.error
    problems = [(each["place"], each["code"], each["details"]["name"]) for each in run.error["details"]["problems"]]
    assert problems == [("url", "unresolved", "NOR_THIS"), ("assertions.1.expected", "unresolved", "NOBODY")]
    with app.test_request_context():
        assert any(reason.startswith("Test 2: ") for reason in describe_run_error(run))
