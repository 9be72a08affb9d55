"""n8n's error object, in all the forms that its versions and node classes write it, as ``ErrorFacts``.

Texts stay whole here: they are cut after redaction (``evidence_size``), so that no half of a secret stays.
"""

from __future__ import annotations

import re
from typing import Any

from hub.contracts.analysis import ErrorFacts

Json = dict[str, Any]

_STATUS = re.compile(r"^(\d{3}) - ")
_MOST_MESSAGES = 5
_STACK_LINES = 5


def read_error(result: Json) -> tuple[ErrorFacts, Json]:
    """The facts of the run's error, and the failing node as the error holds it (empty where it does not).

    ``result`` is ``data.resultData``. Without an error of the run the error of the last failed node is taken.
    """
    raw = result.get("error") or _node_error(result.get("runData"))
    if not isinstance(raw, dict):
        return _withheld(result.get("redactedError")), {}
    context = _object(raw.get("context"))
    facts = ErrorFacts(
        class_name=_text(raw.get("name")),
        code=_code(raw),
        failure_cause=_text(_object(raw.get("failure")).get("cause")),
        message=_text(raw.get("message")) or "",
        description=_text(raw.get("description")),
        messages=tuple(_messages(raw)),
        context_type=_text(context.get("type")),
        description_key=_text(context.get("descriptionKey")),
        parameter=_text(context.get("parameter")),
        node_cause=_text(context.get("nodeCause")),
        item_index=_number(context.get("itemIndex", raw.get("itemIndex"))),
        run_index=_number(context.get("runIndex")),
        line_number=_number(raw.get("lineNumber")),
        request=context["request"] if isinstance(context.get("request"), dict) else None,
        response=raw.get("errorResponse") or context.get("data"),
        stack=tuple(_own_frames(raw.get("stack"))),
    )
    return facts, _object(raw.get("node"))


def _node_error(runs: Any) -> Any:
    """The error of the last node run that has one."""
    found = None
    for entries in _object(runs).values():
        for entry in entries if isinstance(entries, list) else ():
            found = _object(entry).get("error") or found
    return found


def _withheld(redacted: Any) -> ErrorFacts:
    """What is left where n8n's redaction took the error away, or where there never was one."""
    if not isinstance(redacted, dict):
        return ErrorFacts()
    return ErrorFacts(class_name=_text(redacted.get("type")), code=_text(redacted.get("httpCode")), withheld=True)


def _code(raw: Json) -> str | None:
    """The HTTP status or network code; older nodes keep it in other places, or only in the service's answer."""
    cause = _object(raw.get("cause"))
    for value in (raw.get("httpCode"), raw.get("code"), raw.get("statusCode"), cause.get("code"), cause.get("status")):
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value):
            return str(value)
    for message in _messages(raw):
        if found := _STATUS.match(message):
            return found.group(1)
    return None


def _messages(raw: Json) -> list[str]:
    messages = raw.get("messages")
    texts = [message for message in messages if isinstance(message, str)] if isinstance(messages, list) else []
    return list(dict.fromkeys(texts))[:_MOST_MESSAGES]


def _own_frames(stack: Any) -> list[str]:
    """The stack's first lines without those of n8n's and Node's own packages."""
    if not isinstance(stack, str):
        return []
    lines = [line.strip() for line in stack.splitlines()]
    return [line for line in lines if line and "node_modules" not in line and "node:internal" not in line][:_STACK_LINES]


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
