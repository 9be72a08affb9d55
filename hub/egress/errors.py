"""What can go wrong on the way out: a machine code with the details that its words need."""

from __future__ import annotations

from hub.contracts.exchange import Hop, Timing

#: English words for logs; ``hub.egress.words`` has them for people.
_SENTENCES = {
    "bad-url": "the URL is not usable ({reason})",
    "bad-method": "the method is not one that can be sent",
    "bad-header": "a header has a line break or a letter that HTTP cannot carry",
    "header-refused": "the header {name} is not sent ({reason})",
    "secret-host": "a secret of the request is bound to {hosts} and does not go to {host}",
    "request-too-large": "the body of the request is larger than {limit} bytes",
    "address-refused": "{host} is at {address}, which is {reason}; HUB_ALLOWED_ADDRESSES does not list it",
    "address-never": "{host} is at {address}, which is never reached: {reason}",
    "port-refused": "port {port} of {host} is not used for HTTP; HUB_ALLOWED_ADDRESSES does not list {host}:{port}",
    "dns": "the name {host} does not resolve",
    "dns-timeout": "no name server told the address of {host} within {seconds} seconds",
    "connect": "no connection to {host}:{port}: {reason}",
    "tls": "no TLS connection to {host}:{port}: {reason}",
    "reset": "{host} closed the connection before the answer was complete",
    "timeout": "{host} did not answer within {seconds} seconds",
    "cancelled": "the request was cancelled",
    "too-large": "the answer is larger than {limit} bytes",
    "large-headers": "{host} answered with more headers than are read",
    "bad-answer": "{host} answered with something that is not HTTP: {reason}",
    "bad-encoding": "the body of the answer of {host} is not {encoding}, as its headers say",
    "many-encodings": "{host} compressed the answer {count} times over, and {limit} are undone",
    "too-many-redirects": "{host} redirects once more after {limit} redirects",
    "redirect-loop": "{host} redirects to a place where the request was before",
    "redirect-downgrade": "{host} redirects from https to http",
    "redirect-body": "{host} asks to send the body to another origin, and the body carries a secret",
    "redirect-secret": "{host} redirects to another origin with a secret in the address",
}


class EgressError(Exception):
    """A request was refused or failed. ``code`` is one of the keys of the table above; ``details`` are plain values.

    ``send_exchange`` adds how far it came: the redirects that were answered, the step that failed (``dns``, ``connect``, ``tls``,
    ``first_byte``, ``download``; None before the first of them) and the time that each step of that last try took.
    """

    def __init__(self, code: str, **details: str | int | float) -> None:
        self.code = code
        self.details = details
        self.hops: tuple[Hop, ...] = ()
        self.phase: str | None = None
        self.timing: Timing | None = None
        super().__init__(_SENTENCES[code].format_map(details))
