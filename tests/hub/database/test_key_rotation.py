"""A new key: everything is encrypted anew, killed at any point and gone on with, and nothing is ever lost or overwritten."""

from __future__ import annotations

import dataclasses
import gc
import itertools
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.engine import Engine

from hub import create_app
from hub.config import Config, as_database
from hub.contracts.actor import SYSTEM
from hub.crypto import DecryptionError, Vault, key_of
from hub.database import envelopes, key_rotation
from hub.database.key_rotation import rotate_keys
from hub.encrypted_columns import list_encrypted_columns
from hub.extensions import Base, db
from tests.conftest import TEST_KEY
from tests.hub.database import secret_rows

OLD, NEW, OTHER = (bytes(range(first, first + 32)) for first in (1, 51, 101))
#: Rotations that are killed in the run of every day; ``HUB_ROTATION_KILLS`` asks for more.
KILLS = int(os.environ.get("HUB_ROTATION_KILLS", "30"))
SIGKILLS = int(os.environ.get("HUB_ROTATION_SIGKILLS", "4"))


@pytest.fixture
def keyed_app(config: Config, fresh_database: Callable[[], str]) -> Iterator[Flask]:
    """An app whose database really commits, and whose keys a test sets with ``use``."""
    url = fresh_database()
    app = create_app(
        dataclasses.replace(config, database=dataclasses.replace(as_database(url), options={"poolclass": sa.NullPool}))
    )
    with app.app_context():
        Base.metadata.create_all(db.engine)
        yield app
        db.session.remove()
        db.engine.dispose()


def use(app: Flask, *keys: bytes) -> Vault:
    app.extensions["hub_vault"] = vault = Vault(keys)
    return vault


def key_ids() -> set[str | None]:
    return {key_of(envelope) for envelope in secret_rows.envelopes().values()}


def test_every_value_is_encrypted_anew(keyed_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """In several batches; a sample's empty key and a missing value are no values."""
    monkeypatch.setattr(envelopes, "BATCH_ROWS", 3)
    use(keyed_app, OLD)
    secrets = secret_rows.fill(7)
    vault = use(keyed_app, NEW, OLD)
    told: list[int] = []
    report = rotate_keys(SYSTEM, lambda _place, rows: told.append(rows))
    assert (report.rotated, report.left, report.unreadable, sum(told)) == (len(secrets), 0, [], len(secrets))
    assert key_ids() == {vault.newest}
    assert secret_rows.lost(secrets, use(keyed_app, NEW)) == []
    assert rotate_keys(SYSTEM).rotated == 0


def test_batches_are_bounded_in_bytes(keyed_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelopes, "BATCH_BYTES", 1)
    use(keyed_app, OLD)
    secrets = secret_rows.fill(3)
    use(keyed_app, NEW, OLD)
    batches: list[int] = []
    rotate_keys(SYSTEM, lambda _place, rows: batches.append(rows))
    assert batches == [1] * len(secrets)


def test_what_does_not_open_stays_as_it_is(keyed_app: Flask) -> None:
    """Made with a lost key, moved from another row, or never encrypted: each is named, and none is touched."""
    use(keyed_app, OTHER)
    by_lost_key = secret_rows.fill(1)
    use(keyed_app, OLD)
    secrets = secret_rows.fill(2)
    column = next(column for column in list_encrypted_columns() if column.place == "instances.api_key")
    (first, second) = (key for place, key in secrets if place == column.place)
    secret_rows.put(column, second, secret_rows.envelopes()[column.place, first])
    plain = secret_rows.make_secret_row(column)
    secret_rows.put(column, plain, "never encrypted")
    db.session.commit()
    del secrets[column.place, second]
    before = secret_rows.envelopes()
    use(keyed_app, NEW, OLD)
    report = rotate_keys(SYSTEM)
    assert report.rotated == len(secrets)
    assert report.left == 0
    expected = {*by_lost_key, (column.place, second), (column.place, plain)}
    assert {(row.place, row.key) for row in report.unreadable} == expected
    assert {place_and_key: secret_rows.envelopes()[place_and_key] for place_and_key in expected} == {
        place_and_key: before[place_and_key] for place_and_key in expected
    }
    assert secret_rows.lost(by_lost_key, Vault((OTHER,))) == []
    why = {row.key: (row.key_id, row.has_key) for row in report.unreadable if row.place == column.place}
    assert why[second] == (Vault((OLD,)).newest, True)
    assert why[plain] == (None, False)


def test_a_value_that_was_changed_meanwhile_is_not_overwritten(keyed_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody enters a new key, with the old configuration, between the reading and the writing of the rotation."""
    use(keyed_app, OLD)
    secrets = secret_rows.fill(2)
    column = next(column for column in list_encrypted_columns() if column.place == "instances.api_key")
    key = next(key for place, key in secrets if place == column.place)
    vault = use(keyed_app, NEW, OLD)
    write = key_rotation._write
    entered: list[str] = []

    def change_and_write(its_column: Any, *arguments: Any) -> int:
        if its_column == column and not entered:
            entered.append(Vault((OLD,)).encrypt("entered meanwhile", binding=column.binding(key)))
            secret_rows.put(column, key, entered[0])
            db.session.commit()
        return write(its_column, *arguments)

    monkeypatch.setattr(key_rotation, "_write", change_and_write)
    report = rotate_keys(SYSTEM)
    secrets[column.place, key] = "entered meanwhile"
    assert entered
    assert report.left == 0
    assert secret_rows.lost(secrets, vault) == []
    assert key_ids() == {vault.newest}, "a later pass takes it up"


def test_another_process_that_writes_with_the_old_key_is_told_of(keyed_app: Flask) -> None:
    """The rotation comes to an end all the same."""
    use(keyed_app, OLD)
    secret_rows.fill(1)
    use(keyed_app, NEW, OLD)
    column = next(column for column in list_encrypted_columns() if column.place == "instances.api_key")
    numbers = itertools.count(900, -1)

    def enter_anew(place: str, rows: int) -> None:
        if rows and place == column.place:
            key = secret_rows.make_secret_row(column, id=f"a{next(numbers)}")  # before those that were looked at
            secret_rows.put(column, key, Vault((OLD,)).encrypt("again", binding=column.binding(key)))
            db.session.commit()

    assert rotate_keys(SYSTEM, enter_anew).left == 1


def test_nothing_but_the_envelope_changes(keyed_app: Flask) -> None:
    """Not what stands beside it in a JSON object, and not when the row was last changed."""
    use(keyed_app, OLD)
    secret_rows.fill(2)

    def everything() -> dict[str, Any]:
        rows = {}
        for column in list_encrypted_columns():
            others = [each for each in column.table.columns if each.name not in encrypted[column.table.name]]
            rows[column.place] = db.session.execute(sa.select(*others).order_by(column.row_key)).all()
            if column.inside:
                found = db.session.scalars(sa.select(column.table.c[column.name]).order_by(column.row_key))
                rows[column.place + " inside"] = [{**value, column.inside: ""} for value in found]
        return rows

    encrypted: dict[str, set[str]] = {}
    for column in list_encrypted_columns():
        encrypted.setdefault(column.table.name, set()).add(column.name)
    before = everything()
    use(keyed_app, NEW, OLD)
    rotate_keys(SYSTEM)
    assert everything() == before


class Killed(BaseException):
    """Stands for the end of the process: no handler of the code under test catches it."""


@contextmanager
def dying_at(statement: int) -> Iterator[list[Any]]:
    """Let the process end before or after its ``statement``-th statement or commit; yields the connections that it opened."""
    count = 0

    def tick(*_arguments: object) -> None:
        nonlocal count
        count += 1
        if count == statement:
            raise Killed

    places = ("before_cursor_execute", "after_cursor_execute", "commit")
    opened: list[Any] = []
    for place in places:
        sa.event.listen(Engine, place, tick)
    sa.event.listen(Engine, "connect", remember := lambda connection, _record: opened.append(connection))
    try:
        yield opened
    finally:
        sa.event.remove(Engine, "connect", remember)
        for place in places:
            sa.event.remove(Engine, place, tick)


def bury(opened: list[Any]) -> None:
    """With a process go its connections and its threads' line of writers."""
    with suppress(Exception):
        db.session.remove()
    for connection in opened:
        connection.close()
    gc.collect(1)  # SQLite lets go only with the last cursor
    vars(db.engine.dialect).pop("hub_writers", None)


def test_rotations_that_are_killed_lose_nothing(keyed_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed at a random statement, again and again, each time toward yet another key; then one runs to its end."""
    chance = random.Random(7)
    monkeypatch.setattr(envelopes, "BATCH_ROWS", 2)
    keys = [OLD]
    use(keyed_app, *keys)
    secrets = secret_rows.fill(2)
    killed = 0
    for _number in range(KILLS * 2):
        if killed >= KILLS:
            break
        if chance.random() < 0.5 or len(keys) == 1:
            keys = [chance.randbytes(32), *keys]
        vault = use(keyed_app, *keys)
        dead = False
        with dying_at(chance.randint(1, 120)) as opened:
            try:
                rotate_keys(SYSTEM)
            except Killed:
                dead = True
        if dead:
            killed += 1
            bury(opened)
        db.session.remove()
        assert secret_rows.lost(secrets, vault) == []
        used = key_ids()
        keys = [key for key in keys if Vault((key,)).newest in used] or keys[:1]
        db.session.remove()
    vault = use(keyed_app, chance.randbytes(32), *keys)
    assert rotate_keys(SYSTEM).unreadable == []
    assert key_ids() == {vault.newest}
    assert secret_rows.lost(secrets, vault) == []
    assert killed >= KILLS


def test_processes_that_are_killed_lose_nothing(keyed_app: Flask) -> None:
    """SIGKILL after some thousandths of a second, again and again; then one runs to its end."""
    chance = random.Random(11)
    keys = [OLD]
    use(keyed_app, *keys)
    secrets = secret_rows.fill(6)
    db.session.remove()
    config: Config = keyed_app.extensions["hub_config"]
    url = config.database.url.replace("postgresql+psycopg:", "postgresql:")
    environment = {**os.environ, "DATABASE_URL": url, "ENCRYPTION_KEY": TEST_KEY, "HUB_INSTANCE_DIR": str(config.instance_dir)}
    command = [sys.executable, "-m", "tests.hub.database.killable_rotation"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    killed = 0
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdin
        assert process.stdout
        for _number in range(SIGKILLS * 3):
            if killed >= SIGKILLS:
                break
            if key_ids() <= {Vault((keys[0],)).newest}:
                keys = [chance.randbytes(32), keys[0]]
            db.session.remove()
            asked = {"keys": [key.hex() for key in keys], "microseconds": chance.randint(0, 120_000)}
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
            killed += json.loads(process.stdout.readline())
            assert secret_rows.lost(secrets, Vault(tuple(keys))) == []
            db.session.remove()
        process.stdin.close()
    vault = use(keyed_app, chance.randbytes(32), *keys)
    assert rotate_keys(SYSTEM).unreadable == []
    assert key_ids() == {vault.newest}
    assert secret_rows.lost(secrets, vault) == []
    assert killed >= SIGKILLS


def test_a_lost_key_is_said_and_destroys_nothing(keyed_app: Flask) -> None:
    use(keyed_app, OLD)
    secrets = secret_rows.fill(1)
    use(keyed_app, OTHER)
    before = secret_rows.envelopes()
    assert envelopes.count_without_key() == len(secrets)
    assert {(row.place, row.key) for row in envelopes.list_without_key(10)} == set(secrets)
    looked_at = closed = 0
    for _column, rows, unreadable in envelopes.open_all():
        looked_at, closed = looked_at + rows, closed + len(unreadable)
    assert (looked_at, closed) == (len(secrets), len(secrets))
    assert len(rotate_keys(SYSTEM).unreadable) == len(secrets)
    assert secret_rows.envelopes() == before
    with pytest.raises(DecryptionError):
        secret_rows.lost(secrets, Vault((OTHER,)))
