"""The Flask extensions, not yet bound to an app; ``create_app`` binds them."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask_babel import Babel
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
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


db = SQLAlchemy(model_class=Base)
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
    """WAL, enforced foreign keys and a busy timeout; sqlite3's own transaction guessing off (see ``_begin_immediate``)."""
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


@sa.event.listens_for(Engine, "begin")
def _begin(connection: sa.Connection) -> None:
    """Emit BEGIN on SQLite: IMMEDIATE for writers, because a busy timeout cannot help a read that turns into a write."""
    if connection.dialect.name == "sqlite":
        read_only = connection.get_execution_options().get("hub_read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
