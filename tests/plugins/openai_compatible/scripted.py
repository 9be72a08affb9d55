"""A model server of a few lines: it answers what a test told it to, in order, and keeps what it was sent."""

from __future__ import annotations

import json
from typing import Any

from hub.egress import Answer, EgressError
from hub.plugin_services import NetworkError

Json = dict[str, Any]

#: A complete and honest answer about ``failure()`` in ``conftest``.
GOOD: Json = {
    "evidence": [{"quote": "The resource you are requesting could not be found", "shows": "404"}],
    "cause": "not-found",
    "node": "Fetch",
    "explanation_en": "The path is misspelt.",
    "explanation_ar": "المسار مكتوب خطأ.",
    "fix_title_en": "Correct the path",
    "fix_title_ar": "صحّح المسار",
    "fix_en": "Write customers.",
    "fix_ar": "اكتب customers.",
    "edits": [
        {
            "node": "Fetch",
            "path": "/parameters/url",
            "op": "replace",
            "old_value_json": '"https://api.example.com/custmers"',
            "new_value_json": '"https://api.example.com/customers"',
            "why": "The path is misspelt.",
        }
    ],
    "confidence": 0.9,
}


def completion(content: Any, *, reason: str = "stop", tokens: tuple[int, int] | None = (1000, 200), **message: Any) -> Answer:
    """An answer of the Chat Completions API."""
    said = content if isinstance(content, str) or content is None else json.dumps(content, ensure_ascii=False)
    body: Json = {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": said, **message}}],
    }
    if tokens is not None:
        body["usage"] = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    return answer(200, body)


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    """Any answer; ``body`` is JSON, or bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body if body is not None else {"error": {"message": "no"}}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"content-type": "application/json", **named}, content, 1.0)


class ScriptedServer:
    """Stands for ``hub.plugin_api.fetch``. The last reply of the script is given again and again."""

    def __init__(self, *replies: Answer | str) -> None:
        self.replies = list(replies)
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.asked = 0

    def fetch(self, method: str, url: str, *, headers: Any, content: bytes | None, timeout: float, max_bytes: int) -> Answer:
        assert timeout > 0
        assert max_bytes <= 5_000_000
        if method == "GET":
            return answer(200, {"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "x"}]})
        self.asked += 1
        self.bodies.append(content or b"")
        self.headers.append(dict(headers))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, str):
            details = {
                "host": "api.example.com",
                "port": 443,
                "address": "10.0.0.1",
                "reason": "private",
                "seconds": 1,
                "limit": 5,
            }
            raise NetworkError(EgressError(reply, **details))
        return reply

    @property
    def sent(self) -> list[Json]:
        """The requests as JSON."""
        return [json.loads(body) for body in self.bodies]


class Listener:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.bodies: list[str] = []

    def stage(self, name: str) -> None:
        self.stages.append(name)

    def sending(self, body: str) -> None:
        self.bodies.append(body)
