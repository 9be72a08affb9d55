"""The settings of sending mail."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.settings import Need, Setting, at_least, one_of

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


class MailEncryption(enum.StrEnum):
    """How the way to the mail server is protected."""

    #: A plain connection that becomes TLS before anything is said (port 587). A server without it is refused.
    STARTTLS = "starttls"
    #: TLS from the first byte (port 465).
    TLS = "tls"
    #: No protection: for a server on the same machine (port 25).
    NONE = "none"


USUAL_PORTS = {MailEncryption.STARTTLS: 587, MailEncryption.TLS: 465, MailEncryption.NONE: 25}


def as_sender(text: str) -> str:
    """An address, or ``Name <address>``."""
    address = text.rpartition("<")[2].removesuffix(">") if text.endswith(">") else text
    if not _ADDRESS.fullmatch(address) or not text.isprintable():
        raise ValueError("must be an e-mail address, or a name with one: Hub <hub@example.com>")
    return text


MAIL_SETTINGS: tuple[Setting, ...] = (
    Setting(
        "HUB_SMTP_HOST",
        None,
        "Mail server that sends the hub's mail; without it nobody can register or reset a password by themselves.",
        need=Need.RECOMMENDED,
    ),
    Setting("HUB_SMTP_PORT", None, "Its port; default: 587 with STARTTLS, 465 with TLS, 25 without.", at_least(1)),
    Setting("HUB_SMTP_USER", None, "Name that the hub signs in to it with; none where it asks for none."),
    Setting("HUB_SMTP_PASSWORD", None, "Password that goes with the name.", secret=True),
    Setting(
        "HUB_SMTP_TLS",
        "starttls",
        "starttls, tls (from the first byte) or none (only for a server on this machine). Certificates are checked.",
        one_of(*MailEncryption),
    ),
    Setting("HUB_SMTP_FROM", None, "Sender of the hub's mail, e.g. AI-HTTP Hub <hub@example.com>.", as_sender),
)


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The mail server. ``host`` is None where the hub sends no mail."""

    host: str | None = None
    port: int = 587
    user: str | None = None
    password: str | None = None
    encryption: MailEncryption = MailEncryption.STARTTLS
    sender: str | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> MailSettings:
        """From the parsed settings by name."""
        encryption = MailEncryption(values["HUB_SMTP_TLS"])
        return cls(
            host=values["HUB_SMTP_HOST"],
            port=values["HUB_SMTP_PORT"] or USUAL_PORTS[encryption],
            user=values["HUB_SMTP_USER"],
            password=values["HUB_SMTP_PASSWORD"],
            encryption=encryption,
            sender=values["HUB_SMTP_FROM"],
        )


def missing_mail_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """What has to be set beside ``HUB_SMTP_HOST``: the setting, and the end of the sentence "NAME ..."."""
    if not environ.get("HUB_SMTP_HOST"):
        return {}
    missing = {}
    if not environ.get("HUB_SMTP_FROM"):
        missing["HUB_SMTP_FROM"] = "is missing; a mail server takes no mail without a sender"
    if not environ.get("HUB_PUBLIC_URL") and environ.get("HUB_ENV") == "production":
        missing["HUB_PUBLIC_URL"] = "is missing; mails carry links that begin with it"
    if bool(environ.get("HUB_SMTP_USER")) != bool(environ.get("HUB_SMTP_PASSWORD")):
        missing["HUB_SMTP_USER"] = "and HUB_SMTP_PASSWORD belong together: set both or none"
    return missing
