"""How talking to an n8n can fail. Each error has a machine code and details; ``describe_error`` has the words."""

from __future__ import annotations

from typing import Any


class N8nError(Exception):
    """Base. ``code`` and ``details`` are what an instance keeps of its last error."""

    code = "n8n-error"

    def __init__(self, **details: Any) -> None:
        self.details: dict[str, Any] = details
        super().__init__(f"{self.code} {details}" if details else self.code)


class Unauthorized(N8nError):
    """401: the key is wrong, expired or of a disabled user, or the API is switched off; n8n does not say which."""

    code = "unauthorized"


class Forbidden(N8nError):
    """403: the key lacks a scope. ``body`` is n8n's answer: after a PUT it may say that the draft was saved."""

    code = "forbidden"

    def __init__(self, body: dict[str, Any] | None = None, **details: Any) -> None:
        super().__init__(**details)
        self.body = body or {}


class Missing(N8nError):
    """404: there is no such object, or the key's user may not see it."""

    code = "missing"


class NotN8n(N8nError):
    """Something answers, but not n8n's API: HTML, a redirect, or JSON of another shape."""

    code = "not-n8n"


class Starting(N8nError):
    """n8n is starting up: it answers 200 with a text until its database is ready."""

    code = "starting"


class RateLimited(N8nError):
    """429. ``retry_after`` is in seconds, None where the answer does not say."""

    code = "rate-limited"

    def __init__(self, retry_after: float | None = None, **details: Any) -> None:
        super().__init__(**details, **({} if retry_after is None else {"seconds": round(retry_after)}))
        self.retry_after = retry_after


class Rejected(N8nError):
    """n8n refuses the request (400, 409, 413, 415, 422). ``message`` is its own sentence, ``body`` its whole answer."""

    code = "rejected"

    def __init__(self, message: str, status: int = 400, body: dict[str, Any] | None = None) -> None:
        super().__init__(message=message, status=status)
        self.message = message
        self.status = status
        self.body = body or {}


class ServerFault(N8nError):
    """5xx from n8n or a proxy before it."""

    code = "server-fault"

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(status=status, message=message)
        self.status = status


class BrokenAnswer(ServerFault):
    """A JSON answer that is cut short or cannot be read. Asking again may help, as after a 5xx."""

    code = "broken-answer"


class Unreachable(N8nError):
    """No connection: the address is refused by the hub, the name does not resolve, nothing listens, or TLS fails."""

    code = "unreachable"

    def __init__(self, code: str = "unreachable", **details: Any) -> None:
        self.code = code
        super().__init__(**details)


class TimedOut(N8nError):
    """No complete answer in time. What was asked for may have happened all the same."""

    code = "timeout"


class TooLarge(N8nError):
    """The answer is larger than allowed. ``size`` is in bytes where known."""

    code = "too-large"

    def __init__(self, limit: int, size: int | None = None) -> None:
        super().__init__(limit=limit, **({} if size is None else {"size": size}))
        self.size = size


class KeyUnreadable(N8nError):
    """The stored key does not open with the configured encryption keys."""

    code = "key-unreadable"
