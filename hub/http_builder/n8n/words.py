"""What the conversion to n8n and back has to say, in the reader's language."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from hub.http_builder.n8n.models import NodeSave, SaveState

#: Notes by code, for ``hub.http_builder.importing.words``.
NOTES: dict[str, Any] = {
    # To n8n
    "n8n-credential": lazy_gettext(
        "Needs a credential of type %(type)s in n8n (%(fields)s). The secret itself is never written."
    ),
    "n8n-variables": lazy_gettext("Fill in these values in the node “Variables” in n8n: %(names)s."),
    "n8n-secret-in-text": lazy_gettext(
        "%(name)s is a secret that stands in the text (%(place)s): n8n would keep it readable in the workflow. "
        "Enter it in the node “Variables” yourself, or use a credential or n8n's own node for the service."
    ),
    "n8n-secret-left-out": lazy_gettext(
        "The value of “%(name)s” looks like a secret and was left out: n8n keeps one credential a node."
    ),
    "n8n-duplicate-header": lazy_gettext("n8n sends a header once: the values of “%(name)s” are joined into one."),
    "n8n-duplicate-field": lazy_gettext("n8n sends “%(name)s” once, with its last value."),
    "n8n-needs-version": lazy_gettext(
        "A parameter stands there twice: that needs version %(version)s of the node, which n8n has since late 2025."
    ),
    "n8n-hmac": lazy_gettext(
        "n8n has no HMAC sign-in: compute “%(header)s” in a Crypto or Code node before this one and add it as a header."
    ),
    "n8n-token-header": lazy_gettext("n8n sends its OAuth2 token as Authorization: Bearer, not in “%(header)s”."),
    "n8n-file-from-input": lazy_gettext("The file comes from the field “%(field)s” of the item that reaches the node."),
    "n8n-part-type": lazy_gettext("n8n sends the text part “%(name)s” without its content type %(type)s."),
    "n8n-no-body": lazy_gettext("n8n sends no body with %(method)s."),
    "n8n-no-assertions": lazy_gettext("Tests and extractions stay in the hub: a node has none."),
    # From n8n
    "n8n-expression": lazy_gettext("Computed by n8n and left as it is: %(place)s."),
    "n8n-computed-list": lazy_gettext("%(parameter)s is computed by n8n as a whole and was left out."),
    "n8n-option-stays": lazy_gettext("The option “%(option)s” stays in n8n."),
    "n8n-method": lazy_gettext("The method “%(method)s” is none that can be sent here; GET stands for it."),
    "n8n-setting-bounded": lazy_gettext("%(setting)s is outside of what the hub allows and was set to %(value)s."),
    "n8n-credential-stays": lazy_gettext(
        "The secret of the credential “%(name)s” (%(type)s) stays in n8n: enter it here to send the request from the hub."
    ),
    "n8n-credential-unknown": lazy_gettext("Only n8n can sign in with the credential “%(name)s” (%(type)s)."),
    "n8n-hidden": lazy_gettext("Enter these secrets again; the hub took them out of the execution's data: %(names)s."),
}


def describe_save(save: NodeSave) -> tuple[str, str]:
    """(what came of it in words, tone of the message)."""
    problem = save.problem or ""
    if save.state is SaveState.UNDONE:
        words = {
            "was-not-there": _("n8n did not have it: nothing was to be taken back."),
            "live-keeps-it": _("The draft is as before. What runs live still has it, because the draft holds other changes too."),
        }
        return words.get(problem) or _("The workflow is as it was before."), "warn" if problem == "live-keeps-it" else "good"
    message = save.message or ""
    words = {
        "n8n-refused": _("n8n refused it: %(message)s. Nothing was changed.", message=message),
        "no-answer": _(
            "n8n did not answer, so it may or may not have it (%(message)s). Taking it back finds out.", message=save.message
        ),
        "not-published": _("Saved as a draft, but n8n did not put it live: %(message)s.", message=message),
        "saved-differently": _("Saved, but n8n keeps it in another form than it was sent. Look at the node in n8n."),
    }
    if problem in words:
        return words[problem], "bad" if save.state is SaveState.REFUSED else "warn"
    if save.state is SaveState.SAVING:
        return _("It was begun and its end is not known. Taking it back finds out."), "warn"
    if save.went_live:
        return _("Saved and put live. n8n may take some seconds until it has effect."), "good"
    return _("Saved as a draft. What runs live is untouched."), "good"
