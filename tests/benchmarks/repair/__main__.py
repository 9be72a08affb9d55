"""``python -m tests.benchmarks.repair``: how often the hub's diagnosis is right, its repair works, and neither does harm."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hub.demo.n8n_server import N8nServer
from tests.benchmarks.repair.analyzers import ANALYZERS
from tests.benchmarks.repair.cases import CASES, Case, read_cases
from tests.benchmarks.repair.judge import Row, score
from tests.benchmarks.repair.report import write_report
from tests.benchmarks.repair.runner import run_offline, run_online


@contextmanager
def running_n8n() -> Iterator[N8nServer]:
    """An empty n8n for the time of the run; it ends with the run, however that ends."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="repair-bench-") as folder:
        server = N8nServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def print_run(results: Iterator[tuple[Case, Row | None, str]]) -> tuple[list[Row], int]:
    """Print a line for each case as it comes, and the score; the rows, and how many cases did not fail."""
    rows, missing = [], 0
    for case, row, why in results:
        if row is None:
            missing += 1
        else:
            rows.append(row)
        print(row or f"{case.id:<34} NOT REPRODUCED {why}", flush=True)
    print(score(rows, missing))
    return rows, missing


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; the exit status is 1 where a case did not fail as it should."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.repair", description=__doc__)
    parser.add_argument("--cases", type=Path, default=CASES, help="folder with the cases")
    parser.add_argument("--only", nargs="+", metavar="ID", help="run these cases")
    parser.add_argument("--offline", action="store_true", help="judge the recordings; needs no n8n")
    parser.add_argument("--record", action="store_true", help="record the failed runs anew")
    parser.add_argument("--analyze", choices=ANALYZERS, default="hub", help="whom to ask")
    parser.add_argument("--unguarded", action="store_true", help="apply what the hub's policy withholds, too")
    parser.add_argument("--write-docs", action="store_true", help="write the measured numbers to docs/repair-accuracy.md")
    chosen = parser.parse_args(arguments)
    if chosen.write_docs and (chosen.offline or chosen.only or chosen.unguarded or chosen.analyze != "hub"):
        parser.error("--write-docs publishes what the hub does with all cases on a real n8n")
    cases = [case for case in read_cases(chosen.cases) if not chosen.only or case.id in chosen.only]
    ask = ANALYZERS[chosen.analyze]()
    if chosen.offline:
        rows, missing = print_run(run_offline(cases, ask))
    else:
        with running_n8n() as n8n:
            rows, missing = print_run(run_online(cases, ask, n8n, record=chosen.record, guarded=not chosen.unguarded))
    if chosen.write_docs:
        write_report(rows, missing)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
