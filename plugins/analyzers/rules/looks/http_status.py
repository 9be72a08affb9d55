"""Looks closer at failures that the called service answers with an HTTP status."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from hub.plugin_api import Quote
from plugins.analyzers.rules import demands, media_types
from plugins.analyzers.rules.case import Case
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.retries import is_repeatable, retry_if_repeatable
from plugins.analyzers.rules.rule import Finding, regex

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


_ALLOWED = regex(
    r"(?:allow(?:ed|s)?|supported|use|only|expects?|requires?|must be|methods?)\b[^A-Za-z]{0,"
    r"6}(?:methods?\b[^A-Za-z]{0,4})?(?:is|are|a|an|the)?\s*"
    r"((?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\b(?:[\s,/|]+(?:and|or)?\s*(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\b)*)"
)


_PATH = re.compile(r"[\"'`\s(](/[\w\-./{}:~%]*[\w}])")


def wrong_method(case: Case) -> Finding | None:
    """The method that the answer of a 405 allows."""
    found = _ALLOWED.search(case.words.replace(case.method, "", 1) if case.method else case.words)
    named = re.findall("|".join(_METHODS), found.group(1).upper()) if found else []
    allowed = [method for method in named if method not in ("OPTIONS", "HEAD") and method != case.method]
    if not allowed and case.method == "GET" and case.parameters.get("sendBody"):
        allowed = ["POST"]  # a GET with a body was meant to bring something
    words = {"method": case.method or "?", "allowed": ", ".join(allowed) or "?"}
    if case.kind != "httpRequest" or len(allowed) != 1 or _was_redirected(case):
        return Finding(words=words)
    parameter = "requestMethod" if float(case.node.get("typeVersion") or 1) < 3 else "method"
    return Finding(words=words, edits=(Edit(str(case.name), ("parameters", parameter), allowed[0]),))


def _was_redirected(case: Case) -> bool:
    """Whether the answer speaks of another call than the one that was sent: a redirect made a GET of it, or led elsewhere."""
    refused = regex(rf"\b({'|'.join(_METHODS)})\b(?: method)?(?: is|\W)* (?:not|isn't)").search(case.words)
    if refused and refused.group(1).upper() != case.method:
        return True
    sent = urlsplit(str((case.error.request or {}).get("uri") or "")).path.rstrip("/")
    named = [path.rstrip("/") for path in _PATH.findall(case.words)]
    return bool(sent and named) and not any(sent.endswith(path) or path.endswith(sent) for path in named)


def method_refused(case: Case) -> Finding | None:
    """A method that is refused, though not with 405."""
    finding = wrong_method(case)
    return finding if finding and finding.edits else None


def moved_path(case: Case) -> Finding:
    """The path that a 404's answer names as a similar or the new one."""
    url = case.parameters.get("url")
    words = {"url": str((case.error.request or {}).get("uri") or url or "")}
    if case.kind != "httpRequest" or not isinstance(url, str):
        return Finding(words=words)
    path = urlsplit(words["url"] if "{{" in url else url).path
    hint = regex(r"did you mean|similar|try|moved to|use|replaced by|instead|renamed").search(case.words)
    named = [found for found in _PATH.findall(case.words[hint.start() if hint else 0 :]) if found.rstrip("/") != path.rstrip("/")]
    candidates = list(dict.fromkeys(named)) if hint else []
    if len(candidates) != 1 or not path.strip("/"):
        return Finding(words=words)
    new = _moved(url, path, candidates[0])
    if new is None:
        return Finding(words=words)
    quote = Quote(pointer="/error/messages/0", quote=candidates[0])
    return Finding(
        words={**words, "path": candidates[0]}, edits=(Edit(str(case.name), ("parameters", "url"), new),), quotes=(quote,)
    )


def _moved(url: str, path: str, right: str) -> str | None:
    """The address with the right path; of one with expressions only the parts between the slashes that differ."""
    if "{{" not in url:
        return url.replace(path, right, 1)
    was, now = path.strip("/").split("/"), right.strip("/").split("/")
    changes = [pair for pair in zip(was, now, strict=False) if pair[0] != pair[1]]
    if len(was) != len(now) or len(changes) != 1 or url.count(f"/{changes[0][0]}") != 1:
        return None
    return url.replace(f"/{changes[0][0]}", f"/{changes[0][1]}")


def rejected(case: Case) -> Finding:
    """A field that the service misses or refuses."""
    return demands.rejected_field(case) or Finding(words={"field": "?"})


def rejected_type(case: Case) -> Finding | None:
    """A field that the service wants in another type."""
    return demands.rejected_type(case)


def media_type(case: Case) -> Finding:
    """The format that the service wants instead."""
    return media_types.other_media_type(case)


def content_type_refused(case: Case) -> Finding | None:
    """A request that is refused for its content type, though not with 415."""
    return media_types.content_type_refused(case)


def over_plain_http(case: Case) -> Finding | None:
    """An http:// address, to be called with https://."""
    url = case.parameters.get("url")
    if not isinstance(url, str) or not url.startswith("http://"):
        return None
    return Finding(edits=(Edit(str(case.name), ("parameters", "url"), "https://" + url.removeprefix("http://")),))


def server_fault(case: Case) -> Finding:
    """A crash inside the service is less likely to pass than an outage."""
    crash = regex(r"exception|traceback|null ?pointer|undefined|cannot read|stack|syntax|panic").search(
        case.words.replace(case.error.message, "")
    )
    return Finding(certainty=0.95 if crash else 1.0, facts={"crash": bool(crash)})


def retry_outage(case: Case, finding: Finding) -> Sequence[Edit] | None:
    """Retries, except where the service crashes over this very request."""
    return None if finding.facts.get("crash") else retry_if_repeatable(case, finding)


def _not_repeatable(case: Case, _finding: Finding) -> bool:
    return not is_repeatable(case)
