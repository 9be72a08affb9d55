"""An app on a database of its own, empty and with real commits: migrations and backups are about the whole of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.pool import NullPool

from hub import create_app
from hub.config import as_database, load_config
from hub.extensions import db

TEST_KEY = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="


@pytest.fixture
def fresh_database(database_url: str, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Makes empty databases of the kind that this run tests."""
    if as_database(database_url).is_sqlite:
        yield lambda: f"sqlite:///{tmp_path}/{uuid.uuid4().hex}.db"
        return
    engine = sa.create_engine(as_database(database_url).url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    made: list[str] = []

    def make() -> str:
        name = f"fresh_{uuid.uuid4().hex}"
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        made.append(name)
        return database_url.replace("/postgres?", f"/{name}?")

    yield make
    with engine.connect() as connection:
        for name in made:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def open_app(tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Makes apps on a database; more settings as keyword arguments."""
    apps: list[Flask] = []

    def make(url: str, **settings: str) -> Flask:
        folder = tmp_path / f"instance-{len(apps)}"
        values = {"DATABASE_URL": url, "ENCRYPTION_KEY": TEST_KEY, "HUB_INSTANCE_DIR": str(folder), "HUB_SAMPLE": "false"}
        apps.append(create_app(load_config({**values, **settings})))
        return apps[-1]

    yield make
    for app in apps:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def empty_app(fresh_database: Callable[[], str], open_app: Callable[..., Flask]) -> Flask:
    """An app on an empty database, without tables."""
    return open_app(fresh_database())
