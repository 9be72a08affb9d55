"""The development mailbox: mails that would have been sent, where there is no mail server to send them."""

from __future__ import annotations

import ipaddress
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from hub.errors import NotFound
from hub.htmx import render
from hub.mail.messages import is_link
from hub.mail.services import list_mailbox

bp = Blueprint("mail", __name__)


@bp.app_context_processor
def offer_mailbox() -> dict[str, Any]:
    """``has_mailbox`` for pages that promise a mail; undefined where mail is really sent."""
    return {"has_mailbox": _is_here()}


@bp.get("/system/mailbox")
def mailbox() -> ResponseReturnValue:
    """The newest mails with their text, for whoever sits at this machine: they hold links that open accounts."""
    if not _is_here():
        raise NotFound
    return render("mail/mailbox.html", mails=list_mailbox(), is_link=is_link)


def _is_here() -> bool:
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
