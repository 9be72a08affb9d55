"""The one guarded way out to the network: no address is reached that was not judged, no answer is bigger or slower than asked.

``open_session(policy)`` gives a session for one thread, ``fetch`` makes one request with it. ``send_exchange`` sends a request
that a person made: every header in its order, redirects followed, and all that is known about the way told.
"""

from flask import current_app

from hub.egress.addresses import EgressPolicy
from hub.egress.errors import EgressError
from hub.egress.exchange import MAX_REQUEST_BODY, send_exchange
from hub.egress.fetching import Answer, fetch
from hub.egress.headers import DEFAULT_HEADERS, outgoing_headers, refused_header
from hub.egress.session import GuardedSession, open_session
from hub.egress.urls import Target, check_url, may_reach
from hub.egress.words import describe_egress_error

__all__ = [
    "DEFAULT_HEADERS",
    "MAX_REQUEST_BODY",
    "Answer",
    "EgressError",
    "EgressPolicy",
    "GuardedSession",
    "Target",
    "check_url",
    "current_policy",
    "describe_egress_error",
    "fetch",
    "may_reach",
    "open_session",
    "outgoing_headers",
    "refused_header",
    "send_exchange",
]


def current_policy() -> EgressPolicy:
    """The policy of the present app, made from its configuration on first use."""
    extensions = current_app.extensions
    if "hub_egress" not in extensions:
        extensions["hub_egress"] = EgressPolicy.from_config(extensions["hub_config"])
    policy: EgressPolicy = extensions["hub_egress"]
    return policy
