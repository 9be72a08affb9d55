"""What a retried execution proves about a repair. Green is not enough: the node that failed must have done its work."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hub.analyses.evidence import build_evidence
from hub.analyses.models import Verdict
from hub.contracts.analysis import ErrorFacts, Evidence
from hub.redaction import TOKEN

Json = dict[str, Any]

OPEN_STATUSES = frozenset({"new", "running"})
_CONTINUES = ("continueRegularOutput", "continueErrorOutput")


@dataclass(frozen=True, slots=True)
class Proof:
    """A verdict with the reason's code and what a sentence about it needs."""

    verdict: Verdict
    code: str
    details: Json = field(default_factory=dict)


def judge_run(
    execution: Json, *, document: Json, failure: Evidence, version_id: str | None, changed_nodes: Collection[str], is_retry: bool
) -> Proof:
    """Judge a finished run of the repaired workflow.

    ``execution`` carries its data; ``document`` is the repaired workflow, ``version_id`` its version; ``failure`` what had
    failed. A retry resumes at the failed node, so it proves nothing about changes before that node.
    """
    target = failure.failing_node
    status = execution.get("status")
    ran_version = execution.get("workflowVersionId")
    if version_id and ran_version and ran_version != version_id:
        return Proof(Verdict.UNPROVEN, "other-version")
    if status not in ("success", "waiting"):
        return _judge_failure(execution, failure)
    runs = _runs(execution)
    if target is None or not runs.get(target):
        return Proof(Verdict.UNPROVEN, "target-not-run", {"node": target})
    if is_retry and not reaches(document, target, changed_nodes):
        return Proof(Verdict.UNPROVEN, "upstream", {"node": target})
    if _has_error(runs[target][-1], _node(document, target)):
        return Proof(Verdict.FAILED, "error-hidden", {"node": target})
    return _judge_rest(runs, document, target, waiting=status == "waiting")


def reaches(document: Json, target: str | None, nodes: Iterable[str]) -> bool:
    """Whether any of the nodes is the target or comes after it: only those run in a retry."""
    return target is not None and not {target, *descendants(document, target)}.isdisjoint(nodes)


def descendants(document: Json, node: str) -> set[str]:
    """All nodes that data from ``node`` may flow to, over connections of every kind."""
    found: set[str] = set()
    queue = [node]
    while queue:
        for target in (link["node"] for _, link in _links(document, queue.pop())):
            if target not in found:
                found.add(target)
                queue.append(target)
    return found


def _judge_failure(execution: Json, failure: Evidence) -> Proof:
    status = str(execution.get("status"))
    if status != "error":
        return Proof(Verdict.REGRESSED, "ended-otherwise", {"status": status})
    now = build_evidence(execution)
    details = {"node": now.failing_node, "message": now.error.message[:300]}
    if now.failing_node == failure.failing_node and _fingerprint(now.error) == _fingerprint(failure.error):
        return Proof(Verdict.FAILED, "same-failure", details)
    return Proof(Verdict.REGRESSED, "new-failure", details)


def _fingerprint(error: ErrorFacts) -> tuple[str | None, str | None, str]:
    """What makes two errors the same: class, code, and the message without numbers and secrets."""
    message = re.sub(rf"{TOKEN.pattern}|\d+", "#", error.message)[:300]
    return error.class_name, error.code, message


def _judge_rest(runs: Json, document: Json, target: str, *, waiting: bool) -> Proof:
    """The target did its work; what about the nodes after it?"""
    reached = _expected(runs, document, target)
    hidden = [name for name in reached & runs.keys() if _has_error(runs[name][-1], _node(document, name))]
    if hidden:
        return Proof(Verdict.PARTIAL, "error-continued", {"node": sorted(hidden)[0]})
    if waiting:
        return Proof(Verdict.PARTIAL, "waiting", {})
    missing = sorted(name for name in reached - runs.keys() if not _node(document, name).get("disabled"))
    if missing:
        return Proof(Verdict.PARTIAL, "not-reached", {"node": missing[0]})
    if not any(_branches(runs[target][-1])) and any(kind == "main" for kind, _ in _links(document, target)):
        return Proof(Verdict.PARTIAL, "no-output", {"node": target})
    return Proof(Verdict.VERIFIED, "verified", {"node": target})


def _expected(runs: Json, document: Json, target: str) -> set[str]:
    """The nodes that must have run after the target, following each output that gave items."""
    expected: set[str] = set()
    queue = [target]
    while queue:
        name = queue.pop()
        outputs = (document["connections"].get(name) or {}).get("main") or []
        filled = {index for run in runs.get(name) or () for index, items in enumerate(_branches(run)) if items}
        for index in filled:
            for link in (outputs[index] if index < len(outputs) else None) or ():
                if link["node"] not in expected:
                    expected.add(link["node"])
                    queue.append(link["node"])
    return expected - {target}


def _has_error(run: Json, node: Json) -> bool:
    """Whether the run failed, openly or as an item that "continue on error" passed on."""
    if run.get("error") or run.get("executionStatus") not in (None, "success"):
        return True
    items = [item for branch in _branches(run) for item in branch]
    if any(item.get("error") for item in items):
        return True
    continues = node.get("onError") in _CONTINUES or node.get("continueOnFail") is True
    return continues and any(isinstance(item.get("json"), dict) and "error" in item["json"] for item in items)


def _runs(execution: Json) -> Json:
    data = execution.get("data")
    result = data.get("resultData") if isinstance(data, dict) else None
    runs = result.get("runData") if isinstance(result, dict) else None
    return runs if isinstance(runs, dict) else {}


def _branches(run: Json) -> list[list[Json]]:
    main = (run.get("data") or {}).get("main") or []
    return [[item for item in branch or () if isinstance(item, dict)] for branch in main]


def _node(document: Json, name: str) -> Json:
    return next((node for node in document["nodes"] if node["name"] == name), {})


def _links(document: Json, name: str) -> Iterator[tuple[str, Json]]:
    for kind, outputs in (document["connections"].get(name) or {}).items():
        for output in outputs or ():
            for link in output or ():
                yield kind, link
