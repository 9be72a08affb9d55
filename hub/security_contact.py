"""Whom to tell about a weakness of this hub: the setting, and the file that says it (RFC 9116)."""

from __future__ import annotations

import datetime as dt
import re

from hub.settings import Setting

#: How long the file's word holds: the RFC asks for less than a year.
_HOLDS = dt.timedelta(days=180)


def as_contact(text: str) -> str:
    """A mail address or an https:// page; the answer is a URI."""
    if re.fullmatch(r"(mailto:)?[^\s@:/?]+@[^\s@:/?]+\.[^\s@:/?]+", text):
        return "mailto:" + text.removeprefix("mailto:")
    if re.fullmatch(r"https://[^\s/]+\S*", text):
        return text
    raise ValueError("must be a mail address or an https:// address")


SECURITY_CONTACT = Setting(
    "HUB_SECURITY_CONTACT", None, "Whom to tell about a weakness: a mail or https:// address, for security.txt.", as_contact
)


def write_security_txt(contact: str, public_url: str | None, now: dt.datetime) -> str:
    """The file for /.well-known/security.txt. Its end is a midnight, so that all of one day is the same file."""
    expires = (now + _HOLDS).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [f"Contact: {contact}", f"Expires: {expires.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}", "Preferred-Languages: en, ar"]
    if public_url:
        lines.append(f"Canonical: {public_url.rstrip('/')}/.well-known/security.txt")
    return "\n".join(lines) + "\n"
