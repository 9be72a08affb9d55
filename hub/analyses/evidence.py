"""From one failed execution (the public API's JSON) to the small, redacted, deterministic picture that analyzers judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hub.analyses.contrast import compare, find_renamed
from hub.analyses.evidence_error import read_error
from hub.analyses.evidence_size import cut, fit
from hub.analyses.patches import matches_hidden
from hub.analyses.workflow_graph import ancestors
from hub.contracts.analysis import (
    ChildFailure,
    ErrorFacts,
    Evidence,
    ExchangeFacts,
    FieldChange,
    LastSuccess,
    LocalizedText,
    NodeData,
    WorkflowChange,
)
from hub.redaction import find_secrets_of_part

_WORKFLOW_KEYS = ("name", "nodes", "connections", "settings")
_NODE_TYPES: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "type": str,
    "typeVersion": (int, float),
    "parameters": dict,
    "credentials": dict,
    "retryOnFail": bool,
    "maxTries": (int, float),
    "waitBetweenTries": (int, float),
}
#: The names of the picture's own fields.
_MODELS = (Evidence, ErrorFacts, NodeData, LastSuccess, FieldChange, WorkflowChange, ChildFailure, ExchangeFacts, LocalizedText)
_OWN_KEYS = frozenset(name for model in _MODELS for name in model.model_fields)
#: Items kept of the failing node's input and its nearest ancestors, and of the other nodes.
_ITEMS_NEAR, _ITEMS_FAR = 4, 1
_NEAR = 3

Json = dict[str, Any]


def build_evidence(
    execution: Json,
    workflow: Json | None = None,
    *,
    success: Json | None = None,
    child: Json | None = None,
    exchange: ExchangeFacts | None = None,
    known_secrets: Iterable[str] = (),
) -> Evidence:
    """The evidence of an execution, redacted and at most about 200 KB beside the workflow itself.

    ``workflow`` is the workflow as it is now, against which patches are made; without it the version that ran is taken.
    ``success`` is the last run before that worked, ``child`` the sub-workflow's run in which the failure lies; they may lack
    their data. ``exchange`` is what the hub saw of a request that it sent itself. Every part of the execution may be missing:
    n8n may withhold data, and stored details may have been cut.
    """
    picture = _picture(execution, workflow, success, child)
    if exchange is not None:
        picture["exchange"] = exchange.model_dump(mode="json")
    secrets = find_secrets_of_part(picture, [execution, workflow, success, child], known_secrets=known_secrets)
    picture = fit(secrets.remove_from(picture, keys=_OWN_KEYS).value)
    nodes = {name: NodeData(**_sized(data)) for name, data in picture.pop("node_data").items()}
    return Evidence(**picture, node_data=nodes)


def find_child(execution: Json) -> Json | None:
    """The id and the workflow of the sub-workflow's execution that the error came up from; None where it came from none."""
    raw = _mapping(_mapping(_mapping(execution.get("data")).get("resultData")).get("error"))
    for error in (raw, _mapping(raw.get("errorResponse")), _mapping(raw.get("cause"))):
        if error.get("executionId") and str(error["executionId"]) != str(execution.get("id")):
            return {"id": str(error["executionId"]), "workflowId": _text(error.get("workflowId"))}
    return None


def _picture(execution: Json, workflow: Json | None, success: Json | None, child: Json | None) -> Json:
    """The fields of the evidence, not yet redacted."""
    data = _mapping(execution.get("data"))
    result = _mapping(data.get("resultData"))
    runs = {name: entries for name, entries in _mapping(result.get("runData")).items() if isinstance(entries, list)}
    executed = _mapping(execution.get("workflowData"))
    current = _document(workflow if workflow and isinstance(workflow.get("nodes"), list) else executed)
    stack = _first(_mapping(data.get("executionData")).get("nodeExecutionStack"))
    error, error_node = read_error(result)
    if _text(error_node.get("name")) not in {*runs, *(_text(node.get("name")) for node in current["nodes"])}:
        error_node = {}  # the error came up from a sub-workflow and names a node of that one
    failing = _failing_node(result, runs, stack, error_node)
    given = _given(stack, runs, failing)
    return {
        "execution_id": _text(execution.get("id")),
        "status": _text(execution.get("status")) or "unknown",
        "mode": _text(execution.get("mode")),
        "started_at": _text(execution.get("startedAt")),
        "stopped_at": _text(execution.get("stoppedAt")),
        "error": error.model_dump(),
        "failing_node": failing,
        "resolved_parameters": _mapping((error_node or _mapping(stack.get("node"))).get("parameters")) or None,
        "input_items": [_json(item) for item in _kept(given, error.item_index)],
        "input_count": len(given),
        "input_binary_keys": _binary_keys(given),
        "node_data": _node_data(runs, current, failing),
        "workflow": current,
        "limits": _limits(execution, data, result, executed, workflow),
        "last_success": _contrast(success, given, failing, executed if executed.get("nodes") else current) if success else None,
        "child": _child(child) if child else None,
    }


def _failing_node(result: Json, runs: Json, stack: Json, error_node: Json) -> str | None:
    """The node that n8n blames: named by the error, else the one that ended with an error, else the last one."""
    if error_node.get("name"):
        return str(error_node["name"])
    for name, entries in runs.items():
        if any(_mapping(entry).get("error") for entry in entries) and name == result.get("lastNodeExecuted", name):
            return str(name)
    return _text(result.get("lastNodeExecuted") or _mapping(stack.get("node")).get("name"))


def _given(stack: Json, runs: Json, failing: str | None) -> list[Json]:
    """The failing node's input items."""
    if _mapping(stack.get("node")).get("name", failing) == failing:
        items = [item for branch in _branches(stack.get("data")) for item in branch]
    else:
        items = []
    return items or (_source_items(runs, _mapping(_last(runs[failing]))) if failing in runs else [])


def _kept(items: list[Json], item_index: int | None) -> list[Json]:
    """The first items; the one that failed is kept too: as the last one, where it lies behind the first ones."""
    kept = items[:_ITEMS_NEAR]
    if item_index is not None and _ITEMS_NEAR <= item_index < len(items):
        kept.append(items[item_index])
    return kept


def _contrast(success: Json, given: list[Json], failing: str | None, after: Json) -> Json:
    """The last success compared with this run, as far as its data is there."""
    executed = _mapping(success.get("workflowData"))
    before, now = _document(executed if executed.get("nodes") else after), _document(after)
    called = {new: old for old, new in find_renamed(before, now).items()}.get(str(failing))
    items = [_mapping(item.get("json")) for item in given]
    return compare(success, items, failing, before, now, was_called=called).model_dump(mode="json")


def _child(child: Json) -> Json:
    """Where and how the sub-workflow's execution failed."""
    data, executed = _mapping(child.get("data")), _mapping(child.get("workflowData"))
    result = _mapping(data.get("resultData"))
    runs = {name: entries for name, entries in _mapping(result.get("runData")).items() if isinstance(entries, list)}
    error, error_node = read_error(result)
    failed = bool(error.message or error.class_name or error.withheld)
    return {
        "execution_id": str(child.get("id")),
        "workflow_id": _text(child.get("workflowId") or executed.get("id")),
        "workflow_name": _text(executed.get("name")),
        "failing_node": _failing_node(
            result, runs, _first(_mapping(data.get("executionData")).get("nodeExecutionStack")), error_node
        ),
        "error": error.model_dump() if failed else None,
    }


def _source_items(runs: Json, run: Json) -> list[Json]:
    """What the node's source put out, for runs whose execution stack was not kept."""
    items: list[Json] = []
    for source in map(_mapping, _list(run.get("source"))):
        entries = _list(runs.get(str(source.get("previousNode"))))
        index, output = _index(source.get("previousNodeRun")), _index(source.get("previousNodeOutput"))
        if index < len(entries):
            branches = _branches(_mapping(entries[index]).get("data"))
            items += branches[output] if output < len(branches) else []
    return items


def _node_data(runs: Json, workflow: Json, failing: str | None) -> Json:
    near = {failing, *ancestors(workflow, failing, _NEAR)}
    return {name: _one_node(entries, _ITEMS_NEAR if name in near else _ITEMS_FAR) for name, entries in runs.items() if entries}


def _one_node(entries: list[Any], limit: int) -> Json:
    """The last run of a node."""
    run = _mapping(_last(entries))
    branches = _branches(run.get("data"))
    return {
        "executed": True,
        "status": _text(run.get("executionStatus")),
        "item_count": sum(len(branch) for branch in branches),
        "outputs": [[_json(item) for item in branch[:limit]] for branch in branches],
        "binary_keys": _binary_keys([item for branch in branches for item in branch]),
        "execution_time_ms": run.get("executionTime") if isinstance(run.get("executionTime"), int | float) else None,
    }


def _sized(data: Json) -> Json:
    return {**data, "outputs": tuple(tuple(branch) for branch in data["outputs"])}


def _document(workflow: Json) -> Json:
    """The part of a workflow that a patch may change, in n8n's shape whatever a file holds."""
    document = {key: workflow.get(key) for key in _WORKFLOW_KEYS}
    return {
        "name": document["name"] or "",
        "nodes": [_node(node) for node in _list(document["nodes"]) if isinstance(node, dict)],
        "connections": {source: _outputs(kinds) for source, kinds in _mapping(document["connections"]).items()},
        "settings": _mapping(document["settings"]),
    }


def _node(node: Json) -> Json:
    """The node without what is of another type than n8n's."""
    return {key: value for key, value in node.items() if isinstance(value, _NODE_TYPES.get(key, object))}


def _outputs(kinds: Any) -> Json:
    """For each kind of connection the targets of each output; None, as n8n has it, for an output without any."""
    return {
        kind: [
            None if output is None else [target for target in _list(output) if isinstance(target, dict)]
            for output in _list(outputs)
        ]
        for kind, outputs in _mapping(kinds).items()
    }


def _limits(execution: Json, data: Json, result: Json, executed: Json, workflow: Json | None) -> list[str]:
    limits = []
    if not data:
        limits.append("too-large" if execution.get("dataTooLargeToDisplay") else "no-data")
    if result.get("redactedError") or _mapping(data.get("redactionInfo")).get("isRedacted"):
        limits.append("redacted-by-n8n")
    if execution.get("truncated") or data.get("truncated"):
        limits.append("truncated")
    if workflow and executed and _changed(execution, executed, workflow):
        limits.append("workflow-changed")
    return limits


def _changed(execution: Json, executed: Json, workflow: Json) -> bool:
    """Whether the workflow is another one than the version that ran.

    n8n writes default values into the version that ran, so only what both hold is compared.
    """
    version = execution.get("workflowVersionId")
    if version and version == workflow.get("versionId"):
        return False
    before, after = ({str(node.get("name")): node for node in _document(each)["nodes"]} for each in (executed, workflow))
    if before.keys() != after.keys():
        return True
    return any(
        node.get("type") != after[name].get("type") or differs(node.get("parameters"), after[name].get("parameters"))
        for name, node in before.items()
    )


def differs(before: Any, after: Any) -> bool:
    """Whether parameters that ran are others than the ones meant; what only n8n has filled in does not count."""
    if isinstance(before, dict) and isinstance(after, dict):
        return any(key not in before or differs(before[key], value) for key, value in after.items())
    if isinstance(before, list) and isinstance(after, list):
        return len(before) != len(after) or any(differs(*pair) for pair in zip(before, after, strict=True))
    return not matches_hidden(before, after)  # what ran was redacted when it was stored


def _branches(data: Any) -> list[list[Json]]:
    """The items of each main output (or input)."""
    main = _mapping(data).get("main")
    return [[item for item in _list(branch) if isinstance(item, dict)] for branch in main] if isinstance(main, list) else []


def _json(item: Json) -> Json:
    value = item.get("json")
    return cut(value) if isinstance(value, dict) else {}


def _binary_keys(items: list[Json]) -> list[str]:
    return list(dict.fromkeys(str(key) for item in items for key in _mapping(item.get("binary"))))


def _mapping(value: Any) -> Json:
    return dict(value) if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _index(value: Any) -> int:
    """A place in a list; the first one where n8n says none."""
    return value if isinstance(value, int) and value > 0 else 0


def _first(value: Any) -> Json:
    return _mapping(value[0]) if isinstance(value, list) and value else {}


def _last(value: Any) -> Any:
    return value[-1] if isinstance(value, list) and value else None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
