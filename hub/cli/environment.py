"""``hub check-env``: judges the configuration, also one that is too broken to start with."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import click

from hub.config import ROOT, Config, Database, Finding, check_settings, load_config, read_environment
from hub.settings import Need

MARKS = {"good": "✓", "default": "·", "advice": "!", "wrong": "✗"}


@dataclass(frozen=True, slots=True)
class Judgement:
    """One line: ``state`` is ``good``, ``default`` (nothing to do), ``advice`` or ``wrong`` (the hub cannot run like this)."""

    need: Need
    state: str
    name: str
    text: str


@click.command("check-env")
def check_env() -> None:
    """Judge every setting and what it leads to. Exits 1 when something required is missing or wrong."""
    environ = read_environment()
    judgements = [_judge(finding) for finding in check_settings(environ)]
    if not any(judgement.state == "wrong" for judgement in judgements):
        judgements += _judge_surroundings(load_config(environ))
    for need in Need:
        click.echo(need.capitalize())
        for judgement in judgements:
            if judgement.need is need:
                click.echo(f"  {MARKS[judgement.state]} {judgement.name:<24} {judgement.text}")
    wrong = sum(judgement.state == "wrong" for judgement in judgements)
    advice = sum(judgement.state == "advice" for judgement in judgements)
    click.echo(f"{wrong} to put right, {advice} to consider." if wrong or advice else "All is well.")
    if wrong:
        sys.exit(1)


def _judge(finding: Finding) -> Judgement:
    """A wrong value counts as required whatever the setting: the hub does not start with it."""
    setting = finding.setting
    if finding.problem:
        reason = finding.problem.removeprefix(setting.name).strip()
        return Judgement(Need.REQUIRED, "wrong", setting.name, f"{reason}. {setting.meaning}")
    if finding.is_set:
        return Judgement(setting.need, "good", setting.name, _show(finding))
    if setting.name == "ENCRYPTION_KEY":
        return Judgement(setting.need, "default", setting.name, "not set; a development key is kept in the instance folder")
    if setting.need is Need.RECOMMENDED:
        default = f" (now: {setting.default})" if setting.default else ""
        return Judgement(setting.need, "advice", setting.name, f"not set{default}. {setting.meaning}")
    return Judgement(setting.need, "default", setting.name, f"default: {setting.default or 'none'}")


def _show(finding: Finding) -> str:
    """The value; of a secret only what gives nothing away."""
    value = finding.value
    if isinstance(value, Database):
        host = urlsplit(value.url).hostname
        return "SQLite file" if value.is_sqlite else f"PostgreSQL on {host or 'a local socket'} (rest masked)"
    if finding.setting.secret:
        return f"{len(value)} key{'s' if len(value) > 1 else ''} (masked)"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _judge_surroundings(config: Config) -> Iterator[Judgement]:
    yield from _judge_database(config)
    yield _judge_key_file(config.instance_dir / "encryption.key")
    built = (ROOT / "static" / "vendor" / ".fingerprint").is_file()
    text = "built" if built else "not built: pages lack their scripts and icons. Run: make setup"
    yield Judgement(Need.RECOMMENDED, "good" if built else "advice", "front-end libraries", text)
    yield from _judge_addresses(config)


def _judge_database(config: Config) -> Iterator[Judgement]:
    from sqlalchemy.exc import SQLAlchemyError  # not before the settings were judged: they may be all that is asked for

    from hub import create_app

    try:
        app = create_app(config)
        with app.app_context():
            from hub.database.migrations import list_versions

            versions = list_versions()
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        yield Judgement(Need.REQUIRED, "wrong", "database", f"cannot be opened: {reason}. Check DATABASE_URL")
        return
    yield Judgement(Need.REQUIRED, "good", "database", "answers")
    pending = [f"{version.owner} ({len(version.pending)})" for version in versions if version.pending]
    text = f"pending migrations: {', '.join(pending)}. Run: hub db upgrade" if pending else "up to date"
    yield Judgement(Need.RECOMMENDED, "advice" if pending else "good", "database schema", text)


def _judge_key_file(file: Path) -> Judgement:
    if not file.exists():
        return Judgement(Need.RECOMMENDED, "good", "development key file", "none")
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o077:
        return Judgement(Need.RECOMMENDED, "advice", "development key file", f"others may read it. Run: chmod 600 {file}")
    return Judgement(Need.RECOMMENDED, "good", "development key file", "only its owner may read it")


def _judge_addresses(config: Config) -> Iterator[Judgement]:
    from hub.egress.allowlist import parse_allowlist

    for problem in parse_allowlist(config.allowed_addresses)[1]:
        yield Judgement(Need.OPTIONAL, "advice", "HUB_ALLOWED_ADDRESSES", problem)
