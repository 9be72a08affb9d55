"""Sending what was queued, and forgetting what is old."""

from __future__ import annotations

import logging
from email.errors import MessageError

from flask import current_app

from hub.columns import utc_now
from hub.config import Config
from hub.crypto import DecryptionError
from hub.errors import HubError
from hub.extensions import db
from hub.jobs.services import JobContext, RetryLater, job, periodic
from hub.mail.messages import build_message
from hub.mail.models import Mail, MailState
from hub.mail.services import JOB, drop_old_mails, read_text
from hub.mail.smtp import MailDelayed, MailRefused, deliver

log = logging.getLogger(__name__)

#: Seconds until a mail that was put off is tried again; afterwards it has failed. Two and a half days in all.
DELAYS = (15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 20 * 3600)


@job(JOB)
def send_queued_mail(context: JobContext, mail_id: str) -> None:
    """Send one mail. Cut off between the server's yes and ours it is sent again, under the same message id."""
    mail = db.session.get(Mail, mail_id)
    if mail is None or mail.state is not MailState.QUEUED:
        return
    config: Config = current_app.extensions["hub_config"]
    try:
        message = build_message(mail, read_text(mail), config.mail.sender or "")
        recipient = mail.recipient
        db.session.rollback()  # no transaction is held while another server is spoken to
        deliver(message, recipient, config.mail, config.ca_file)
    except MailDelayed as error:
        if context.attempt <= len(DELAYS):
            raise RetryLater(DELAYS[context.attempt - 1], str(error)) from error
        _give_up(mail_id, str(error))
    except (MailRefused, DecryptionError, MessageError, ValueError) as error:
        _give_up(mail_id, str(error))
    else:
        _note(mail_id, MailState.SENT)


def _give_up(mail_id: str, reason: str) -> None:
    _note(mail_id, MailState.FAILED, reason)
    log.error("a mail (%s) could not be sent: %s", mail_id, reason)
    raise HubError(f"The mail could not be sent: {reason}.")


def _note(mail_id: str, state: MailState, error: str | None = None) -> None:
    """Store how it ended. The text goes: it is needed no more and may open an account."""
    mail = db.session.get(Mail, mail_id)
    if mail is not None:
        mail.state, mail.error, mail.text = state, error, None
        mail.sent_at = utc_now() if state is MailState.SENT else None
        db.session.commit()


@periodic("mail.housekeeping", seconds=3600)
def keep_house(_context: JobContext) -> None:
    """Forget old mails."""
    drop_old_mails()
