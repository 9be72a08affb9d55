"""What is sent: thin messages that name things and say where to read more."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import sqlalchemy as sa
from flask import current_app

from hub.columns import utc_now
from hub.config import Config
from hub.executions.models import DetailState, Execution
from hub.extensions import db
from hub.webhooks.models import EventType, WebhookDelivery
from hub.webhooks.outbox import as_iso, short_message

Json = dict[str, Any]

#: Of the messages' shape; a new one comes with changes that break readers, new fields do not.
VERSION = 1
#: How long a message waits for the error of its execution, which a sync reads after the lists.
PATIENCE = dt.timedelta(seconds=60)
#: The page that tells more, and where its id stands in the data.
_PAGES = {
    EventType.EXECUTION_FAILED: ("executions.show", "execution_id", ("execution", "id")),
    EventType.EXECUTION_REPAIRED: ("analyses.show", "analysis_id", ("repair", "analysisId")),
    EventType.INSTANCE_DOWN: ("instances.show", "instance_id", ("instance", "id")),
    EventType.INSTANCE_UP: ("instances.show", "instance_id", ("instance", "id")),
    EventType.SYNC_FAILED: ("instances.show", "instance_id", ("instance", "id")),
    EventType.PING: ("webhooks.show", "webhook_id", ("webhook", "id")),
}


def seal(delivery: WebhookDelivery) -> bool:
    """Make the delivery's ``body``, which stays as it is from then on. False where something is still waited for."""
    event, data = EventType(delivery.type), delivery.data
    if event is EventType.EXECUTION_FAILED:
        found = _find_error(data["execution"]["id"])
        if found is None and utc_now() - delivery.created_at < PATIENCE:
            return False
        data = {**data, "execution": {**data["execution"], "error": found or None}}
    message = {
        "version": VERSION,
        "type": event.value,
        "timestamp": as_iso(delivery.created_at),
        "data": {**data, "url": page_address(event, data)},
    }
    delivery.body = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    return True


def _find_error(execution_id: str) -> Json | None:
    """The error in short; empty where there is none to be had, None where it was not read yet."""
    kind = Execution.error["name"].as_string()
    columns = (Execution.detail_state, kind, Execution.error_code, Execution.error_message, Execution.error_node)
    row = db.session.execute(sa.select(*columns).where(Execution.id == execution_id)).one_or_none()
    if row is None:
        return {}
    state, name, code, message, node = row
    if state is DetailState.NONE:
        return None
    return {"class": name, "code": code, "message": short_message(message), "node": node} if message or node else {}


def page_address(event: EventType, data: Json) -> str:
    """The address of the page that tells more."""
    endpoint, parameter, (part, key) = _PAGES[event]
    path = current_app.url_map.bind("hub").build(endpoint, {parameter: data[part][key]})
    config: Config = current_app.extensions["hub_config"]
    return config.base_url + path
