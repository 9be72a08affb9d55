"""Mail: queued with the change that it tells of, sent by the worker, kept on a page where there is no mail server."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask import current_app

from hub.columns import utc_now
from hub.config import Config
from hub.crypto import DecryptionError
from hub.extensions import db
from hub.i18n import current_language
from hub.identifiers import new_id
from hub.jobs.services import enqueue
from hub.mail.models import TEXT, Mail, MailState

log = logging.getLogger(__name__)

JOB = "mail.send"
#: How many mails the mailbox page shows.
SHOWN = 50
#: How long the record of a mail is kept.
KEEP = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """A mail as the mailbox page shows it."""

    created_at: dt.datetime
    recipient: str
    subject: str
    text: str
    purpose: str
    language: str


def _config() -> Config:
    config: Config = current_app.extensions["hub_config"]
    return config


def can_send_mail() -> bool:
    """Whether mails reach anybody: by a mail server, or in development on the mailbox page."""
    return _config().mail.host is not None or _config().has_mailbox


def send_mail(to: str, subject: str, text: str, *, purpose: str, language: str | None = None) -> None:
    """Queue a mail in the present transaction; the caller commits, so that it is sent exactly when the change is made.

    ``text`` is plain text; a line that is nothing but an address of a page becomes a link. ``purpose`` names the kind of mail
    for the record (``password.reset``). ``language`` is that of the text; default: the present one. Without a mail server a
    mail is kept for the mailbox page in development, and dropped with a line in the log in production.
    """
    config = _config()
    if not can_send_mail():
        log.warning("a mail (%s) was not sent: HUB_SMTP_HOST is not set", purpose)
        return
    mail = Mail(
        id=new_id(),
        recipient=to,
        subject=subject,
        purpose=purpose,
        language=language or current_language(),
        state=MailState.KEPT if config.has_mailbox else MailState.QUEUED,
    )
    mail.text = TEXT.encrypt(text, mail.id)
    db.session.add(mail)
    if mail.state is MailState.QUEUED:
        enqueue(JOB, mail_id=mail.id)


def read_text(mail: Mail) -> str:
    """The text of a mail that was not sent yet; DecryptionError when it was written with a key that is lost."""
    return TEXT.decrypt(mail.text or "", mail.id)


def list_mailbox() -> Sequence[MailboxRow]:
    """The mails that were kept, newest first. One whose key is lost is left out."""
    kept = sa.select(Mail).where(Mail.state == MailState.KEPT).order_by(Mail.created_at.desc(), Mail.id.desc()).limit(SHOWN)
    rows = []
    for mail in db.session.scalars(kept):
        try:
            text = read_text(mail)
        except DecryptionError:
            continue
        rows.append(MailboxRow(mail.created_at, mail.recipient, mail.subject, text, mail.purpose, mail.language))
    return rows


def drop_old_mails() -> None:
    """Forget mails after ``KEEP``; what could not be sent until then is over too."""
    db.session.execute(sa.delete(Mail).where(Mail.created_at < utc_now() - KEEP))
    db.session.commit()
