"""Egress errors in words for people: what happened, and what the operator or the person can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext as _


def _bad_url(details: Mapping[str, Any]) -> str:
    words = {
        "too-long": _("The address is too long."),
        "characters": _("The address contains a space, a backslash or a control character."),
        "scheme": _("The address must begin with http:// or https://."),
        "userinfo": _("The address must not contain a user name or a password."),
        "port": _("The port must be a number from 1 to 65535."),
        "ipv4": _("An IPv4 address must be written as four plain numbers, such as 192.0.2.1."),
        "ipv6": _("The IPv6 address cannot be read."),
    }
    return words.get(str(details.get("reason")), _("The host name in the address is not valid."))


def _address_refused(details: Mapping[str, Any]) -> str:
    kinds = {"loopback": _("this machine itself"), "private": _("a private network")}
    return _(
        "%(host)s is at %(address)s, which belongs to %(kind)s. The hub reaches such addresses only where its operator "
        "allows it: add %(entry)s to HUB_ALLOWED_ADDRESSES and restart the hub.",
        host=details["host"],
        address=details["address"],
        kind=kinds.get(str(details["reason"]), _("a range that is not public")),
        entry=_entry(details),
    )


def _entry(details: Mapping[str, Any]) -> str:
    host = f"[{details['host']}]" if ":" in str(details["host"]) else details["host"]
    return f"{host}:{details['port']}"


def _address_never(details: Mapping[str, Any]) -> str:
    if details["reason"] == "own":
        return _("This is the address of the hub itself.")
    return _(
        "%(host)s is at %(address)s. The hub never reaches this range (cloud metadata, link-local), whatever is configured.",
        host=details["host"],
        address=details["address"],
    )


def _port_refused(details: Mapping[str, Any]) -> str:
    return _(
        "Port %(port)s usually belongs to something else than HTTP. If this one does not, the hub's operator can add "
        "%(entry)s to HUB_ALLOWED_ADDRESSES.",
        port=details["port"],
        entry=_entry(details),
    )


def _connect(details: Mapping[str, Any]) -> str:
    if details["reason"] == "refused":
        return _("Nothing listens at %(entry)s. Check that the server runs and that the port is right.", entry=_entry(details))
    if details["reason"] == "timeout":
        return _(
            "%(entry)s does not take the connection. Check the address, and that no firewall is in between.",
            entry=_entry(details),
        )
    return _("No connection to %(entry)s: %(reason)s.", entry=_entry(details), reason=details["reason"])


def _tls(details: Mapping[str, Any]) -> str:
    if details.get("part") == "handshake":
        return _(
            "No encrypted connection to %(entry)s: %(reason)s. If the server speaks no TLS, use http://.",
            entry=_entry(details),
            reason=details["reason"],
        )
    return _(
        "The certificate of %(entry)s is not accepted: %(reason)s. If it is your own authority's, the hub's operator can name "
        "its file in HUB_CA_FILE.",
        entry=_entry(details),
        reason=details["reason"],
    )


def _header_refused(details: Mapping[str, Any]) -> str:
    words = {
        "framing": _("The hub sets the header %(name)s itself, from what it sends. Remove it.", name=details["name"]),
        "proxy": _("The header %(name)s is for proxies, and the hub uses none. Remove it.", name=details["name"]),
        "metadata": _("The header %(name)s opens cloud metadata services, so the hub never sends it.", name=details["name"]),
    }
    return words.get(str(details["reason"])) or _(
        "The header Host may differ from the address only where the hub's operator lists the address in "
        "HUB_ALLOWED_ADDRESSES. Remove it."
    )


def _secret_host(details: Mapping[str, Any]) -> str:
    if not details["hosts"]:
        return _("A secret of this request is bound to no host yet, so it is not sent to %(host)s.", host=details["host"])
    return _(
        "A secret of this request may go to %(hosts)s only, so nothing was sent to %(host)s. If that host is right, add it to "
        "the hosts of the secret.",
        hosts=details["hosts"],
        host=details["host"],
    )


def _bad_answer(details: Mapping[str, Any]) -> str:
    words = {
        "headers": _("%(host)s answered with headers that HTTP does not allow.", host=details["host"]),
        "content-length": _("%(host)s announced the length of its answer in a way that cannot be read.", host=details["host"]),
        "chunks": _("%(host)s sent an answer whose chunks cannot be read.", host=details["host"]),
    }
    return words.get(str(details["reason"])) or _("%(host)s does not speak HTTP at this port.", host=details["host"])


_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "bad-url": _bad_url,
    "address-refused": _address_refused,
    "address-never": _address_never,
    "port-refused": _port_refused,
    "dns": lambda details: _("The name %(host)s is not known. Check the spelling.", host=details["host"]),
    "connect": _connect,
    "tls": _tls,
    "reset": lambda details: _(
        "%(host)s closed the connection before its answer was complete. Try again; if it stays, look at the server's log.",
        host=details["host"],
    ),
    "timeout": lambda details: _(
        "%(host)s gave no complete answer within %(seconds)s seconds.", host=details["host"], seconds=f"{details['seconds']:g}"
    ),
    "too-large": lambda details: _(
        "The answer is larger than %(limit)s MB.", limit=f"{details['limit'] / 1_000_000:g}"
    ),
    "bad-header": lambda _details: _("A header of the request has a line break or a letter that HTTP cannot carry."),
    "bad-answer": _bad_answer,
    "bad-method": lambda _details: _("This method cannot be sent. Use one such as GET or POST."),
    "header-refused": _header_refused,
    "secret-host": _secret_host,
    "request-too-large": lambda details: _(
        "The body of the request is larger than %(limit)s MB.", limit=f"{details['limit'] / 1_000_000:g}"
    ),
    "dns-timeout": lambda details: _(
        "The address of %(host)s was not found within %(seconds)s seconds. Try again, or check the hub's name server.",
        host=details["host"],
        seconds=f"{details['seconds']:g}",
    ),
    "cancelled": lambda _details: _("The request was cancelled."),
    "large-headers": lambda details: _("%(host)s answered with more headers than the hub reads.", host=details["host"]),
    "bad-encoding": lambda details: _(
        "The body that %(host)s sent is not %(encoding)s, as its headers say, or it is cut short.",
        host=details["host"],
        encoding=details["encoding"],
    ),
    "many-encodings": lambda details: _(
        "%(host)s compressed its answer %(count)s times over; the hub undoes at most %(limit)s.",
        host=details["host"],
        count=details["count"],
        limit=details["limit"],
    ),
    "too-many-redirects": lambda details: _(
        "There were more than %(limit)s redirects; the last came from %(host)s.", limit=details["limit"], host=details["host"]
    ),
    "redirect-loop": lambda details: _("%(host)s redirects in a circle.", host=details["host"]),
    "redirect-downgrade": lambda details: _(
        "%(host)s redirects from https to http, where everybody on the way could read along. The hub does not follow.",
        host=details["host"],
    ),
    "redirect-body": lambda details: _(
        "%(host)s asks to send the body on to another server, and the body carries a secret. The hub does not follow.",
        host=details["host"],
    ),
    "redirect-secret": lambda details: _(
        "%(host)s redirects to another server with a secret in the address. The hub does not follow.", host=details["host"]
    ),
}  # fmt: skip


def describe_egress_error(code: str, details: Mapping[str, Any]) -> str | None:
    """The sentence in the active language; None for a code that is not one of ``EgressError``."""
    words = _WORDS.get(code)
    return words(details) if words else None
