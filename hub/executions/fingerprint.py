"""What a failure is called, so that the same failure is known again in other runs, workflows and instances.

Computed from an execution's data as the hub stores it (redacted), without asking anything. Two marks:

- the error mark stands for what went wrong: node type and major version, resource, operation, error class, code, n8n's own
  triage, and the error's words without what differs from run to run (numbers, ids, times, addresses);
- the case mark adds where: workflow, node and the node's parameters.

Too fine a mark shows one failure as two; too coarse a mark explains one failure by another, which is worse. So names in quotes
are kept, and so are words that are not known to be values.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from hub.redaction import TOKEN

Json = dict[str, Any]

#: Part of every mark. Another way of making them needs a new number and a migration that sets ``executions.fingerprint`` to NULL.
VERSION = 1

_KEPT_WORDS = 300
#: Read of a text before values are taken out of it: enough for ``_KEPT_WORDS`` of what is left.
_READ_WORDS = 600
#: A longer text in quotes is no name.
_LONGEST_NAME = 80

_HOST_ENDINGS = (
    "com|net|org|io|dev|app|cloud|ai|co|info|biz|me|tv|xyz|online|site|tech|shop|store|edu|gov|mil|int|arpa"
    "|local|localhost|internal|intranet|lan|home|corp|invalid|test|example"
    "|ae|ar|at|au|be|br|ca|ch|cl|cn|cz|de|dk|eg|es|eu|fi|fr|gr|hk|hu|ie|il|in|iq|ir|it|jo|jp|kr|kw|lb|ma|mx|ng|nl|no|nz|om"
    "|pk|pl|ps|pt|qa|ro|rs|ru|sa|se|sg|sy|tn|tr|tw|ua|uk|us|ye|za"
)
#: Values that are told by their shape, also within a name. All begin at the beginning of a word that holds one of ``_TELLING``.
_SHAPES = (
    ("url", r"[a-z][a-z0-9+.-]{1,11}://[^\s\"'`<>]+"),
    ("email", r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"),
    ("id", r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"),
    ("time", r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"),
    ("time", r"(?:\d{1,2}[/.]\d{1,2}[/.]\d{4}|\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:\s?[ap]m)?)\b"),
    ("address", r"(?<!\.)(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?(?![\w.])"),
    ("address", r"(?<!:)(?:[0-9a-f]{1,4}:){2,7}[0-9a-f:]*[0-9a-f](?![\w:])"),
    ("address", rf"(?<![.$@/-])(?:[A-Za-z0-9](?:[\w-]*\w)?\.)+(?:{_HOST_ENDINGS})\b(?::\d{{1,5}})?(?![\w(-]|\.\w)"),
    ("id", r"[0-9a-fA-F]{32,}\b|0x[0-9a-fA-F]+\b"),
)
_NUMBERS = (
    ("duration", r"(?<!\.)\d+(?:[.,]\d+)?\s?(?:ms|milliseconds?|s|secs?|seconds?|min|minutes?|h|hours?|days?)\b"),
    ("number", r"(?<!\.)\d+(?:[.,]\d+)*(?:e[-+]?\d+)?(?!\w)%?"),
)
#: Words that look made by a machine; in quotes they may be names.
_CODES = (("id", r"(?=\w*\d\w*\d)(?=\w*[A-Za-z])(?:[0-9a-f]{7,31}|[A-Za-z0-9_]{10,})\b"),)
#: Most words hold none of these and are passed over at once: the patterns above are tried at every place otherwise.
_TELLING = r"\b(?=[^\s\"'`]*[\d@.:])"
_ALWAYS = (
    ("secret", TOKEN.pattern),
    (
        "time",
        r"\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? )?(?:\d{1,2} )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
        r"[a-z]*\.? \d{1,2}(?:,? \d{4})?\b",
    ),
    ("address", r"\blocalhost\b(?::\d{1,5})?|\b(?:(?<=ENOTFOUND )|(?<=EAI_AGAIN ))\S+"),
)
#: An apostrophe within a word opens no quotation. ``\\"`` is how a quotation mark looks in JSON that is in a text.
_QUOTATION = r"(?P<before>[:=]\s*)?(?<!\w)(?P<mark>\\?[\"'`])(?P<quoted>(?:(?!(?P=mark)(?!\w))[^\n]){1,200}?)(?P=mark)(?!\w)"
#: The beginning of the text that was no JSON, as V8 quotes it.
_SNIPPET = r"(?<=, )(?:\.{3})?\"[^\n]{0,60}?\"(?:\.{3})?(?= is not valid JSON)"


def _one_of(shapes: tuple[tuple[str, str], ...]) -> str:
    telling = "|".join(f"(?P<{name}_{place}>{shape})" for place, (name, shape) in enumerate(shapes, len(_ALWAYS)))
    always = "|".join(f"(?P<{name}_{place}>{shape})" for place, (name, shape) in enumerate(_ALWAYS))
    return f"{_TELLING}(?:{telling})|{always}"


_SHAPED = re.compile(_one_of(_SHAPES))
_PLAIN = re.compile(_one_of(_SHAPES + _NUMBERS))
_VALUE = re.compile(_one_of(_SHAPES + _NUMBERS + _CODES))
_WORDS = re.compile(f"(?P<snippet>{_SNIPPET})|{_QUOTATION}|{_VALUE.pattern}")
_STATUS = re.compile(r"^(\d{3})\b|\bstatus(?: code)?:? (\d{3})\b")

#: Classes of runs that ended without an error of their own.
_ENDS_WITHOUT_ERROR = {"canceled": "Timeout", "cancelled": "Timeout", "crashed": "WorkflowCrashedError"}
#: Somebody stopped it: no failure.
_STOPPED = "ManualExecutionCancelledError"

_REFUSED_CODES = frozenset({"401", "403"})
_REFUSED_WORDS = re.compile(
    r"credential with id .{1,80} does not exist|credentials? (?:are|is) (?:invalid|expired|not valid)|authentication failed"
    r"|authori[sz]ation failed|unauthori[sz]ed|invalid_grant|invalid_client|invalid_token|refresh token|token (?:has )?(?:been )?"
    r"(?:expired|revoked)|(?:invalid|incorrect|wrong|expired) (?:api[ _-]?key|token|credentials?|password|access token)"
    r"|unable to (?:sign|refresh)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a failure is called. ``error`` is empty for a run that did not fail, or of which nothing is known.

    ``credential_id`` is n8n's id of the credential that the failing node used, where the failure speaks of refused credentials.
    """

    error: str = ""
    case: str | None = None
    node_type: str | None = None
    code: str | None = None
    credential_id: str | None = None


def take_fingerprint(stored: Json | None, status: str, workflow_n8n_id: str) -> Fingerprint:
    """The marks of a run. ``stored`` is what ``executions.data`` holds, ``status`` n8n's own word for how it ended."""
    stored = stored or {}
    result = _object(_object(stored.get("data")).get("resultData"))
    error = _find_error(result, status)
    if status == "success" or not error or error.get("name") == _STOPPED:
        return Fingerprint()
    node = _failing_node(error, result, _object(stored.get("workflowData")))
    parameters = _object(node.get("parameters"))
    code = _read_code(error)
    failure = error.get("failure")
    node_type = _text(node.get("type"), 120)
    mark = _digest(
        VERSION,
        node_type,
        _major(node.get("typeVersion")),
        _text(parameters.get("resource"), 80),
        _text(parameters.get("operation"), 80),
        _text(error.get("name"), 120),
        code,
        _text(_object(failure).get("cause") if isinstance(failure, dict) else failure, 80),
        generalise(str(error.get("message") or "")),
        generalise(str(error.get("description") or "")),
    )
    return Fingerprint(
        error=mark,
        case=_digest(mark, workflow_n8n_id, node.get("name"), parameters),
        node_type=node_type,
        code=code,
        credential_id=_refused_credential(error, code, node),
    )


@functools.lru_cache(maxsize=2048)
def generalise(text: str) -> str:
    """The text without the values that differ from run to run, at most 300 characters: ``‹number›`` stands for a number.

    Names in quotes stay: ``reading 'email'`` and ``reading 'phone'`` are two failures.
    """
    return _WORDS.sub(_stand_in, " ".join(text[:_READ_WORDS].split()))[:_KEPT_WORDS]


def _stand_in(match: re.Match[str]) -> str:
    quoted = match["quoted"]
    if quoted is None:
        return _placeholder(match)
    if match["before"] is not None or len(quoted) > _LONGEST_NAME:
        pattern = _VALUE  # a value after "key:" or "key=", or a text too long for a name
    else:
        # Numbers in a name are part of it ("Step 2"); quotes may also hold nothing but a number.
        pattern = _PLAIN if _PLAIN.fullmatch(quoted) else _SHAPED
    general = pattern.sub(_placeholder, quoted)
    return f"{match['before'] or ''}{match['mark']}{general}{match['mark']}"


def _placeholder(match: re.Match[str]) -> str:
    return f"‹{str(match.lastgroup).partition('_')[0]}›"


def _find_error(result: Json, status: str) -> Json:
    """The run's error; what n8n left of it where it withholds errors; else the error of the node that ran last."""
    if isinstance(result.get("error"), dict):
        return _object(result["error"])
    if isinstance(withheld := result.get("redactedError"), dict):
        return {"name": withheld.get("type"), "httpCode": withheld.get("httpCode")}
    runs = _object(result.get("runData")).get(str(result.get("lastNodeExecuted")))
    if isinstance(runs, list) and runs and isinstance(found := _object(runs[-1]).get("error"), dict):
        return found
    ended = _ENDS_WITHOUT_ERROR.get(status)
    return {"name": ended} if ended and result else {}


def _failing_node(error: Json, result: Json, workflow: Json) -> Json:
    """The node as the error holds it, else the workflow's node of the name that n8n blames."""
    named = _object(error.get("node"))
    if named.get("type"):
        return named
    name = named.get("name") or result.get("lastNodeExecuted")
    nodes = workflow.get("nodes")
    found = next((node for node in nodes if _object(node).get("name") == name), None) if isinstance(nodes, list) else None
    return found or {"name": name}


def _read_code(error: Json) -> str | None:
    """The HTTP status or network code; older nodes keep it in other places, or only in the words."""
    cause = _object(error.get("cause"))
    for value in (error.get("httpCode"), error.get("code"), error.get("statusCode"), cause.get("code"), cause.get("status")):
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value):
            return str(value)[:40]
    messages = error.get("messages")
    for text in [error.get("message"), *(messages[:1] if isinstance(messages, list) else ())]:
        if isinstance(text, str) and (found := _STATUS.search(text[:_READ_WORDS])):
            return found[1] or found[2]
    return None


def _refused_credential(error: Json, code: str | None, node: Json) -> str | None:
    """The id of the node's credential, where the failure says that it was refused or is gone."""
    used = [entry for entry in map(_object, _object(node.get("credentials")).values()) if entry.get("id")]
    if not used:
        return None
    words = f"{error.get('message') or ''} {error.get('description') or ''}"[: 2 * _READ_WORDS]
    if code not in _REFUSED_CODES and not _REFUSED_WORDS.search(words):
        return None
    parameters = _object(node.get("parameters"))
    chosen = parameters.get("nodeCredentialType") or parameters.get("genericAuthType") or ""
    named = next((entry for entry in used if str(entry["id"]) in words), None)
    entry = named or _object(_object(node.get("credentials")).get(str(chosen)))
    return _text(entry.get("id") or used[0]["id"], 64)


def _digest(*parts: Any) -> str:
    """The first 128 bits of the parts' SHA-256."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _major(version: Any) -> int | None:
    return int(version) if isinstance(version, int | float) and not isinstance(version, bool) and abs(version) < 1e6 else None


def _text(value: Any, limit: int) -> str | None:
    return None if value is None or value == "" else str(value)[:limit]


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}
