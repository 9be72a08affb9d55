"""``hub db``: asks before it deletes, refuses in production, seeds once, shows no secret."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from hub import create_app
from hub.accounts.models import Plan, User
from hub.accounts.passwords import check_password
from hub.cli import main
from hub.config import ROOT, load_config
from hub.contracts.actor import Role
from hub.database.migrations import upgrade_database
from hub.extensions import db
from hub.instances.models import Instance

TEST_KEY = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
Hub = Callable[..., Result]


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": f"sqlite:///{tmp_path}/hub.db",
        "ENCRYPTION_KEY": TEST_KEY,
        "HUB_INSTANCE_DIR": str(tmp_path),
        "HUB_SAMPLE": "false",
    }


def runner(app: Flask) -> Hub:
    def run(*arguments: str, **options: Any) -> Result:
        result = app.test_cli_runner().invoke(main, ["db", *arguments], **options)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


@pytest.fixture
def hub(settings: dict[str, str]) -> Hub:
    """The command on a migrated SQLite database of its own."""
    app = create_app(load_config(settings))
    with app.app_context():
        upgrade_database()
    return runner(app)


@pytest.fixture
def production(hub: Hub, settings: dict[str, str]) -> Hub:
    """The same database, in production."""
    return runner(create_app(load_config({**settings, "HUB_ENV": "production"})))


def users(settings: dict[str, str]) -> list[User]:
    with create_app(load_config(settings)).app_context():
        return list(db.session.scalars(sa.select(User)))


def test_upgrade_and_status(settings: dict[str, str]) -> None:
    hub = runner(create_app(load_config(settings)))
    revisions = sorted(path.name.partition("_")[0] for path in (ROOT / "migrations" / "versions").glob("[0-9]*.py"))
    before = hub("status")
    assert before.exit_code == 1
    assert f"hub: at nothing, {len(revisions)} pending, run: hub db upgrade" in before.output
    assert f"hub: empty -> {revisions[-1]}" in hub("upgrade").output
    after = hub("status")
    assert after.exit_code == 0
    assert f"hub: at {revisions[-1]}, up to date" in after.output
    assert hub("check").output == "Models and migrations agree.\n"
    assert hub("validate").exit_code == 0


def test_a_database_without_tables_is_one_line(settings: dict[str, str]) -> None:
    result = runner(create_app(load_config(settings)))("seed")
    assert result.exit_code == 1
    assert result.stderr.startswith("hub: the database is not up to date")
    assert result.stderr.endswith("run: hub db upgrade\n")
    assert len(result.stderr.splitlines()) == 1


def test_seed_makes_the_demo_user_once(hub: Hub, settings: dict[str, str]) -> None:
    assert hub("seed").exit_code == 0
    assert "there already" in hub("seed").output
    [demo] = users(settings)
    assert (demo.email, demo.name, demo.plan, demo.email_verified) == ("demo@ai-http.com", "Demo User", Plan.PRO, True)
    assert demo.role is Role.OPERATOR
    assert check_password("password123", demo.password)


def test_seed_gives_the_demo_user_the_sample_once(settings: dict[str, str], hub: Hub) -> None:
    app = create_app(load_config({**settings, "HUB_SAMPLE": "true"}))
    for _ in range(2):
        assert runner(app)("seed").exit_code == 0
    with app.app_context():
        assert db.session.scalars(sa.select(Instance.is_sample)).all() == [True]


def test_seed_makes_no_demo_user_in_production(production: Hub, settings: dict[str, str]) -> None:
    assert "no demo user" in production("seed").output
    assert users(settings) == []


def test_reset_asks_first(hub: Hub, settings: dict[str, str]) -> None:
    hub("seed")
    assert hub("reset", input="n\n").exit_code == 1
    assert len(users(settings)) == 1
    assert hub("reset", input="y\n").exit_code == 0
    assert users(settings) == []
    assert hub("validate").exit_code == 0


@pytest.mark.parametrize("command", ["reset", "restore"])
def test_production_needs_a_word(hub: Hub, production: Hub, settings: dict[str, str], tmp_path: Path, command: str) -> None:
    hub("seed")
    backup = str(tmp_path / "b.zip")
    assert hub("backup", backup).exit_code == 0
    arguments = {"reset": ["reset", "--yes"], "restore": ["restore", backup, "--force"]}[command]
    refused = production(*arguments)
    assert (refused.exit_code, len(users(settings))) == (1, 1)
    assert "--i-know-this-is-production" in refused.stderr
    assert production(*arguments, "--i-know-this-is-production").exit_code == 0


def test_backup_and_restore(hub: Hub, tmp_path: Path, settings: dict[str, str]) -> None:
    hub("seed")
    backup = str(tmp_path / "b.zip")
    assert "tables" in hub("backup", backup).output
    assert hub("reset", "--yes").exit_code == 0
    restored = hub("restore", backup)
    assert restored.exit_code == 0
    assert [line.split("  ")[0] for line in restored.output.splitlines()] == [
        "Row counts",
        "Schema",
        "Foreign keys",
        "Encryption",
    ]
    assert [user.email for user in users(settings)] == ["demo@ai-http.com"]


def test_browse_masks_secrets_and_goes_on(hub: Hub, settings: dict[str, str]) -> None:
    hub("seed")
    assert "users" in hub("browse").output
    shown = hub("browse", "users").output
    assert "demo@ai-http.com" in shown
    assert "••••••••" in shown
    assert users(settings)[0].password not in shown
    first = hub("browse", "templates", "--limit", "1").output
    assert "More: hub db browse templates --after" in first
    rest = hub("browse", "templates", "--after", first.split("--after ")[1].strip()).output
    assert first.split()[1] not in rest
    assert hub("browse", "nothing").exit_code == 1
