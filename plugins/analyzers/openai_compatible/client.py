"""Chat Completions over the hub's guarded way to the network, within one deadline."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any

import httpx2
import openai

from hub.plugin_api import ModelFailure, NetworkError, fetch
from plugins.analyzers.openai_compatible import failures
from plugins.analyzers.openai_compatible.failures import Refusal
from plugins.analyzers.openai_compatible.options import Options

#: All that a server needs to know; the SDK would add the machine's own facts.
_HEADERS = ("authorization", "content-type", "accept")
_MOST_BYTES = 2_000_000
#: Statuses after which the same request is sent once more.
_PASSING = frozenset((408, 409, 429, 500, 502, 503, 504))
_PAUSE, _LONGEST_PAUSE = 1.0, 20.0

Messages = list[dict[str, str]]


class Deadline:
    """The wall-clock end of everything that one question does."""

    def __init__(self, seconds: float) -> None:
        self._started = monotonic()
        self._end = self._started + seconds

    @property
    def remaining(self) -> float:
        """Seconds until the end, not below zero."""
        return max(0.0, self._end - monotonic())

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return monotonic() - self._started


class GuardedTransport(httpx2.BaseTransport):
    """Hands the SDK's requests to the hub, and tells of each body before it leaves."""

    def __init__(self, deadline: Deadline, sending: Callable[[str], None]) -> None:
        self._deadline = deadline
        self._sending = sending

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request and its whole answer."""
        content = request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() in _HEADERS}
        if headers.get("authorization") == f"Bearer {_NO_KEY}":
            del headers["authorization"]
        if content:
            self._sending(content.decode())
        answer = fetch(
            request.method,
            str(request.url),
            headers=headers,
            content=content or None,
            timeout=self._deadline.remaining,
            max_bytes=_MOST_BYTES,
        )
        kept = {name: value for name, value in answer.headers.items() if name.lower() in ("content-type", "retry-after")}
        return httpx2.Response(answer.status, headers=kept, content=answer.body, request=request)


#: The SDK insists on a key; servers on the operator's own machine often have none.
_NO_KEY = "no-key"


@dataclass(slots=True)
class Usage:
    """Tokens over several requests, as far as the server counts them."""

    tokens_in: int | None = None
    tokens_out: int | None = None

    def add(self, tokens_in: Any, tokens_out: Any) -> None:
        """Add what one answer says."""
        if isinstance(tokens_in, int) and isinstance(tokens_out, int):
            self.tokens_in = (self.tokens_in or 0) + max(tokens_in, 0)
            self.tokens_out = (self.tokens_out or 0) + max(tokens_out, 0)


@dataclass
class Chat:
    """One question with all of its requests. Close it."""

    options: Options
    sending: Callable[[str], None]
    usage: Usage = field(default_factory=Usage)

    def __post_init__(self) -> None:
        self.deadline = Deadline(self.options.timeout)
        transport = GuardedTransport(self.deadline, self.sending)
        self._client = openai.OpenAI(
            api_key=self.options.api_key or _NO_KEY,
            base_url=self.options.base_url,
            max_retries=0,
            http_client=httpx2.Client(transport=transport, trust_env=False, follow_redirects=False),
        )

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    def complete(self, messages: Messages, response_format: dict[str, Any] | None) -> str:
        """The text of the answer; ``Refusal`` where there is none. A passing failure is tried once more."""
        request = self._request(messages, response_format)
        completion = self._try(lambda: self._client.chat.completions.create(**request))
        return self._content(completion)

    def list_models(self) -> list[str]:
        """Names of the models that the server offers; ``Refusal`` where it does not tell."""
        page = self._try(lambda: self._client.models.list())
        return [str(getattr(model, "id", "")) for model in getattr(page, "data", None) or ()]

    def _request(self, messages: Messages, response_format: dict[str, Any] | None) -> dict[str, Any]:
        options = self.options
        request: dict[str, Any] = {"model": options.model, "messages": messages}
        if response_format is not None:
            request["response_format"] = response_format
        if options.max_tokens_parameter != "none":
            request[options.max_tokens_parameter] = options.max_output_tokens
        if options.temperature is not None:
            request["temperature"] = options.temperature
        return {**request, "extra_body": options.extra_body or None}

    def _try(self, send: Callable[[], Any]) -> Any:
        for attempt in (1, 2):
            if not self.deadline.remaining:
                raise Refusal(failures.TOO_SLOW)
            try:
                return send()
            except NetworkError as error:
                failure, pause = _of_network(error), _PAUSE if error.code == "reset" else None
            except openai.APIStatusError as error:
                failure, pause = failures.of_status(error), _pause_after(error)
            except (openai.OpenAIError, ValueError):
                failure, pause = failures.STRANGE, None
            if attempt == 2 or pause is None or pause >= self.deadline.remaining:
                raise Refusal(failure)
            sleep(pause)
        raise AssertionError("two attempts end in an answer or a refusal")

    def _content(self, completion: Any) -> str:
        """The text of the first choice, after counting its tokens."""
        usage = getattr(completion, "usage", None)
        self.usage.add(getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None))
        choices = getattr(completion, "choices", None)
        first = choices[0] if isinstance(choices, list) and choices else None
        message, reason = getattr(first, "message", None), getattr(first, "finish_reason", None)
        if message is None:
            raise Refusal(failures.STRANGE)
        if getattr(message, "refusal", None):
            raise Refusal(failures.REFUSED)
        if reason == "content_filter":
            raise Refusal(failures.FILTERED)
        if reason == "length":
            raise Refusal(failures.CUT_OFF)
        content = getattr(message, "content", None)
        if not isinstance(content, str) or not content.strip():
            raise Refusal(failures.EMPTY)
        return content


def _of_network(error: NetworkError) -> ModelFailure:
    return failures.TOO_SLOW if error.code == "timeout" else ModelFailure(code=error.code, words=error.words)


def _pause_after(error: openai.APIStatusError) -> float | None:
    """Seconds until the second try; None where there should be none: the server asks for a longer wait than makes sense."""
    if error.status_code not in _PASSING:
        return None
    try:
        asked = float(error.response.headers.get("retry-after", _PAUSE))
    except ValueError:  # a date
        return None
    return max(asked, 0.0) if math.isfinite(asked) and asked <= _LONGEST_PAUSE else None
