"""What an analysis costs: CPU from the document's bytes to the diagnosis, beside what JSON alone costs to read.

The recorded executions of the sample, and one of them with a node's output blown up to nearly 10 MB (ten thousand items that
all differ). Reading the JSON is the limit that no analysis can go below.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from hub.analyses.documents import parse_document, split_document
from hub.analyses.evidence import build_evidence
from hub.sample import read_sample
from plugins.analyzers.rules.analyzer import RulesAnalyzer

MEGABYTES = 8.5


def seconds(work: Callable[[], Any], times: int = 3) -> float:
    """The least CPU of a few runs."""
    took = []
    for _ in range(times):
        begin = time.process_time()
        work()
        took.append(time.process_time() - begin)
    return min(took)


def analyse(document: bytes) -> None:
    """All of ``hub analyze`` but its start."""
    execution, workflow = split_document(parse_document(document))
    RulesAnalyzer().diagnose(build_evidence(execution, workflow))


def blow_up(recording: dict[str, Any]) -> bytes:
    """The recording with ten thousand different customers as its first node's output."""
    runs = recording["execution"]["data"]["resultData"]["runData"]
    filler = "Lorem ipsum dolor sit amet, consectetur adipiscing elit. "
    count = 10_000
    text = filler * int(MEGABYTES * 1_000_000 / count / len(filler))
    items = [
        {"json": {"id": number, "email": f"{number}@example.com", "order": {"total": number / 7, "note": f"{number} {text}"}}}
        for number in range(count)
    ]
    runs[next(iter(runs))][-1]["data"] = {"main": [items]}
    return json.dumps(recording).encode()


def main() -> int:
    """Print the costs."""
    recordings = list(read_sample(dt.datetime.now(dt.UTC)))
    failed = [recording for recording in recordings if recording["execution"]["status"] == "error"]
    small = [1000 * seconds(functools.partial(analyse, json.dumps(recording).encode())) for recording in failed]
    print(f"{len(small)} recorded failures: median {statistics.median(small):.1f} ms CPU, at most {max(small):.1f} ms")
    big = blow_up(failed[0])
    whole, reading = seconds(functools.partial(analyse, big)), seconds(functools.partial(json.loads, big))
    print(f"{len(big) / 1e6:.1f} MB: {whole * 1000:.0f} ms CPU, {whole / reading:.1f} times reading the JSON alone")
    return 0


if __name__ == "__main__":
    sys.exit(main())
