"""The ZIP of everything that belongs to a person: JSON Lines for each table, files and answers beside them, no secret."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from werkzeug.utils import secure_filename

from hub.columns import utc_now
from hub.extensions import DEFERRED, db
from hub.my_data.ownership import Person, is_secret, owned_by, owned_tables, primary_key

#: Rows that are read together: few where one may be large.
FEW, MANY = 20, 500
Report = Callable[[int, int], None]

README = """\
AI-HTTP Hub: everything that belongs to {email}, as of {now} UTC.

One file for each kind of thing, a JSON object on each line (JSON Lines):

{tables}

files/    files that you uploaded to be sent
answers/  bodies of answers to your requests, as the hub kept them

What is not in here: values that open something. The hub keeps them encrypted or hashed and gives them to nobody:
passwords, API keys of n8n, secret variables (their names and hosts are in variables.jsonl), tokens, API keys of the hub.
These columns were left out:

{secrets}

audit_logs.jsonl is the record of what was done in your name. It stays on the hub when an account is deleted.
"""


def write_archive(path: Path, person: Person, report: Report = lambda _done, _total: None) -> int:
    """Write the archive, readable by the hub alone, and answer its size in bytes. It appears when it is complete."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.{id(person):x}.part")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    tables = owned_tables()
    try:
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            counts = {}
            for number, table in enumerate(tables):
                report(number, len(tables))
                counts[table.name] = _write_table(archive, table, person)
            archive.writestr("README.txt", _readme(person, counts, tables))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path.stat().st_size


def _readme(person: Person, counts: dict[str, int], tables: list[sa.Table]) -> str:
    secrets = [f"  {table.name}.{column.name}" for table in tables for column in table.columns if is_secret(column)]
    lines = [f"  {name}.jsonl  {number:,}" for name, number in counts.items() if number]
    now = f"{utc_now():%Y-%m-%d %H:%M}"
    return README.format(email=person.email, now=now, tables="\n".join(lines), secrets="\n".join(secrets))


def _write_table(archive: zipfile.ZipFile, table: sa.Table, person: Person) -> int:
    """Rows, and after them what they hold as bytes: one file of a ZIP is open at a time. Answers how many there were."""
    columns = [column for column in table.columns if not is_secret(column)]
    bodies = [column for column in columns if isinstance(column.type, sa.LargeBinary)]
    shown = [column for column in columns if column not in bodies]
    number = 0
    first = next(_batches(table, [primary_key(table)], person, 1), None)
    if first is None:
        return 0
    with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as stream:
        for rows in _batches(table, shown, person, _batch_size(shown)):
            for row in rows:
                line = {**row, **{body.name: _member(table, row) for body in bodies}}
                stream.write(json.dumps(line, ensure_ascii=False, default=_plain).encode() + b"\n")
            number += len(rows)
    for body in bodies:
        named = [column for column in table.columns if column.name in ("name", "media_type")]
        for rows in _batches(table, [*named, body], person, 1):
            archive.writestr(_member(table, rows[0]), _unpacked(table, rows[0][body.name]))
    return number


def _batch_size(columns: list[sa.Column[Any]]) -> int:
    return FEW if any(isinstance(column.type, sa.JSON | sa.Text | sa.LargeBinary) for column in columns) else MANY


def _batches(table: sa.Table, columns: list[sa.Column[Any]], person: Person, size: int) -> Iterator[list[dict[str, Any]]]:
    """The person's rows by key. No transaction is open between two batches, so nobody waits for a large account."""
    key = primary_key(table)
    after: Any = None
    while True:
        db.session.rollback()
        db.session.connection(execution_options=DEFERRED)
        statement = sa.select(key.label("_key"), *columns).where(owned_by(table, person)).order_by(key).limit(size)
        if after is not None:
            statement = statement.where(key > after)
        rows = [dict(row) for row in db.session.execute(statement).mappings()]
        db.session.rollback()
        if not rows:
            return
        after = rows[-1]["_key"]
        yield [{name: value for name, value in row.items() if name != "_key"} | {key.name: row["_key"]} for row in rows]


def _member(table: sa.Table, row: dict[str, Any]) -> str:
    """Where in the ZIP the bytes of a row are; its name is made safe, because people unpack it."""
    if table.name == "request_run_bodies":
        return f"answers/{row['run_id']}.bin"
    name = secure_filename(str(row.get("name") or "")) or "content"
    return f"files/{row[primary_key(table).name]}-{name}"


def _unpacked(table: sa.Table, content: bytes) -> bytes:
    return zlib.decompress(content) if table.name == "request_run_bodies" else content


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)
