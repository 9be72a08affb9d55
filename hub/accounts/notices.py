"""Notices about an account, by mail to its owner: what somebody else should not be able to do unseen."""

from __future__ import annotations

import datetime as dt
import enum

from babel.dates import format_datetime
from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _

from hub.accounts.actors import Client
from hub.accounts.browsers import describe_browser
from hub.accounts.models import User
from hub.columns import utc_now
from hub.i18n import LANGUAGES, current_language
from hub.mail.services import send_mail


class Notice(enum.StrEnum):
    """What happened to the account."""

    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    EMAIL_CHANGE_ASKED = "email_change_asked"
    EMAIL_CHANGED = "email_changed"
    SECOND_FACTOR_ON = "second_factor_on"
    SECOND_FACTOR_OFF = "second_factor_off"
    RECOVERY_CODE_USED = "recovery_code_used"
    RECOVERY_CODES_CREATED = "recovery_codes_created"
    APP_REPLACED = "app_replaced"
    APP_REMOVED = "app_removed"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    PASSKEY_SUSPECTED = "passkey_suspected"
    NEW_DEVICE = "new_device"
    TOKEN_REUSED = "token_reused"  # noqa: S105


def language_of(user: User, otherwise: str | None = None) -> str:
    """The language that a person chose, else ``otherwise``, else the present one."""
    chosen = user.settings.get("language") if user.settings else None
    return chosen if chosen in LANGUAGES else otherwise or current_language()


def isolate(text: str) -> str:
    """Text that keeps its own direction within a line of another (Unicode isolates)."""
    return f"\u2068{text}\u2069"


def notify(user: User, kind: Notice, client: Client, *, to: str | None = None, **details: str) -> None:
    """Mail ``user`` that ``kind`` happened, in their language and the present transaction; the caller commits.

    ``to`` is another address than the account's (the old one after a change). ``details`` fills in what the sentence of the
    kind names. An address that was never confirmed gets no mail.
    """
    if not user.email_verified:
        return
    language = language_of(user)
    with force_locale(language):
        subject, happened = _words(kind, {name: isolate(value) for name, value in details.items()})
        text = "\n\n".join((happened, _place(client, language), _advice()))
        send_mail(to or user.email, subject, text, purpose=f"notice.{kind}", language=language)


def _words(kind: Notice, details: dict[str, str]) -> tuple[str, str]:
    """Subject and first sentence."""
    match kind:
        case Notice.PASSWORD_CHANGED:
            return _("Your password was changed"), _("The password of your AI-HTTP Hub account was changed.")
        case Notice.EMAIL_CHANGE_ASKED:
            return _("A new e-mail address was asked for"), _(
                "Somebody who is signed in asked to change the e-mail address of your AI-HTTP Hub account to %(email)s. "
                "It changes once the mail that went there is confirmed.",
                **details,
            )
        case Notice.EMAIL_CHANGED:
            return _("Your e-mail address was changed"), _(
                "The e-mail address of your AI-HTTP Hub account is now %(email)s. This one is no longer used.", **details
            )
        case Notice.SECOND_FACTOR_ON:
            return _("The second factor is on"), _("Signing in to your AI-HTTP Hub account now asks for a second factor.")
        case Notice.SECOND_FACTOR_OFF:
            return _("The second factor is off"), _("Signing in to your AI-HTTP Hub account no longer asks for a second factor.")
        case Notice.RECOVERY_CODE_USED:
            return _("A recovery code was used"), _("Somebody signed in to your AI-HTTP Hub account with a recovery code.")
        case Notice.TOKEN_REUSED:
            return _("A program was signed out"), _(
                "A refresh token of a program that is signed in to your AI-HTTP Hub account was used twice. Somebody else may "
                "have it, so the program was signed out."
            )
        case Notice.NEW_DEVICE:
            return _("New sign-in to your account"), _(
                "Somebody signed in to your AI-HTTP Hub account from a browser that was not used for it before."
            )
        case _:
            return _factor_words(kind, details)


def _factor_words(kind: Notice, details: dict[str, str]) -> tuple[str, str]:
    """The same for a change of the second factor."""
    match kind:
        case Notice.RECOVERY_CODES_CREATED:
            return _("New recovery codes were made"), _("Your AI-HTTP Hub account has new recovery codes. The old ones are void.")
        case Notice.APP_REPLACED:
            return _("The authenticator app was set up"), _("An authenticator app was set up for your AI-HTTP Hub account.")
        case Notice.APP_REMOVED:
            return _("The authenticator app was removed"), _("The authenticator app of your AI-HTTP Hub account was removed.")
        case Notice.PASSKEY_ADDED:
            return _("A passkey was added"), _("The passkey %(name)s was added to your AI-HTTP Hub account.", **details)
        case Notice.PASSKEY_REMOVED:
            return _("A passkey was removed"), _("The passkey %(name)s was removed from your AI-HTTP Hub account.", **details)
        case _:
            return _("A passkey may have been copied"), _(
                "A sign-in to your AI-HTTP Hub account was refused, because the passkey %(name)s came with a count that had "
                "been seen before. A copy of it does that. Remove it in your account.",
                **details,
            )


def _place(client: Client, language: str) -> str:
    when = format_datetime(utc_now().astimezone(dt.UTC), "d MMMM y, HH:mm", locale=language)
    lines = [
        _("When: %(time)s UTC", time=isolate(when)),
        _("Browser: %(browser)s", browser=isolate(describe_browser(client.user_agent))),
    ]
    if client.ip_address:
        lines.append(_("Address: %(address)s", address=isolate(client.ip_address)))
    return "\n".join(lines)


def _advice() -> str:
    link = current_app.extensions["hub_config"].base_url + "/password/forgot"
    return _("If that was you, there is nothing to do. If not, set a new password at once:") + f"\n{link}"
