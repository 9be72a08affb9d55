"""The way to the mail server. The operator chose it, so it is no address that a visitor could turn elsewhere."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from pathlib import Path

from hub.mail_settings import MailEncryption, MailSettings

TIMEOUT_SECONDS = 20


class MailRefused(Exception):
    """The server will never take this mail; trying again is of no use."""


class MailDelayed(Exception):
    """The server could not be reached, or does not take mail now. The message says what is the matter."""


def deliver(message: EmailMessage, recipient: str, settings: MailSettings, ca_file: Path | None = None) -> None:
    """Hand a message to the mail server. MailRefused or MailDelayed where it did not take it."""
    try:
        with _connect(settings, ca_file) as server:
            if settings.user and settings.password:
                server.login(settings.user, settings.password)
            server.send_message(message, to_addrs=[recipient])
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
        code = _code(error)
        if 500 <= code < 600:
            raise MailRefused(f"the mail server refused it ({code})") from error
        raise MailDelayed(f"the mail server put it off ({code})") from error
    except smtplib.SMTPNotSupportedError as error:
        raise MailDelayed(f"the mail server lacks something: {error}") from error
    except smtplib.SMTPAuthenticationError as error:
        raise MailDelayed(f"the mail server refused HUB_SMTP_USER ({error.smtp_code})") from error
    except ssl.SSLCertVerificationError as error:
        raise MailDelayed(f"the mail server's certificate is not trusted: {error.verify_message}") from error
    except (OSError, smtplib.SMTPException) as error:
        raise MailDelayed(f"the mail server could not be spoken to: {type(error).__name__}") from error


def _connect(settings: MailSettings, ca_file: Path | None) -> smtplib.SMTP:
    host = settings.host or ""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    if settings.encryption is MailEncryption.TLS:
        return smtplib.SMTP_SSL(host, settings.port, timeout=TIMEOUT_SECONDS, context=context)
    server = smtplib.SMTP(host, settings.port, timeout=TIMEOUT_SECONDS)
    if settings.encryption is MailEncryption.STARTTLS:
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server


def _code(error: smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError) -> int:
    if isinstance(error, smtplib.SMTPDataError):
        return error.smtp_code
    return max(code for code, _reason in error.recipients.values())
