"""Whatever is done to a row, to the order or to a gap is found, and the first broken row is named."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.audit import triggers
from hub.audit.anchors import Anchor
from hub.audit.chain import GENESIS, row_hash, row_text
from hub.audit.checkpoints import cut_chain, reseal
from hub.audit.models import AuditChain, AuditCheckpoint, AuditLog
from hub.audit.services import record_event
from hub.audit.verification import verify_all, verify_chain
from hub.audit.words import describe_break
from hub.columns import utc_now
from hub.contracts.actor import SYSTEM, Actor
from hub.crypto import Signer
from hub.extensions import db

LOG: Any = AuditLog.__table__
ROWS = 6
OTHER_KEY = bytes(range(100, 132))
LATER = dt.timedelta(microseconds=1)

#: One change for every column that a row has.
CHANGES: dict[str, Any] = {
    "id": "c" + "9" * 24,
    "created_at": sa.literal(dt.datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=dt.UTC), LOG.c.created_at.type),
    "user_id": None,
    "action": "instance.creatf",
    "resource": "",
    "resource_id": "c77",
    "ip_address": "192.0.2.8",
    "user_agent": "another",
    "success": False,
    "details": {"via": "web", "number": 0, "share": 0.26},
    "chain": "elsewhere",
    "sequence": 77,
    "previous_hash": "f" * 64,
    "hash": "f" * 64,
    "seal": "00000000." + "f" * 64,
}


@pytest.fixture
def chain(alice: Actor) -> str:
    """Alice's chain with six events, committed in two transactions."""
    actor = dataclasses.replace(alice, ip_address="192.0.2.7", user_agent="Mozilla/5.0 (متصفح)")
    for number in range(ROWS):
        details = {"number": number, "share": 0.25, "big": 2**70, "tiny": 1e-300, "name": "طلب “x”", "list": ["a", None, True]}
        record_event(actor, "instance.create", "instance", f"c{number}", details=details)
        if number == 2:
            db.session.commit()
    db.session.commit()
    return str(alice.user_id)


@contextmanager
def tampering() -> Iterator[sa.Connection]:
    """A connection on which the triggers are switched off; whatever is done there is undone afterwards."""
    connection = db.session.connection()
    triggers.drop(connection)
    yield connection
    db.session.rollback()


def row(chain: str, sequence: int) -> Any:
    return sa.and_(LOG.c.chain == chain, LOG.c.sequence == sequence)


def found_in(chain: str, anchor: Anchor | None = None) -> tuple[str, int] | None:
    broken = verify_chain(chain, anchor).broken
    assert broken is None or describe_break(broken)
    return (broken.kind, broken.sequence) if broken else None


def rewrite(connection: sa.Connection, chain: str, start: int, signer: Signer | None = None) -> None:
    """Make the hashes of all rows from ``start`` and of the head fit again, as somebody would who has the database."""
    rows = connection.execute(sa.select(LOG).where(LOG.c.chain == chain).order_by(LOG.c.sequence)).mappings().all()
    previous = GENESIS
    for stored in rows:
        values = dict(stored)
        if values["sequence"] >= start:
            values["previous_hash"] = previous
            text = row_text(values)
            values["seal"] = signer.sign(text) if signer else values["seal"]
            values["hash"] = row_hash(text, values["seal"])
            connection.execute(sa.update(LOG).where(LOG.c.id == values["id"]).values(values))
        previous = values["hash"]
    seal = signer.sign(previous) if signer else "00000000." + "f" * 64
    head: Any = AuditChain.__table__
    connection.execute(sa.update(head).where(head.c.chain == chain).values(hash=previous, seal=seal))


def test_a_chain_holds(chain: str) -> None:
    report = verify_chain(chain)
    assert (report.broken, report.events, report.sequence) == (None, ROWS, ROWS)
    assert [row.sequence for row in db.session.scalars(sa.select(AuditLog).order_by(AuditLog.sequence))] == [*range(1, ROWS + 1)]
    db.session.rollback()
    found = verify_all({})
    assert (found.ok, found.chains, found.events) == (True, 1, ROWS)


def test_every_column_of_every_row_is_bound(chain: str) -> None:
    assert set(CHANGES) == set(LOG.columns.keys())
    unseen = []
    for sequence, (name, value) in itertools.product(range(1, ROWS + 1), CHANGES.items()):
        with tampering() as connection:
            connection.execute(sa.update(LOG).where(row(chain, sequence)).values({name: value}))
            kind, at = found_in(chain) or ("", 0)
            if at != sequence:
                unseen.append((sequence, name, kind, at))
    assert unseen == []


#: What no hub writes; on SQLite every column takes anything. Some of it reads as the same value, but searches pass it by.
GARBAGE = [
    ("details", """'{"number": 1e999}'"""),
    ("details", "'1" + "0" * 400 + "'"),
    ("details", "'[" * 1 + "[" * 3000 + "]" * 3001 + "'"),
    ("details", "NULL"),
    ("created_at", "'0001-01-01 00:00:00'"),
]
SQLITE_GARBAGE = [
    ("details", "'no json'"),
    ("details", """'{"number": NaN}'"""),
    ("details", "x'ff00'"),
    ("details", "CAST(x'ff00' AS TEXT)"),
    ("details", """replace(details, '": ', '":')"""),
    ("details", """'{"via": "x", ' || substr(details, 2)"""),
    ("created_at", "'soon'"),
    ("created_at", "12"),
    ("created_at", "replace(created_at, ' ', 'T')"),
    ("user_id", "CAST(user_id AS BLOB)"),
    ("user_agent", "x'ff00'"),
    ("user_agent", "CAST(x'ff00' AS TEXT)"),
    ("success", "2"),
    ("success", "'yes'"),
    ("hash", "x'ff'"),
    ("seal", "'é.x'"),
    ("sequence", "'third'"),
    ("sequence", "2.5"),
]


@pytest.mark.parametrize("rows_at_a_time", [1000, 2])
def test_what_is_no_event_is_named_and_stops_nothing(chain: str, monkeypatch: pytest.MonkeyPatch, rows_at_a_time: int) -> None:
    monkeypatch.setattr("hub.audit.verification._ROWS_AT_A_TIME", rows_at_a_time)
    is_sqlite = db.session.get_bind().dialect.name == "sqlite"
    unseen = []
    for name, value in [*GARBAGE, *(SQLITE_GARBAGE if is_sqlite else [])]:
        with tampering() as connection:
            connection.exec_driver_sql(f"UPDATE audit_logs SET {name} = {value} WHERE sequence = 3")
            kind, at = found_in(chain) or ("", 0)
            if at != 3 or [broken.chain for broken in verify_all({}).breaks][-1:] != [chain]:
                unseen.append((name, value, kind, at))
    assert unseen == []


def test_every_gap_and_every_exchange_is_found(chain: str) -> None:
    for sequence in range(1, ROWS + 1):
        with tampering() as connection:
            connection.execute(sa.delete(LOG).where(row(chain, sequence)))
            assert found_in(chain) == ("cut" if sequence == ROWS else "missing", sequence)
    for first, second in itertools.combinations(range(1, ROWS + 1), 2):
        with tampering() as connection:
            for sequence, to in ((first, 1000), (second, first), (1000, second)):
                connection.execute(sa.update(LOG).where(row(chain, sequence)).values(sequence=to))
            assert found_in(chain) == ("changed", first)


def test_without_the_key_nobody_makes_the_rest_fit(chain: str) -> None:
    with tampering() as connection:
        connection.execute(sa.update(LOG).where(row(chain, 3)).values(action="nothing"))
        rewrite(connection, chain, 3)
        assert found_in(chain) == ("forged", 3)
    with tampering() as connection:
        connection.execute(sa.update(LOG).where(row(chain, 3)).values(action="nothing"))
        rewrite(connection, chain, 3, Signer((OTHER_KEY,)))
        assert found_in(chain) == ("unsealed", 3)


def test_rows_past_the_hub_are_found(chain: str) -> None:
    with tampering() as connection:
        values = dict(connection.execute(sa.select(LOG).where(row(chain, ROWS))).mappings().one())
        values |= {"id": "x", "sequence": ROWS + 1, "previous_hash": values["hash"]}
        values["hash"] = row_hash(row_text(values), values["seal"])
        connection.execute(sa.insert(LOG).values(values))
        assert found_in(chain) == ("added", ROWS + 1)
    with tampering() as connection:
        connection.execute(sa.delete(AuditChain.__table__))
        assert found_in(chain) == ("head", ROWS)
        assert [broken.chain for broken in verify_all({}).breaks] == [chain]
    with tampering() as connection:
        connection.execute(sa.delete(LOG))
        assert found_in(chain) == ("cut", 1)


def test_only_an_anchor_shows_a_cut_end_and_a_chain_made_with_the_key(app: Flask, chain: str) -> None:
    report = verify_chain(chain)
    anchor = Anchor(chain, report.sequence, report.hash, "", "")
    signer = app.extensions["hub_signer"]
    assert found_in(chain, anchor) is None
    with tampering() as connection:
        connection.execute(sa.delete(LOG).where(LOG.c.chain == chain, LOG.c.sequence > 4))
        connection.execute(sa.update(AuditChain.__table__).values(sequence=4))
        rewrite(connection, chain, 5, signer)  # or the head as it was then, from a backup
        assert found_in(chain) is None
        assert found_in(chain, anchor) == ("cut", 5)
    with tampering() as connection:
        connection.execute(sa.update(LOG).where(row(chain, 2)).values(action="nothing"))
        rewrite(connection, chain, 2, signer)
        assert found_in(chain) is None
        assert found_in(chain, anchor) == ("anchor", ROWS)
    with tampering() as connection:
        connection.execute(sa.delete(LOG))
        connection.execute(sa.delete(AuditChain.__table__))
        assert [broken.kind for broken in verify_all({chain: anchor}).breaks] == ["cut"]


def test_missing_triggers_are_named(chain: str) -> None:
    assert verify_all({}).missing_triggers == []
    with tampering():
        found = verify_all({})
        assert "audit_logs_no_update" in found.missing_triggers
        assert not found.ok
    assert verify_all({}).ok


@pytest.mark.parametrize("name", ["audit_logs_no_update", "audit_checkpoints_no_update"])
def test_triggers_that_do_nothing_are_as_good_as_missing(chain: str, name: str) -> None:
    table = name.removesuffix("_no_update")
    with tampering() as connection:
        triggers.create(connection)
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
            connection.exec_driver_sql(f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} WHEN 0 BEGIN SELECT 1; END")
            expected = [name]
        elif table == "audit_logs":
            connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE REPLICA TRIGGER {name}")
            expected = [name]
        else:
            connection.exec_driver_sql(
                "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$"
            )
            expected = [each for each in triggers._POSTGRESQL if each != "audit_logs_no_delete"]
        assert triggers.find_missing(connection) == sorted(expected)
        triggers.create(connection)
        assert triggers.find_missing(connection) == []


@pytest.mark.parametrize("same", ["id", "chain and sequence", "rowid"])
@pytest.mark.parametrize("table", ["audit_logs", "audit_checkpoints"])
def test_nothing_is_replaced(chain: str, table: str, same: str) -> None:
    cut_chain(chain, utc_now() - dt.timedelta(days=1))
    db.session.add(AuditCheckpoint(chain=chain, sequence=0, hash="", count=0, seal=""))
    db.session.commit()
    connection = db.session.connection()
    if connection.dialect.name != "sqlite" or (table, same) == ("audit_checkpoints", "chain and sequence"):
        return  # PostgreSQL has no REPLACE; checkpoints may have the same number
    kept = {"id": ("id",), "chain and sequence": ("chain", "sequence"), "rowid": ()}[same]
    columns = [column["name"] for column in sa.inspect(connection).get_columns(table)]
    changed = {"id": "'another'", "chain": "'another'"}
    values = [name if name in kept else changed.get(name, name) for name in columns]
    key = "rowid, " if same == "rowid" else ""
    statement = f"INSERT OR REPLACE INTO {table} ({key}{', '.join(columns)}) SELECT {key}{', '.join(values)} FROM {table} LIMIT 1"
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), connection.begin_nested():
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_logs SET action = 'x'",
        "DELETE FROM audit_logs",
        "UPDATE audit_logs SET sequence = sequence + 10",
        "UPDATE audit_checkpoints SET sequence = 99",
        "DELETE FROM audit_checkpoints",
        "TRUNCATE audit_logs",
    ],
)
def test_the_database_refuses_changes(chain: str, statement: str) -> None:
    assert cut_chain(chain, utc_now() - dt.timedelta(days=1)) == 0
    record_event(SYSTEM, "x", "x")
    db.session.commit()
    cut_chain("", utc_now() + LATER)
    db.session.commit()
    connection = db.session.connection()
    if "TRUNCATE" in statement and connection.dialect.name == "sqlite":
        statement = "DELETE FROM audit_logs WHERE 1"
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), connection.begin_nested():
        connection.exec_driver_sql(statement)


def test_what_is_pruned_leaves_a_chain_that_holds(alice: Actor, chain: str) -> None:
    cut = db.session.scalar(sa.select(AuditLog.created_at).where(AuditLog.sequence == 5))
    assert cut_chain(chain, cut) == 4
    db.session.commit()
    assert verify_chain(chain).events == 2
    record_event(alice, "instance.delete", "instance")
    db.session.commit()
    assert (verify_chain(chain).broken, verify_chain(chain).sequence) == (None, ROWS + 1)
    assert cut_chain(chain, utc_now() + LATER) == 3
    db.session.commit()
    report = verify_chain(chain)
    assert (report.broken, report.events, report.sequence) == (None, 0, ROWS + 1)
    record_event(alice, "instance.create", "instance")
    db.session.commit()
    assert (verify_chain(chain).broken, verify_chain(chain).events) == (None, 1)


def test_a_checkpoint_of_somebody_else_is_found(chain: str) -> None:
    end = db.session.scalar(sa.select(AuditLog.hash).where(AuditLog.sequence == 3))
    false = AuditCheckpoint(chain=chain, sequence=3, hash=end, count=3, seal=Signer((OTHER_KEY,)).sign("x"))
    db.session.add(false)
    db.session.flush()
    db.session.execute(sa.delete(AuditLog).where(AuditLog.sequence <= 3))  # the triggers believe the checkpoint
    db.session.commit()
    assert found_in(chain) == ("checkpoint", 3)


def test_a_rotated_key_breaks_nothing(app: Flask, alice: Actor, chain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """New key beside the old one; then, once the heads were sealed anew, without the old one."""
    cut = db.session.scalar(sa.select(AuditLog.created_at).where(AuditLog.sequence == 3))
    cut_chain(chain, cut)
    db.session.commit()
    old = app.extensions["hub_config"].encryption_keys[0]
    monkeypatch.setitem(app.extensions, "hub_signer", Signer((OTHER_KEY,)))
    assert found_in(chain) == ("checkpoint", 2)
    monkeypatch.setitem(app.extensions, "hub_signer", Signer((OTHER_KEY, old)))
    report = verify_chain(chain)
    assert report.broken is None
    db.session.rollback()
    assert dataclasses.astuple(reseal({chain: report.hash})) == (1, 1)
    assert dataclasses.astuple(reseal({chain: report.hash})) == (0, 0)
    monkeypatch.setitem(app.extensions, "hub_signer", Signer((OTHER_KEY,)))
    found = verify_all({})
    assert found.ok
    assert len(found.lost_keys) == 1
    with tampering() as connection:
        connection.execute(sa.update(LOG).where(row(chain, 4)).values(action="nothing"))
        rewrite(connection, chain, 4)
        assert found_in(chain) == ("unsealed", 3)
