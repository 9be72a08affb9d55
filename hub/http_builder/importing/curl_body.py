"""What a cURL command sends as its body: ``-d`` and its family, ``-F`` and ``-T``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hub.contracts.http import BinaryBody, Body, MultipartBody, MultipartPart, NoBody, RawBody
from hub.http_builder.importing.curl_options import Operation
from hub.http_builder.importing.parts import encode_text

_DATA = ("data", "data-ascii", "data-binary", "data-raw", "data-urlencode", "json")
_NOT_OF_LINES = re.compile(r"[\r\n\0]")
#: What curl takes the names of files for.
_MEDIA_TYPES = {
    "gif": "image/gif", "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "svg": "image/svg+xml",
    "txt": "text/plain", "htm": "text/html", "html": "text/html", "pdf": "application/pdf", "xml": "application/xml",
}  # fmt: skip
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"\s*', re.DOTALL)
_TYPE = re.compile(r"type=\s*([^;,\s/]+/[^;,\s]+(?:\s*;\s*(?!type=|filename=|headers=|encoder=)[^;,]*)*)\s*", re.IGNORECASE)
_PARAMETER = re.compile(r"(filename|headers|encoder)=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Data:
    """The data of all ``-d`` together, or the one file that is sent instead."""

    text: str = ""
    file: str = ""
    is_json: bool = False

    def as_file(self, content_type: str) -> BinaryBody:
        """The body of a file that has yet to be uploaded."""
        return BinaryBody(file_name=base_name(self.file), content_type=content_type)


def base_name(path: str) -> str:
    """The last name of a path, of either kind of slash."""
    return re.split(r"[/\\]", path)[-1][:255]


def read_data(operation: Operation, stdin: str | None) -> Data | None:
    """The data in the order it was given; None without any. curl joins all with ``&``, only ``--json`` without."""
    given = operation.all(*_DATA)
    if not given:
        return None
    text, files = "", []
    for index, (option, value) in enumerate(given):
        piece = _piece(option, value, operation, stdin)
        if piece is None:
            files.append(value.partition("@")[2])
            continue
        text += ("&" if index and option != "json" else "") + piece
    is_json = any(option == "json" for option, _value in given)
    if files and len(given) == 1 and given[0][0] != "data-urlencode" and not operation.on("get"):
        operation.note("file-needed", name=base_name(files[0]))
        return Data(file=files[0], is_json=is_json)
    for name in files:
        operation.note("file-among-data", name=base_name(name))
    return Data(text=text, is_json=is_json)


def _piece(option: str, value: str, operation: Operation, stdin: str | None) -> str | None:
    """One piece of data as it is sent; None where it is a file's."""
    if option == "data-urlencode":
        return _encoded(value, stdin)
    if option == "data-raw" or not value.startswith("@"):
        return value
    if value != "@-" or stdin is None:
        return None
    return stdin if option in ("data-binary", "json") else _NOT_OF_LINES.sub("", stdin)


def _encoded(value: str, stdin: str | None) -> str | None:
    """The five forms of ``--data-urlencode``: ``content``, ``=content``, ``name=content``, ``@file``, ``name@file``."""
    mark = "=" if "=" in value else "@"
    name, found, content = value.partition(mark)
    if not found:
        name, content = "", value
    elif mark == "@":
        if content != "-" or stdin is None:
            return None
        content = stdin
    return f"{name}={encode_text(content)}" if name else encode_text(content)


def url_pieces(operation: Operation) -> list[str]:
    """What ``--url-query`` adds to the URL."""
    pieces = []
    for _option, value in operation.all("url-query"):
        piece = value[1:] if value.startswith("+") else _encoded(value, None)
        if piece is None:
            operation.note("file-among-data", name=base_name(value.partition("@")[2]))
        elif piece:
            pieces.append(piece)
    return pieces


def read_upload(operation: Operation, content_type: str, stdin: str | None) -> Body:
    """The file of ``-T``; curl says no content type of its own for it."""
    name = operation.last("upload-file")
    if name is None:
        return NoBody()
    if name in ("-", ".") and stdin is not None:
        return RawBody(text=stdin, content_type=content_type)
    operation.note("file-needed", name=base_name(name))
    return BinaryBody(file_name=base_name(name), content_type=content_type)


def read_forms(forms: list[tuple[str, str]], operation: Operation, stdin: str | None) -> MultipartBody:
    """The parts of ``-F`` and ``--form-string``."""
    parts: list[MultipartPart] = []
    for option, text in forms:
        name, equals, content = text.partition("=")
        if not equals:
            operation.note("form-invalid", field=text[:60])
        elif option == "form-string":
            parts.append(MultipartPart(name=name, value=content))
        elif content.startswith("@"):
            parts += _files(name, content[1:], operation)
        elif content.startswith("<"):
            parts.append(_text_of_file(name, content[1:], operation, stdin))
        else:
            parts.append(_text(name, content, operation))
    return MultipartBody(parts=tuple(parts))


def _files(name: str, text: str, operation: Operation) -> list[MultipartPart]:
    parts = []
    while True:
        path, text = _word(text, ";,")
        media_type, file_name, text = _parameters(text, operation, ";,")
        operation.note("file-needed", name=base_name(path))
        extension = path.rpartition(".")[2].lower()
        parts.append(
            MultipartPart(
                name=name,
                is_file=True,
                file_name=file_name if file_name is not None else base_name(path),
                content_type=media_type or _MEDIA_TYPES.get(extension, "application/octet-stream"),
            )
        )
        if not text.startswith(","):
            break
        text = text[1:].lstrip()
    if len(parts) > 1:  # curl nests them in one part
        operation.note("form-several-files", field=name[:60])
    return parts


def _text_of_file(name: str, text: str, operation: Operation, stdin: str | None) -> MultipartPart:
    path, text = _word(text, ";")
    media_type, _file_name, _rest = _parameters(text, operation, ";")
    if path == "-" and stdin is not None:
        return MultipartPart(name=name, value=stdin, content_type=media_type)
    operation.note("form-text-of-file", name=base_name(path), field=name[:60])
    return MultipartPart(name=name, is_file=True, file_name=base_name(path), content_type=media_type or "text/plain")


def _text(name: str, content: str, operation: Operation) -> MultipartPart:
    value, rest = _word(content, ";")
    media_type, _file_name, _rest = _parameters(rest, operation, ";")
    return MultipartPart(name=name, value=value, content_type=media_type)


def _word(text: str, ends: str) -> tuple[str, str]:
    """A word up to one of ``ends``, and what follows; in quotes it may hold those."""
    quoted = _QUOTED.match(text)
    if quoted and (quoted.end() == len(text) or text[quoted.end()] in ends):
        return re.sub(r'\\(["\\])', r"\1", quoted.group(1)), text[quoted.end() :]
    end = min((index for index in (text.find(mark) for mark in ends) if index >= 0), default=len(text))
    return text[:end].rstrip() if end < len(text) else text, text[end:]


def _parameters(text: str, operation: Operation, ends: str) -> tuple[str | None, str | None, str]:
    """``;type=…`` and ``;filename=…``, and what follows them."""
    media_type: str | None = None
    file_name: str | None = None
    while text.startswith(";"):
        text = text[1:].lstrip()
        found = _TYPE.match(text)
        parameter = _PARAMETER.match(text)
        if found:
            media_type, text = found.group(1).rstrip(), text[found.end() :]
        elif parameter:
            value, text = _word(text[parameter.end() :], ends)
            if parameter.group(1).lower() == "filename":
                file_name = value
            else:
                operation.note("form-parameter", name=parameter.group(1).lower())
        else:
            _unknown, text = _word(text, ends)
    return media_type, file_name, text
