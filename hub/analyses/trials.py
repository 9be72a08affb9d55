"""Tries the texts that a patch changes on the recorded data: expressions, JavaScript of Code nodes, JSON bodies.

The evidence holds the first items of a run only, and no links between items. Where a text needs more than that, or anything
of n8n that ``trial_world.js`` does not model, it counts as not tried: no outcome comes from data that is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hub.analyses.patch_policy import Leaf, changed_leaves
from hub.analyses.patches import Change
from hub.analyses.repair_verdict import descendants
from hub.analyses.trial_process import run_tasks
from hub.contracts.analysis import Evidence, Trial
from hub.redaction import redact_text

Json = dict[str, Any]

#: Texts tried of one change; each costs a context of some milliseconds, twice.
MOST_TEXTS = 8
_CODE_TYPE = "n8n-nodes-base.code"
_CODE_KEYS = ("jsCode", "mode", "language")
#: Parameters that must hold JSON. n8n reads Edit Fields' output as a JavaScript object too, so that one is not held to it.
_JSON_KEYS = ("jsonBody", "jsonQuery", "jsonHeaders")


@dataclass(frozen=True, slots=True)
class ChangedText:
    """A text that is tried: of which node, where, in which form before (None where it was no text) and after."""

    node: str
    path: str
    kind: str
    before: str | None
    after: str
    #: The values of ``trial_world.js``; without them ``reason`` says why it is not tried.
    data: Json
    reason: str | None

    @property
    def is_json(self) -> bool:
        return self.path.rpartition(".")[2] in _JSON_KEYS


def try_changes(evidence: Evidence, changes: Sequence[Change]) -> list[tuple[Trial, ...]]:
    """The trials of each change, and among them texts with the status ``failed`` for faults of syntax too.

    All run in one process, within ``trial_process.SECONDS``.
    """
    texts = [list(find_texts(evidence, change))[:MOST_TEXTS] for change in changes]
    afters = [text for found in texts for text in found]
    befores = [text for text in afters if text.before is not None and text.reason is None]
    # What people are to see first runs first.
    outcomes = run_tasks([_task(text, text.after) for text in afters] + [_task(text, text.before or "") for text in befores])
    earlier = {id(text): outcome for text, outcome in zip(befores, outcomes[len(afters) :], strict=True)}
    results = {id(text): outcome for text, outcome in zip(afters, outcomes[: len(afters)], strict=True)}
    return [tuple(_trial(text, results[id(text)], earlier.get(id(text)), evidence) for text in found) for found in texts]


def find_texts(evidence: Evidence, change: Change) -> Iterator[ChangedText]:
    """The changed texts that the hub can try, in the order of the nodes."""
    old_nodes = {node["name"]: node for node in evidence.workflow["nodes"]}
    for node in change.document["nodes"]:
        old = old_nodes.get(node["name"], {})
        before, after = old.get("parameters") or {}, node.get("parameters") or {}
        if before == after:
            continue
        data, reason = _recorded(evidence, change, node)
        if node.get("type") == _CODE_TYPE:
            if any(before.get(key) != after.get(key) for key in _CODE_KEYS):
                yield _code(node, before, after, data, reason)
            continue
        for leaf in changed_leaves((), before, after):
            if (kind := _kind(leaf)) is not None:
                yield ChangedText(
                    node["name"],
                    _place(leaf.path),
                    kind,
                    leaf.before if isinstance(leaf.before, str) and _kind(Leaf(leaf.path, None, leaf.before)) == kind else None,
                    leaf.after,
                    data,
                    None if kind == "json" else reason,
                )


def _kind(leaf: Leaf) -> str | None:
    if not isinstance(leaf.after, str):
        return None
    if leaf.after.startswith("="):
        return "expression" if "{{" in leaf.after or leaf.path[-1] in _JSON_KEYS else None
    return "json" if leaf.path[-1] in _JSON_KEYS else None


def _place(path: Sequence[str]) -> str:
    """As differences show it: ``parameters[0].value``."""
    return "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in path).removeprefix(".")


def _code(node: Json, before: Json, after: Json, data: Json, reason: str | None) -> ChangedText:
    mode = after.get("mode", "runOnceForAllItems")
    if after.get("language", "javaScript") != "javaScript":
        return ChangedText(node["name"], "language", "text", None, "", data, "not-javascript")
    same_mode = before.get("mode", "runOnceForAllItems") == mode
    return ChangedText(
        node["name"],
        "jsCode",
        "code",
        before.get("jsCode") if same_mode and isinstance(before.get("jsCode"), str) else None,
        str(after.get("jsCode", "")),
        {**data, "is_code": True, "mode": mode},
        reason,
    )


def _task(text: ChangedText, source: str) -> Json:
    return {"kind": text.kind, "source": source, "is_json": text.is_json, "data": text.data, "reason": text.reason}


def _trial(text: ChangedText, after: Json, before: Json | None, evidence: Evidence) -> Trial:
    status, error, reason = after["status"], after.get("error"), after.get("reason")
    if status == "syntax":
        status = "failed"
    elif status == "failed" and text.kind != "json" and "truncated" in evidence.limits and error not in ("time", "memory"):
        # The text may stumble over what was cut off.
        status, error, reason = "not-tried", None, "cut-data"
    ran = status != "not-tried" and after["status"] != "syntax" and text.kind != "json"
    return Trial(
        node=text.node,
        path=text.path,
        status=status,
        value=_shown(after.get("value")),
        error=_shown(error),
        error_before=_shown(before.get("error")) if before else None,
        reason=reason,
        what=_shown(after.get("what")) or None,
        items=len(text.data["input"]) if ran else 0,
        item_count=text.data["input_count"] if ran else 0,
    )


def _shown(text: Any) -> str | None:
    return None if text is None else redact_text(str(text)).value


# --- The recording, as the trial's world gets it ---------------------------------------------------------------------


def _recorded(evidence: Evidence, change: Change, node: Json) -> tuple[Json, str | None]:
    """The data that the node's texts are tried on, and why they can't be."""
    name = node["name"]
    items, count, indexes, parent = _inputs(evidence, change.document, name)
    stale = {
        other
        for changed in change.changed_nodes
        if changed != name
        for other in (changed, *descendants(change.document, changed))
    }
    reason = None
    if "redacted-by-n8n" in evidence.limits or not items:
        reason = "no-data"
    elif name in stale:
        reason = "changed-before"
    nodes = {
        other: {
            "outputs": [list(output) for output in data.outputs],
            "count": data.item_count,
            "whole": sum(map(len, data.outputs)) == data.item_count,
            "changed": other in stale,
        }
        for other, data in evidence.node_data.items()
        if data.executed and other != evidence.failing_node
    }
    return {
        "input": list(items),
        "input_count": count,
        "indexes": indexes,
        "failed_index": evidence.error.item_index if name == evidence.failing_node else None,
        "run_index": evidence.error.run_index or 0,
        "nodes": nodes,
        "names": [each["name"] for each in change.document["nodes"]],
        "parent": parent[0] if parent else None,
        "input_is_first_output": parent is not None and parent[1] == 0,
        "workflow_name": evidence.workflow.get("name") or "",
        "is_code": False,
        "mode": None,
    }, reason


def _inputs(evidence: Evidence, document: Json, name: str) -> tuple[Sequence[Json], int, list[int], tuple[str, int] | None]:
    """The node's first input items, how many there were, the index of each kept one, and the only output they come from."""
    parents = [
        (source, index)
        for source, kinds in document["connections"].items()
        for index, output in enumerate(kinds.get("main") or ())
        for link in output or ()
        if link.get("node") == name
    ]
    parent = parents[0] if len(parents) == 1 else None
    if name == evidence.failing_node:
        items = evidence.input_items
        indexes = list(range(len(items)))
        failed = evidence.error.item_index
        if items and failed is not None and failed >= len(items):
            indexes[-1] = failed
        return items, evidence.input_count, indexes, parent
    if parent is None or parent[0] not in evidence.node_data:
        return (), 0, [], parent
    data = evidence.node_data[parent[0]]
    items = data.outputs[parent[1]] if parent[1] < len(data.outputs) else ()
    others = sum(map(len, data.outputs)) - len(items)
    # The count is that of all outputs: with items in several, how many this one had is not known.
    count = data.item_count if others == 0 else max(len(items), data.item_count - others)
    return items, count, list(range(len(items))), parent
