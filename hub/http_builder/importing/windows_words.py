"""Commands of the Windows shells, cmd and PowerShell, as words."""

from __future__ import annotations

import re

from hub.http_builder.importing.commands import MAX_WORDS, Command, check_size, placeholder
from hub.http_builder.importing.results import ImportRefused

#: ``%NAME%``; percent-encoded bytes (``%E2%82%AC``) look alike, so short names are left alone.
_CMD_VARIABLE = re.compile(r"%([A-Z_][A-Z0-9_]{3,})%")
#: One word of a program's command line: backslashes before a quote are halved, ``""`` in quotes is one quote.
_ARGUMENT = re.compile(r'(?P<slashes>\\+)(?P<quote>"*)|(?P<quotes>"+)|(?P<space>\s+)|(?P<plain>[^\s\\"]+)')

_BACKTICK = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}
_CHARACTER = re.compile(r"\$\(\s*\[char\]\s*(0x[0-9A-Fa-f]{1,6}|[0-9]{1,7})\s*\)", re.IGNORECASE)
_POWERSHELL_VARIABLE = re.compile(r"\$\{?(?:env:|script:|global:)?([A-Za-z_][A-Za-z0-9_]*)\}?", re.IGNORECASE)
_ENVIRONMENT_IN_BRACKETS = re.compile(r"\$\(\s*\$(?:env:)?([A-Za-z_][A-Za-z0-9_]*)\s*\)", re.IGNORECASE)
_UNICODE = re.compile(r"u\{([0-9A-Fa-f]{1,6})\}")
_ESCAPED_QUOTE = re.compile(r'(\\+)"')


def read_cmd(text: str) -> list[Command]:
    """The commands of a text for cmd.exe: first its carets, then the quotes that each program undoes by itself."""
    check_size(text)
    commands = []
    for line in _cmd_lines(text.replace("\r\n", "\n")):
        words = split_arguments(line)
        if words:
            commands.append(Command(words=words))
    return commands


def _cmd_lines(text: str) -> list[str]:
    """The command lines, without carets; a caret takes the meaning from what follows, a line's end among them."""
    lines: list[list[str]] = [[]]
    quoted, at = False, 0
    while at < len(text):
        character = text[at]
        variable = _CMD_VARIABLE.match(text, at) if character == "%" else None
        if variable:
            lines[-1].append(placeholder(variable.group(1)))
            at = variable.end()
            continue
        if character == "^" and not quoted:
            at += 1
            if text[at : at + 1] == "\n":  # the line goes on, and its first character is taken as it is
                at += 1
            lines[-1].append(text[at : at + 1])
        elif character == "\n":
            quoted = False
            lines.append([])
        elif character in "|&<>" and not quoted:
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
            continue
        else:
            quoted ^= character == '"'
            lines[-1].append(character)
        at += 1
    return ["".join(line) for line in lines]


def split_arguments(line: str) -> list[str]:
    """The words of a command line as Windows programs take it apart."""
    words: list[str] = []
    word: list[str] | None = None
    quoted = False
    for found in _ARGUMENT.finditer(line):
        if found["space"] and not quoted:
            words += [] if word is None else ["".join(word)]
            word = None
            continue
        word = word or []
        if found["space"] or found["plain"]:
            word.append(found.group())
            continue
        slashes, quotes = len(found["slashes"] or ""), len(found["quote"] or found["quotes"] or "")
        word.append("\\" * (slashes // 2 if quotes else slashes))
        if quotes and slashes % 2:
            word.append('"')
            quotes -= 1
        text, quoted = _quotes(quotes, quoted)
        word.append(text)
        if len(words) > MAX_WORDS:
            raise ImportRefused("too-large", limit=MAX_WORDS)
    if quoted:
        raise ImportRefused("quote-open", quote='"')
    return words if word is None else [*words, "".join(word)]


def _quotes(count: int, quoted: bool) -> tuple[str, bool]:
    """What a row of quotes stands for, and whether the text is within quotes behind it."""
    if not quoted and count:
        quoted, count = True, count - 1
    return '"' * (count // 2), quoted if count % 2 == 0 else not quoted


def read_powershell(text: str) -> list[Command]:
    """The commands of a PowerShell text. A table (``@{…}``) and what stands in brackets are one word, as they are written."""
    check_size(text)
    return _PowerShell(text.replace("\r\n", "\n")).read()


def undo_native_quoting(word: str) -> str:
    r"""A word as a program gets it from Windows PowerShell, where quotes within it are written ``\"``."""
    return _ESCAPED_QUOTE.sub(
        lambda found: "\\" * (len(found.group(1)) // 2) + '"' if len(found.group(1)) % 2 else found.group(), word
    )


class _PowerShell:
    """Goes over the text once; ``_at`` is the next character."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._commands = [Command()]
        self._word: list[str] | None = None

    def read(self) -> list[Command]:
        while self._at < len(self._text):
            self._step(self._text[self._at])
        self._end_word()
        return [command for command in self._commands if command.words]

    def _step(self, character: str) -> None:
        two = self._text[self._at : self._at + 2]
        if character in " \t\r":
            self._end_word()
            self._at += 1
        elif two == "`\n":
            self._end_word()
            self._at += 2
        elif character in "\n;|>" or two in ("&&", "||"):
            self._end_word()
            if self._commands[-1].words:
                self._commands.append(Command(source=self._commands[-1] if character == "|" else None))
            self._at += 1
        elif character == "#" and self._word is None:
            end = self._text.find("\n", self._at)
            self._at = len(self._text) if end < 0 else end
        elif two in ("@'", '@"'):
            self._here_string(two[1])
        elif two in ("@{", "@(") or (character == "(" and self._word is None):
            self._group()
        elif character in "'‘’‚‛":
            self._add(self.read_single())
        elif character in '"“”„':
            self._add(self.read_double())
        elif character == "`":
            self._add(self._backtick())
        elif character == "$":
            self._add(self._dollar())
        else:
            self._add(character)
            self._at += 1

    def _add(self, text: str) -> None:
        if self._word is None:
            self._word = []
        self._word.append(text)

    def _end_word(self) -> None:
        if self._word is not None:
            self._commands[-1].words.append("".join(self._word))
            self._word = None
            if len(self._commands[-1].words) > MAX_WORDS:
                raise ImportRefused("too-large", limit=MAX_WORDS)

    def read_single(self) -> str:
        """The text in single quotes at this place; two of them are one."""
        found = re.compile(r"['‘’‚‛]((?:[^'‘’‚‛]|['‘’‚‛]{2})*)['‘’‚‛]").match(self._text, self._at)
        if not found:
            raise ImportRefused("quote-open", quote="'")
        self._at = found.end()
        return re.sub(r"(['‘’‚‛])['‘’‚‛]", r"\1", found.group(1))

    def read_double(self) -> str:
        """The text in double quotes at this place, its backticks and variables worked out."""
        self._at += 1
        out: list[str] = []
        while True:
            character = self._text[self._at : self._at + 1]
            if not character:
                raise ImportRefused("quote-open", quote='"')
            if character in '"“”„':
                self._at += 1
                if self._text[self._at : self._at + 1] not in ('"', "“", "”", "„"):
                    return "".join(out)
                out.append(character)
                self._at += 1
            elif character == "`":
                out.append(self._backtick())
            elif character == "$":
                out.append(self._dollar())
            else:
                out.append(character)
                self._at += 1

    def _backtick(self) -> str:
        self._at += 1
        code = _UNICODE.match(self._text, self._at)
        if code and int(code.group(1), 16) <= 0x10FFFF:
            self._at = code.end()
            return chr(int(code.group(1), 16))
        character = self._text[self._at : self._at + 1]
        self._at += 1
        return _BACKTICK.get(character, character)

    def _dollar(self) -> str:
        code = _CHARACTER.match(self._text, self._at)
        if code and int(code.group(1), 0) <= 0x10FFFF:
            self._at = code.end()
            return chr(int(code.group(1), 0))
        found = _ENVIRONMENT_IN_BRACKETS.match(self._text, self._at) or _POWERSHELL_VARIABLE.match(self._text, self._at)
        if found:
            self._at = found.end()
            return {"true": "true", "false": "false", "null": ""}.get(found.group(1).lower(), placeholder(found.group(1)))
        if not self._text.startswith("$(", self._at):
            self._at += 1
            return "$"
        self._at += 1
        self._bracketed()
        return self._commands[-1].stand_in()

    def _here_string(self, quote: str) -> None:
        start = self._text.find("\n", self._at)
        end = self._text.find("\n" + quote + "@", start if start >= 0 else len(self._text))
        if start < 0 or end < 0:
            raise ImportRefused("quote-open", quote="@" + quote)
        self._add(self._text[start + 1 : end] if end > start else "")
        self._at = end + 3

    def _group(self) -> None:
        start = self._at
        self._at += self._text[self._at] == "@"
        self._bracketed()
        self._add(self._text[start : self._at])

    def _bracketed(self) -> None:
        """Go behind the bracket that closes the one at this place; brackets in quotes do not count."""
        depth = 0
        while True:
            character = self._text[self._at : self._at + 1]
            if not character:
                raise ImportRefused("quote-open", quote="(")
            if character == "'":
                self.read_single()
            elif character == '"':
                self.read_double()
            else:
                depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(character, 0)
                self._at += 2 if character == "`" else 1
                if depth == 0:
                    return
