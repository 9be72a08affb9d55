"""The data of an execution: read from n8n, cut to size, redacted, and only then stored."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from hub.executions.fingerprint import Fingerprint, take_fingerprint
from hub.executions.models import IS_UNMARKED, DetailState, Execution
from hub.executions.suspicion import find_suspicions
from hub.extensions import db
from hub.instances.client import Missing, N8nClient, TooLarge
from hub.redaction import find_secrets, find_secrets_of_part, redact
from hub.storable import clean_json
from hub.workflows.models import Workflow

Json = dict[str, Any]
#: Items kept of every input and output, tried in this order until the data fits.
_KEPT_ITEMS = (50, 10, 2, 0)
_MOST_FINDINGS = 20
#: Not the model: a sync writes hundreds of details one by one, and half of their cost would be the ORM's.
_TABLE: sa.Table = Execution.__table__  # type: ignore[assignment]


def fetch_detail(client: N8nClient, n8n_execution_id: str, max_bytes: int) -> Json:
    """Ask n8n for an execution's data; the columns to store. Raises ``N8nError`` where asking again may help."""
    try:
        payload = client.get_execution(n8n_execution_id, with_data=True, max_bytes=max_bytes)
    except TooLarge:
        return _without_data(DetailState.TRUNCATED)
    except Missing:
        return _without_data(DetailState.UNAVAILABLE)
    return read_detail(payload, max_bytes)


def read_detail(payload: Mapping[str, Any], max_bytes: int) -> Json:
    """The columns that an execution with its data fills: nothing in them is a secret or larger than ``max_bytes``."""
    data = payload.get("data")
    if not isinstance(data, dict) or not data:
        is_too_large = bool(payload.get("dataTooLargeToDisplay"))
        return _without_data(DetailState.TRUNCATED if is_too_large else DetailState.UNAVAILABLE)
    whole = clean_json({"data": data, "workflowData": payload.get("workflowData")})
    fitting = _fit(whole, max_bytes)
    # What was left out may name a secret that stands in what is kept.
    secrets = find_secrets(whole) if fitting is whole else find_secrets_of_part(fitting, whole)
    stored = secrets.remove_from(fitting).value
    result = _object(stored["data"].get("resultData"))
    error = _object(result.get("error"))
    node = _object(error.get("node")).get("name") or result.get("lastNodeExecuted")
    version_id = payload.get("workflowVersionId")
    return {
        "data": stored,
        "error": error or None,
        "error_message": str(error["message"]) if error.get("message") else None,
        "error_node": str(node) if error and node else None,
        "detail_state": DetailState.STORED if fitting is whole else DetailState.TRUNCATED,
        **(read_suspicion(payload) if payload.get("status") == "success" else {}),
        **({"workflow_version_id": str(version_id)[:64]} if version_id else {}),
        **_marks(take_fingerprint(stored, str(payload.get("status")), str(payload.get("workflowId")))),
    }


def read_suspicion(payload: Mapping[str, Any] | None) -> Json:
    """The columns that say whether a success looks wrong; ``suspicions`` is -1 where its data was not to be had."""
    if payload is None or not isinstance(payload.get("data"), dict):
        return {"suspicion": [], "suspicions": -1}
    found = [finding.to_json() for finding in find_suspicions(payload)][:_MOST_FINDINGS]
    return {"suspicion": redact(clean_json(found)).value, "suspicions": len(found)}


def _without_data(state: DetailState) -> Json:
    return {"detail_state": state, "fingerprint": ""}


def _marks(fingerprint: Fingerprint) -> Json:
    return {
        "fingerprint": fingerprint.error,
        "fingerprint_case": fingerprint.case,
        "error_node_type": fingerprint.node_type,
        "error_code": fingerprint.code,
        "credential_id": fingerprint.credential_id,
    }


def mark_stored_executions(limit: int) -> int:
    """Make the marks of executions whose data was stored without; how many there were. Does not commit.

    It may be killed or run twice: an execution is chosen by having no mark.
    """
    found = db.session.execute(
        sa.select(Execution.id, Execution.data, Execution.n8n_status, Workflow.n8n_id)
        .join(Workflow, Workflow.id == Execution.workflow_id)
        .where(Execution.id.in_(sa.select(_TABLE.c.id).where(IS_UNMARKED).limit(limit)))
    ).all()
    if found:
        rows = [{"of_id": key, **_marks(take_fingerprint(data, status, n8n_id))} for key, data, status, n8n_id in found]
        names = [name for name in rows[0] if name != "of_id"]
        statement = sa.update(_TABLE).where(_TABLE.c.id == sa.bindparam("of_id"))
        db.session.connection().execute(statement.values({name: sa.bindparam(name) for name in names}), rows)
    return len(found)


def write_detail(instance_id: str, n8n_execution_id: str, columns: Json) -> None:
    """Store what ``read_detail`` gave. Does not commit."""
    place = {"of_instance": instance_id, "of_execution": n8n_execution_id}
    db.session.execute(_update_of(frozenset(columns)), {**columns, **place})


@functools.cache
def _update_of(names: frozenset[str]) -> sa.Update:
    """The statement that fills these columns: made once, because making it costs more than running it."""
    mine = (_TABLE.c.instance_id == sa.bindparam("of_instance"), _TABLE.c.n8n_execution_id == sa.bindparam("of_execution"))
    return sa.update(_TABLE).where(*mine).values({name: sa.bindparam(name) for name in sorted(names)})


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _size(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":")))


def _fit(whole: Json, max_bytes: int) -> Json:
    """The data itself where it fits; else a copy with fewer items, and at last only what went wrong."""
    if _size(whole) <= max_bytes:
        return whole
    smaller = copy.deepcopy(whole)
    smaller["data"]["truncated"] = True
    for kept in _KEPT_ITEMS:
        for items in _item_lists(smaller["data"]):
            del items[kept:]
        if _size(smaller) <= max_bytes:
            return smaller
    result = _object(whole["data"].get("resultData"))
    error = {**_object(result.get("error")), "context": None, "stack": None, "errorResponse": None}
    failing = _object(error.get("node"))
    error["node"] = {key: failing[key] for key in ("name", "type", "typeVersion") if key in failing} or None
    error = {key: value[:2000] if isinstance(value, str) else value for key, value in error.items() if value is not None}
    node = failing.get("name") or result.get("lastNodeExecuted")
    return {"data": {"truncated": True, "resultData": {"error": error, "lastNodeExecuted": node}}, "workflowData": None}


def _item_lists(data: Json) -> Iterator[list[Any]]:
    """Every list of items: what nodes put out, and what waits for the node that failed."""
    runs = [run for runs in _object(_object(data.get("resultData")).get("runData")).values() for run in runs or ()]
    waiting = _object(data.get("executionData")).get("nodeExecutionStack") or []
    for holder in [*runs, *waiting]:
        for kind in ("data", "inputOverride"):
            for outputs in _object(_object(holder).get(kind)).values():
                yield from (items for items in outputs or () if isinstance(items, list))
