"""What can go wrong on the way out: a machine code with the details that its words need."""

from __future__ import annotations

#: English words for logs; ``hub.egress.words`` has them for people.
_SENTENCES = {
    "bad-url": "the URL is not usable ({reason})",
    "address-refused": "{host} is at {address}, which is {reason}; HUB_ALLOWED_ADDRESSES does not list it",
    "address-never": "{host} is at {address}, which is never reached: {reason}",
    "port-refused": "port {port} of {host} is not used for HTTP; HUB_ALLOWED_ADDRESSES does not list {host}:{port}",
    "dns": "the name {host} does not resolve",
    "connect": "no connection to {host}:{port}: {reason}",
    "tls": "no TLS connection to {host}:{port}: {reason}",
    "reset": "{host} closed the connection before the answer was complete",
    "timeout": "{host} did not answer within {seconds} seconds",
    "too-large": "the answer is larger than {limit} bytes",
    "bad-header": "a header has a line break or a letter that HTTP cannot carry",
    "bad-answer": "{host} answered with something that is not HTTP: {reason}",
}


class EgressError(Exception):
    """A request was refused or failed. ``code`` is one of the keys of the table above; ``details`` are plain values."""

    def __init__(self, code: str, **details: str | int | float) -> None:
        self.code = code
        self.details = details
        super().__init__(_SENTENCES[code].format_map(details))
