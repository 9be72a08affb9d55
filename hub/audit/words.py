"""What is wrong with a chain, in the reader's language."""

from __future__ import annotations

from flask_babel import gettext as _

from hub.audit.verification import Break


def describe_break(found: Break) -> str:
    """One sentence."""
    number = found.sequence
    words = {
        "missing": _("Event %(number)s is missing.", number=number),
        "repeated": _("A number before %(number)s occurs twice.", number=number),
        "changed": _("Event %(number)s was changed.", number=number),
        "unlinked": _("Event %(number)s does not follow the one before it.", number=number),
        "forged": _("Event %(number)s was not written by the hub.", number=number),
        "unsealed": _("Nothing vouches for event %(number)s: its key is not configured.", number=number),
        "cut": _("The end is missing, from event %(number)s on.", number=number),
        "added": _("Event %(number)s was added past the hub.", number=number),
        "head": _("The head of the chain does not fit event %(number)s.", number=number),
        "checkpoint": _("The checkpoint at event %(number)s was not made by the hub.", number=number),
        "anchor": _("Event %(number)s is not the one that was anchored: it or one before it was rewritten.", number=number),
    }
    return str(words[found.kind])
