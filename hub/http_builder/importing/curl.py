"""cURL commands as people paste them: of bash, cmd or PowerShell, from documentation or a browser's "Copy as"."""

from __future__ import annotations

import re

from hub.contracts.http import PLACEHOLDER, Note, RequestDraft
from hub.http_builder.importing import curl_words, powershell, windows_words
from hub.http_builder.importing.commands import PROGRAM, Command
from hub.http_builder.importing.curl_options import read_operations
from hub.http_builder.importing.curl_request import read_drafts
from hub.http_builder.importing.results import ImportRefused, ImportResult
from hub.redaction.names import is_secret_name
from hub.redaction.shapes import find_shapes

#: More than a person pastes.
MAX_REQUESTS = 200
_BEGINNING = 4000
_CALL = re.compile(r"(?:^|[\s;|&>(])(?:[^\s;|&]*[/\\])?curl(?:\.exe)?(?:[\s^]|$)", re.IGNORECASE)
#: What a document begins with that only tells of curl.
_DOCUMENT = re.compile(r"[{\[<]|[\w$.-]+:(?:\s|$)|---")
_ASSIGNMENT_LINE = re.compile(r"\s*(?:export\s+|set\s+)?[A-Za-z_][A-Za-z0-9_]*=")
#: How a line goes on in the next says which shell it is.
_LINE_END = re.compile(r"([\\^`])[ \t]*\r?\n")
#: In one line: a caret before a word's quote, or quotes doubled within quotes.
_CMD = re.compile(r"[\s=]\^\"|\s\"[^'\n]*[{,:\[]\"\"\w")
_NATIVE_QUOTES = re.compile(r"curl\.exe\s[^\n]*'[^'\n]*\\\"", re.IGNORECASE)
_PROMPT = re.compile(r"^(?:[ \t]*(?:[$%]|PS [^>\n]*>|[A-Za-z]:\\[^>\n]*>)[ \t]+)(?=\S*curl)", re.M)
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_VARIABLE = re.compile(r"\{\{(\w+)\}\}")
_BEFORE = frozenset(("sudo", "time", "exec", "env", "command", "nohup"))


def recognises(text: str) -> bool:
    """Whether the text looks like a command for curl or PowerShell's requests."""
    beginning = text[:_BEGINNING]
    if powershell.recognises(beginning) and not _DOCUMENT.match(beginning.lstrip()):
        return True
    for line in beginning.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            calls = bool(_CALL.search(line)) and not _DOCUMENT.match(line.lstrip())
            if calls or not _ASSIGNMENT_LINE.match(line):
                return calls
    return False


def read(text: str) -> ImportResult:
    """The requests of all commands in the text. Raises ``ImportRefused``."""
    try:
        drafts, notes = _read(_PROMPT.sub("", text.strip() + "\n"))
    except RecursionError as error:
        raise ImportRefused("too-deep", limit=100) from error
    return ImportResult("curl", tuple(drafts), tuple(notes), variant="powershell" if powershell.recognises(text) else "")


def _read(text: str) -> tuple[list[RequestDraft], list[Note]]:
    if powershell.recognises(text):
        return powershell.read(text), []
    drafts: list[RequestDraft] = []
    refusals: list[ImportRefused] = []
    ignored: list[str] = []
    assigned: dict[str, str] = {}
    for command in _commands(text):
        assigned.update(_assignments(command.words))
        words = _without_beginning(command.words)
        if words is None:
            ignored += [] if command.source or _assignments(command.words) else [command.words[0][:40]]
            continue
        try:
            secrets: dict[str, str] = {}
            found = _read_command(command, _fill_in(words, assigned, secrets))
            drafts += [_with_secrets(draft, secrets) for draft in found]
        except ImportRefused as refused:
            refusals.append(refused)
        if len(drafts) > MAX_REQUESTS:
            raise ImportRefused("too-many-requests", limit=MAX_REQUESTS)
    if not drafts:
        raise refusals[0] if refusals else ImportRefused("not-a-command")
    notes = [Note(code="command-refused", details={"reason": refused.code, **refused.details}) for refused in refusals]
    notes += [Note(code="command-ignored", details={"command": name}) for name in dict.fromkeys(ignored)]
    return drafts, notes


def _commands(text: str) -> list[Command]:
    """The commands by the rules of the shell that the text is for."""
    line_end = _LINE_END.search(text)
    mark = line_end.group(1) if line_end else ""
    if mark == "^" or (not mark and _CMD.search(text)):
        return windows_words.read_cmd(text)
    if mark == "`" or (not mark and _NATIVE_QUOTES.search(text)):
        commands = windows_words.read_powershell(text)
        for command in commands:
            command.words = [windows_words.undo_native_quoting(word) for word in command.words]
        return commands
    return curl_words.read_commands(text)


def _without_beginning(words: list[str]) -> list[str] | None:
    """The words behind ``curl``; None where the command is for another program."""
    for index, word in enumerate(words):
        if PROGRAM.fullmatch(word):
            return words[index + 1 :]
        if word not in _BEFORE and not _ASSIGNMENT.fullmatch(word):
            return None
    return None


def _assignments(words: list[str]) -> dict[str, str]:
    """``NAME=value`` before a command, or as a command of its own."""
    found = {}
    for word in words[1:] if words[:1] == ["export"] else words:
        assignment = _ASSIGNMENT.fullmatch(word)
        if not assignment:
            break
        found[assignment.group(1)] = assignment.group(2)
    return found


def _fill_in(words: list[str], assigned: dict[str, str], secrets: dict[str, str]) -> list[str]:
    """The words with the values of the shell's variables; one that is a secret stays a variable, its value in ``secrets``."""

    def value_of(found: re.Match[str]) -> str:
        name = found.group(1)
        value = assigned.get(name)
        if value is None or PLACEHOLDER.search(value):
            return found.group()
        if is_secret_name(name) or any(find_shapes(value)):
            secrets[name] = value
            return found.group()
        return value

    return [_VARIABLE.sub(value_of, word) for word in words]


def _with_secrets(draft: RequestDraft, secrets: dict[str, str]) -> RequestDraft:
    used = set(_VARIABLE.findall(draft.definition.model_dump_json()))
    own = {name: value for name, value in secrets.items() if name in used}
    return draft.model_copy(update={"secrets": {**own, **draft.secrets}}) if own else draft


def _read_command(command: Command, words: list[str]) -> list[RequestDraft]:
    stdin = command.stdin if command.stdin is not None else _output_of(command.source)
    drafts = []
    for operation in read_operations(words):
        operation.notes[:0] = command.notes
        drafts += read_drafts(operation, stdin)
    if not drafts:
        raise ImportRefused("no-url")
    return drafts


def _output_of(command: Command | None) -> str | None:
    """What a command before the pipe writes, where that is plain to see: ``echo 'text'``."""
    if command is None or command.words[:1] not in (["echo"], ["printf"]):
        return None
    name, *words = command.words
    if name == "printf":
        return words[0] if len(words) == 1 and not re.search(r"[%\\]", words[0]) else None
    ends_line = words[:1] != ["-n"]
    return " ".join(words if ends_line else words[1:]) + ("\n" if ends_line else "")
