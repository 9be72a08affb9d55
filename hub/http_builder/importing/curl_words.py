"""Commands of a POSIX shell, bash and zsh as words: quotes undone, nothing run, variables as placeholders."""

from __future__ import annotations

import re
from collections.abc import Callable

from hub.http_builder.importing.commands import MAX_WORDS, Command, check_size, placeholder
from hub.http_builder.importing.results import ImportRefused

#: A backslash at the end of a line; blanks behind it are a slip of copying.
_CONTINUED = re.compile(r"\\[ \t]*\n")
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)[^{}]*\}|([A-Za-z_][A-Za-z0-9_]*))")
_HERE = re.compile(r"<<(-?)[ \t]*(?:'([^'\n]*)'|\"([^\"\n]*)\"|(\\?)([^\s;&|<>()'\"]+))")
_REDIRECTION = re.compile(r"\d*(?:>>|>&|>\||<&|>|<)")
_NUMBER_BEFORE = re.compile(r"\d+(?=[<>])")
_IN_DOUBLE = re.compile(r'[^"\\$`]*')
_PLAIN = re.compile(r"[^\s\\'\"`$|&;<>()#]+")
_ESCAPES = {
    "n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "?": "?",
}  # fmt: skip
_ANSI_CODE = re.compile(r"x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|c(.)", re.DOTALL)


def read_commands(text: str) -> list[Command]:
    """The simple commands of the text, in order. Raises ``ImportRefused`` where a quote is not closed."""
    check_size(text)
    return _Reader(text.replace("\r\n", "\n")).read()


class _Reader:
    """Goes over the text once; ``_at`` is the next character."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._commands = [Command()]
        #: What the present word is made of so far; None between words.
        self._word: list[str] | None = None
        #: Here-documents whose text begins on the next line: end mark, whether tabs are cut, whether variables count.
        self._waiting: list[tuple[Command, str, bool, bool]] = []
        self._skip_next = False

    def read(self) -> list[Command]:
        handlers: dict[str, Callable[[], None]] = {
            "\\": self._escape, "'": self._single, '"': self._double, "$": self._dollar, "`": self._backticks,
            "\n": self._new_line, "|": self._operator, "&": self._operator, ";": self._operator,
            "<": self._redirect, ">": self._redirect, "(": self._operator, ")": self._operator, "#": self._hash,
        }  # fmt: skip
        while self._at < len(self._text):
            character = self._text[self._at]
            if character in " \t\r":
                self._end_word()
                self._at += 1
            elif character in handlers:
                handlers[character]()
            elif self._word is None and _NUMBER_BEFORE.match(self._text, self._at):
                self._redirect()
            else:
                found = _PLAIN.match(self._text, self._at)
                self._add(found.group() if found else character)
                self._at += len(found.group()) if found else 1
        self._end_command()
        for command in self._commands:
            _take_here_string(command)
        return [command for command in self._commands if command.words]

    @property
    def _command(self) -> Command:
        return self._commands[-1]

    def _add(self, text: str) -> None:
        if self._word is None:
            self._word = []
        self._word.append(text)

    def _end_word(self) -> None:
        if self._word is None:
            return
        if not self._skip_next:
            self._command.words.append("".join(self._word))
            if len(self._command.words) > MAX_WORDS:
                raise ImportRefused("too-large", limit=MAX_WORDS)
        self._word, self._skip_next = None, False

    def _end_command(self, *, piped: bool = False) -> None:
        self._end_word()
        self._skip_next = False
        if self._command.words:
            self._commands.append(Command(source=self._command if piped else None))

    def _escape(self) -> None:
        continued = _CONTINUED.match(self._text, self._at)
        if continued:
            self._at = continued.end()
            return
        self._add(self._text[self._at + 1 : self._at + 2] or "\\")
        self._at += 2

    def _single(self) -> None:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise ImportRefused("quote-open", quote="'")
        self._add(self._text[self._at + 1 : end])
        self._at = end + 1

    def _double(self) -> None:
        self._at += 1
        out: list[str] = []
        while True:
            found = _IN_DOUBLE.match(self._text, self._at)
            out.append(found.group() if found else "")
            self._at += len(out[-1])
            character = self._text[self._at : self._at + 1]
            if character == '"':
                break
            if not character:
                raise ImportRefused("quote-open", quote='"')
            out.append(self._inside_double(character))
        self._at += 1
        self._add("".join(out))

    def _inside_double(self, character: str) -> str:
        if character == "\\":
            following = self._text[self._at + 1 : self._at + 2]
            self._at += 2
            return "" if following == "\n" else following if following and following in '$`"\\' else "\\" + following
        return self._expansion() if character == "$" else self._substitution("`")

    def _dollar(self) -> None:
        following = self._text[self._at + 1 : self._at + 2]
        if following == "'":
            self._at += 2
            self._add(self._ansi())
        elif following == '"':
            self._at += 1
        else:
            self._add(self._expansion())

    def _expansion(self) -> str:
        """What a ``$`` stands for, in or out of double quotes."""
        found = _VARIABLE.match(self._text, self._at)
        if found:
            self._at = found.end()
            return placeholder(found.group(1) or found.group(2))
        if self._text.startswith("$(", self._at):
            return self._substitution("$(")
        self._at += 1
        return "$"

    def _backticks(self) -> None:
        self._add(self._substitution("`"))

    def _substitution(self, opening: str) -> str:
        """The output of a command is not known, for nothing is run: a variable of its own takes its place."""
        self._at = self._end_of_substitution(opening)
        return self._command.stand_in()

    def _end_of_substitution(self, opening: str) -> int:
        if opening == "`":
            found = re.compile(r"`(?:[^`\\]|\\.)*`", re.DOTALL).match(self._text, self._at)
            if not found:
                raise ImportRefused("quote-open", quote="`")
            return found.end()
        depth = 0
        for found in re.compile(r"\\.|'[^']*'|[()]", re.DOTALL).finditer(self._text, self._at):
            depth += {"(": 1, ")": -1}.get(found.group(), 0)
            if depth == 0 and found.group() == ")":
                return found.end()
        raise ImportRefused("quote-open", quote="$(")

    def _ansi(self) -> str:
        """The inside of ``$'…'``. Codes are bytes in bash, so that two of them can be one letter; a NUL ends the text."""
        out, ended = bytearray(), False
        while True:
            character = self._text[self._at : self._at + 1]
            self._at += 1
            if character == "'":
                return out.decode("utf-8", "replace")
            if not character:
                raise ImportRefused("quote-open", quote="$'")
            piece = self._ansi_escape() if character == "\\" else character.encode("utf-8", "replace")
            ended = ended or piece == b"\0"
            out += b"" if ended else piece

    def _ansi_escape(self) -> bytes:
        found = _ANSI_CODE.match(self._text, self._at)
        if found is None:
            character = self._text[self._at : self._at + 1]
            self._at += 1
            return _ESCAPES.get(character, "\\" + character).encode("utf-8", "replace")
        self._at = found.end()
        byte, short, long, octal, control = found.groups()
        if control:
            return bytes([ord(control) & 0x1F])
        if byte or octal:
            return bytes([int(byte, 16) if byte else int(octal, 8) & 0xFF])
        number = int(short or long, 16)
        return chr(number).encode("utf-8", "replace") if number <= 0x10FFFF else b"?"

    def _hash(self) -> None:
        """A comment where a word could begin."""
        if self._word is not None:
            self._add("#")
            self._at += 1
            return
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end

    def _new_line(self) -> None:
        self._at += 1
        self._end_word()
        for command, mark, cut_tabs, expands in self._waiting:
            command.stdin = self._here_document(command, mark, cut_tabs, expands)
        self._waiting.clear()
        following = self._text[self._at : self._at + 200].lstrip(" \t")
        # Documentation forgets a backslash at times: what begins with a flag is no command of its own.
        if not (following.startswith("-") and self._command.words):
            self._end_command()

    def _operator(self) -> None:
        two = self._text[self._at : self._at + 2]
        operator = two if two in ("&&", "||", ";;", "|&") else two[0]
        if operator in "()" and self._word is not None:
            self._add(operator)  # a URL without quotes; bash would refuse it
            self._at += 1
            return
        if operator == "&" and self._word is not None and self._text[self._at + 1 : self._at + 2].strip():
            self._command.note("cut-at-ampersand")
        self._at += len(operator)
        self._end_command(piped=operator in ("|", "|&"))

    def _redirect(self) -> None:
        self._end_word()
        if self._text.startswith("<<<", self._at):
            self._at += 3
            self._command.words.append("<<<")
            return
        here = _HERE.match(self._text, self._at)
        if here:
            tabs, single, double, escaped, bare = here.groups()
            mark = next(group for group in (single, double, bare) if group is not None)
            self._waiting.append((self._command, mark, bool(tabs), bare is not None and not escaped))
            self._at = here.end()
            return
        found = _REDIRECTION.match(self._text, self._at)
        self._at += len(found.group()) if found else 1
        self._skip_next = True

    def _here_document(self, command: Command, mark: str, cut_tabs: bool, expands: bool) -> str:
        lines: list[str] = []
        while self._at < len(self._text):
            end = self._text.find("\n", self._at)
            end = len(self._text) if end < 0 else end
            line = self._text[self._at : end]
            line = line.lstrip("\t") if cut_tabs else line
            self._at = min(end + 1, len(self._text))
            if line == mark:
                break
            lines.append(line + "\n")
        body = "".join(lines)
        return _expand(body, command) if expands else body


def _expand(body: str, command: Command) -> str:
    """The text of a here-document whose mark has no quotes: variables and escapes as in double quotes."""
    if "$(" in body or "`" in body:
        command.note("command-substitution", name="")
    body = re.sub(r"\\\n", "", body)
    return re.compile(rf"\\([$`\\])|{_VARIABLE.pattern}").sub(
        lambda found: found.group(1) or placeholder(found.group(2) or found.group(3)), body
    )


def _take_here_string(command: Command) -> None:
    """``<<< text`` is the command's input, not words of it."""
    while "<<<" in command.words[:-1]:
        index = command.words.index("<<<")
        command.stdin = command.words[index + 1] + "\n"
        del command.words[index : index + 2]
