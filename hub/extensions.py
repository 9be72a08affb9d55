"""The Flask extensions, not yet bound to an app; ``create_app`` binds them."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import has_request_context, request
from flask_babel import Babel
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from flask_wtf.csrf import CSRFProtect
from htmx_flask import Htmx
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase

#: Alembic finds and drops constraints by name; these are the same on both databases.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of every model of the hub and of the plugins."""

    metadata = sa.MetaData(naming_convention=NAMING)


class Session(FlaskSession):
    """Page views (GET, HEAD) do not take SQLite's one write lock, so that a long write elsewhere never blocks reading.

    A session holds one connection for each engine that it is told, and ``execution_options`` makes an engine each time: so one
    is kept, else every statement of a page would take a connection of its own.
    """

    def get_bind(self, *arguments: Any, **options: Any) -> Engine | sa.Connection:
        bind = super().get_bind(*arguments, **options)
        if isinstance(bind, Engine) and has_request_context() and request.method in ("GET", "HEAD"):
            kept: dict[str, Engine] = vars(bind)
            return kept.get("hub_reading") or kept.setdefault("hub_reading", bind.execution_options(**DEFERRED))
        return bind


#: How long a writer waits for its turn on SQLite.
BUSY_SECONDS = 10

#: Execution option of an engine: begin without SQLite's write lock, and take it at the first write.
DEFERRED = {"hub_deferred": True}

db = SQLAlchemy(model_class=Base, session_options={"class_": Session})
if TYPE_CHECKING:
    Model = Base  # mypy cannot follow the class that Flask-SQLAlchemy makes at run time
else:
    Model = db.Model
login = LoginManager()
csrf = CSRFProtect()
htmx = Htmx()
babel = Babel()


@sa.event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """WAL, enforced foreign keys and a busy timeout; sqlite3's own transaction guessing off (see ``_begin``)."""
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={BUSY_SECONDS * 1000}", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")  # nosemgrep: sql-from-formatted-text (the four above)


@sa.event.listens_for(Engine, "begin")
def _begin(connection: sa.Connection) -> None:
    """Emit BEGIN on SQLite: IMMEDIATE unless deferred, because a busy timeout cannot help a read that turns into a write."""
    if connection.dialect.name == "sqlite":
        deferred = connection.get_execution_options().get("hub_deferred", False)
        connection.info["hub_deferred"] = deferred
        if not deferred:
            _stand_in_line(connection)
        try:
            connection.exec_driver_sql("BEGIN" if deferred else "BEGIN IMMEDIATE")
        except BaseException:
            _leave_line(connection)
            raise


def _stand_in_line(connection: sa.Connection) -> None:
    """Wait for the writers of this process. SQLite itself only looks again and again, so that one of many threads that want to
    write may never have its turn. Who has waited too long goes on, and SQLite says what is the matter."""
    line = vars(connection.dialect).setdefault("hub_writers", threading.Lock())
    if line.acquire(timeout=BUSY_SECONDS):
        connection.info["hub_line"] = line


@sa.event.listens_for(Engine, "commit")
@sa.event.listens_for(Engine, "rollback")
def _leave_line(connection: sa.Connection) -> None:
    if not connection.invalidated:
        _release(connection.info)


@sa.event.listens_for(sa.Pool, "reset")
@sa.event.listens_for(sa.Pool, "invalidate")
def _leave_line_at_reset(_connection: Any, record: Any, _state: Any) -> None:
    """A connection that was given up without an end of its transaction leaves the line too."""
    _release(record.info)


def _release(info: Any) -> None:
    line = info.pop("hub_line", None)
    if line is not None:
        line.release()


@sa.event.listens_for(Engine, "before_cursor_execute")
def _take_write_lock(connection: sa.Connection, cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool) -> None:
    """Before the first write of a deferred transaction, begin anew with the lock.

    Until then it only read, so nothing is lost; like READ COMMITTED on PostgreSQL, it now sees what others committed meanwhile.
    """
    if not connection.info.get("hub_deferred"):
        return
    changes = context is not None and (context.isinsert or context.isupdate or context.isdelete)
    if changes or not statement.lstrip().upper().startswith(("SELECT", "WITH", "BEGIN", "PRAGMA", "EXPLAIN")):
        connection.info["hub_deferred"] = False
        cursor.execute("COMMIT")
        _stand_in_line(connection)
        cursor.execute("BEGIN IMMEDIATE")
