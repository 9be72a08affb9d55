"""Runs by itself in a child process: searches that may take for ever, under limits of time and memory.

Reads ``{"body": text, "queries": [{"kind": "pattern", "pattern": ..., "text": ...} | {"kind": "path", "path": ...} |
{"kind": "all", "path": ..., "most": ...}]}``, where ``all`` asks for the keys of every match, and writes one line of JSON for
each query as soon as it has its answer, so that the reader knows which one did not end.
"""

from __future__ import annotations

import itertools
import json
import re
import resource
import sys
from typing import Any

CPU_SECONDS = 2
MEMORY_BYTES = 512_000_000


def main() -> None:
    """Answer the queries on standard input."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    asked = json.load(sys.stdin)
    for query in asked["queries"]:
        print(json.dumps(answer(query, asked["body"])), flush=True)


def answer(query: dict[str, Any], body: str) -> dict[str, Any]:
    """``{"found": [...]}``, or ``{"problem": code}``."""
    if query["kind"] == "pattern":
        try:
            found = re.search(query["pattern"], query["text"])
        except (re.error, OverflowError, RecursionError):
            return {"problem": "bad-pattern"}
        return {"found": [found[0]] if found else []}
    import jsonpath

    value = json.loads(body)
    if isinstance(value, str):  # the library would read it as JSON once more
        value = None
    environment = jsonpath.JSONPathEnvironment(strict=True)
    try:
        if query["kind"] == "all":
            matches = environment.finditer(query["path"], value)
            return {"found": [match.parts for match in itertools.islice(matches, query["most"])]}
        match = environment.match(query["path"], value)
    except (jsonpath.JSONPathError, RecursionError):
        return {"problem": "bad-path"}
    return {"found": [match.obj] if match else []}


if __name__ == "__main__":
    main()
