"""Settings: what each accepts, what it refuses, and the development key."""

from __future__ import annotations

import base64
import re
import stat
import subprocess
import sys
from pathlib import Path

import certifi
import pytest

from hub.accounts.models import Plan
from hub.config import (
    ROOT,
    SETTINGS,
    ConfigError,
    as_authorities,
    as_database,
    as_encryption_keys,
    check_settings,
    load_config,
)
from hub.second_factor_settings import as_people

KEY_ONE, KEY_TWO = (base64.b64encode(bytes(range(start, start + 32))).decode() for start in (1, 101))


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("postgresql://u:p@db:5432/hub", "postgresql+psycopg://u:p@db:5432/hub"),
        ("postgres://u:p@db/hub", "postgresql+psycopg://u:p@db/hub"),
        ("postgresql+psycopg://db/hub?sslmode=require", "postgresql+psycopg://db/hub?sslmode=require"),
        ("postgresql:///hub?host=/run/postgresql", "postgresql+psycopg:///hub?host=%2Frun%2Fpostgresql"),
        ("file:./dev.db", f"sqlite:///{ROOT}/dev.db"),
        ("file:dev.db", f"sqlite:///{ROOT}/dev.db"),
        ("file:/var/lib/hub.db", "sqlite:////var/lib/hub.db"),
        ("sqlite:///dev.db", f"sqlite:///{ROOT}/dev.db"),
        ("sqlite:////var/lib/hub.db", "sqlite:////var/lib/hub.db"),
    ],
)
def test_database_urls(text: str, url: str) -> None:
    assert as_database(text).url == url


def test_prismas_parameters_become_the_pool_and_the_search_path() -> None:
    database = as_database(
        "postgresql://u:p@db/hub?schema=app&connection_limit=20&pool_timeout=10&sslmode=require&pgbouncer=true"
    )
    assert database.url == "postgresql+psycopg://u:p@db/hub?sslmode=require"
    assert database.schema == "app"
    assert database.options["pool_size"] == 20
    assert database.options["pool_timeout"] == 10
    assert database.options["connect_args"] == {"options": "-csearch_path=app"}


def test_sqlite_takes_prismas_parameters_too() -> None:
    database = as_database("file:./dev.db?connection_limit=1")
    assert database.url == f"sqlite:///{ROOT}/dev.db"
    assert database.is_sqlite


@pytest.mark.parametrize(
    "text",
    [
        "mysql://u:p@db/hub",
        "hub.db",
        "file:",
        "sqlite://",
        "postgresql://u:p@db",
        "postgresql://db/hub?connection_limit=many",
        "postgresql://db/hub?connection_limit=0",
        "postgresql://db/hub?schema=a;drop",
    ],
)
def test_other_database_urls_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        as_database(text)


def test_encryption_keys_are_a_list_newest_first() -> None:
    assert as_encryption_keys(f"{KEY_TWO}, {KEY_ONE}") == (base64.b64decode(KEY_TWO), base64.b64decode(KEY_ONE))
    url_safe = KEY_ONE.replace("+", "-").replace("/", "_").rstrip("=")
    assert as_encryption_keys(url_safe) == (base64.b64decode(KEY_ONE),)


@pytest.mark.parametrize(
    "text", ["", ",", "not base64!", base64.b64encode(b"short").decode(), base64.b64encode(bytes(32)).decode()]
)
def test_weak_or_broken_keys_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        as_encryption_keys(text)


def test_authorities_are_read_before_the_hub_starts(tmp_path: Path) -> None:
    assert as_authorities(certifi.where()) == Path(certifi.where())
    (tmp_path / "key.pem").write_text("no certificate")
    for wrong in (tmp_path / "key.pem", tmp_path / "missing.pem", tmp_path):
        with pytest.raises(ValueError, match="file of certificates in PEM"):
            as_authorities(str(wrong))


def test_production_needs_a_key_and_says_how_to_make_one() -> None:
    with pytest.raises(ConfigError, match=r"ENCRYPTION_KEY is missing; make one with: python3 -c") as caught:
        load_config({"HUB_ENV": "production", "DATABASE_URL": "postgresql://db/hub"})
    command = re.search(r'python3 -c "(.+?)" and keep', str(caught.value))
    assert command is not None
    made = subprocess.run([sys.executable, "-c", command[1]], capture_output=True, text=True, check=True).stdout
    assert len(as_encryption_keys(made.strip())[0]) == 32


def test_production_is_closed_by_default(tmp_path: Path) -> None:
    config = load_config({"HUB_ENV": "production", "ENCRYPTION_KEY": KEY_ONE, "HUB_INSTANCE_DIR": str(tmp_path)})
    assert (config.registration, config.sample, config.secure_cookies, config.is_development) == (False, False, True, False)


def test_every_wrong_setting_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        load_config({"HUB_PORT": "http", "HUB_ENV": "staging", "DATABASE_URL": "mysql://db/hub", "HUB_SAFE_MODE": "maybe"})
    assert {name for name in ("HUB_PORT", "HUB_ENV", "DATABASE_URL", "HUB_SAFE_MODE") if name in str(caught.value)} == {
        "HUB_PORT",
        "HUB_ENV",
        "DATABASE_URL",
        "HUB_SAFE_MODE",
    }


def test_every_setting_has_a_meaning_and_a_default_that_passes_its_own_check() -> None:
    assert all(setting.meaning.endswith(".") for setting in SETTINGS)
    assert [finding.problem for finding in check_settings({}) if finding.problem] == []


def test_the_development_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    first = load_config({"HUB_INSTANCE_DIR": str(tmp_path)})
    assert load_config({"HUB_INSTANCE_DIR": str(tmp_path)}).encryption_keys == first.encryption_keys
    assert stat.S_IMODE((tmp_path / "encryption.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["encryption.key"]


def test_processes_that_start_together_agree_on_one_development_key(tmp_path: Path) -> None:
    code = f"from hub.config import load_config; print(load_config({{'HUB_INSTANCE_DIR': {str(tmp_path)!r}}}).encryption_keys)"
    starting = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    answers = [process.communicate()[0] for process in starting]
    assert [process.returncode for process in starting] == [0] * 6
    assert len(set(answers)) == 1


def test_a_damaged_development_key_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "encryption.key").write_text("")
    with pytest.raises(ConfigError, match=r"encryption\.key must hold at least one key"):
        load_config({"HUB_INSTANCE_DIR": str(tmp_path)})
    assert (tmp_path / "encryption.key").read_text() == ""


def test_who_must_have_a_second_factor() -> None:
    assert load_config({"ENCRYPTION_KEY": KEY_ONE}).require_second_factor == frozenset()
    chosen = load_config({"ENCRYPTION_KEY": KEY_ONE, "HUB_REQUIRE_SECOND_FACTOR": "Operators, team"})
    assert chosen.require_second_factor == {"operators", "team"}
    with pytest.raises(ConfigError, match="HUB_REQUIRE_SECOND_FACTOR holds gold; it takes operators, free, pro, team"):
        load_config({"ENCRYPTION_KEY": KEY_ONE, "HUB_REQUIRE_SECOND_FACTOR": "gold, pro"})


def test_the_plans_that_may_be_named_are_all_plans() -> None:
    assert as_people(",".join(plan.lower() for plan in Plan)) == {plan.lower() for plan in Plan}
