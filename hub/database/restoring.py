"""Restoring a backup, and the proof that all of it is there."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from flask import current_app
from sqlalchemy.pool import NullPool

from hub.config import Config
from hub.database import migrations
from hub.database.backups import SQLITE_MEMBER, Manifest, copy_statement, member_of, read_heads, read_manifest
from hub.database.locks import exclusive_maintenance
from hub.database.owners import list_owners
from hub.database.tables import count_rows, data_tables, drop_all_tables, read_counts
from hub.errors import Conflict, HubError, Invalid
from hub.extensions import db
from hub.instances.errors import KeyUnreadable
from hub.instances.models import Instance
from hub.instances.services import open_client

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """The proof: every number was read from the restored database."""

    counts: dict[str, int]
    heads: dict[str, str]
    #: In words: how many of the encrypted keys open.
    encryption: str
    key_fits: bool


def restore_backup(path: Path, *, force: bool = False) -> RestoreReport:
    """Restore into an empty database, or with ``force`` over what is there; an older backup is migrated to the head.

    ``Conflict`` or ``Invalid`` says why not; then the database is as before, unless the message says otherwise.
    """
    config: Config = current_app.extensions["hub_config"]
    if not zipfile.is_zipfile(path):
        raise Invalid("This file is no backup of the hub.")
    with _open_whole(path) as archive:
        manifest = read_manifest(archive)
        _require_fitting(manifest)
        if not force and (rows := sum(read_counts().values())):
            raise Conflict(f"The database holds {rows:,} rows; restore into an empty one, or say --force to delete them.")
        if config.database.is_sqlite:
            _restore_sqlite(archive, manifest, config)
        else:
            _restore_postgresql(archive, manifest)
    migrations.upgrade_database()
    return _prove(manifest)


#: What Python's zipfile raises over wrong bytes: a broken stream, a place outside the file, an unknown method, a password.
_DAMAGE = (zlib.error, zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, UnicodeDecodeError, struct.error)


@contextlib.contextmanager
def _open_whole(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, every member of which can be unpacked and fits its checksum."""
    with contextlib.ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
            damaged = archive.testzip()
        except _DAMAGE as error:
            raise Invalid(f"The backup is damaged: it cannot be unpacked ({error}).") from error
        if damaged:
            raise Invalid(f"The backup is damaged: {damaged} fails its checksum.")
        yield archive


def _require_fitting(manifest: Manifest) -> None:
    """The same kind of database, and no tables that are newer than this code or owned by a plugin that is not here."""
    if manifest.database != db.engine.dialect.name:
        raise Invalid(f"This is a backup of {manifest.database}, but DATABASE_URL names {db.engine.dialect.name}.")
    owners = {owner.name: owner for owner in list_owners()}
    for name, revision in manifest.heads.items():
        if name not in owners:
            raise Conflict(f"The backup holds tables of the plugin {name}; enable it (HUB_PLUGINS) and restore again.")
        if revision not in migrations.known_revisions(owners[name]):
            raise Conflict(f"The {name} tables of the backup are at revision {revision}, newer than this code: update the hub.")


def _restore_sqlite(archive: zipfile.ZipFile, manifest: Manifest, config: Config) -> None:
    """Judge the copy first, then let SQLite's online backup put it in place of the present database, all or nothing."""
    with tempfile.TemporaryDirectory(dir=config.instance_dir) as folder:
        copy = Path(folder) / "restored.sqlite"
        with archive.open(SQLITE_MEMBER) as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target, _CHUNK)
        engine = sa.create_engine(f"sqlite:///{copy}", poolclass=NullPool)
        with engine.connect() as connection:
            sound = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
            if sound != "ok":
                raise Invalid(f"The backup is damaged: {sound}")
            _require_equal(connection, manifest)
        with exclusive_maintenance(), contextlib.closing(sqlite3.connect(copy)) as source_database:
            target_connection = db.engine.raw_connection()
            try:
                driver: Any = target_connection.driver_connection
                source_database.backup(driver)
            finally:
                target_connection.close()


def _restore_postgresql(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Make the tables as they were at the time of the backup, and fill them in one transaction."""
    drop_all_tables()
    for owner in list_owners():
        if owner.name in manifest.heads:
            migrations.run(command.upgrade, owner, manifest.heads[owner.name])
    with exclusive_maintenance(), db.engine.begin() as connection:
        driver: Any = connection.connection.driver_connection
        for name in manifest.tables:
            with (
                driver.cursor() as cursor,
                archive.open(member_of(name)) as stream,
                cursor.copy(copy_statement(name, manifest.columns[name], "FROM STDIN")) as copy,
            ):
                while chunk := stream.read(_CHUNK):
                    copy.write(chunk)
        _continue_numbering(connection)
        _require_equal(connection, manifest)


def _continue_numbering(connection: sa.Connection) -> None:
    """Let numbered keys (a plugin's; the hub has none) go on after the highest restored one."""
    for table in data_tables(connection):
        for column in table.columns:
            sequence = connection.scalar(sa.select(sa.func.pg_get_serial_sequence(table.name, column.name)))
            if sequence:
                highest = sa.select(sa.func.max(column)).scalar_subquery()
                connection.execute(sa.select(sa.func.setval(sequence, sa.func.coalesce(highest, 1))))


def _require_equal(connection: sa.Connection, manifest: Manifest) -> None:
    counts = count_rows(connection)
    different = sorted(name for name, rows in manifest.tables.items() if counts.get(name) != rows)
    if different:
        raise Conflict(f"The restored rows are not those of the manifest in: {', '.join(different)}.")
    if read_heads(connection) != manifest.heads:
        raise Conflict("The restored tables are not at the revision of the manifest.")
    if _broken_references(connection):
        raise Conflict("The restored rows refer to rows that are not there.")


def _broken_references(connection: sa.Connection) -> int:
    if connection.dialect.name == "sqlite":
        return len(connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall())
    unchecked = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND NOT convalidated"
    return connection.exec_driver_sql(unchecked).scalar() or 0


def _prove(manifest: Manifest) -> RestoreReport:
    with db.engine.connect() as connection:
        counts = count_rows(connection)
        if missing := set(manifest.tables) - set(counts):
            raise Conflict(f"After the restoring there is no table {', '.join(sorted(missing))}.")
        heads = read_heads(connection)
    opened = closed = 0
    for instance in db.session.scalars(sa.select(Instance).where(~Instance.is_sample)):
        try:
            open_client(instance).close()
            opened += 1
        except (KeyUnreadable, HubError):
            closed += 1
    db.session.rollback()  # it only read; do not keep SQLite's lock
    words = f"{opened} of {opened + closed} n8n API keys open" if opened + closed else "nothing is encrypted in this backup"
    return RestoreReport({name: counts[name] for name in manifest.tables}, heads, words, key_fits=closed == 0)
