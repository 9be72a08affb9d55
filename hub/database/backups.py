"""Backups: one zip file with a manifest, made without a database's client tools while the hub goes on working."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import current_app
from psycopg import sql
from sqlalchemy.pool import NullPool

import hub
from hub.columns import utc_now
from hub.config import Config
from hub.database.owners import VERSION_TABLE, stored_owners
from hub.database.tables import count_rows, data_tables
from hub.errors import Conflict, Invalid
from hub.extensions import db

FORMAT = 1
MANIFEST = "manifest.json"
SQLITE_MEMBER = "database.sqlite"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds: enough to judge it before it is restored, and to prove the restoring afterwards."""

    format: int
    hub_version: str
    created_at: str
    #: ``sqlite`` or ``postgresql``.
    database: str
    #: Owner -> revision of its tables.
    heads: dict[str, str]
    #: Table -> rows, referenced tables first.
    tables: dict[str, int]
    #: Table -> columns in the order in which they were written (PostgreSQL).
    columns: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class BackupReport:
    """A backup that was written. ``size`` is in bytes."""

    path: Path
    size: int
    manifest: Manifest


def default_name() -> str:
    """A file name with the present time."""
    return f"hub-backup-{utc_now():%Y%m%d-%H%M%S}.zip"


def create_backup(path: Path) -> BackupReport:
    """Write a backup that only its owner may read. The file appears under its name when it is complete."""
    if path.exists():
        raise Conflict(f"{path} exists already; nothing was overwritten.")
    config: Config = current_app.extensions["hub_config"]
    partial = path.with_name(path.name + ".part")
    try:
        with _private_file(partial) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            manifest = _write_sqlite(archive, path) if config.database.is_sqlite else _write_postgresql(archive)
            archive.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return BackupReport(path, path.stat().st_size, manifest)


def read_manifest(archive: zipfile.ZipFile) -> Manifest:
    """The manifest of a backup, or ``Invalid`` for a file that is none or is of a later format."""
    try:
        values = json.loads(archive.read(MANIFEST))
        manifest = Manifest(**values)
    except (KeyError, ValueError, TypeError) as error:
        raise Invalid("This file is no backup of the hub.") from error
    if manifest.format > FORMAT:
        raise Invalid(f"This backup was made by a later hub ({manifest.hub_version}); update the hub first.")
    return manifest


@contextmanager
def _private_file(path: Path) -> Iterator[Any]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        yield stream


def _write_sqlite(archive: zipfile.ZipFile, path: Path) -> Manifest:
    """SQLite's online backup: a consistent copy that waits for no writer and stops none."""
    copy = path.with_name(path.name + ".sqlite")
    source = db.engine.raw_connection()
    try:
        with contextlib.closing(sqlite3.connect(copy)) as target:
            driver: Any = source.driver_connection
            driver.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        engine = sa.create_engine(f"sqlite:///{copy}", poolclass=NullPool)
        with engine.connect() as connection:
            manifest = _describe(connection, count_rows(connection), {})
        archive.write(copy, SQLITE_MEMBER)
        return manifest
    finally:
        source.close()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{copy}{suffix}").unlink(missing_ok=True)


def _write_postgresql(archive: zipfile.ZipFile) -> Manifest:
    """COPY of every table in one snapshot: writers go on, and the tables fit each other."""
    counts: dict[str, int] = {}
    columns: dict[str, list[str]] = {}
    snapshot = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with db.engine.connect().execution_options(**snapshot) as connection:
        driver: Any = connection.connection.driver_connection
        for table in data_tables(connection):
            columns[table.name] = [column.name for column in table.columns if column.computed is None]
            with driver.cursor() as cursor, archive.open(member_of(table.name), "w", force_zip64=True) as stream:
                with cursor.copy(copy_statement(table.name, columns[table.name], "TO STDOUT")) as copy:
                    for chunk in copy:
                        stream.write(chunk)
                counts[table.name] = cursor.rowcount
        return _describe(connection, counts, columns)


def member_of(table: str) -> str:
    """Where a table is in the file (PostgreSQL)."""
    return f"tables/{table}.copy"


def copy_statement(table: str, columns: list[str], direction: str) -> sql.Composed:
    """COPY in PostgreSQL's text format, which every version reads."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("COPY {} ({}) {}").format(sql.Identifier(table), names, sql.SQL(direction))


def _describe(connection: sa.Connection, counts: dict[str, int], columns: dict[str, list[str]]) -> Manifest:
    return Manifest(
        format=FORMAT,
        hub_version=hub.__version__,
        created_at=utc_now().isoformat(timespec="seconds"),
        database=connection.dialect.name,
        heads=read_heads(connection),
        tables=counts,
        columns=columns,
    )


def read_heads(connection: sa.Connection) -> dict[str, str]:
    """The revision of every owner that ever migrated this database."""
    heads = {}
    for owner in sorted(stored_owners(connection)):
        table = sa.table(VERSION_TABLE + owner, sa.column("version_num"))
        revision = connection.scalar(sa.select(table.c.version_num))
        if revision:
            heads[owner] = revision
    return heads
