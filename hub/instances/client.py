"""Client of n8n's public API v1 for one instance and one thread."""

from __future__ import annotations

import datetime as dt
import email.utils
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from hub.egress import Answer, EgressError, GuardedSession, fetch
from hub.instances.errors import (
    BrokenAnswer,
    Forbidden,
    KeyUnreadable,
    Missing,
    N8nError,
    NotN8n,
    RateLimited,
    Rejected,
    ServerFault,
    Starting,
    TimedOut,
    TooLarge,
    Unauthorized,
    Unreachable,
)
from hub.instances.features import Features, read_features
from hub.pagination import Page

__all__ = [
    "BrokenAnswer",
    "Forbidden",
    "KeyUnreadable",
    "Missing",
    "N8nClient",
    "N8nError",
    "NotN8n",
    "RateLimited",
    "Rejected",
    "ServerFault",
    "Starting",
    "TimedOut",
    "TooLarge",
    "Unauthorized",
    "Unreachable",
]

Json = dict[str, Any]

#: Seconds for one call; a retry blocks until the new execution has ended.
CALL_SECONDS = 30.0
RETRY_SECONDS = 300.0
#: Largest answer to a list: 250 workflows with draft and live version each.
LIST_BYTES = 100_000_000
OBJECT_BYTES = 20_000_000
MAX_PAGE = 250
_TEXT_TYPES = ("text/plain", "text/html", "")
_JSON_TYPES = ("application/json", "application/problem+json")
_SPEC_TYPES = ("text/yaml", "application/yaml", "application/x-yaml", "text/plain", "application/octet-stream", "text/x-yaml")


class N8nClient:
    """Reads and changes one n8n. Every method raises ``N8nError`` subclasses and nothing else. Use it in ``with``.

    ``features`` are what was found before; ``known_features`` has what is known by now, so that it can be kept.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        session: GuardedSession,
        *,
        features: Features | None = None,
    ) -> None:
        self._api = f"{url.rstrip('/')}/api/v1"
        self._headers = {"X-N8N-API-KEY": api_key, "Accept": "application/json"}
        self._session = session
        self.known_features = features
        #: Milliseconds that the last answer took, and bytes that it had.
        self.last_ms = 0.0
        self.last_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    # --- Workflows ------------------------------------------------------------------------------------------------

    def list_workflows(self, cursor: str | None = None, limit: int = MAX_PAGE) -> Page[Json]:
        """One page of workflows: archived ones too, each with its draft and (``activeVersion``) what runs live."""
        return self._list("/workflows", cursor, limit, {"excludePinnedData": "true"})

    def get_workflow(self, workflow_id: str) -> Json:
        """One workflow."""
        return self._object("GET", f"/workflows/{quote(workflow_id, safe='')}")

    def get_workflow_version(self, workflow_id: str, version_id: str) -> Json:
        """An earlier version (``nodes``, ``connections``); ``Missing`` where this n8n has no such endpoint or version."""
        style = self.features().version_path
        if style is None:
            raise Missing(what="workflow version")
        middle = "versions/" if style == "versions" else ""
        return self._object("GET", f"/workflows/{quote(workflow_id, safe='')}/{middle}{quote(version_id, safe='')}")

    def update_workflow(self, workflow_id: str, document: Json, *, publish_if_active: bool) -> Json:
        """Replace name, nodes, connections and settings; keys that this n8n does not accept are left out.

        Where ``features().publish_if_active`` is False the change of a published workflow goes live in any case. A
        ``Forbidden`` whose ``body`` has a ``versionId`` means: saved as a draft, but not published.
        """
        features = self.features()
        params = {"publishIfActive": "true" if publish_if_active else "false"} if features.publish_if_active else {}
        body = features.accepted_workflow(document)
        return self._object("PUT", f"/workflows/{quote(workflow_id, safe='')}", params=params, json=body)

    def publish_workflow(self, workflow_id: str, version_id: str | None = None) -> Json:
        """Put a version (the draft where None) live. n8n answers before the change has effect."""
        verb = "publish" if self.features().publish else "activate"
        body = {"versionId": version_id} if version_id else {}
        return self._object("POST", f"/workflows/{quote(workflow_id, safe='')}/{verb}", json=body)

    def unpublish_workflow(self, workflow_id: str) -> Json:
        """Take a workflow out of service."""
        verb = "unpublish" if self.features().publish else "deactivate"
        return self._object("POST", f"/workflows/{quote(workflow_id, safe='')}/{verb}", json={})

    # --- Executions -----------------------------------------------------------------------------------------------

    def list_executions(
        self, cursor: str | None = None, limit: int = MAX_PAGE, status: str | None = None, workflow_id: str | None = None
    ) -> Page[Json]:
        """One page of executions without data, newest id first. The cursor carries no filter: send the same ones again."""
        filters = {"status": status, "workflowId": workflow_id}
        return self._list("/executions", cursor, limit, {name: value for name, value in filters.items() if value})

    def get_execution(self, execution_id: str, *, with_data: bool = False, max_bytes: int | None = None) -> Json:
        """One execution. ``TooLarge`` where its data has more than ``max_bytes``; n8n's own count is asked for first."""
        path = f"/executions/{quote(execution_id, safe='')}"
        if not with_data:
            return self._object("GET", path)
        if max_bytes is not None:
            size = self._object("GET", path).get("jsonSizeBytes")
            if isinstance(size, int) and size > max_bytes:
                raise TooLarge(max_bytes, size)
        params = {"includeData": "true"}
        # The data's count leaves out the envelope: the execution's fields and the workflow that ran.
        limit = OBJECT_BYTES if max_bytes is None else max_bytes + 1_000_000
        return self._object("GET", path, params=params, max_bytes=limit)

    def retry_execution(self, execution_id: str, *, load_workflow: bool, timeout: float = RETRY_SECONDS) -> Json:
        """Run again from the failed node, with the present draft where ``load_workflow``; answers the new execution.

        Blocks until it has ended; ``TimedOut`` does not mean that it failed.
        """
        path = f"/executions/{quote(execution_id, safe='')}/retry"
        return self._object("POST", path, json={"loadWorkflow": load_workflow}, timeout=timeout)

    # --- What it can do -------------------------------------------------------------------------------------------

    def features(self, *, fresh: bool = False) -> Features:
        """What this n8n's API knows, from its own OpenAPI document; read once a day at most unless ``fresh``."""
        if self.known_features is None or fresh or self.known_features.is_stale():
            answer = self._send("GET", "/openapi.yml")
            if answer.media_type not in _SPEC_TYPES:
                raise NotN8n(reason="html" if answer.media_type == "text/html" else "no-spec")
            self.known_features = read_features(answer.body, known=self.known_features)
        return self.known_features

    def get_scopes(self) -> frozenset[str] | None:
        """The key's scopes as n8n tells them; None where this version does not."""
        try:
            data = self._object("GET", "/discover").get("data")
        except (Missing, Forbidden, Rejected):
            return None
        scopes = data.get("scopes") if isinstance(data, dict) else None
        return frozenset(scopes) if isinstance(scopes, list) else None

    # --- Transport ------------------------------------------------------------------------------------------------

    def _list(self, path: str, cursor: str | None, limit: int, params: dict[str, str]) -> Page[Json]:
        # n8n answers limit=0 with every row.
        params = {**params, "limit": str(max(1, min(limit, MAX_PAGE))), **({"cursor": cursor} if cursor else {})}
        body = self._object("GET", path, params=params, max_bytes=LIST_BYTES, timeout=2 * CALL_SECONDS)
        rows, next_cursor = body.get("data"), body.get("nextCursor")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise NotN8n(reason="shape")
        return Page(rows, next_cursor if isinstance(next_cursor, str) else None)

    def _object(self, method: str, path: str, **options: Any) -> Json:
        answer = self._send(method, path, **options)
        _check_type(answer)
        try:
            body = answer.json()
        except ValueError as error:
            raise BrokenAnswer(answer.status) from error
        if not isinstance(body, dict):
            raise NotN8n(reason="shape")
        return body

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        json: Any = None,
        timeout: float = CALL_SECONDS,
        max_bytes: int = OBJECT_BYTES,
    ) -> Answer:
        """A successful answer, or the error that it means."""
        try:
            answer = fetch(
                self._session,
                method,
                self._api + path,
                headers=self._headers,
                params=params,
                json=json,
                timeout=timeout,
                max_bytes=max_bytes,
            )
        except EgressError as error:
            raise _translate(error) from error
        self.last_ms, self.last_bytes = answer.elapsed_ms, len(answer.body)
        _check_status(answer)
        return answer


def _translate(error: EgressError) -> N8nError:
    if error.code == "timeout":
        return TimedOut(**error.details)
    if error.code == "too-large":
        return TooLarge(int(error.details["limit"]))
    if error.code == "bad-answer":
        return NotN8n(reason="http")
    return Unreachable(error.code, **error.details)


def _check_type(answer: Answer) -> None:
    """n8n's editor answers unknown paths with 200 and a page, and everything with 200 and a sentence while it starts."""
    if answer.media_type in _JSON_TYPES:
        return
    if answer.media_type in _TEXT_TYPES and "n8n is starting up" in answer.body[:2000].decode("utf-8", "replace"):
        raise Starting
    raise NotN8n(reason="html" if answer.media_type == "text/html" else "type")


def _check_status(answer: Answer) -> None:
    status = answer.status
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise NotN8n(reason="redirect", location=answer.headers.get("Location", "")[:300])
    body = _error_body(answer)
    message = str(body.get("message", ""))[:2000]
    if status == 401:
        raise Unauthorized
    if status == 403:
        raise Forbidden(body, message=message)
    if status == 404:
        if not body:
            raise NotN8n(reason="html" if answer.media_type == "text/html" else "not-found")
        raise Missing(message=message)
    if status == 429:
        raise RateLimited(_retry_after(answer.headers.get("Retry-After", "")))
    if status >= 500:
        raise ServerFault(status, message)
    raise Rejected(message or f"HTTP {status}", status, body)


def _error_body(answer: Answer) -> Json:
    if answer.media_type not in _JSON_TYPES:
        return {}
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _retry_after(text: str) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or an HTTP date; at most an hour."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = email.utils.parsedate_to_datetime(text)
        except ValueError:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        seconds = (moment - dt.datetime.now(dt.UTC)).total_seconds()
    return min(max(seconds, 0.0), 3600.0) if seconds == seconds else None
