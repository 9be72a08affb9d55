"""Encrypting every secret anew with the newest key, while the hub works.

It may be killed at any point and run again: a value is either as it was or made anew, and both open as long as both keys are
configured. A value that does not open is left as it is, and so is one that somebody changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import array

from hub.audit.services import record_event
from hub.contracts.actor import Actor
from hub.crypto import DecryptionError, Vault, current_vault, key_of
from hub.database.envelopes import Unreadable, describe_rows, has_value, list_without_key, made_with, read_batches
from hub.encrypted_columns import EncryptedColumn, list_encrypted_columns
from hub.extensions import db

#: A pass that found nothing to do is the last; so is this one, where others keep writing with an older key.
MOST_PASSES = 5
MOST_LISTED = 1000


class RotationError(Exception):
    """A value that was just written does not open. Its transaction was taken back, so the old one is still there."""


@dataclass(slots=True)
class RotationReport:
    """What a rotation did. ``left`` values open, but are made with an older key again: somebody else writes with it."""

    rotated: int = 0
    left: int = 0
    unreadable: list[Unreadable] = field(default_factory=list)


def count_old() -> int:
    """How many values were made with a configured key that is not the newest. Opens nothing. Ends the transaction."""
    total = 0
    for column in list_encrypted_columns():
        statement = sa.select(sa.func.count()).select_from(column.table).where(_is_old(column, current_vault()))
        total += db.session.scalar(statement) or 0
    db.session.rollback()
    return total


def rotate_keys(actor: Actor, on_progress: Callable[[str, int], None] = lambda _place, _rows: None) -> RotationReport:
    """Encrypt anew what an older key made. ``on_progress`` is told place and rows after each batch. Commits each batch."""
    vault, report = current_vault(), RotationReport()
    for _pass in range(MOST_PASSES):
        rotated, closed = 0, []
        for column in list_encrypted_columns():
            for rows in read_batches(column, _is_old(column, vault)):
                fresh = _encrypt_anew(column, rows)
                changed = _write(column, rows, fresh) if fresh else 0
                closed += describe_rows(column, {key: key_of(rows[key]) for key in rows if key not in fresh})
                rotated += changed
                on_progress(column.place, changed)
        report.rotated += rotated
        if not rotated:
            break
    report.left = count_old() - len(closed)
    report.unreadable = [*closed, *list_without_key(MOST_LISTED)]
    details = {"key": vault.newest, "rotated": report.rotated, "left": report.left, "unreadable": len(report.unreadable)}
    record_event(actor, "keys.rotate", "encryption", success=not report.unreadable and not report.left, details=details)
    db.session.commit()
    return report


def _is_old(column: EncryptedColumn, vault: Vault) -> sa.ColumnElement[bool]:
    return sa.and_(has_value(column), made_with(column, vault.key_ids[1:]))


def _encrypt_anew(column: EncryptedColumn, rows: Mapping[str, str]) -> dict[str, str]:
    """New envelopes by row key, each opened before it is used; none for a value that does not open."""
    fresh = {}
    for key, envelope in rows.items():
        try:
            text = column.decrypt(envelope, key)
        except DecryptionError:
            continue
        fresh[key] = column.encrypt(text, key)
        if column.decrypt(fresh[key], key) != text:
            raise RotationError(f"the new value of {column.place} {key} does not open; nothing of this batch was written")
    return fresh


def _write(column: EncryptedColumn, rows: Mapping[str, str], fresh: Mapping[str, str]) -> int:
    """Put the new envelopes in place of exactly the old ones, read them back, and commit; how many there were."""
    db.session.rollback()
    written = [key for key, new in fresh.items() if _replace(column, key, rows[key], new)]
    stored = sa.select(column.row_key, column.envelope).where(column.row_key.in_(written))
    for key, envelope in db.session.execute(stored):
        if envelope != fresh[key]:
            db.session.rollback()
            raise RotationError(f"{column.place} {key} does not hold what was written; nothing of this batch was kept")
    db.session.commit()
    return len(written)


def _replace(column: EncryptedColumn, key: str, old: str, new: str) -> bool:
    """Whether the row still held ``old``. Nothing else of it changes, not even when it was last changed."""
    table = column.table
    value: Any = new
    if column.inside and db.engine.dialect.name == "sqlite":
        value = sa.func.json_set(table.c[column.name], f'$."{column.inside}"', new)
    elif column.inside:
        value = sa.func.jsonb_set(table.c[column.name], array([column.inside]), sa.func.to_jsonb(sa.cast(new, sa.Text)))
    kept = {each: each for each in table.columns if each.onupdate is not None}
    statement = (
        sa.update(table).where(column.row_key == key, column.envelope == old).values({**kept, table.c[column.name]: value})
    )
    return cast("sa.CursorResult[Any]", db.session.execute(statement)).rowcount == 1
