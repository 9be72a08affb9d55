"""The page about the keys that encrypt secrets: what each made, and what cannot be read; for operators."""

from __future__ import annotations

from typing import Any

from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from hub.accounts.web import current_actor
from hub.crypto import current_vault
from hub.database.envelopes import count_by_key, list_without_key
from hub.errors import NotAllowed
from hub.htmx import render
from hub.system.views import bp

__all__ = ["bp"]

#: Rows of each kind that are shown.
SHOWN = 50

#: What stands at a place, and what brings it back where the key is lost.
KINDS: dict[str, tuple[Any, Any]] = {
    "instances.api_key": (
        lazy_gettext("n8n API key"),
        lazy_gettext("Its owner enters the key again on the page of the instance."),
    ),
    "variables.secret_value": (lazy_gettext("Secret variable"), lazy_gettext("Its owner enters the value again.")),
    "oauth_tokens.access_token": (lazy_gettext("OAuth token"), lazy_gettext("It is fetched again, or its owner signs in again.")),
    "oauth_tokens.refresh_token": (
        lazy_gettext("OAuth token"),
        lazy_gettext("It is fetched again, or its owner signs in again."),
    ),
    "plugin_settings.sealed": (lazy_gettext("Settings of a plugin"), lazy_gettext("An operator fills them in again.")),
    "users.two_factor_secret": (lazy_gettext("Second factor"), lazy_gettext("Its owner signs in with a recovery code.")),
    "users.recovery_key": (lazy_gettext("Recovery codes"), lazy_gettext("Their owner makes new ones.")),
    "webhooks.secret": (lazy_gettext("Secret of a webhook"), lazy_gettext("Its owner makes a new one.")),
    "webhooks.old_secret": (lazy_gettext("Secret of a webhook"), lazy_gettext("Its owner makes a new one.")),
    "hash_keys.sealed": (lazy_gettext("Key that API keys are checked with"), lazy_gettext("New API keys are made.")),
    "mails.text": (lazy_gettext("Mail that waits"), lazy_gettext("It is asked for again.")),
    "repairs.pre_image": (lazy_gettext("Workflow before a repair"), lazy_gettext("n8n's own history may still have it.")),
    "node_saves.changes": (lazy_gettext("Nodes before a save"), lazy_gettext("n8n's own history may still have them.")),
    "request_runs.inputs": (lazy_gettext("Secrets typed for a run"), lazy_gettext("The request is sent again.")),
    "import_sources.content": (lazy_gettext("File to be imported"), lazy_gettext("It is chosen again.")),
}


@bp.get("/system/keys")
def keys() -> ResponseReturnValue:
    """The keys by id, and the rows that none of them opens."""
    if not current_actor().is_operator:
        raise NotAllowed(_("Only operators see the encryption keys."))
    counts, vault = count_by_key(), current_vault()
    totals = {key: sum(each[key] for each in counts.values()) for each in counts.values() for key in each}
    return render(
        "system/keys.html",
        configured=vault.key_ids,
        unknown=sorted(set(totals) - set(vault.key_ids)),
        totals=totals,
        to_rotate=sum(totals.get(key, 0) for key in vault.key_ids[1:]),
        lost=sum(number for key, number in totals.items() if key not in vault.key_ids),
        rows=list_without_key(SHOWN),
        kinds=KINDS,
    )
