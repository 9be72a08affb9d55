"""What is encrypted in the database, with which keys, and what of it the present keys do not open."""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from hub.crypto import DecryptionError, current_vault, key_of
from hub.database.owners import hub_tables
from hub.database.tables import data_tables
from hub.encrypted_columns import EncryptedColumn, list_encrypted_columns
from hub.extensions import DEFERRED, db

log = logging.getLogger(__name__)

#: ``v1.<key id>.`` in SQL; the key's id is 8 characters from the 4th.
_SHAPE = "v1.________.%"
_ID_AT, _ID_LENGTH = 4, 8
_ENVELOPE = re.compile(r"\bv1\.[0-9a-f]{8}\.[\w-]{16}\.[\w-]{22,}")
#: Rows whose envelopes are looked at together, and how many bytes of them at most (one alone may be larger).
BATCH_ROWS, BATCH_BYTES = 200, 4_000_000

#: How long a process trusts what it counted, in seconds.
COUNT_AGAIN_AFTER = 60.0

_users = sa.table("users", sa.column("id", sa.String), sa.column("email", sa.String))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row whose value does not open. ``label`` and ``owner`` (an e-mail address) are None where the row has none."""

    place: str
    key: str
    label: str | None
    owner: str | None
    #: The id of the key that it was made with; None for what is no envelope.
    key_id: str | None
    #: Whether that key is configured: then the value was changed or moved, and no key brings it back.
    has_key: bool


def has_value(column: EncryptedColumn) -> sa.ColumnElement[bool]:
    """Whether a row holds anything: a sample stands for no server and has an empty key."""
    return sa.and_(column.envelope.is_not(None), column.envelope != "")


def made_with(column: EncryptedColumn, key_ids: tuple[str, ...]) -> sa.ColumnElement[bool]:
    """Whether a row's envelope was made with one of these keys."""
    return _key_id_of(column).in_(key_ids)


def count_by_key() -> dict[str, Counter[str]]:
    """Values by place and key id, without opening any; under the id "" what is no envelope. One statement."""
    parts = []
    for column in list_encrypted_columns():
        its_key = _key_id_of(column).label("key_id")
        part = sa.select(sa.literal(column.place), its_key, sa.func.count()).select_from(column.table)
        parts.append(part.where(has_value(column)).group_by(its_key))
    counts: dict[str, Counter[str]] = {column.place: Counter() for column in list_encrypted_columns()}
    for place, key, number in db.session.execute(sa.union_all(*parts)):
        counts[place][key] = number
    return counts


def count_without_key() -> int:
    """How many values no configured key can open. Opens nothing; one statement."""
    known = current_vault().key_ids
    return sum(number for counts in count_by_key().values() for key, number in counts.items() if key not in known)


def count_lost_values() -> int:
    """How many values cannot be read, for the dashboard of operators; counted at most once a minute in each process."""
    known: tuple[float, int] | None = current_app.extensions.get("hub_lost_values")
    if known is None or time.monotonic() - known[0] > COUNT_AGAIN_AFTER:
        known = time.monotonic(), count_without_key()
        current_app.extensions["hub_lost_values"] = known
    return known[1]


def list_without_key(limit: int) -> list[Unreadable]:
    """The first ``limit`` values of each place that no configured key can open. Opens nothing; one statement."""
    parts = []
    for column in list_encrypted_columns():
        lost = sa.and_(has_value(column), _key_id_of(column).not_in(current_vault().key_ids))
        part = _select_named(column, _key_id_of(column)).where(lost).order_by(column.row_key).limit(limit)
        parts.append(sa.select(part.subquery()))
    found = db.session.execute(sa.union_all(*parts))
    return [Unreadable(place, key, label, owner, its_key or None, False) for place, key, label, owner, its_key in found]


def warn_of_lost_keys() -> None:
    """Say in the log, once, that there are values which no configured key opens."""
    try:
        lost = count_without_key()
        db.session.rollback()
    except SQLAlchemyError:
        return  # no database, or not up to date: others say so
    if lost:
        log.error(
            "%s encrypted values cannot be read with the present ENCRYPTION_KEY; nothing was changed. See: hub keys check", lost
        )


def open_all() -> Iterator[tuple[EncryptedColumn, int, list[Unreadable]]]:
    """Open every value, batch by batch: (its column, how many were looked at, those that do not open). Changes nothing."""
    for column in list_encrypted_columns():
        for rows in read_batches(column, has_value(column)):
            closed = {key: key_of(envelope) for key, envelope in rows.items() if not opens(column, key, envelope)}
            yield column, len(rows), describe_rows(column, closed)


def opens(column: EncryptedColumn, key: str, envelope: str) -> bool:
    """Whether the value of a row can be read with the present keys."""
    try:
        column.decrypt(envelope, key)
    except DecryptionError:
        return False
    return True


def read_batches(column: EncryptedColumn, condition: sa.ColumnElement[bool]) -> Iterator[dict[str, str]]:
    """Row key -> envelope of the rows with ``condition``, in bounded batches by key. No transaction is open between them."""
    after: str | None = None
    while True:
        _begin_reading()
        statement = sa.select(column.row_key, sa.func.length(column.envelope)).where(condition)
        if after is not None:
            statement = statement.where(column.row_key > after)
        sizes = db.session.execute(statement.order_by(column.row_key).limit(BATCH_ROWS)).all()
        keys: list[str] = []
        room = BATCH_BYTES
        for key, size in sizes:
            room -= size
            if keys and room < 0:
                break
            keys.append(key)
        if not keys:
            db.session.rollback()
            return
        rows = _read_pairs(sa.select(column.row_key, column.envelope).where(column.row_key.in_(keys), condition))
        db.session.rollback()
        after = keys[-1]
        yield rows


def find_undeclared() -> dict[str, set[str]]:
    """Key ids by ``table.column`` of envelopes that no declaration covers, in tables that are not the hub's own.

    They are a plugin's that is switched off or forgot to declare them: a change of the key passes them by.
    """
    return find_envelopes(but_tables=hub_tables())


def find_envelopes(but_tables: frozenset[str] = frozenset()) -> dict[str, set[str]]:
    """Key ids by ``table.column`` of everything that looks like an envelope and stands at no declared place."""
    declared = {column.place for column in list_encrypted_columns()}
    found: dict[str, set[str]] = {}
    _begin_reading()
    for table in data_tables(db.session.connection()):
        texts = [] if table.name in but_tables else [each for each in table.columns if isinstance(each.type, sa.String | sa.JSON)]
        for column in texts:
            place = f"{table.name}.{column.name}"
            if place in declared:
                continue
            as_text = sa.cast(column, sa.Text)
            for text in db.session.scalars(sa.select(as_text).where(as_text.like(f"%{_SHAPE}"))):
                for envelope in _ENVELOPE.findall(text):
                    found.setdefault(place, set()).add(key_of(envelope) or "")
    db.session.rollback()
    return found


def _read_pairs(statement: sa.Select[Any]) -> dict[str, str]:
    return {key: envelope for key, envelope in db.session.execute(statement)}  # noqa: C416 - dict() takes a result for a mapping


def _begin_reading() -> None:
    """Without SQLite's write lock."""
    db.session.rollback()
    db.session.connection(execution_options=DEFERRED)


def describe_rows(column: EncryptedColumn, keys: Mapping[str, str | None]) -> list[Unreadable]:
    """Rows (key -> id of their encryption key) with their names and owners."""
    if not keys:
        return []
    known = current_vault().key_ids
    found = db.session.execute(_select_named(column, sa.null()).where(column.row_key.in_(keys)).order_by(column.row_key))
    return [Unreadable(place, key, label, owner, keys[key], keys[key] in known) for place, key, label, owner, _id in found]


def _select_named(column: EncryptedColumn, its_key: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Place, key, name, owner and ``its_key``: what a table has of them."""
    table = column.table
    label = sa.cast(table.c["name"], sa.Text) if "name" in table.c else sa.cast(sa.null(), sa.Text)
    owner = _users.c.email if "user_id" in table.c else sa.cast(sa.null(), sa.Text)
    place = sa.literal(column.place).label("place")
    statement = sa.select(place, column.row_key.label("key"), label.label("name"), owner.label("owner"), its_key.label("its_key"))
    return statement.outerjoin(_users, _users.c.id == table.c.user_id) if "user_id" in table.c else statement


def _key_id_of(column: EncryptedColumn) -> sa.ColumnElement[str]:
    """The id of the key of a row's envelope; empty for what is no envelope."""
    its_key = sa.func.substr(column.envelope, _ID_AT, _ID_LENGTH)
    return sa.case((column.envelope.like(_SHAPE), its_key), else_="")
