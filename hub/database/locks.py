"""Only one process migrates or restores a database at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from flask import current_app

from hub.config import Config
from hub.extensions import db

#: Any constant will do; PostgreSQL keeps advisory locks per database.
_LOCK_KEY = 0x4855_4244


@contextmanager
def exclusive_maintenance() -> Iterator[None]:
    """Wait for, then hold the lock: a PostgreSQL advisory lock, a locked file in the instance folder for SQLite."""
    config: Config = current_app.extensions["hub_config"]
    if config.database.is_sqlite:
        with (config.instance_dir / "maintenance.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.select(sa.func.pg_advisory_lock(_LOCK_KEY)))
        try:
            yield
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(_LOCK_KEY)))
