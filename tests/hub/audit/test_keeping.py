from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import hmac
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from hub.audit import anchors, keeping, triggers
from hub.audit.exporting import as_csv, as_json_lines
from hub.audit.jobs import anchor, verify
from hub.audit.models import AuditChain, AuditLog
from hub.audit.services import EventFilter, iterate_events, list_events, record_event
from hub.cli import main
from hub.columns import utc_now
from hub.contracts.actor import SYSTEM, Actor
from hub.egress import Answer, EgressError
from hub.errors import Invalid, NotAllowed, Unavailable
from hub.extensions import db
from hub.jobs.registry import JobContext

CONTEXT = JobContext("j", 1)


@pytest.fixture
def written(alice: Actor, bob: Actor, operator: Actor) -> None:
    for actor, action in ((alice, "instance.create"), (bob, "instance.delete"), (alice, "request.send")):
        record_event(actor, action, action.partition(".")[0], "c1", details={"name": "=1+1", "label": "طلب “x” 50%"})
    db.session.commit()


@pytest.fixture
def configure(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets settings of the log for one test."""

    def set_up(**settings: Any) -> None:
        config = app.extensions["hub_config"]
        changed = dataclasses.replace(config, audit=dataclasses.replace(config.audit, **settings))
        monkeypatch.setitem(app.extensions, "hub_config", changed)

    return set_up


def tamper(sequence: int, chain: str | None) -> None:
    triggers.drop(db.session.connection())
    place = sa.and_(AuditLog.chain == chain, AuditLog.sequence == sequence)
    db.session.execute(sa.update(AuditLog).where(place).values(action="nothing"))
    triggers.create(db.session.connection())
    db.session.commit()


@pytest.mark.usefixtures("written")
def test_search_and_filters(alice: Actor, operator: Actor) -> None:
    def found(**wanted: Any) -> list[str]:
        return [event.action for event in list_events(operator, EventFilter(**wanted)).rows]

    assert found(resource="request") == ["request.send"]
    assert found(text="طلب “X”".lower()) == ["request.send", "instance.delete", "instance.create"]
    assert found(text="50%") == found(text="C1") == found()
    assert found(text="5_%") == []
    assert found(user="alice@example.com", text="send") == ["request.send"]
    assert found(since=utc_now() + dt.timedelta(days=1)) == found(until=utc_now() - dt.timedelta(days=1)) == []
    assert len(found(since=utc_now() - dt.timedelta(days=1), until=utc_now() + dt.timedelta(days=1))) == 3
    assert [event.action for event in iterate_events(alice)] == ["request.send", "instance.create"]


@pytest.mark.usefixtures("written")
def test_exports_carry_everything_and_run_nothing(alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.audit.services._EXPORTED_AT_A_TIME", 1)
    record_event(dataclasses.replace(alice, user_agent="=HYPERLINK(1)"), "-x", "@y", "+z")
    db.session.commit()
    lines = [json.loads(line) for line in as_json_lines(iterate_events(alice))]
    assert [line["sequence"] for line in lines] == [3, 2, 1]
    assert lines[1]["previous_hash"] == lines[2]["hash"]
    rows = list(csv.DictReader(io.StringIO("".join(as_csv(iterate_events(alice))))))
    assert [rows[0][name] for name in ("action", "resource", "resource_id", "user_agent")] == [
        "'-x",
        "'@y",
        "'+z",
        "'=HYPERLINK(1)",
    ]
    assert json.loads(rows[1]["details"]) == {"name": "=1+1", "label": "طلب “x” 50%", "via": "web"}


@pytest.mark.usefixtures("written")
def test_a_verification_is_an_event_that_people_are_told_of(alice: Actor, bob: Actor, operator: Actor) -> None:
    assert keeping.read_state(alice).verified_at is None
    assert keeping.verify_log(operator).ok
    state = keeping.read_state(alice)
    assert (state.ok, state.sequence, state.chains, state.events) == (True, 2, 1, 0)
    assert keeping.read_state(operator).events == 3
    tamper(1, alice.user_id)
    assert not keeping.verify_log(SYSTEM).ok
    assert [found.sequence for found in keeping.read_state(alice).breaks] == [1]
    assert keeping.read_state(bob).ok
    assert not keeping.read_state(operator).ok
    with pytest.raises(NotAllowed):
        keeping.verify_log(alice)


@pytest.mark.usefixtures("written")
def test_heads_are_anchored_in_a_file(alice: Actor, configure: Callable[..., None], tmp_path: Path) -> None:
    file = tmp_path / "anchors" / "heads.jsonl"
    configure(anchor_file=file)
    anchor(CONTEXT)
    assert len(file.read_text().splitlines()) == 2
    anchor(CONTEXT)
    assert len(file.read_text().splitlines()) == 2
    with file.open("a") as stream:
        stream.write('{"chain": "cut sho')  # as a crash leaves it
    record_event(alice, "instance.create", "instance")
    db.session.commit()
    verify(CONTEXT)
    known = anchors.read_anchors()
    assert {name: known[name].sequence for name in known}[str(alice.user_id)] == 3
    assert "" in known  # the verification's own event
    before = file.read_text()
    tamper(2, alice.user_id)
    triggers.drop(db.session.connection())
    db.session.execute(sa.delete(AuditLog).where(AuditLog.chain == alice.user_id, AuditLog.sequence > 1))
    db.session.execute(sa.update(AuditChain).where(AuditChain.chain == alice.user_id).values(sequence=1))
    triggers.create(db.session.connection())
    db.session.commit()
    found = keeping.verify_log(SYSTEM)
    assert [(item.kind, item.sequence) for item in found.breaks] == [("cut", 2)]
    anchor(CONTEXT)
    assert str(alice.user_id) not in file.read_text()[len(before) :]


def test_an_unreadable_place_says_so(alice: Actor, configure: Callable[..., None], tmp_path: Path) -> None:
    record_event(alice, "x", "x")
    db.session.commit()
    (tmp_path / "file").write_text("")
    configure(anchor_file=tmp_path / "file" / "below")
    with pytest.raises(Unavailable, match="HUB_AUDIT_ANCHOR_FILE"):
        anchors.anchor_heads()
    configure(anchor_file=None, anchor_url="https://example.com/anchors", anchor_secret=None)
    with pytest.raises(Unavailable, match="HUB_AUDIT_ANCHOR_SECRET"):
        anchors.anchor_heads()


@pytest.mark.usefixtures("written")
def test_heads_are_posted_with_a_signature(configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, bytes]] = []
    answers: list[Any] = [Answer(500, {}, b"", 1.0), EgressError("cancelled")]

    def send(_session: object, _method: str, _url: str, *, headers: dict[str, str], content: bytes) -> Answer:
        sent.append((headers["X-Hub-Signature"], content))
        answer = answers.pop(0) if answers else Answer(204, {}, b"", 1.0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(anchors, "fetch", send)
    configure(anchor_url="https://example.com/anchors", anchor_secret="s3cret")
    for reason in ("answered 500", "HUB_AUDIT_ANCHOR_URL"):
        with pytest.raises(Unavailable, match=reason):
            anchors.anchor_heads()
    assert anchors.anchor_heads() == 2
    assert anchors.anchor_heads() == 0
    signature, body = sent[-1]
    moment = signature.partition(",")[0].removeprefix("t=")
    assert signature.endswith("v1=" + hmac.digest(b"s3cret", f"{moment}.".encode() + body, "sha256").hex())
    assert len(json.loads(body)["heads"]) == 2


@pytest.mark.usefixtures("written")
def test_pruning_by_command_and_by_setting(
    app: Flask, alice: Actor, bob: Actor, operator: Actor, configure: Callable[..., None]
) -> None:
    with pytest.raises(Invalid):
        keeping.prune_events(operator, utc_now() + dt.timedelta(days=1))
    with pytest.raises(NotAllowed):
        keeping.prune_events(alice, utc_now())
    tamper(1, bob.user_id)
    pruned = keeping.prune_events(operator, utc_now())
    assert (pruned.chains, pruned.events, [found.chain for found in pruned.broken]) == (1, 2, [bob.user_id])
    assert [event.action for event in iterate_events(operator)] == ["audit.prune", "nothing"]
    configure(keep_days=1)
    with pytest.raises(Exception, match="hub audit verify"):
        verify(CONTEXT)


@pytest.mark.usefixtures("written")
def test_the_command_line(app: Flask, alice: Actor, tmp_path: Path) -> None:
    run = app.test_cli_runner().invoke
    shown = run(main, ["audit", "list", "--user", "oscar@example.com", "--text", "instance", "--limit", "1"])
    assert (shown.exit_code, shown.output.count("\n")) == (0, 1)
    assert "bob@example.com" in shown.output
    good = run(main, ["audit", "verify"])
    assert (good.exit_code, good.output) == (0, "2 chains, 3 events: all hold.\n")
    file = tmp_path / "out.csv"
    assert run(main, ["audit", "export", "--user", "oscar@example.com", "--format", "csv", "--output", str(file)]).exit_code == 0
    assert len(file.read_text().splitlines()) == 5
    refused = run(main, ["audit", "prune", "--user", "alice@example.com", "--before", "2026-01-01", "--yes"])
    assert "Only operators" in refused.stderr
    tamper(2, alice.user_id)
    bad = run(main, ["audit", "verify"])
    assert bad.exit_code == 1
    assert f"BROKEN  chain of alice@example.com ({alice.user_id}): Event 2 was changed." in bad.output
    triggers.drop(db.session.connection())
    db.session.commit()
    assert "hub audit protect" in run(main, ["audit", "verify"]).output
    assert run(main, ["audit", "protect", "--user", "oscar@example.com"]).exit_code == 0
    assert triggers.find_missing(db.session.connection()) == []


@pytest.mark.usefixtures("written")
def test_the_page_and_its_files(alice: Actor, operator: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    browser = browser_of(alice)
    assert "Not verified yet" in browser.get("/audit").text
    assert "Verify now" not in browser.get("/audit").text
    keeping.verify_log(SYSTEM)
    assert "as the hub wrote it" in browser.get("/audit").text
    file = browser.get("/audit/export?format=jsonl&action=instance.")
    assert (file.mimetype, len(file.text.splitlines())) == ("application/jsonl", 1)
    assert 'filename="audit-' in file.headers["Content-Disposition"] or "filename=audit-" in file.headers["Content-Disposition"]
    assert [event.action for event in list_events(alice, EventFilter(action="audit.export")).rows] == ["audit.export"]
    assert browser.get("/audit/export?format=exe").status_code == 422
    wrong = browser.get("/audit?since=yesterday")
    assert (wrong.status_code, "is no date" in wrong.text, 'value="yesterday"' in wrong.text) == (422, True, True)
    assert browser.post("/audit/verification").status_code == 403
    watch = browser_of(operator)
    assert watch.post("/audit/verification").status_code == 303
    assert "Being verified" in watch.get("/audit").text
    tamper(1, alice.user_id)
    keeping.verify_log(SYSTEM)
    assert "Event 1 was changed" in browser.get("/audit").text
