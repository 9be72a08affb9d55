"""Where an address is, in words that are certain: without asking anybody else, and without guessing countries."""

from __future__ import annotations

import ipaddress

from flask_babel import gettext as _

from hub.accounts.rate_limits import address_block


def describe_place(ip_address: str | None, present: str | None = None) -> str:
    """The network of an address, seen from the address ``present``; a public one elsewhere is said as it is."""
    try:
        address = ipaddress.ip_address(ip_address or "")
    except ValueError:
        return _("Unknown place")
    if address.is_loopback:
        return _("The computer that the hub runs on")
    if address_block(ip_address) == address_block(present):
        return _("This network")
    if address.is_link_local or address.is_private:
        return _("Private network %(network)s", network=_network(address))
    return str(address)


def _network(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """``192.168.1.x``: what one can recognise one's own networks by."""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address).rpartition(".")[0] + ".x"
    return str(ipaddress.ip_network((address, 64), strict=False))
