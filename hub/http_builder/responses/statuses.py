"""What status codes mean, in words: every code of the IANA registry, and the class of any other."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext

_MEANINGS: dict[int, Any] = {
    100: lazy_gettext("The server waits for the body."),
    101: lazy_gettext("The server changes to another protocol."),
    102: lazy_gettext("The server works on it; no answer yet."),
    103: lazy_gettext("Headers in advance; the answer is to come."),
    104: lazy_gettext("The upload can be resumed."),
    200: lazy_gettext("It worked."),
    201: lazy_gettext("Something new was created."),
    202: lazy_gettext("Accepted; it will be done later."),
    203: lazy_gettext("It worked; a proxy changed the answer."),
    204: lazy_gettext("It worked; there is nothing to answer."),
    205: lazy_gettext("It worked; the form should be emptied."),
    206: lazy_gettext("A part of the content, as asked for."),
    207: lazy_gettext("Several outcomes; the body tells each."),
    208: lazy_gettext("Already listed in this answer."),
    226: lazy_gettext("Only what changed since the last time."),
    300: lazy_gettext("There are several versions; choose one."),
    301: lazy_gettext("Moved for good; use the new address."),
    302: lazy_gettext("Found at another address for now."),
    303: lazy_gettext("The answer stands at another address; fetch it with GET."),
    304: lazy_gettext("Not changed since your copy."),
    305: lazy_gettext("To be reached through a proxy (outdated)."),
    306: lazy_gettext("Not used any more."),
    307: lazy_gettext("At another address for now; same method."),
    308: lazy_gettext("Moved for good; same method."),
    400: lazy_gettext("The server cannot read the request. Check the parameters and the body."),
    401: lazy_gettext("Not signed in. Check the key, token or password."),
    402: lazy_gettext("Payment is needed."),
    403: lazy_gettext("Signed in, but not allowed. Check the rights of the key."),
    404: lazy_gettext("Nothing is there. Check the path and the ids."),
    405: lazy_gettext("This method is not allowed here."),
    406: lazy_gettext("Not available in the form that Accept asks for."),
    407: lazy_gettext("A proxy asks to sign in."),
    408: lazy_gettext("The server waited too long for the request."),
    409: lazy_gettext("It conflicts with what is there already."),
    410: lazy_gettext("It was there and is gone for good."),
    411: lazy_gettext("The server wants to know the length of the body."),
    412: lazy_gettext("A condition in the headers does not hold."),
    413: lazy_gettext("The body is too large."),
    414: lazy_gettext("The address is too long."),
    415: lazy_gettext("The server does not take this content type. Check the header Content-Type."),
    416: lazy_gettext("The range that was asked for does not exist."),
    417: lazy_gettext("The server cannot do what the header Expect asks for."),
    418: lazy_gettext("Not used (the teapot of 1998)."),
    421: lazy_gettext("This server is not the right one for the address."),
    422: lazy_gettext("Readable, but the values are not accepted. The body usually says which."),
    423: lazy_gettext("It is locked."),
    424: lazy_gettext("Something before it failed."),
    425: lazy_gettext("Too early: the request might be a repeated one."),
    426: lazy_gettext("Another protocol is needed."),
    428: lazy_gettext("A condition such as If-Match is needed."),
    429: lazy_gettext("Too many requests. Wait; the header Retry-After may say how long."),
    431: lazy_gettext("The headers are too large."),
    451: lazy_gettext("Not available for legal reasons."),
    500: lazy_gettext("The server failed."),
    501: lazy_gettext("The server does not know this method."),
    502: lazy_gettext("A server in between got no valid answer."),
    503: lazy_gettext("Not available just now. Try again later."),
    504: lazy_gettext("A server in between waited too long."),
    505: lazy_gettext("The server does not speak this version of HTTP."),
    506: lazy_gettext("The server is set up wrongly (negotiation)."),
    507: lazy_gettext("The server has no room left."),
    508: lazy_gettext("The server ran in a circle."),
    510: lazy_gettext("An extension is needed (outdated)."),
    511: lazy_gettext("The network asks to sign in first."),
}
_CLASSES: dict[int, Any] = {
    1: lazy_gettext("Information; the answer is to come."),
    2: lazy_gettext("It worked."),
    3: lazy_gettext("The answer stands elsewhere."),
    4: lazy_gettext("The server does not accept the request."),
    5: lazy_gettext("The server failed."),
}
_TONES = {1: "info", 2: "good", 3: "info", 4: "warn", 5: "bad"}


def describe_status(status: int) -> str:
    """What a status code means, in one sentence of the reader's language."""
    return str(_MEANINGS.get(status) or _CLASSES.get(status // 100) or "")


def tone_of_status(status: int | None) -> str:
    """The colour of a status: good, info, warn or bad; empty for none."""
    return _TONES.get((status or 0) // 100, "")
