"""A service that changes something and writes no audit event fails here (and ``watch_commits`` fails the test that runs it)."""

from __future__ import annotations

import ast

import pytest
import sqlalchemy as sa

from hub.audit.services import record_event
from hub.contracts.actor import Actor
from hub.extensions import db
from hub.jobs.services import enqueue
from hub.workflows.models import Workflow
from tests.security import audit_walk
from tests.security.audit_walk import NOT_AUDITED, Function, read_functions, unrecorded


def test_every_function_that_commits_writes_an_event() -> None:
    """Write one with ``record_event`` in the same transaction; or say in ``NOT_AUDITED`` why none is needed."""
    functions = read_functions()
    assert [name for name in unrecorded(functions) if name not in NOT_AUDITED] == []
    assert [name for name in NOT_AUDITED if name not in functions or not functions[name].commits] == []
    assert sum(function.commits for function in functions.values()) > 100


def test_the_walk_sees_one_that_does_not() -> None:
    tree = ast.parse("def change():\n    db.session.execute(x)\n    db.session.commit()")
    quiet = audit_walk._read("hub.x.change", tree.body[0], {})  # type: ignore[arg-type]
    caller = Function("hub.x.caller", commits=True, calls={"hub.x.tell"})
    tell = Function("hub.x.tell", calls={audit_walk.RECORD})
    assert unrecorded({function.name: function for function in (quiet, caller, tell)}) == ["hub.x.change"]


def test_the_watch_sees_what_is_committed_in_silence(
    alice: Actor, silent_commits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.jobs import services as jobs

    db.session.commit()
    enqueue("x.y")
    db.session.commit()  # a test does that, no service
    assert silent_commits == []
    monkeypatch.setattr(audit_walk, "NOT_AUDITED", {})
    jobs.enqueue_tick("x.tick", 60)
    assert silent_commits == ["hub.jobs.services.enqueue_tick changed jobs"]
    silent_commits.clear()
    record_event(alice, "x", "x")
    jobs.enqueue_tick("x.other", 60)
    jobs.prune_jobs()
    db.session.execute(sa.delete(Workflow))
    db.session.rollback()
    assert silent_commits == []
