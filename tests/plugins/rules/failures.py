"""Builds failed executions from a few words, and applies what the rule analyzer suggests for them."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import jsonpatch

from hub.analyses.evidence import build_evidence
from hub.plugin_api import Diagnosis, Evidence
from plugins.analyzers.rules.analyzer import RulesAnalyzer

HOOK = {"headers": {"host": "hub.example"}, "params": {}, "query": {}, "body": {}}


def node(name: str, kind: str, version: float = 1, **parameters: Any) -> dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "type": f"n8n-nodes-base.{kind}",
        "typeVersion": version,
        "position": [0, 0],
        "parameters": parameters,
    }


def failure(
    kind: str,
    message: str = "",
    parameters: dict[str, Any] | None = None,
    *,
    items: list[dict[str, Any]] | None = None,
    body: dict[str, Any] | None = None,
    before: list[tuple[dict[str, Any], list[dict[str, Any]] | None]] | None = None,
    after: list[dict[str, Any]] | None = None,
    binary: tuple[str, ...] = (),
    answer: tuple[int, Any] | None = None,
    request: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    version: float = 1,
    status: str = "error",
    **error: Any,
) -> Evidence:
    """The evidence of a run ``Hook`` -> nodes ``before`` -> ``Step``, which fails; nodes that never ran have no items."""
    step = node("Step", kind, version, **(parameters or {}))
    start = [{**HOOK, "body": body or {}}]
    chain = [(node("Hook", "webhook", path="hook"), start), *(before or [])]
    nodes = [entry for entry, _ in chain] + [step] + (after or [])
    given = items if items is not None else next((put for _, put in reversed(chain) if put is not None), [])
    if answer:
        error = {
            "name": "NodeApiError",
            "httpCode": str(answer[0]),
            "messages": [f"{answer[0]} - {json.dumps(json.dumps(answer[1]))}"],
            **error,
        }
    facts = {"message": message, "context": {"itemIndex": 0, "request": request, **(context or {})}, "node": step, **error}
    runs = {entry["name"]: [_run(put)] for entry, put in chain if put is not None}
    stack = [{"node": step, "data": {"main": [[_item(entry, binary) for entry in given]]}}]
    data = {
        "resultData": {"error": facts if message or error else None, "runData": runs, "lastNodeExecuted": "Step"},
        "executionData": {"nodeExecutionStack": stack},
    }
    flow = {"name": "Flow", "nodes": nodes, "connections": _line(nodes), "settings": {}}
    return build_evidence({"id": "1", "status": status, "mode": "webhook", "data": data, "workflowData": flow}, flow)


def http(answer: tuple[int, Any] | None = None, message: str = "failed", **options: Any) -> Evidence:
    """A failed HTTP Request node; its parameters and the rest as keywords."""
    mine = ("items", "body", "before", "after", "request", "context", "name", "httpCode", "description", "messages")
    kept = {key: options.pop(key) for key in mine if key in options}
    parameters = {"method": "GET", "url": "https://api.example/v1/things", "options": {}, **options}
    kept["request"] = {"method": parameters["method"], "uri": parameters["url"], **(kept.get("request") or {})}
    return failure("httpRequest", message, parameters, answer=answer, version=4.2, **kept)


def code(source: str, message: str, *, each: bool = False, line: int | None = 1, **options: Any) -> Evidence:
    """A failed Code node."""
    parameters = {"jsCode": source, **({"mode": "runOnceForEachItem"} if each else {})}
    more = {"lineNumber": line} if line else {}
    return failure("code", message, parameters, version=2, **{"name": "WrappedExecutionError", **more, **options})


def fields(**values: str) -> dict[str, Any]:
    """The parameters of an Edit Fields node."""
    entries = [{"id": key, "name": key, "value": value, "type": "string"} for key, value in values.items()]
    return {"assignments": {"assignments": entries}, "options": {}}


def pairs(**values: str) -> dict[str, Any]:
    """Name and value pairs as n8n keeps headers, query and body fields."""
    return {"parameters": [{"name": name, "value": value} for name, value in values.items()]}


def judge(evidence: Evidence) -> Diagnosis:
    """The rule analyzer's diagnosis."""
    diagnosis = RulesAnalyzer().diagnose(evidence)
    assert diagnosis is not None
    return diagnosis


def patched(evidence: Evidence, diagnosis: Diagnosis) -> dict[str, dict[str, Any]] | None:
    """The nodes by name after the first suggested patch, None where none is suggested."""
    patch = next((suggestion.patch for suggestion in diagnosis.suggestions if suggestion.patch), None)
    if patch is None:
        return None
    changed = jsonpatch.apply_patch(evidence.workflow, list(patch))
    return {entry["name"]: entry for entry in changed["nodes"]}


def _run(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"executionStatus": "success", "source": [], "data": {"main": [[{"json": item} for item in items]]}}


def _item(value: dict[str, Any], binary: tuple[str, ...]) -> dict[str, Any]:
    return {"json": value, **({"binary": {key: {} for key in binary}} if binary else {})}


def _line(nodes: list[dict[str, Any]]) -> dict[str, Any]:
    names = [entry["name"] for entry in nodes]
    return {first: {"main": [[{"node": second, "type": "main", "index": 0}]]} for first, second in pairwise(names)}
