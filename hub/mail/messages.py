"""The form of a mail: plain text, and the same as simple HTML so that right-to-left text and links read well everywhere."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from markupsafe import Markup, escape

from hub.columns import utc_now
from hub.mail.models import Mail

_PAGE = Markup(
    '<!doctype html><html lang="{language}" dir="{direction}"><meta charset="utf-8"><title>{subject}</title>'
    '<body style="margin:0;padding:24px;font:16px/1.6 system-ui,sans-serif;color:#1c2024;background:#ffffff">'
    '<div style="max-width:34em;margin:0 auto">{paragraphs}</div></body></html>'
)
_PARAGRAPH = Markup('<p style="margin:0 0 1em">{}</p>')
_LINK = Markup('<a href="{0}" dir="ltr" style="color:#1f5fbf;overflow-wrap:anywhere">{0}</a>')


def build_message(mail: Mail, text: str, sender: str) -> EmailMessage:
    """The whole message. Its id stays the same when it is sent twice, so that mail programs show it once."""
    name, address = parseaddr(sender)
    host = address.rpartition("@")[2]
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(name, addr_spec=address)
    message["To"] = Address(addr_spec=mail.recipient)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(utc_now())
    message["Message-ID"] = f"<{mail.id}@{host}>"
    # No holiday reply comes back.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    message.add_alternative(as_html(mail.subject, text, mail.language), subtype="html")
    message["Content-Language"] = mail.language
    return message


def as_html(subject: str, text: str, language: str) -> str:
    """The text as a small page: paragraphs at empty lines, links where a line is nothing but an address."""
    paragraphs = Markup("").join(
        _PARAGRAPH.format(Markup("<br>").join(map(_line, block.split("\n")))) for block in text.strip().split("\n\n")
    )
    direction = "rtl" if language == "ar" else "ltr"
    return _PAGE.format(language=language, direction=direction, subject=subject, paragraphs=paragraphs)


def _line(line: str) -> Markup:
    return _LINK.format(line) if is_link(line) else escape(line)


def is_link(line: str) -> bool:
    """Whether a line is nothing but the address of a page."""
    return line.startswith(("https://", "http://")) and " " not in line
