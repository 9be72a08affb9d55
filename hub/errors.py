"""Domain errors that services raise; views, the API and the CLI turn each into their own kind of answer."""

from __future__ import annotations


class HubError(Exception):
    """Base of all errors that a person may be shown. ``message`` says what is wrong and what to do."""

    status = 400
    title = "Bad request"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def headers(self) -> dict[str, str]:
        """What an HTTP answer with this error says in its headers."""
        return {}


class Unauthenticated(HubError):
    """Nobody is signed in, or the API key is not valid."""

    status = 401
    title = "Unauthorized"


class NotFound(HubError):
    """The object does not exist, or belongs to somebody else; the two are not told apart."""

    status = 404
    title = "Not found"

    def __init__(self, message: str = "Not found.") -> None:
        super().__init__(message)


class NotAllowed(HubError):
    """The actor may not do this, and may know that it exists."""

    status = 403
    title = "Forbidden"


class NeedsReauthentication(NotAllowed):
    """The actor may do this once they have shown again who they are: pages lead to ``/account/confirm``."""


class Conflict(HubError):
    """The object changed meanwhile, or is in a state in which this can't be done."""

    status = 409
    title = "Conflict"


class ReadOnly(Conflict):
    """The object belongs to a sample instance, which stands for no server."""

    title = "Read-only"


class TooMany(HubError):
    """A rate limit. ``retry_after`` is in seconds; ``is_first`` says that nobody was refused before in this window."""

    status = 429
    title = "Too many requests"

    def __init__(self, message: str, retry_after: int, *, is_first: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.is_first = is_first

    @property
    def headers(self) -> dict[str, str]:
        """When to come back, in seconds (RFC 9110, section 10.2.3)."""
        return {"Retry-After": str(self.retry_after)}


class Invalid(HubError):
    """Input that fails its checks: ``fields`` maps a field's name to a message for the person who typed it."""

    status = 422
    title = "Invalid input"

    def __init__(self, message: str = "", *, fields: dict[str, str] | None = None) -> None:
        self.fields = fields or {}
        super().__init__(message or "; ".join(self.fields.values()))


class Unavailable(HubError):
    """Another system (an n8n, the database) does not answer as it should."""

    status = 503
    title = "Service unavailable"
