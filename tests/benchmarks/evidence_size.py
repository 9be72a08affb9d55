"""What the evidence of a large execution costs: CPU of ``build_evidence`` beside that of ``json.loads`` on the same bytes.

Each payload is a recorded failure whose first node's output is blown up, in three ways: long prose, many small rows, and rows
that each name a secret (the worst for the search). Prints milliseconds and the ratio; nothing is asserted.

    python -m tests.benchmarks.evidence_size [MEGABYTES ...]
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from hub.analyses.brief import brief_of
from hub.analyses.evidence import build_evidence
from hub.sample import read_sample

_PROSE = "Lorem ipsum dolor sit amet: consectetur adipiscing elit. "


def payloads(megabytes: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """(what it is made of, execution) of about that size."""
    size = megabytes * 1_000_000
    makers: dict[str, tuple[int, Callable[[int], dict[str, Any]]]] = {
        "prose": (900, lambda number: {"id": number, "note": f"{number} {_PROSE * 15}"}),
        "rows": (150, lambda number: {"id": number, "email": f"{number}@shop.example", "total": number / 7, "city": "Oslo"}),
        "secrets": (150, lambda number: {"id": number, "apiToken": f"tok-{number:09d}-{number * 7919 % 99991}", "city": "Oslo"}),
    }
    for name, (bytes_each, make) in makers.items():
        recording = next(entry for entry in read_sample(dt.datetime.now(dt.UTC)) if entry["execution"]["status"] == "error")
        execution = recording["execution"]
        runs = execution["data"]["resultData"]["runData"]
        runs[next(iter(runs))][-1]["data"] = {"main": [[{"json": make(number)} for number in range(size // bytes_each)]]}
        yield name, execution


def milliseconds(work: Callable[[], Any], times: int = 3) -> float:
    """The least CPU of a few runs."""
    took = []
    for _ in range(times):
        begin = time.process_time()
        work()
        took.append(1000 * (time.process_time() - begin))
    return min(took)


def main(sizes: list[int]) -> int:
    """Print the costs."""
    for megabytes in sizes:
        for name, execution in payloads(megabytes):
            raw = json.dumps(execution)
            parsing = milliseconds(lambda raw=raw: json.loads(raw))
            building = milliseconds(lambda execution=execution: build_evidence(execution))
            evidence = build_evidence(execution)
            brief = milliseconds(lambda evidence=evidence: brief_of(evidence).text())
            costs = (
                f"json.loads {parsing:.0f} ms, build_evidence {building:.0f} ms ({building / parsing:.2f}x), brief {brief:.1f} ms"
            )
            print(f"{len(raw) / 1e6:.0f} MB of {name}: {costs}")
    return 0


if __name__ == "__main__":
    sys.exit(main([int(size) for size in sys.argv[1:]] or [10, 50]))
