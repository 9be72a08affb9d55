"""What is encrypted in the database, with which keys, and what of it the present keys do not open."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hub.crypto import DecryptionError, current_vault, key_of
from hub.database.owners import hub_tables
from hub.database.tables import data_tables
from hub.encrypted_columns import EncryptedColumn, list_encrypted_columns
from hub.extensions import DEFERRED, db

#: ``v1.<key id>.`` in SQL; the key's id is 8 characters from the 4th.
_SHAPE = "v1.________.%"
_ID_AT, _ID_LENGTH = 4, 8
_ENVELOPE = re.compile(r"\bv1\.[0-9a-f]{8}\.[\w-]{16}\.[\w-]{22,}")
#: Rows whose envelopes are looked at together, and how many bytes of them at most (one alone may be larger).
BATCH_ROWS, BATCH_BYTES = 200, 4_000_000

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
    its_key = sa.func.substr(column.envelope, _ID_AT, _ID_LENGTH)
    return sa.and_(column.envelope.like(_SHAPE), its_key.in_(key_ids))


def count_by_key() -> dict[str, Counter[str]]:
    """Values by place and key id, without opening any; under the id "" what is no envelope."""
    _begin_reading()
    counts = {}
    for column in list_encrypted_columns():
        its_key = sa.case((column.envelope.like(_SHAPE), sa.func.substr(column.envelope, _ID_AT, _ID_LENGTH)), else_="")
        statement = sa.select(its_key.label("key_id"), sa.func.count()).select_from(column.table).where(has_value(column))
        found = db.session.execute(statement.group_by(sa.text("key_id")))
        counts[column.place] = Counter({key: int(number) for key, number in found})
    db.session.rollback()
    return counts


def count_without_key() -> dict[str, int]:
    """How many values of each place no configured key can open; places with none are left out. Opens nothing."""
    known = current_vault().key_ids
    lost = {place: sum(number for key, number in counts.items() if key not in known) for place, counts in count_by_key().items()}
    return {place: number for place, number in lost.items() if number}


def list_without_key(limit: int) -> list[Unreadable]:
    """The first ``limit`` values of each place that no configured key can open. Opens nothing."""
    vault = current_vault()
    found: list[Unreadable] = []
    for column in list_encrypted_columns():
        lost = sa.and_(has_value(column), sa.not_(made_with(column, vault.key_ids)))
        statement = sa.select(column.row_key, column.envelope).where(lost).order_by(column.row_key).limit(limit)
        rows = {key: envelope for key, envelope in db.session.execute(statement)}
        found += _describe(column, {key: key_of(envelope) for key, envelope in rows.items()})
    return found


def open_all() -> Iterator[tuple[EncryptedColumn, int, list[Unreadable]]]:
    """Open every value, batch by batch: (its column, how many were looked at, those that do not open). Changes nothing."""
    for column in list_encrypted_columns():
        for rows in read_batches(column, has_value(column)):
            closed = {key: key_of(envelope) for key, envelope in rows.items() if not opens(column, key, envelope)}
            yield column, len(rows), _describe(column, closed)


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
        keys, room = [], BATCH_BYTES
        for key, size in sizes:
            room -= size
            if keys and room < 0:
                break
            keys.append(key)
        chosen = sa.select(column.row_key, column.envelope).where(column.row_key.in_(keys), condition)
        rows = {key: envelope for key, envelope in db.session.execute(chosen)}
        db.session.rollback()
        if not keys:
            return
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
    with db.engine.execution_options(**DEFERRED).connect() as connection:
        for table in data_tables(connection):
            if table.name in but_tables:
                continue
            texts = [column for column in table.columns if isinstance(column.type, sa.String | sa.JSON)]
            for column in texts:
                if f"{table.name}.{column.name}" in declared:
                    continue
                as_text = sa.cast(column, sa.Text)
                for text in connection.scalars(sa.select(as_text).where(as_text.like(f"%{_SHAPE}"))):
                    for envelope in _ENVELOPE.findall(text):
                        found.setdefault(f"{table.name}.{column.name}", set()).add(key_of(envelope) or "")
    return found


def _begin_reading() -> None:
    """Without SQLite's write lock."""
    db.session.rollback()
    db.session.connection(execution_options=DEFERRED)


def _describe(column: EncryptedColumn, keys: Mapping[str, str | None]) -> list[Unreadable]:
    """Name rows by what their table has: ``name``, and the owner behind ``user_id``."""
    if not keys:
        return []
    table, known = column.table, current_vault().key_ids
    columns: list[Any] = [column.row_key, table.c.get("name", sa.null()), sa.null()]
    statement = sa.select(*columns)
    if "user_id" in table.c:
        statement = sa.select(*columns[:2], _users.c.email).outerjoin(_users, _users.c.id == table.c.user_id)
    named = {key: (label, owner) for key, label, owner in db.session.execute(statement.where(column.row_key.in_(keys)))}
    return [
        Unreadable(column.place, key, *named.get(key, (None, None)), key_id=its_key, has_key=its_key in known)
        for key, its_key in keys.items()
    ]
