"""Looks closer at failures before a service could answer: names, connections, certificates, time."""

from __future__ import annotations

from urllib.parse import urlsplit

from plugins.analyzers.rules.case import Case, Path
from plugins.analyzers.rules.fields import dig
from plugins.analyzers.rules.looks.http_request import is_local
from plugins.analyzers.rules.patch import Edit
from plugins.analyzers.rules.rule import Finding

_TIMEOUT: Path = ("options", "timeout")


#: Milliseconds: n8n's own default, and what a raised limit is at least.
_DEFAULT_TIMEOUT = 300_000


_RAISED_TIMEOUT = 30_000


def address(case: Case) -> Finding:
    """The host that was called."""
    url = str((case.error.request or {}).get("uri") or case.parameters.get("url") or "")
    return Finding(words={"host": _host(url) or case.error.description or "?"})


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def timeout(case: Case) -> Finding:
    """The node's own limit, raised where it is lower than usual."""
    limit = dig(case.parameters, _TIMEOUT)
    if case.kind != "httpRequest" or not isinstance(limit, int | float) or limit >= _DEFAULT_TIMEOUT:
        return Finding(words={"limit": "?"})
    raised = min(max(int(limit) * 10, _RAISED_TIMEOUT), _DEFAULT_TIMEOUT)
    edit = Edit(str(case.name), ("parameters", *_TIMEOUT), raised)
    return Finding(words={"limit": str(limit), "raised": str(raised)}, edits=(edit,))


def plain_port(case: Case) -> Finding:
    """https:// to a port of this network that speaks plain HTTP."""
    url = case.parameters.get("url")
    finding = address(case)
    if not isinstance(url, str) or not url.removeprefix("=").startswith("https://"):
        return finding
    host = urlsplit(url.removeprefix("=")).hostname or ""
    if "{{" in host or not is_local(host):
        return finding
    return Finding(
        words=finding.words, edits=(Edit(str(case.name), ("parameters", "url"), url.replace("https://", "http://", 1)),)
    )
