"""Tells the owner by mail that the hub has switched a webhook off."""

from __future__ import annotations

from flask_babel import force_locale
from flask_babel import gettext as _

from hub.accounts.models import User
from hub.accounts.notices import isolate, language_of
from hub.extensions import db
from hub.mail.services import send_mail
from hub.webhooks.messages import page_address
from hub.webhooks.models import EventType, Webhook
from hub.webhooks.sending import webhook_disabled
from hub.webhooks.words import describe_disabled


@webhook_disabled.connect
def tell_owner(webhook: Webhook) -> None:
    """Queue the mail in the present transaction. An address that was never confirmed gets none."""
    owner = db.session.get_one(User, webhook.user_id)
    if not owner.email_verified:
        return
    language = language_of(owner)
    with force_locale(language):
        subject = _("A webhook was switched off")
        happened = _("The hub switched your webhook %(name)s off.", name=isolate(webhook.name))
        link = page_address(EventType.PING, {"webhook": {"id": webhook.id}})
        text = "\n\n".join((happened, describe_disabled(webhook.disabled_reason), link))
        send_mail(owner.email, subject, text, purpose="webhook.disabled", language=language)
