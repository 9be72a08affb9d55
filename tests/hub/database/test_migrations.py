"""Migrations: there and back, by owner, once at a time; and the check that they match the models."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from hub import plugin_manager
from hub.accounts.models import User
from hub.config import ROOT
from hub.database import migrations
from hub.database.owners import HUB, find_owner, hub_tables, list_owners
from hub.errors import Conflict, NotFound
from hub.extensions import Base, db

PLUGIN = '''"""Counts trees."""

import sqlalchemy as sa

from hub.extensions import Base

trees = sa.Table(
    "orchard_trees",
    Base.metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
)
'''


def table_names() -> set[str]:
    return set(sa.inspect(db.engine).get_table_names())


def test_from_empty_to_head_to_base_to_head(empty_app: Flask) -> None:
    with empty_app.app_context():
        assert table_names() == set()
        migrations.upgrade_database()
        assert table_names() == hub_tables() | {"alembic_version_hub"}
        assert migrations.find_differences() == []
        migrations.downgrade_database()
        assert table_names() == {"alembic_version_hub"}
        migrations.upgrade_database()
        assert migrations.find_differences() == []
        assert [(version.owner, version.pending) for version in migrations.list_versions()] == [(HUB, ())]


def test_upgrading_twice_changes_nothing(empty_app: Flask) -> None:
    with empty_app.app_context():
        assert migrations.upgrade_database()[0].pending
        assert not migrations.upgrade_database()[0].pending


def test_processes_that_upgrade_together_wait_for_each_other(fresh_database: Callable[[], str], tmp_path: Path) -> None:
    environ = {**os.environ, "DATABASE_URL": fresh_database(), "HUB_INSTANCE_DIR": str(tmp_path), "ENCRYPTION_KEY": ""}
    command = [sys.executable, "-m", "hub", "db", "upgrade"]
    together = [
        subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(3)
    ]
    outputs = [process.communicate()[0] for process in together]
    assert [process.returncode for process in together] == [0, 0, 0], outputs
    assert sum("hub: empty -> " in output for output in outputs) == 1


def test_a_database_of_newer_code_is_left_alone(empty_app: Flask) -> None:
    with empty_app.app_context():
        migrations.upgrade_database()
        with db.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version_hub SET version_num = '9999'")
        with pytest.raises(Conflict, match="does not know"):
            migrations.upgrade_database()
        assert migrations.list_versions()[0].is_unknown


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("DROP INDEX idx_executions_started_at", "idx_executions_started_at"),
        ("ALTER TABLE users DROP COLUMN avatar", "avatar"),
        ("CREATE TABLE forgotten (id INTEGER PRIMARY KEY)", "forgotten"),
        ("ALTER TABLE users ADD COLUMN nickname TEXT", "nickname"),
    ],
)
def test_the_check_finds_what_differs(empty_app: Flask, change: str, finding: str) -> None:
    with empty_app.app_context():
        migrations.upgrade_database()
        with db.engine.begin() as connection:
            connection.exec_driver_sql(change)
        differences = migrations.find_differences()
    assert len(differences) == 1
    assert finding in differences[0]


def test_the_check_finds_an_enum_that_got_a_value(empty_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with empty_app.app_context():
        migrations.upgrade_database()
        plan = User.__table__.c.plan.type
        monkeypatch.setattr(plan, "enums", [*plan.enums, "FAMILY"])
        assert any("ck_users_plan" in line for line in migrations.find_differences())


@pytest.fixture
def orchard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A plugin that owns a table, bundled for the time of one test; its folder."""
    folder = tmp_path / "orchard"
    (folder / "migrations" / "versions").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "plugin.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(plugin_manager, "BUNDLED", {**plugin_manager.BUNDLED, "orchard": "orchard.plugin"})
    yield folder
    Base.metadata.remove(Base.metadata.tables["orchard_trees"])
    for module in ("orchard.plugin", "orchard"):
        sys.modules.pop(module, None)


def test_owners_do_not_disturb_each_other(
    orchard: Path, fresh_database: Callable[[], str], open_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = fresh_database()
    with open_app(url).app_context():
        migrations.upgrade_database()
        assert migrations.find_differences() == ["orchard: add_table orchard_trees"]
        path = migrations.make_migration("Plant trees", find_owner("orchard"))
        assert path == str(orchard / "migrations" / "versions" / "0001_plant_trees.py")
        assert [(version.owner, len(version.pending)) for version in migrations.upgrade_database()] == [(HUB, 0), ("orchard", 1)]
        assert migrations.find_differences() == []
        assert migrations.make_migration("Nothing", find_owner("orchard")) is None
        assert migrations.make_migration("Nothing", find_owner(HUB)) is None
        with db.engine.begin() as connection:
            connection.execute(sa.insert(User).values(id="c1", email="a@example.com", password="!", name="A"))
            connection.exec_driver_sql("INSERT INTO orchard_trees (id, user_id) VALUES (1, 'c1')")
    monkeypatch.undo()  # the plugin is removed
    with open_app(url).app_context():
        assert [owner.name for owner in list_owners()] == [HUB]
        migrations.upgrade_database()
        assert migrations.find_differences() == []
        with db.engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM orchard_trees").scalar() == 1


def test_a_migration_that_breaks_references_is_rolled_back(empty_app: Flask) -> None:
    with empty_app.app_context():
        migrations.upgrade_database()
        if db.engine.dialect.name != "sqlite":
            pytest.skip("PostgreSQL checks its foreign keys itself")
        with db.engine.connect() as connection:
            connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
            with connection.begin():
                connection.exec_driver_sql(
                    "INSERT INTO sessions (id, user_id, token, refresh_token, expires_at, authenticated_at)"
                    " VALUES ('c1', 'nobody', 'a', 'b', 'c', 'd')"
                )
                with pytest.raises(Conflict, match="1 references, first in table sessions"):
                    migrations.require_sound_references(connection)


def test_an_owner_without_migrations_is_not_found(empty_app: Flask) -> None:
    with empty_app.app_context(), pytest.raises(NotFound, match="stripe"):
        find_owner("stripe")
