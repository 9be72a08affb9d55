"""Rules for headers and methods: what nobody may set, and what every request gets that says nothing else."""

from __future__ import annotations

import re

from hub.contracts.exchange import WireRequest
from hub.egress.errors import EgressError
from hub.egress.urls import Target, check_url

#: Sent with every request that does not set them itself.
DEFAULT_HEADERS = (("User-Agent", "AI-HTTP-Hub"), ("Accept", "*/*"), ("Accept-Encoding", "gzip, deflate"))

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
#: The hub frames messages and holds connections itself; a second opinion is how requests are smuggled.
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"})
_METADATA = frozenset({"metadata-flavor", "x-google-metadata-request"})
#: Methods that are about proxies and connections, not about a resource.
_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def refused_header(name: str, value: str = "") -> str | None:
    """Why a header cannot be set: ``framing``, ``proxy`` or ``metadata``; None for one that can. ``Host`` is not judged here."""
    name = name.strip().lower()
    if name in _FRAMING:
        return "framing"
    if name.startswith("proxy-"):
        return "proxy"
    azure = name == "metadata" and value.strip().lower() == "true"
    return "metadata" if azure or name in _METADATA or name.startswith("x-aws-ec2-metadata-token") else None


def check_method(method: str) -> None:
    """``EgressError("bad-method")`` for a method that is no token, or not about a resource."""
    if not _TOKEN.fullmatch(method) or method.upper() in _METHODS:
        raise EgressError("bad-method")


def check_headers(request: WireRequest, target: Target, *, any_host: bool) -> None:
    """``EgressError`` for a header that cannot or may not be sent.

    ``any_host``: the operator allowlists the target, so ``Host`` may be another than the URL's (a virtual host).
    """
    for name, value in request.headers:
        if not _TOKEN.fullmatch(name) or _CONTROL.search(value):
            raise EgressError("bad-header")
        reason = refused_header(name, value)
        if name.lower() == "host" and not any_host and value.strip().lower() not in (target.authority, target.host):
            reason = "host"
        if reason:
            raise EgressError("header-refused", name=name, reason=reason)
    if sum(name.lower() == "host" for name, _value in request.headers) > 1:
        raise EgressError("header-refused", name="Host", reason="host")


def outgoing_headers(request: WireRequest) -> tuple[tuple[str, str], ...]:
    """All headers as they are sent, in order: ``Host``, the defaults, the request's own, ``Content-Length``."""
    given = {name.lower() for name, _value in request.headers}
    headers = [] if "host" in given else [("Host", check_url(request.url).authority)]
    headers += [(name, value) for name, value in DEFAULT_HEADERS if name.lower() not in given]
    headers += request.headers
    if request.body is not None or request.method in _METHODS_WITH_BODY:
        headers.append(("Content-Length", str(len(request.body or b""))))
    return tuple(headers)
