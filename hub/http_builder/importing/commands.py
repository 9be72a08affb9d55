"""What the shells' readers give: commands as words, with all quoting undone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hub.contracts.http import Note
from hub.http_builder.importing.results import ImportRefused

#: A command that is longer, or has more words, was made by no person and no browser.
MAX_TEXT = 2_000_000
MAX_WORDS = 20_000
MAX_SUBSTITUTIONS = 50


@dataclass(slots=True)
class Command:
    """One simple command. ``stdin`` is the text of its here-document, ``source`` the command before its pipe.

    ``notes`` tell what of the shell was not taken over.
    """

    words: list[str] = field(default_factory=list)
    stdin: str | None = None
    source: Command | None = None
    notes: list[Note] = field(default_factory=list)

    def note(self, code: str, **details: str | int) -> None:
        """Note something once."""
        note = Note(code=code, details=details)
        if note not in self.notes:
            self.notes.append(note)

    def stand_in(self) -> str:
        """The variable that stands for the output of a command within this one; raises ``ImportRefused`` for too many."""
        number = sum(note.code == "command-substitution" for note in self.notes) + 1
        if number > MAX_SUBSTITUTIONS:
            raise ImportRefused("too-large", limit=MAX_SUBSTITUTIONS)
        self.note("command-substitution", name=f"COMMAND_{number}")
        return placeholder(f"COMMAND_{number}")


def check_size(text: str) -> None:
    """Raise ``ImportRefused`` for a text that is too large to be a command."""
    if len(text) > MAX_TEXT:
        raise ImportRefused("too-large", limit=MAX_TEXT)


def placeholder(name: str) -> str:
    """A shell's variable as one of the hub."""
    return "{{" + name + "}}"


#: ``curl``, ``/usr/bin/curl``, ``curl.exe``.
PROGRAM = re.compile(r"(?:.*[/\\])?curl(?:\.exe)?", re.IGNORECASE)
