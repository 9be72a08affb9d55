"""The mails that lead somewhere: their words, in the reader's language, with the link that carries a token."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _

from hub.mail.services import send_mail


def _link(path: str, token: str | None = None) -> str:
    query = f"?{urlencode({'token': token})}" if token else ""
    return f"{current_app.extensions['hub_config'].base_url}{path}{query}"


def mail_registration(email: str, token: str, language: str) -> None:
    """The link that makes an account of a registration. Nothing that was typed stands in it: strangers would advertise."""
    with force_locale(language):
        text = "\n\n".join(
            (
                _("Open this page to finish making your AI-HTTP Hub account. It asks for the password that you chose.")
                + f"\n{_link('/register/confirm', token)}",
                _("The link works once, within 24 hours. If you did not register, there is nothing to do."),
            )
        )
        send_mail(email, _("Confirm your e-mail address"), text, purpose="account.register", language=language)


def mail_already_registered(email: str, language: str) -> None:
    """What somebody gets who registers with an address that has an account."""
    with force_locale(language):
        text = "\n\n".join(
            (
                _("Somebody, probably you, wanted to make an AI-HTTP Hub account with this address. It has one already."),
                _("Sign in here:") + f"\n{_link('/login')}",
                _("If you do not know your password any more, set a new one here:") + f"\n{_link('/password/forgot')}",
                _("If that was not you, there is nothing to do."),
            )
        )
        send_mail(email, _("You have an account already"), text, purpose="account.exists", language=language)


def mail_confirmation(email: str, token: str, language: str) -> None:
    """The link that confirms the address of an account, its present or a new one."""
    with force_locale(language):
        text = "\n\n".join(
            (
                _("Open this page, signed in to your AI-HTTP Hub account, to confirm that this address is yours:")
                + f"\n{_link('/account/email/confirm', token)}",
                _("The link works once, within 24 hours. If you have no such account, there is nothing to do."),
            )
        )
        send_mail(email, _("Confirm your e-mail address"), text, purpose="account.confirm", language=language)


def mail_address_taken(email: str, language: str) -> None:
    """What the owner of an address gets when another account of theirs, or of somebody else, wants it too."""
    with force_locale(language):
        text = "\n\n".join(
            (
                _("Somebody who is signed in to another AI-HTTP Hub account wanted to change its e-mail address to this one."),
                _("This address has an account already, so nothing was changed. If that was not you, there is nothing to do."),
            )
        )
        send_mail(email, _("This address has an account already"), text, purpose="account.taken", language=language)


def mail_reset(email: str, token: str, language: str) -> None:
    """The link that sets a new password."""
    with force_locale(language):
        text = "\n\n".join(
            (
                _("Set a new password for your AI-HTTP Hub account on this page:") + f"\n{_link('/password/reset', token)}",
                _("The link works once, within 60 minutes. Where you use a second factor, signing in asks for it as always."),
                _("If you did not ask for this, there is nothing to do: your password stays as it is."),
            )
        )
        send_mail(email, _("Set a new password"), text, purpose="password.reset", language=language)
