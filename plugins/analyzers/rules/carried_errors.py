"""The failure behind a failure: a node that went on after an error hands the error to the next node as if it were data."""

from __future__ import annotations

import re
from typing import Any

from hub.plugin_api import ErrorFacts, Evidence

_STATUS = re.compile(r"^([45]\d\d) - ")


def first_failure(evidence: Evidence) -> Evidence | None:
    """The evidence as if the run had stopped where the error arose; None where the failing node's input is no error."""
    given = evidence.input_items[0] if evidence.input_items else {}
    error = given.get("error")
    sources = _sources(evidence, evidence.failing_node)
    if set(given) != {"error"} or not isinstance(error, dict) or len(sources) != 1:
        return None
    node = evidence.node(sources[0]) or {}
    message = error.get("message")
    if node.get("onError") != "continueRegularOutput" or not isinstance(message, str):
        return None
    before = [evidence.node_data[name] for name in _sources(evidence, sources[0]) if name in evidence.node_data]
    items: tuple[dict[str, Any], ...] = next((branch for data in before for branch in data.outputs if branch), ())
    status = _STATUS.match(message)
    facts = ErrorFacts(
        class_name="NodeApiError" if status else "NodeOperationError",
        code=status.group(1) if status else None,
        message=message,
        messages=(message,),
        item_index=0,
    )
    changes = {"error": facts, "failing_node": sources[0], "input_items": items, "input_count": max(len(items), 1)}
    return evidence.model_copy(update={**changes, "resolved_parameters": None, "input_binary_keys": ()})


def _sources(evidence: Evidence, name: str | None) -> list[str]:
    found = []
    for source, kinds in evidence.workflow["connections"].items():
        targets = [target for output in kinds.get("main", ()) for target in output or ()]
        if any(target.get("node") == name for target in targets) and source not in found:
            found.append(source)
    return found
