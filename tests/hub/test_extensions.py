"""SQLite's one write lock: page views do not wait for it, and take it when they write after all."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.pool import NullPool

from hub.accounts.models import User
from hub.app import MODELS
from hub.extensions import Base, db

#: Another process: begin a write, say so, and commit when told to.
HOLD_WRITE_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE users SET name = 'written elsewhere'")
print("holding", flush=True)
sys.stdin.readline()
connection.execute("COMMIT")
"""


@pytest.fixture
def sqlite_app(tmp_path: Path) -> Flask:
    """The database extension alone, on its own SQLite file and without the rollback per test: real commits are the point."""
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path / 'hub.db'}"
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"poolclass": NullPool}
    db.init_app(app)

    @app.route("/probe-read", methods=["GET", "POST"])
    def probe_read() -> str:
        return db.session.scalars(sa.select(User.name)).one()

    @app.route("/probe-write")
    def probe_write() -> str:
        user = db.session.scalars(sa.select(User)).one()
        user.avatar = "seen"
        db.session.commit()
        return user.name

    assert MODELS, "imported, so that every table is known that another points to"
    with app.app_context():
        Base.metadata.create_all(db.engine)
        db.session.add(User(email="alice@example.com", password="!", name="alice"))
        db.session.commit()
    return app


def test_a_page_takes_one_connection_however_much_it_asks(sqlite_app: Flask) -> None:
    """Else a few people who click at the same time wait for each other's connections, and are answered 500."""
    taken: list[object] = []

    @sqlite_app.route("/probe-much")
    def probe_much() -> str:
        return "".join(db.session.scalars(sa.select(User.name)).one() for _ in range(20))

    with sqlite_app.app_context():
        sa.event.listen(db.engine.pool, "checkout", lambda *_arguments: taken.append(None))
    assert sqlite_app.test_client().get("/probe-much").status_code == 200
    assert len(taken) == 1


def begin_statements(app: Flask, method: str, path: str) -> list[str]:
    seen: list[str] = []
    with app.app_context():
        engine = db.engine

    def listen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement.split("\n")[0][:15])

    sa.event.listen(engine, "before_cursor_execute", listen)
    try:
        assert app.test_client().open(path, method=method).status_code == 200
    finally:
        sa.event.remove(engine, "before_cursor_execute", listen)
    return seen


def test_a_page_view_reads_while_another_process_writes(sqlite_app: Flask, tmp_path: Path) -> None:
    """The other process keeps its write transaction open until after the answer: a blocked view could only time out."""
    command = [sys.executable, "-c", HOLD_WRITE_LOCK, str(tmp_path / "hub.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "holding\n"
        assert sqlite_app.test_client().get("/probe-read").text == "alice"
        writer.communicate("commit\n")
    assert writer.returncode == 0
    assert sqlite_app.test_client().get("/probe-read").text == "written elsewhere"


def test_a_page_view_that_writes_takes_the_lock_first(sqlite_app: Flask, tmp_path: Path) -> None:
    """A commit by somebody else between its read and its write would be SQLITE_BUSY_SNAPSHOT in a plain deferred transaction."""
    with sqlite_app.test_request_context("/probe-write", method="GET"):
        user = db.session.scalars(sa.select(User)).one()
        other = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
        other.execute("UPDATE users SET name = 'changed meanwhile'")
        user.avatar = "seen"
        db.session.commit()
    assert other.execute("SELECT name, avatar FROM users").fetchall() == [("changed meanwhile", "seen")]
    other.close()


def test_unsafe_methods_begin_with_the_lock(sqlite_app: Flask) -> None:
    assert begin_statements(sqlite_app, "GET", "/probe-read")[0] == "BEGIN"
    assert begin_statements(sqlite_app, "HEAD", "/probe-read")[0] == "BEGIN"
    assert begin_statements(sqlite_app, "POST", "/probe-read")[0] == "BEGIN IMMEDIATE"


def test_work_outside_of_a_request_begins_with_the_lock(sqlite_app: Flask, tmp_path: Path) -> None:
    with sqlite_app.app_context():
        db.session.scalars(sa.select(User)).all()
        other = sqlite3.connect(tmp_path / "hub.db", timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("UPDATE users SET name = 'refused'")
        other.close()
