"""Encrypting every secret anew with the newest key, while the hub works.

It may be killed at any point and run again: a value is either as it was or made anew, and both open as long as both keys are
configured. A value that does not open is left as it is, and so is one that somebody changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa

from hub.crypto import Vault, current_vault, key_of
from hub.database.envelopes import Unreadable, has_value, made_with, open_all, opens, read_batches
from hub.encrypted_columns import EncryptedColumn, list_encrypted_columns
from hub.extensions import db

#: A pass over everything that found nothing to do is the end; who writes with an old key all the time ends it too.
MOST_PASSES = 5


class RotationError(Exception):
    """A value that was just written does not open. Its transaction was taken back, so the old one is still there."""


@dataclass(slots=True)
class RotationReport:
    """What a rotation did. ``left`` values open, but are still made with an older key, because others write with it."""

    rotated: int = 0
    left: int = 0
    unreadable: list[Unreadable] = field(default_factory=list)


def rotate_keys(on_progress: Callable[[str, int], None] = lambda _place, _rows: None) -> RotationReport:
    """Encrypt everything anew that an older key made. ``on_progress`` is told place and rows after each batch. Commits each."""
    vault, report = current_vault(), RotationReport()
    for _pass in range(MOST_PASSES):
        rotated = 0
        for column in list_encrypted_columns():
            for rows in read_batches(column, is_old(column, vault)):
                changed = _rotate(column, rows)
                rotated += changed
                on_progress(column.place, changed)
        report.rotated += rotated
        if not rotated:
            break
    for column, _looked_at, closed in open_all():
        report.unreadable += closed
        report.left += _count_left(column, vault, closed) if closed else 0
    report.left = _count_old(vault) - sum(row.key_id in vault.key_ids[1:] for row in report.unreadable)
    return report


def is_old(column: EncryptedColumn, vault: Vault) -> sa.ColumnElement[bool]:
    """Whether a row was made with a configured key that is not the newest. The rows of others cannot be opened."""
    return sa.and_(has_value(column), made_with(column, vault.key_ids[1:]))
