"""Calls a workflow's webhook again with the request that failed, where the person agreed to it."""

from __future__ import annotations

from typing import Any

from hub.egress import EgressError, current_policy, fetch, open_session
from hub.instances.errors import TimedOut, Unreachable

Json = dict[str, Any]

_SECONDS = 120.0
#: Headers of the transport; all others are the caller's and may matter to the workflow.
_TRANSPORT = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "content-type"})


def call_webhook(n8n_url: str, request: Json) -> None:
    """Send ``find_webhook_call``'s request to the n8n. What it answers does not matter: the execution is judged.

    Raises ``Unreachable`` where the call never arrived.
    """
    headers = {name: str(value) for name, value in request["headers"].items() if name.lower() not in _TRANSPORT}
    body = request["body"] if request["method"] not in ("GET", "HEAD") else None
    query = {str(name): str(value) for name, value in request["query"].items()}
    session = open_session(current_policy())
    try:
        fetch(
            session,
            request["method"],
            n8n_url.rstrip("/") + request["path"],
            headers=headers,
            params=query,
            json=body,
            timeout=_SECONDS,
        )
    except EgressError as error:
        if error.code == "timeout":
            raise TimedOut(**error.details) from error
        if error.code not in ("too-large", "bad-answer", "reset"):
            raise Unreachable(error.code, **error.details) from error
    finally:
        session.close()
