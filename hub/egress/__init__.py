"""The one guarded way out to the network: no address is reached that was not judged, no answer is bigger or slower than asked.

``open_session(policy)`` gives a ``requests`` session for one thread, ``fetch`` makes one request with it.
"""

from hub.egress.addresses import EgressPolicy
from hub.egress.errors import EgressError
from hub.egress.fetching import Answer, fetch
from hub.egress.session import GuardedSession, open_session
from hub.egress.urls import Target, check_url

__all__ = ["Answer", "EgressError", "EgressPolicy", "GuardedSession", "Target", "check_url", "fetch", "open_session"]
