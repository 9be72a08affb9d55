"""The chain: every event is bound to the one before it and sealed with a key that is not in the database.

``seal`` is an HMAC over the canonical form of a row, the hash of the chain's previous row in it: without the key nobody can
rewrite a row and all after it. ``hash`` is the SHA-256 of the same form and the seal: it needs no key, so that rows stay
verifiable when an old key is gone. Events wait in the session until it commits; the heads are locked last, in one order.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql, sqlite

from hub.audit.models import AuditChain, AuditLog
from hub.crypto import current_signer
from hub.extensions import Session
from hub.storable import clean_text

#: What the first row of a chain follows.
GENESIS = "0" * 64
#: The columns that a row's seal and hash are over; ``previous_hash``, ``chain`` and ``sequence`` fix its place.
HASHED = (
    *("id", "created_at", "user_id", "action", "resource", "resource_id", "ip_address", "user_agent", "success", "details"),
    *("chain", "sequence", "previous_hash"),
)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
#: Up to here whole numbers are the same in JSON, JSONB and floating point.
_EXACT = 2**53
_INSERT = sa.insert(AuditLog.__table__).returning(AuditLog.__table__.c.id)  # type: ignore[arg-type]
_PENDING = "hub_audit_pending"

Pending = list[tuple[AuditLog, orm.SessionTransaction | None]]


def canonical_text(values: Mapping[str, Any]) -> str:
    """One text for the same values, whatever a database made of them: keys sorted, no spaces, times as whole microseconds since
    1970, numbers as RFC 8785 counts them."""
    return json.dumps(_canonical(dict(values)), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def row_text(values: Mapping[str, Any]) -> str:
    """The canonical text of an event from its columns (``HASHED``)."""
    return canonical_text({name: values[name] for name in HASHED})


def row_hash(text: str, seal: str) -> str:
    """The hash of an event from its text and its seal, 64 hexadecimal digits."""
    return hashlib.sha256(f"{text}\n{seal}".encode()).hexdigest()


def seal_row(values: dict[str, Any]) -> None:
    """Give a row that has its place in a chain its seal and its hash."""
    text = row_text(values)
    values["seal"] = current_signer().sign(text)
    values["hash"] = row_hash(text, values["seal"])


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _canonical(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, dt.datetime):
        return (value - _EPOCH) // _MICROSECOND
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if abs(value) > _EXACT:
        return float(value)
    return int(value) if value == int(value) else value


def plain_details(value: Any) -> Any:
    """Details as JSON that both databases give back with the same meaning; what JSON has no number for becomes text."""
    if isinstance(value, dict):
        return {clean_text(name): plain_details(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_details(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(plain_details(list(value)), key=str)
    if value is None or isinstance(value, bool):
        return value
    if (isinstance(value, int) and abs(value) <= _EXACT) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return clean_text(value)


def append_event(session: orm.Session, event: AuditLog) -> None:
    """Let the event be written when the session's transaction commits; it is forgotten where that is rolled back."""
    if not session.in_transaction():
        session.begin()
    session.info.setdefault(_PENDING, []).append((event, session.get_nested_transaction()))


@sa.event.listens_for(Session, "before_commit")
def _write_pending(session: orm.Session) -> None:
    if _PENDING not in session.info or session.in_nested_transaction():
        return
    pending: Pending = session.info.pop(_PENDING)
    session.flush()  # every other row is locked before the heads are, so that no two transactions wait for each other
    _write(session, [event for event, _transaction in pending])


@sa.event.listens_for(Session, "after_soft_rollback")
def _forget_rolled_back(session: orm.Session, ended: orm.SessionTransaction) -> None:
    if not ended.nested:
        return
    pending: Pending = session.info.get(_PENDING, [])
    pending[:] = [(event, transaction) for event, transaction in pending if not _is_within(transaction, ended)]


@sa.event.listens_for(Session, "after_transaction_end")
def _forget_at_end(session: orm.Session, ended: orm.SessionTransaction) -> None:
    if ended.parent is None:
        session.info.pop(_PENDING, None)


def _is_within(transaction: orm.SessionTransaction | None, ended: orm.SessionTransaction) -> bool:
    while transaction is not None and transaction is not ended:
        transaction = transaction.parent
    return transaction is ended


def _write(session: orm.Session, events: list[AuditLog]) -> None:
    """Lock the heads, chain the events, move the heads: three statements for any number of chains and hundreds of events."""
    heads = _lock_heads(session, sorted({event.chain for event in events}))
    rows = [_link(heads[event.chain], event) for event in events]
    for head in heads.values():
        head["seal"] = current_signer().sign(head["hash"])
    # Lists of parameters, not of VALUES, because only such statements are compiled once; RETURNING makes one INSERT of many.
    session.execute(_INSERT, rows)
    session.execute(_upsert(session.get_bind().dialect.name, ("sequence", "hash", "seal")), list(heads.values()))


def _lock_heads(session: orm.Session, chains: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The present heads by chain, which nobody else can move before this transaction ends; new chains get theirs."""
    begun = [{"chain": chain, "sequence": 0, "hash": GENESIS, "seal": ""} for chain in chains]
    # Writing a head as it is locks it on PostgreSQL; on SQLite it takes the write lock, which a deferred transaction lacks.
    locked = session.execute(_upsert(session.get_bind().dialect.name, ("chain",)), begun).mappings()
    return {head["chain"]: dict(head) for head in locked}


@functools.cache
def _upsert(dialect: str, changed: tuple[str, ...]) -> Any:
    """Insert heads; of those that are there, change these columns. Answers them as they are then."""
    table: Any = AuditChain.__table__
    kind: Any = postgresql if dialect == "postgresql" else sqlite
    insert = kind.insert(table)
    upsert = insert.on_conflict_do_update(index_elements=["chain"], set_={name: insert.excluded[name] for name in changed})
    return upsert.returning(table.c.chain, table.c.sequence, table.c.hash, table.c.seal)


def _link(head: dict[str, Any], event: AuditLog) -> dict[str, Any]:
    """The event's row as the next of its chain; ``head`` moves on to it."""
    values = {name: getattr(event, name) for name in HASHED}
    values["sequence"], values["previous_hash"] = head["sequence"] + 1, head["hash"]
    seal_row(values)
    head.update(sequence=values["sequence"], hash=values["hash"])
    return values
