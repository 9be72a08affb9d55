"""Sends what was prepared, and answers a server that asks for a digest."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from urllib.parse import urlsplit

from hub.contracts.exchange import Exchange, ExchangeLimits, WireRequest
from hub.contracts.http import Auth
from hub.egress import EgressError, check_url
from hub.http_builder.rendering import digest
from hub.http_builder.rendering.prepare import Prepared

#: ``hub.egress.send_exchange`` with its policy; raises ``EgressError``.
Send = Callable[[WireRequest, ExchangeLimits], Exchange]

_LEAST_SECONDS = 0.1


def authenticate(auth: Auth, prepared: Prepared, send: Send) -> tuple[WireRequest, Exchange]:
    """Send the request; what was sent last, and its answer.

    Where the server answers a digest request with a challenge, it is sent once more with the response, in the time that is left.
    A challenge of another origin, after a redirect, is not answered.
    """
    exchange = send(prepared.wire, prepared.limits)
    if auth.type != "digest" or prepared.login is None or exchange.status != 401:
        return prepared.wire, exchange
    challenge = digest.read_challenge(exchange.headers)
    wire = _last_request(prepared.wire, exchange)
    if challenge is None or wire is None:
        return prepared.wire, exchange
    parts = urlsplit(wire.url)
    uri = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    header, response = digest.answer(challenge, wire.method, uri, *prepared.login)
    kept = tuple((name, value) for name, value in wire.headers if name.lower() != "authorization")
    answered = dataclasses.replace(
        wire, headers=(*kept, ("Authorization", header)), secrets=(*wire.secrets, *filter(None, prepared.login), response)
    )
    left = max(prepared.limits.seconds - exchange.timing.total_ms / 1000, _LEAST_SECONDS)
    return answered, send(answered, dataclasses.replace(prepared.limits, seconds=left))


def _last_request(wire: WireRequest, exchange: Exchange) -> WireRequest | None:
    """What the challenge was an answer to: the request, or what redirects of its own origin made of it."""
    if not exchange.hops or exchange.hops[-1].url == wire.url:
        return wire
    last = exchange.hops[-1]
    try:
        if check_url(last.url).origin != check_url(wire.url).origin:
            return None
    except EgressError:
        return None
    return dataclasses.replace(wire, url=last.url, method=last.method, body=wire.body if last.method == wire.method else None)
