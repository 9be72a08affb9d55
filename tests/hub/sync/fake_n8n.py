"""A small n8n on loopback: lists, filters and pages as n8n 2.40 does, lives while it is read, and can misbehave on demand."""

from __future__ import annotations

import base64
import datetime as dt
import itertools
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]
START = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
HIDDEN = ("running", "new")
ALL_STATUSES = ("error", "success", "waiting", "running", "canceled", "crashed", "new", "unknown")
SPEC = """openapi: 3.0.0
paths:
  /executions:
    get:
      parameters:
        - {name: status, in: query, schema: {type: string, enum: [STATUSES]}}
        - {name: ignoreDataSizeLimit, in: query, schema: {type: boolean}}
  /executions/{id}/retry:
    post: {}
  /workflows/{id}:
    put:
      parameters:
        - {name: publishIfActive, in: query, schema: {type: boolean}}
"""


@dataclass
class Reply:
    """An HTTP answer."""

    status: int
    body: bytes
    media_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


def json_reply(status: int, body: Any) -> Reply:
    return Reply(status, json.dumps(body).encode())


def rate_limited(seconds: int) -> Reply:
    return Reply(429, b'{"message": "slow down"}', headers=(("Retry-After", str(seconds)),))


SERVER_ERROR = json_reply(500, {"message": "boom"})
BAD_GATEWAY = Reply(502, b"<html>bad gateway</html>", "text/html")
WEB_PAGE = Reply(200, b"<!DOCTYPE html><html>editor</html>", "text/html")
STARTING = Reply(200, b"n8n is starting up. Please wait", "text/html")
CUT_SHORT = Reply(200, b'{"data": [{"id": "1", "workflowId": "w')
REFUSED = json_reply(401, {"message": "unauthorized"})


class FakeN8n:
    """The data of the n8n, and what it answers. ``page_size`` caps pages, so that few rows make many pages."""

    def __init__(self, *, page_size: int = 250, status_filters: tuple[str, ...] = ALL_STATUSES) -> None:
        self.page_size = page_size
        self.status_filters = status_filters
        self.workflows: dict[str, Json] = {}
        self.executions: dict[str, Json] = {}
        self.data: dict[str, Json] = {}
        self._next_id = itertools.count(1)
        self._clock = itertools.count()
        self.requests: list[str] = []
        #: Replies that take the place of the next answers; None lets one through.
        self.faults: list[Reply | Callable[[Reply], Reply] | None] = []
        #: Called before each answer, to let the world move while it is read.
        self.before_answer: Callable[[str], None] = lambda _path: None
        self._lock = threading.Lock()

    # --- Its life -----------------------------------------------------------------------------------------------------

    def now(self) -> str:
        """A time later than any before."""
        return (START + dt.timedelta(seconds=next(self._clock))).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def add_workflow(self, n8n_id: str, **changes: Any) -> Json:
        nodes = [{"id": "1", "name": "Start", "type": "n8n-nodes-base.webhook", "parameters": {"path": n8n_id}}]
        workflow = {
            **{"id": n8n_id, "name": f"Flow {n8n_id}", "active": False, "isArchived": False, "versionId": f"{n8n_id}-v1"},
            **{"activeVersionId": None, "activeVersion": None, "nodes": nodes, "connections": {}, "settings": {}, "tags": []},
            **{"createdAt": self.now(), "updatedAt": self.now()},
        }
        self.workflows[n8n_id] = {**workflow, **changes}
        return self.workflows[n8n_id]

    def start(self, workflow_id: str, *, status: str = "running", mode: str = "webhook", n8n_id: str | None = None) -> Json:
        """Begin an execution."""
        key = n8n_id or str(next(self._next_id))
        execution = {
            **{"id": key, "finished": False, "mode": mode, "retryOf": None, "retrySuccessId": None, "status": status},
            **{
                "startedAt": None if status == "new" else self.now(),
                "stoppedAt": None,
                "workflowId": workflow_id,
                "waitTill": None,
            },
        }
        self.executions[key] = execution
        return execution

    def finish(self, n8n_id: str, status: str = "success") -> Json:
        """End it. A failed one keeps its data."""
        execution = self.executions[n8n_id]
        execution.update(status=status, finished=status == "success", stoppedAt=self.now(), waitTill=None)
        execution["startedAt"] = execution["startedAt"] or execution["stoppedAt"]
        if status in ("error", "crashed"):
            message = f"It broke in {n8n_id}"
            error = {"name": "NodeApiError", "message": message, "node": {"name": "Start"}}
            self.data[n8n_id] = {
                "resultData": {"error": error, "lastNodeExecuted": "Start", "runData": {"Start": [{"error": error}]}}
            }
        if status == "success" and execution["retryOf"] in self.executions:
            self.executions[execution["retryOf"]]["retrySuccessId"] = n8n_id
        return execution

    def run(self, workflow_id: str, status: str = "success", **options: Any) -> Json:
        """An execution from begin to end."""
        return self.finish(self.start(workflow_id, **options)["id"], status)

    def retry(self, n8n_id: str) -> Json:
        """Begin a retry of a failed execution."""
        execution = self.start(self.executions[n8n_id]["workflowId"], mode="retry")
        execution["retryOf"] = n8n_id
        return execution

    def wait(self, n8n_id: str) -> None:
        """Let a running execution wait."""
        self.executions[n8n_id].update(status="waiting", stoppedAt=self.now(), waitTill=self.now())

    def prune(self, n8n_id: str) -> None:
        """Delete an execution for good."""
        self.executions.pop(n8n_id, None)
        self.data.pop(n8n_id, None)

    def restart_numbering(self, first: int) -> None:
        """Give out ids from ``first`` on, as a restored database does."""
        self._next_id = itertools.count(first)

    # --- Its API ------------------------------------------------------------------------------------------------------

    def answer(self, target: str) -> Reply:
        """The answer to a GET."""
        with self._lock:
            self.requests.append(target)
            parts = urlsplit(target)
            self.before_answer(parts.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            fault = self.faults.pop(0) if self.faults else None
            if isinstance(fault, Reply):
                return fault
            reply = self._route(parts.path.removeprefix("/api/v1"), query)
            return fault(reply) if fault else reply

    def _route(self, path: str, query: dict[str, str]) -> Reply:
        if path == "/openapi.yml":
            return Reply(200, SPEC.replace("STATUSES", ", ".join(self.status_filters)).encode(), "text/yaml")
        _, kind, *rest = path.split("/")
        if kind == "workflows":
            return self._one(self.workflows, rest[0]) if rest else self._list_workflows(query)
        if kind == "executions":
            return self._one_execution(rest[0], query) if rest else self._list_executions(query)
        return json_reply(404, {"message": "not found"})

    def _one(self, shelf: dict[str, Json], key: str) -> Reply:
        return json_reply(200, shelf[key]) if key in shelf else json_reply(404, {"message": "Not Found"})

    def _one_execution(self, key: str, query: dict[str, str]) -> Reply:
        if key not in self.executions:
            return json_reply(404, {"message": "Not Found"})
        body = {**self.executions[key], "createdAt": START.isoformat(), "jsonSizeBytes": len(json.dumps(self.data.get(key, {})))}
        if query.get("includeData") == "true":
            workflow = self.workflows.get(body["workflowId"])
            body |= {"data": self.data.get(key, {}), "workflowData": workflow, "workflowVersionId": "v"}
        return json_reply(200, body)

    def _list_workflows(self, query: dict[str, str]) -> Reply:
        offset = json.loads(base64.b64decode(query["cursor"]))["offset"] if "cursor" in query else 0
        limit = min(int(query.get("limit", 100)), self.page_size)
        rows = [self.workflows[key] for key in sorted(self.workflows)]
        return self._page(rows[offset : offset + limit], len(rows) > offset + limit, {"limit": limit, "offset": offset + limit})

    def _list_executions(self, query: dict[str, str]) -> Reply:
        status = query.get("status")
        if status is not None and status not in self.status_filters:
            return json_reply(400, {"message": "request/query/status must be equal to one of the allowed values"})
        below = json.loads(base64.b64decode(query["cursor"]))["lastId"] if "cursor" in query else None
        limit = min(int(query.get("limit", 100)), self.page_size)
        rows = [row for row in self.executions.values() if (row["status"] == status if status else row["status"] not in HIDDEN)]
        rows.sort(key=lambda row: int(row["id"]), reverse=True)
        rows = [row for row in rows if below is None or int(row["id"]) < int(below)]
        page = rows[:limit]
        return self._page(page, len(rows) > limit, {"lastId": page[-1]["id"] if page else None, "limit": limit})

    def _page(self, rows: list[Json], has_more: bool, cursor: Json) -> Reply:
        text = base64.b64encode(json.dumps(cursor).encode()).decode() if has_more else None
        return json_reply(200, {"data": rows, "nextCursor": text})


class FakeServer:
    """Serves a ``FakeN8n`` on a free port of loopback; use it in ``with``."""

    def __init__(self, n8n: FakeN8n) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                reply = n8n.answer(self.path)
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.media_type)
                self.send_header("Content-Length", str(len(reply.body)))
                for name, value in reply.headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FakeServer:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
