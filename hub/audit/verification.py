"""Verification: every chain from its checkpoint to its head, and the head against what was anchored outside the database."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from hub.audit import triggers
from hub.audit.anchors import Anchor
from hub.audit.chain import GENESIS, HASHED, row_hash, row_text
from hub.audit.checkpoints import is_genuine
from hub.audit.models import AuditChain, AuditCheckpoint, AuditLog
from hub.crypto import Signer, current_signer
from hub.extensions import DEFERRED, db

log = logging.getLogger(__name__)

_ROWS_AT_A_TIME = 1000
_COLUMNS = tuple(getattr(AuditLog, name) for name in (*HASHED, "hash", "seal"))
#: SQLite keeps what it is given, so other text may read as the same value and yet be passed by in searches.
_STORED = tuple(
    sa.type_coerce(getattr(AuditLog, name), sa.types.NullType()).label(f"stored_{name}")
    for name in ("created_at", "success", "details")
)
#: What reading a row raises that holds no event: no JSON, no time, numbers or text that nothing can hold.
_NO_EVENT = (ValueError, TypeError, ArithmeticError, RecursionError)
_HEAD = sa.select(AuditChain.sequence, AuditChain.hash, AuditChain.seal)


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where a chain does not hold. ``kind`` is a key of ``hub.audit.words.describe_break``; ``event_id`` is None
    where the row is not there."""

    chain: str
    sequence: int
    kind: str
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class ChainReport:
    """One chain. ``events`` are the rows that were read, ``sequence`` and ``hash`` those of the last good one."""

    chain: str
    events: int
    sequence: int
    hash: str
    broken: Break | None


@dataclass(slots=True)
class Verification:
    """What a verification found. ``missing_triggers`` no longer refuse changes; ``lost_keys`` sealed rows, but are not configured
    any more: later seals vouch for those rows."""

    chains: int = 0
    events: int = 0
    breaks: list[Break] = field(default_factory=list)
    missing_triggers: list[str] = field(default_factory=list)
    lost_keys: set[str] = field(default_factory=set)
    #: The chains that hold, by name.
    sound: dict[str, ChainReport] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing was tampered with."""
        return not self.breaks and not self.missing_triggers


def verify_all(anchors: Mapping[str, Anchor]) -> Verification:
    """Verify every chain. Reads without a lock that would stop writers, and a thousand rows at a time."""
    _read_only()
    found = Verification(missing_triggers=triggers.find_missing(db.session.connection()))
    names = set(db.session.scalars(sa.select(AuditChain.chain))) | set(anchors) | set(_chains_without_head())
    for name in sorted(names):
        report = verify_chain(name, anchors.get(name), found.lost_keys)
        found.chains += 1
        found.events += report.events
        if report.broken:
            found.breaks.append(report.broken)
        else:
            found.sound[name] = report
    db.session.rollback()
    return found


def verify_chain(name: str, anchor: Anchor | None = None, lost_keys: set[str] | None = None) -> ChainReport:
    """Verify one chain. What looks broken is looked at twice, because rows may be pruned or added while it is read."""
    _read_only()
    lost = set() if lost_keys is None else lost_keys
    report = _Walk(name, anchor, lost).run()
    return _Walk(name, anchor, lost).run() if report.broken else report


def _read_only() -> None:
    """Let the session read a snapshot without SQLite's write lock."""
    if not db.session().in_transaction():
        db.session.connection(execution_options=DEFERRED)


def _chains_without_head() -> Iterator[str]:
    heads = sa.select(AuditChain.chain).where(AuditChain.chain == AuditLog.chain)
    yield from db.session.scalars(sa.select(AuditLog.chain).where(~heads.exists()).distinct())


def _is_as_written(row: Mapping[str, Any]) -> bool:
    """Whether a row's values stand in the database as the hub writes them. PostgreSQL's own types leave no choice."""
    if "stored_details" not in row:
        return True
    details = None if row["details"] is None else json.dumps(row["details"])
    is_same_time = row["stored_created_at"] == f"{row['created_at']:%Y-%m-%d %H:%M:%S.%f}"
    return is_same_time and row["stored_success"] in (0, 1) and row["stored_details"] == details


class _Walk:
    """One way along a chain. It ends at the first break."""

    def __init__(self, name: str, anchor: Anchor | None, lost_keys: set[str]) -> None:
        self._name = name
        self._anchor = anchor
        self._lost_keys = lost_keys
        self._signer: Signer = current_signer()
        self._sequence = 0
        self._hash = GENESIS
        self._events = 0
        #: The first row that no known seal vouches for yet.
        self._unvouched: tuple[int, str] | None = None

    def run(self) -> ChainReport:
        head = db.session.execute(_HEAD.where(AuditChain.chain == self._name)).one_or_none()
        broken = self._start_at_checkpoint() or self._follow(head.sequence if head else None) or self._compare_with_head(head)
        return ChainReport(self._name, self._events, self._sequence, self._hash, broken)

    def _break(self, kind: str, sequence: int, event_id: str | None = None) -> Break:
        return Break(self._name, sequence, kind, event_id)

    def _start_at_checkpoint(self) -> Break | None:
        statement = sa.select(AuditCheckpoint).where(AuditCheckpoint.chain == self._name)
        latest_first = statement.order_by(AuditCheckpoint.sequence.desc()).execution_options(populate_existing=True)
        found = db.session.scalars(latest_first).all()
        if not found:
            return None
        last = [checkpoint for checkpoint in found if checkpoint.sequence == found[0].sequence]
        if not any(is_genuine(checkpoint) for checkpoint in last):
            return self._break("checkpoint", found[0].sequence)
        self._sequence, self._hash = last[0].sequence, last[0].hash
        return self._judge_anchor()

    def _follow(self, end: int | None) -> Break | None:
        for rows_at_a_time in (_ROWS_AT_A_TIME, 1):  # a row that cannot be read hides those that were fetched with it
            try:
                return self._read(end, rows_at_a_time)
            except _NO_EVENT:
                log.debug("chain %r cannot be read after event %s", self._name, self._sequence, exc_info=True)
            except sa.exc.OperationalError as error:
                if "UTF-8" not in str(error.orig):
                    raise
        return self._break("changed", self._sequence + 1)

    def _read(self, end: int | None, rows_at_a_time: int) -> Break | None:
        columns = (*_COLUMNS, *_STORED) if db.session.get_bind().dialect.name == "sqlite" else _COLUMNS
        statement = sa.select(*columns).where(AuditLog.chain == self._name, AuditLog.sequence > self._sequence)
        if end is not None:
            statement = statement.where(AuditLog.sequence <= end)
        statement = statement.order_by(AuditLog.sequence).execution_options(yield_per=rows_at_a_time)
        with db.session.execute(statement) as rows:
            for row in rows.mappings():
                if broken := self._judge(dict(row)):
                    return broken
        return None

    def _judge(self, row: dict[str, Any]) -> Break | None:
        wanted = self._sequence + 1
        if row["sequence"] != wanted:
            return self._break("missing" if row["sequence"] > wanted else "repeated", wanted, None)
        text = row_text(row)
        if row_hash(text, row["seal"]) != row["hash"] or not _is_as_written(row):
            return self._break("changed", wanted, row["id"])
        if row["previous_hash"] != self._hash:
            return self._break("unlinked", wanted, row["id"])
        sealed = self._signer.check(text, row["seal"])
        if sealed is False:
            return self._break("unsealed", *self._unvouched) if self._unvouched else self._break("forged", wanted, row["id"])
        self._vouch(sealed, row["seal"], wanted, row["id"])
        self._sequence, self._hash = wanted, row["hash"]
        self._events += 1
        return self._judge_anchor()

    def _vouch(self, sealed: bool | None, seal: str, sequence: int, event_id: str) -> None:
        """A good seal vouches for all rows before it, whose hashes lead to it."""
        if sealed:
            self._unvouched = None
            return
        self._lost_keys.add(seal.partition(".")[0])
        self._unvouched = self._unvouched or (sequence, event_id)

    def _judge_anchor(self) -> Break | None:
        if self._anchor and self._anchor.sequence == self._sequence and self._anchor.hash != self._hash:
            return self._break("anchor", self._sequence)
        return None

    def _compare_with_head(self, head: Any) -> Break | None:
        after = self._sequence + 1
        if self._anchor and self._anchor.sequence > self._sequence:
            return self._break("cut", after)
        if head is None:
            return self._break("head", self._sequence) if self._events or self._sequence else None
        if head.sequence > self._sequence:
            return self._break("cut", after)
        if head.hash != self._hash or self._signer.check(head.hash, head.seal) is False:
            return self._break("head", self._sequence)
        if beyond := self._beyond(head.sequence):
            return self._break("added", beyond[0], beyond[1])
        if self._unvouched and not self._signer.check(head.hash, head.seal):
            return self._break("unsealed", *self._unvouched)
        return None

    def _beyond(self, sequence: int) -> tuple[int, str] | None:
        """The first row after the head, in one statement: writers move both together."""
        head = sa.select(AuditChain.sequence).where(AuditChain.chain == self._name).scalar_subquery()
        statement = sa.select(AuditLog.sequence, AuditLog.id).where(AuditLog.chain == self._name, AuditLog.sequence > head)
        row: Any = db.session.execute(statement.order_by(AuditLog.sequence).limit(1)).one_or_none()
        return (row[0], row[1]) if row else None
