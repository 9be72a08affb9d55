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
        "Port %(port)s is not one that an n8n is reached at. If this one is, the hub's operator can add %(entry)s to "
        "HUB_ALLOWED_ADDRESSES.",
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
    return _(
        "The certificate of %(entry)s is not accepted: %(reason)s. If it is your own authority's, the hub's operator can name "
        "its file in HUB_CA_FILE. If the server speaks no TLS, use http://.",
        entry=_entry(details),
        reason=details["reason"],
    )


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
    "bad-answer": lambda details: _("%(host)s does not speak HTTP at this port.", host=details["host"]),
}  # fmt: skip


def describe_egress_error(code: str, details: Mapping[str, Any]) -> str | None:
    """The sentence in the active language; None for a code that is not one of ``EgressError``."""
    words = _WORDS.get(code)
    return words(details) if words else None
