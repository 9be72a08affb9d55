"""``hub db``."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from hub.accounts.demo import DEMO_EMAIL, DEMO_PASSWORD
from hub.audit.services import record_event
from hub.config import Config
from hub.contracts.actor import Actor
from hub.database import backups, browsing, migrations, restoring, seeding, tables
from hub.database.owners import HUB, find_owner
from hub.errors import Invalid
from hub.extensions import db

PRODUCTION_FLAG = "--i-know-this-is-production"
production_option = click.option(PRODUCTION_FLAG, "production_is_meant", is_flag=True, help="Do it in production too.")


@click.group()
def database() -> None:
    """Migrate, seed, back up, restore and look at the database."""


@database.command()
@with_appcontext
def validate() -> None:
    """Check that the database answers, is up to date and matches the models."""
    problems = [f"{version.owner}: {len(version.pending)} pending" for version in migrations.list_versions() if version.pending]
    problems = problems or migrations.find_differences()
    for problem in problems:
        click.echo(f"✗ {problem}")
    if problems:
        sys.exit(1)
    click.echo("The database answers, is up to date and matches the models.")


@database.command()
@with_appcontext
def check() -> None:
    """Check that the migrations make what the models say; exits 1 where they differ."""
    differences = migrations.find_differences()
    for difference in differences:
        click.echo(difference)
    if differences:
        sys.exit(1)
    click.echo("Models and migrations agree.")


@database.command()
@click.option("-m", "--message", required=True, help="What the migration does, in a few words.")
@click.option("--plugin", default=HUB, help="Write it for this plugin's tables instead of the hub's.")
@with_appcontext
def migrate(message: str, plugin: str) -> None:
    """Write a new migration from what changed in the models."""
    path = migrations.make_migration(message, find_owner(plugin))
    click.echo(f"Wrote {path}. Read it before you apply it: hub db upgrade" if path else "Nothing changed in the models.")


@database.command()
@with_appcontext
def upgrade() -> None:
    """Apply pending migrations: the hub's, then each plugin's."""
    for version in migrations.upgrade_database():
        done = f"{version.current or 'empty'} -> {version.head}" if version.pending else f"at {version.head} already"
        click.echo(f"{version.owner}: {done}")


@database.command()
@with_appcontext
def status() -> None:
    """Show the database, its migrations and how many rows it holds. Exits 1 when migrations are pending."""
    config: Config = current_app.extensions["hub_config"]
    versions = migrations.list_versions()
    click.echo(f"Database    {'SQLite' if config.database.is_sqlite else 'PostgreSQL'}, reachable")
    for version in versions:
        pending = f"{len(version.pending)} pending, run: hub db upgrade" if version.pending else "up to date"
        state = "unknown to this code, which is older" if version.is_unknown else pending
        click.echo(f"Migrations  {version.owner}: at {version.current or 'nothing'}, {state}")
    for name, count in sorted(tables.read_counts().items()):
        click.echo(f"Rows        {name:<24} {count:>10,}")
    if any(version.pending or version.is_unknown for version in versions):
        sys.exit(1)


@database.command()
@with_appcontext
def seed() -> None:
    """Load templates; in development also make the demo user and the sample instance."""
    seeded = seeding.seed_database()
    click.echo(f"Templates: {seeded.templates} changed.")
    if seeded.demo is None:
        click.echo("Production: no demo user is made. Make yours: hub user create EMAIL --operator")
    else:
        click.echo(f"Demo user: {DEMO_EMAIL}, password {DEMO_PASSWORD}{'' if seeded.demo else ' (there already)'}.")


@database.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@production_option
@with_appcontext
def reset(yes: bool, production_is_meant: bool) -> None:
    """Delete everything and make the tables anew."""
    _guard_production(production_is_meant)
    rows = sum(tables.read_counts().values())
    if not yes:
        click.confirm(f"Delete all {rows:,} rows of this database for ever?", abort=True)
    tables.drop_all_tables()
    migrations.upgrade_database()
    click.echo(f"Deleted {rows:,} rows; the tables are empty and up to date.")


@database.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@with_appcontext
def backup(file: Path | None) -> None:
    """Write everything into one FILE (default: hub-backup-TIME.zip). The encryption key is not in it: keep it apart."""
    report = backups.create_backup(file or Path(backups.default_name()))
    rows = sum(report.manifest.tables.values())
    click.echo(f"Wrote {report.path}: {len(report.manifest.tables)} tables, {rows:,} rows, {report.size:,} bytes.")
    click.echo("Keep ENCRYPTION_KEY too, in another place: without it the n8n API keys in the backup stay closed.")


@database.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--force", is_flag=True, help="Delete what the database holds now.")
@production_option
@with_appcontext
def restore(file: Path, force: bool, production_is_meant: bool) -> None:
    """Bring back a backup, and prove that all of it is there."""
    _guard_production(production_is_meant)
    report = restoring.restore_backup(file, force=force)
    rows = sum(report.counts.values())
    record_event(Actor(user_id=None, via="cli"), "database.restore", "database", details={"rows": rows, "file": file.name})
    db.session.commit()
    click.echo(f"Row counts    equal: {len(report.counts)} tables, {rows:,} rows")
    click.echo(f"Schema        {', '.join(f'{owner} at {head}' for owner, head in report.heads.items())}")
    click.echo("Foreign keys  intact")
    click.echo(f"Encryption    {report.encryption}")
    if not report.key_fits:
        click.echo("hub: the ENCRYPTION_KEY that was in use at the time of the backup is missing; add it to the list", err=True)
        sys.exit(1)


@database.command()
@click.argument("table", required=False)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 250))
@click.option("--after", help="Go on after the row with this id.")
@with_appcontext
def browse(table: str | None, limit: int, after: str | None) -> None:
    """Look at tables, or at the rows of TABLE. Nothing is changed; secrets are masked."""
    if table is None:
        for name, count in sorted(tables.read_counts().items()):
            click.echo(f"{name:<24} {count:>10,}")
        return
    page = browsing.read_rows(table, limit=limit, after=after)
    for row in page.rows:
        click.echo("\n".join(f"{column:>24}  {value}" for column, value in row.items()) + "\n")
    if page.next_cursor:
        click.echo(f"More: hub db browse {table} --after {page.next_cursor}")


def _guard_production(production_is_meant: bool) -> None:
    config: Config = current_app.extensions["hub_config"]
    if not config.is_development and not production_is_meant:
        raise Invalid(f"This is production; nothing was done. If you mean it, say {PRODUCTION_FLAG}.")
