"""Words of a command in the three shells: quoted so that each arrives as it is, variables taken from the environment."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from hub.http_builder.exporting.plan import Text, Variable, plain_text

_BARE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_SOFT = re.compile(r"[^\"\\$`!\n]*")
_CMD_SIGNS = re.compile(r'[()%!^"<>&|]')
_SLASHES = re.compile(r'(\\*)("|$)')


@dataclass(frozen=True, slots=True)
class Shell:
    """How a shell writes a word, and how a command goes on in the next line."""

    quote: Callable[[Text], str]
    next_line: str


def quote_bash(text: Text) -> str:
    """A word for bash, zsh or sh. Double quotes only around variables and plain text: an interactive shell reads ``!`` there."""
    plain = plain_text(text)
    if plain is not None:
        return plain if _BARE.fullmatch(plain) and not plain.startswith("=") else _single(plain)
    if all(isinstance(piece, Variable) or _SOFT.fullmatch(piece) for piece in text):
        following = [*text[1:], ""]
        return '"' + "".join(_bash_piece(piece, after) for piece, after in zip(text, following, strict=True)) + '"'
    return "".join(f'"${piece.name}"' if isinstance(piece, Variable) else _single(piece) for piece in text)


def _single(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _bash_piece(piece: str | Variable, after: str | Variable) -> str:
    if isinstance(piece, str):
        return piece
    joined = isinstance(after, str) and re.match(r"[A-Za-z0-9_\[]", after)
    return f"${{{piece.name}}}" if joined else f"${piece.name}"


def quote_cmd(text: Text) -> str:
    """A word for cmd.exe as browsers write it: quoted for the program, then every sign that cmd reads with a caret."""
    plain = plain_text(text)
    if plain is not None and re.fullmatch(r"[A-Za-z0-9_@+=:./-]+", plain):
        return plain
    quoted = "".join(piece if isinstance(piece, str) else f"\0{piece.name}\0" for piece in text)
    quoted = '"' + _SLASHES.sub(lambda found: found[1] * 2 + ("\\" if found[2] else "") + found[2], quoted) + '"'
    quoted = _CMD_SIGNS.sub(lambda found: "^" + found.group(), quoted)
    quoted = re.sub(r"\r?\n", "^\n\n", quoted)
    return re.sub("\0([^\0]*)\0", r"%\1%", quoted)


def quote_powershell(text: Text) -> str:
    r"""A word for PowerShell; quotes in it are written ``\"``, for Windows PowerShell does not do it for programs."""
    plain = plain_text(text)
    if plain is not None and re.fullmatch(r"[A-Za-z0-9_+=:./-]+", plain):
        return plain
    pieces = [_native(piece) if isinstance(piece, str) else piece for piece in text]
    if plain is not None:
        return "'" + "".join(str(piece) for piece in pieces).replace("'", "''") + "'"
    return '"' + "".join(_powershell_piece(piece) for piece in pieces) + '"'


def _native(text: str) -> str:
    return re.sub(r'(\\*)"', r'\1\1\\"', text)


def _powershell_piece(piece: str | Variable) -> str:
    if isinstance(piece, Variable):
        return f"$($env:{piece.name})"
    return re.sub(r'([`"$])', r"`\1", piece)


BASH = Shell(quote_bash, " \\\n  ")
CMD = Shell(quote_cmd, " ^\n  ")
POWERSHELL = Shell(quote_powershell, " `\n  ")
