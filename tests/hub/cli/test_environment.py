"""``hub check-env``: says what to do, exits 1 only where the hub cannot run, and shows no secret."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli.environment import check_env

TEST_KEY = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
Judge = Callable[..., Result]


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judge:
    def run(**more: str) -> Result:
        values = {"DATABASE_URL": f"sqlite:///{tmp_path}/hub.db", "HUB_INSTANCE_DIR": str(tmp_path), **more}
        monkeypatch.setattr("hub.cli.environment.read_environment", lambda: values)
        return CliRunner().invoke(check_env)

    return run


def line_of(result: Result, name: str) -> str:
    return next(line.strip() for line in result.output.splitlines() if name in line)


def test_a_fresh_development_is_well(judge: Judge) -> None:
    result = judge()
    assert result.exit_code == 0
    assert [line for line in result.output.splitlines() if not line.startswith(" ")][:3] == [
        "Required",
        "Recommended",
        "Optional",
    ]
    assert line_of(result, "database schema").startswith("! database schema")
    assert "Run: hub db upgrade" in result.output


def test_what_is_required_and_missing_fails_and_says_what_to_do(judge: Judge) -> None:
    result = judge(HUB_ENV="production")
    assert result.exit_code == 1
    assert line_of(result, "ENCRYPTION_KEY").startswith("✗ ENCRYPTION_KEY")
    assert "make one with: python3 -c" in result.output


def test_secrets_are_masked(judge: Judge) -> None:
    result = judge(ENCRYPTION_KEY=TEST_KEY, DATABASE_URL="postgresql://hub:hidden-password@127.0.0.1:1/hub")
    assert TEST_KEY not in result.output
    assert "hidden-password" not in result.output
    assert "1 key (masked)" in result.output


def test_a_database_that_does_not_answer_fails(judge: Judge) -> None:
    result = judge(DATABASE_URL="postgresql://127.0.0.1:1/hub")
    assert result.exit_code == 1
    assert line_of(result, "cannot be opened").startswith("✗ database")


def test_an_address_entry_that_is_ignored_is_told(judge: Judge) -> None:
    result = judge(HUB_ALLOWED_ADDRESSES="10.0.0.0/33, n8n.internal:5678")
    assert result.exit_code == 0
    assert "! HUB_ALLOWED_ADDRESSES    '10.0.0.0/33' is ignored" in result.output
    assert "'n8n.internal:5678' is ignored" not in result.output


def test_a_readable_key_file_is_told(judge: Judge, tmp_path: Path) -> None:
    judge()
    (tmp_path / "encryption.key").chmod(0o644)
    assert "! development key file" in judge().output
    assert "chmod 600" in judge().output
