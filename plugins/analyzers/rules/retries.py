"""Whether calling again is safe and long enough, and the settings of a node that make it do so."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from plugins.analyzers.rules.case import Case, Path
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.rule import Finding
from plugins.analyzers.rules.waiting import asks_for_patience, stated_interval, stated_wait

#: n8n's own bounds of "Retry On Fail".
_MOST_TRIES, _LONGEST_WAIT_MS = 5, 5000
_REPEATABLE = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))
_RECKONING = frozenset(
    (
        *("executeWorkflowTrigger", "set", "code", "if", "switch", "filter", "merge", "noOp", "splitOut", "aggregate", "sort"),
        *("limit", "summarize", "dateTime", "renameKeys", "removeDuplicates", "stickyNote", "itemLists", "splitInBatches"),
    )
)
_READING_WORDS = re.compile(
    r"search|query|find|list|lookup|look up|filter|graphql|token|validate|verify|check|report|calculat|convert|translat|embedding"
    r"|completion|get|read|fetch|load",
    re.IGNORECASE,
)
_READING_OPERATIONS = re.compile(r"^(?:get|list|search|read|find|select|lookup|download|count)", re.IGNORECASE)


def is_repeatable(case: Case) -> bool:
    """Whether the failing call may be made twice: a read, or a write that gives the same result again."""
    if case.method:
        return case.method in _REPEATABLE or (case.method == "POST" and _only_reads(case))
    if case.kind == "executeWorkflow":
        return _child_reads(case)
    operation = case.parameters.get("operation")
    return isinstance(operation, str) and bool(_READING_OPERATIONS.match(operation))


def _child_reads(case: Case) -> bool:
    """Whether a sub-workflow that is written into the node does nothing but read and reckon."""
    try:
        child = json.loads(str(case.parameters.get("workflowJson") or ""))
        nodes = [(str(node["type"]).rpartition(".")[2], node.get("parameters") or {}) for node in child["nodes"]]
    except (ValueError, KeyError, TypeError):
        return False
    requests = [parameters for kind, parameters in nodes if kind == "httpRequest"]
    others = {kind for kind, _ in nodes} - {"httpRequest"}
    return bool(requests) and others <= _RECKONING and all(one.get("method", "GET") in ("GET", "HEAD") for one in requests)


def _only_reads(case: Case) -> bool:
    path = str((case.error.request or {}).get("uri") or case.parameters.get("url", "")).partition("?")[0]
    last = path.rstrip("/").rsplit("/", 1)[-1]
    return bool(_READING_WORDS.search(last))


def retry(case: Case, _finding: Finding) -> Sequence[Edit] | None:
    """Retry On Fail as long as n8n allows; None where it is set so already, or the service wants a longer wait."""
    wait = stated_wait(case)
    if asks_for_patience(case, (_MOST_TRIES - 1) * _LONGEST_WAIT_MS / 1000):
        return None
    milliseconds = _LONGEST_WAIT_MS if wait is None else min(int(wait * 1200) + 200, _LONGEST_WAIT_MS)
    node = case.node
    if node.get("retryOnFail") and node.get("maxTries", 3) >= _MOST_TRIES and node.get("waitBetweenTries", 1000) >= milliseconds:
        return None
    name = str(case.name)
    return (
        Edit(name, ("retryOnFail",), True),
        Edit(name, ("maxTries",), _MOST_TRIES),
        Edit(name, ("waitBetweenTries",), milliseconds),
    )


def retry_if_repeatable(case: Case, finding: Finding) -> Sequence[Edit] | None:
    """Retry On Fail for calls that may be made twice; a node that retries already and still failed is left alone."""
    return retry(case, finding) if is_repeatable(case) and not case.node.get("retryOnFail") else None


def slow_down(case: Case, finding: Finding) -> Sequence[Edit] | None:
    """Retries, and for many items of an HTTP request also a pause between the calls."""
    if asks_for_patience(case, 60):
        return None
    # Trying again makes the calls of all items anew, those too that went well: a write would be made twice.
    retries = retry(case, finding) if case.evidence.input_count < 2 or is_repeatable(case) else ()
    if case.kind != "httpRequest" or case.evidence.input_count < 2:
        return retries
    path: Path = ("parameters", "options", "batching", "batch")
    interval = stated_interval(case)
    pause = 1000 if interval is None else int(interval * 1100) + 50
    if pause > 60_000:
        return None
    return (*(retries or ()), Edit(str(case.name), path, {"batchSize": 1, "batchInterval": pause}))
