"""The data of an execution: read from n8n, cut to size, redacted, and only then stored."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from hub.executions.models import DetailState, Execution
from hub.extensions import db
from hub.instances.client import Missing, N8nClient, TooLarge
from hub.redaction import find_secrets, find_secrets_of_part
from hub.storable import clean_json

Json = dict[str, Any]
#: Items kept of every input and output, tried in this order until the data fits.
_KEPT_ITEMS = (50, 10, 2, 0)
#: Not the model: a sync writes hundreds of details one by one, and half of their cost would be the ORM's.
_TABLE: sa.Table = Execution.__table__  # type: ignore[assignment]


def fetch_detail(client: N8nClient, n8n_execution_id: str, max_bytes: int) -> Json:
    """Ask n8n for an execution's data; the columns to store. Raises ``N8nError`` where asking again may help."""
    try:
        payload = client.get_execution(n8n_execution_id, with_data=True, max_bytes=max_bytes)
    except TooLarge:
        return {"detail_state": DetailState.TRUNCATED}
    except Missing:
        return {"detail_state": DetailState.UNAVAILABLE}
    return read_detail(payload, max_bytes)


def read_detail(payload: Mapping[str, Any], max_bytes: int) -> Json:
    """The columns that an execution with its data fills: nothing in them is a secret or larger than ``max_bytes``."""
    data = payload.get("data")
    if not isinstance(data, dict) or not data:
        is_too_large = bool(payload.get("dataTooLargeToDisplay"))
        return {"detail_state": DetailState.TRUNCATED if is_too_large else DetailState.UNAVAILABLE}
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
        **({"workflow_version_id": str(version_id)[:64]} if version_id else {}),
    }


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
    error = {**_object(result.get("error")), "node": None, "context": None, "stack": None, "errorResponse": None}
    error = {key: value[:2000] if isinstance(value, str) else value for key, value in error.items() if value is not None}
    node = _object(_object(result.get("error")).get("node")).get("name") or result.get("lastNodeExecuted")
    return {"data": {"truncated": True, "resultData": {"error": error, "lastNodeExecuted": node}}, "workflowData": None}


def _item_lists(data: Json) -> Iterator[list[Any]]:
    """Every list of items: what nodes put out, and what waits for the node that failed."""
    runs = [run for runs in _object(_object(data.get("resultData")).get("runData")).values() for run in runs or ()]
    waiting = _object(data.get("executionData")).get("nodeExecutionStack") or []
    for holder in [*runs, *waiting]:
        for kind in ("data", "inputOverride"):
            for outputs in _object(_object(holder).get(kind)).values():
                yield from (items for items in outputs or () if isinstance(items, list))
