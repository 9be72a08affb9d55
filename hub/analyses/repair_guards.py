"""What must not be repaired, what a retry may do besides, and how else a repair could be proven."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from hub.analyses.patches import canonical
from hub.analyses.repair_verdict import descendants
from hub.contracts.analysis import Cause, Evidence

Json = dict[str, Any]

#: No change of a workflow cures these: a person has to act elsewhere, or the author meant it.
BLOCKED_CAUSES = frozenset(
    {Cause.BAD_CREDENTIALS, Cause.FORBIDDEN, Cause.CONNECTION_REFUSED, Cause.DNS, Cause.INTENTIONAL_STOP, Cause.UNKNOWN_NODE_TYPE}
)
_QUOTA = re.compile(r"quota|insufficient[_ ]funds|billing|payment required|credit balance", re.IGNORECASE)
#: A quota that is full again within the hour: too many calls at once, which a change of pace cures.
_SHORT_QUOTA = re.compile(r"\bquota\b.*\bper (?:second|minute|hour)\b", re.IGNORECASE | re.DOTALL)

_HARMLESS_TYPES = frozenset(
    {
        *("aggregate", "code", "compareDatasets", "convertToFile", "crypto", "dateTime", "extractFromFile", "filter", "function"),
        *("functionItem", "html", "if", "itemLists", "limit", "markdown", "merge", "noOp", "removeDuplicates", "renameKeys"),
        *("respondToWebhook", "set", "sort", "splitInBatches", "splitOut", "stickyNote", "stopAndError", "summarize", "switch"),
        *("wait", "webhook", "xml"),
    }
)
_READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_READING_OPERATIONS = re.compile(r"^(?:get|list|search|read|lookup|find|download|query|count)", re.IGNORECASE)


def blocked_cause(cause: str, evidence: Evidence) -> bool:
    """Whether this failure must never be answered by changing the workflow: credentials, quota, outage, intention."""
    if cause in BLOCKED_CAUSES or evidence.error.code == "402" or evidence.error.failure_cause == "quota-exhausted":
        return True
    texts = (evidence.error.message, evidence.error.description or "", *evidence.error.messages)
    return cause == Cause.RATE_LIMITED and any(_QUOTA.search(text) and not _SHORT_QUOTA.search(text) for text in texts)


def writes(node: Json) -> bool:
    """Whether running the node changes something elsewhere; unsure counts as yes."""
    kind = str(node.get("type", "")).rpartition(".")[2]
    parameters = node.get("parameters") or {}
    if kind in _HARMLESS_TYPES or kind.endswith("Trigger"):
        return False
    if kind == "httpRequest":
        return str(parameters.get("method", parameters.get("requestMethod", "GET"))).upper() not in _READING_METHODS
    operation = parameters.get("operation")
    return not (isinstance(operation, str) and _READING_OPERATIONS.match(operation))


def side_effects(document: Json, evidence: Evidence) -> list[str]:
    """Names of the nodes that a retry runs and that write; the failed one first."""
    failing = evidence.failing_node
    if failing is None:
        return []
    run = {failing, *descendants(document, failing)}
    return sorted(
        (node["name"] for node in document["nodes"] if node["name"] in run and not node.get("disabled") and writes(node)),
        key=lambda name: (name != failing, name),
    )


def live_differs(workflow: Json) -> bool:
    """Whether what runs live is another content than the draft. n8n before 2.0 has no draft: never."""
    live = workflow.get("activeVersion")
    if isinstance(live, dict) and isinstance(live.get("nodes"), list):
        return any(canonical(live.get(key)) != canonical(workflow.get(key)) for key in ("nodes", "connections"))
    live_id = workflow.get("activeVersionId")
    return live_id is not None and live_id != workflow.get("versionId")


def find_webhook_call(execution: Json) -> Json | None:
    """The request that started the execution: ``{"method", "path", "headers", "query", "body"}``; None if it was no webhook.

    ``path`` is the address on n8n's own server (``/webhook/...``).
    """
    if execution.get("mode") != "webhook":
        return None
    runs = ((execution.get("data") or {}).get("resultData") or {}).get("runData") or {}
    nodes = (execution.get("workflowData") or {}).get("nodes") or []
    for node in nodes:
        if node.get("type") != "n8n-nodes-base.webhook" or not runs.get(node["name"]):
            continue
        items = [item for branch in ((runs[node["name"]][0].get("data") or {}).get("main") or []) for item in branch or ()]
        if not items or items[0].get("binary"):
            return None
        request = items[0].get("json") or {}
        path = urlsplit(str(request.get("webhookUrl", ""))).path
        method = (node.get("parameters") or {}).get("httpMethod", "GET")
        if "/webhook/" not in path or not isinstance(method, str):
            return None
        path = path[path.index("/webhook/") :]
        return {"method": method, "path": path, **{key: request.get(key) or {} for key in ("headers", "query", "body")}}
    return None
