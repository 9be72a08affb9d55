"""What a redirect makes of a request: the next URL, the method, and all that must not reach another origin."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import quote, urljoin

from hub.contracts.exchange import WireRequest
from hub.egress.errors import EgressError
from hub.egress.secret_values import SecretFinder, is_sensitive_name
from hub.egress.urls import Target, check_url

REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: Headers about a body that is left out (RFC 9110 15.4).
_BODY_HEADERS = frozenset({"content-type", "content-encoding", "content-language", "content-location"})
#: A relative reference that browsers read as another host, and Python as a path.
_AMBIGUOUS = re.compile(r"https?:(?!//[^/])|///", re.IGNORECASE)
_UNUSABLE = re.compile(r"[\x00-\x1f\x7f\\]")


@dataclasses.dataclass(frozen=True, slots=True)
class Redirected:
    """The next request on the way, where it goes, and the names of what it lost."""

    request: WireRequest
    target: Target
    stripped: tuple[str, ...] = ()


def redirect(request: WireRequest, source: Target, status: int, location: str, secrets: SecretFinder) -> Redirected:
    """The request that a redirect asks for; ``EgressError`` for one that is not followed.

    301 and 302 turn POST into GET, as browsers and curl do; 303 turns all but HEAD; 307 and 308 keep method and body.
    """
    url = resolve_location(request.url, location)
    target = check_url(url)
    if source.scheme == "https" and target.scheme == "http":
        raise EgressError("redirect-downgrade", host=source.host)
    method = _next_method(request.method, status)
    headers, body = request.headers, request.body
    if method != request.method:
        headers, body = tuple(pair for pair in headers if pair[0].lower() not in _BODY_HEADERS), None
    following = dataclasses.replace(request, method=method, url=url, headers=headers, body=body)
    if target.origin == source.origin:
        return Redirected(following, target)
    return _cross_origin(following, source, target, secrets)


def resolve_location(base: str, location: str) -> str:
    """The absolute URL of a ``Location``; ``EgressError("bad-url")`` for one that browsers and Python read differently."""
    location = location.strip(" ")
    if _UNUSABLE.search(location):
        raise EgressError("bad-url", reason="characters")
    if _AMBIGUOUS.match(location):
        raise EgressError("bad-url", reason="host")
    url = urljoin(base, location)
    start, separator, rest = url.partition("://")
    authority = re.match(r"[^/?#]*", rest)[0]  # type: ignore[index]
    path = re.sub(r"[^\x21-\x7e]+", lambda found: quote(found[0], errors="replace"), rest[len(authority) :])
    return f"{start}{separator}{authority}{path}"


def _next_method(method: str, status: int) -> str:
    if status == 303 and method != "HEAD":
        return "GET"
    return "GET" if status in (301, 302) and method == "POST" else method


def _cross_origin(request: WireRequest, source: Target, target: Target, secrets: SecretFinder) -> Redirected:
    kept, stripped = [], []
    for name, value in request.headers:
        if name.lower() == "host" or is_sensitive_name(name) or secrets.carries(value) or secrets.carries(name):
            stripped.append(name)
        else:
            kept.append((name, value))
    url, parameters = _without_secrets(request.url, secrets)
    if secrets.carries(url):
        raise EgressError("redirect-secret", host=source.host)
    if request.body is not None and secrets.carries(request.body.decode("utf-8", "replace")):
        raise EgressError("redirect-body", host=source.host)
    following = dataclasses.replace(request, url=url, headers=tuple(kept))
    return Redirected(following, target, tuple(dict.fromkeys([*stripped, *parameters])))


def _without_secrets(url: str, secrets: SecretFinder) -> tuple[str, list[str]]:
    """The URL without the parameters that carry a secret, and their names (a name that carries one itself is not told)."""
    place, mark, fragment = url.partition("#")
    place, question, query = place.partition("?")
    kept, stripped = [], []
    for parameter in query.split("&"):
        if secrets.carries(parameter):
            name = parameter.partition("=")[0]
            stripped.append("?" if secrets.carries(name) else name)
        else:
            kept.append(parameter)
    if not stripped:
        return url, []
    query = "&".join(kept)
    return place + (question + query if query else "") + mark + fragment, stripped
