"""``hub``: quick to start, and one line instead of a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from hub.cli import COMMANDS, main
from hub.config import ROOT


def hub(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hub", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_explains_itself(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output


def test_help_imports_neither_the_app_nor_the_database() -> None:
    code = "import sys; from hub.cli import main; main(['--help'], standalone_mode=False); print(sorted(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"'flask'", "'sqlalchemy'", "'alembic'"} & set(result.stdout.replace("]", ",").replace("[", " ").split(", "))


@pytest.mark.parametrize("arguments", [("user", "list"), ("db", "status"), ("run",), ("worker",)])
def test_a_wrong_configuration_is_one_line_and_exit_code_2(arguments: tuple[str, ...]) -> None:
    result = hub(*arguments, HUB_PORT="http", ENCRYPTION_KEY="short")
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "HUB_PORT must be a whole number" in result.stderr
    assert "ENCRYPTION_KEY must" in result.stderr


def test_a_database_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    url = "postgresql://hub:hidden-password@127.0.0.1:1/hub"
    result = hub("user", "list", DATABASE_URL=url, HUB_INSTANCE_DIR=str(tmp_path), ENCRYPTION_KEY="")
    assert result.returncode == 1
    assert result.stderr.startswith("hub: the database cannot be opened:")
    assert len(result.stderr.splitlines()) == 1
    assert "hidden-password" not in result.stderr


def test_a_bug_keeps_its_traceback(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("hub.database.tables.read_counts", fail)
    monkeypatch.setattr("hub.cli.database.tables.read_counts", fail)
    assert isinstance(app.test_cli_runner().invoke(main, ["db", "browse"]).exception, ZeroDivisionError)
