"""The chain with real commits: writers at the same time, events from before it, a restored backup."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from hub.accounts.models import User
from hub.audit import triggers
from hub.audit.models import AuditChain, AuditLog
from hub.audit.services import record_event
from hub.audit.verification import verify_all
from hub.contracts.actor import SYSTEM, Actor
from hub.database.backups import create_backup
from hub.database.migrations import downgrade_database, upgrade_database
from hub.database.restoring import restore_backup
from hub.extensions import db

WRITERS, TIMES = 4, 15


def test_writers_at_the_same_time_neither_fork_a_chain_nor_wait_for_each_other_forever(empty_app: Flask) -> None:
    """Each changes a row that others change too, and writes into three chains in an order of its own."""
    actors = [Actor(user_id="a"), Actor(user_id="b"), SYSTEM]
    errors: list[Exception] = []

    def work(place: int) -> None:
        with empty_app.app_context():
            try:
                for number in range(TIMES):
                    for offset in range(len(actors)):
                        record_event(actors[(place + offset) % len(actors)], "step", "x", f"{place}-{number}")
                    db.session.execute(sa.update(User).values(name=f"{place}-{number}"))
                    db.session.commit()
            except Exception as error:
                errors.append(error)
            finally:
                db.session.remove()

    with empty_app.app_context():
        upgrade_database()
        db.session.add(User(email="a@example.com", password="!", name="A"))
        db.session.commit()
        threads = [threading.Thread(target=work, args=(place,)) for place in range(WRITERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        found = verify_all({})
        assert (found.ok, found.chains, found.events) == (True, 3, 3 * WRITERS * TIMES)
        db.session.remove()


def test_a_page_that_writes_an_event_has_one_connection(empty_app: Flask) -> None:
    """With a second one it would wait for its own write lock."""
    with empty_app.app_context():
        upgrade_database()
    with empty_app.test_request_context("/"):
        connections = set()
        for statement in (sa.select(User.id), sa.select(AuditLog.id)):
            db.session.execute(statement)
            connections.add(db.session.connection())
        record_event(SYSTEM, "step", "x")
        record_event(Actor(user_id="a"), "step", "x")
        db.session.commit()
        assert len(connections) == 1
        assert verify_all({}).events == 2
        db.session.remove()


def test_events_from_before_the_chain_are_chained_by_the_migration(empty_app: Flask) -> None:
    with empty_app.app_context():
        upgrade_database()
        for number in range(5):
            record_event((Actor(user_id="a"), SYSTEM)[number % 2], "step", "x", str(number), details={"text": "ع", "share": 0.1})
            db.session.commit()
        db.session.remove()
        downgrade_database("0011")
        assert "chain" not in {column["name"] for column in sa.inspect(db.engine).get_columns("audit_logs")}
        upgrade_database()
        heads = {head.chain: head.sequence for head in db.session.scalars(sa.select(AuditChain))}
        assert heads == {"a": 3, "": 2}
        db.session.rollback()
        found = verify_all({})
        assert (found.ok, found.events) == (True, 5)
        record_event(SYSTEM, "step", "x")
        db.session.commit()
        assert verify_all({}).events == 6
        db.session.remove()


def test_a_restored_chain_holds_and_goes_on(
    empty_app: Flask, fresh_database: Callable[[], str], open_app: Callable[..., Flask], tmp_path: Path
) -> None:
    with empty_app.app_context():
        upgrade_database()
        record_event(SYSTEM, "one", "x", details={"share": 1e-7, "text": "a\tb\\n"})
        db.session.commit()
        db.session.remove()
        file = create_backup(tmp_path / "backup.zip").path
    with open_app(fresh_database()).app_context():
        restore_backup(file)
        record_event(SYSTEM, "two", "x")
        db.session.commit()
        assert (verify_all({}).ok, triggers.find_missing(db.session.connection())) == (True, [])
        assert list(db.session.scalars(sa.select(AuditLog.sequence).order_by(AuditLog.sequence))) == [1, 2]
        db.session.remove()
