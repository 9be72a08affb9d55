"""The body of an answer as something that can be shown: its kind, its text, whatever its headers claim."""

from __future__ import annotations

import codecs
import enum
import re
from dataclasses import dataclass
from email.message import Message
from pathlib import PurePath
from urllib.parse import unquote, urlsplit

from hub.http_builder.models import RequestRun

#: Characters that reorder or hide what stands around them, by what is shown in their place.
_BIDI = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)], "")
VISIBLE = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"},
    0x7F: "␡",
    **{code: f"[U+{code:04X}]" for code in [*range(0x80, 0xA0), *_BIDI, *range(0xD800, 0xE000), 0xFEFF]},
}
_HIDDEN = re.compile("[" + "".join(re.escape(chr(code)) for code in VISIBLE) + "]")


class Kind(enum.StrEnum):
    """What a body is."""

    EMPTY = "empty"
    JSON = "json"
    LINES = "lines"
    EVENTS = "events"
    XML = "xml"
    HTML = "html"
    TEXT = "text"
    IMAGE = "image"
    BINARY = "binary"


#: How the pictures begin that a browser may draw in this page. SVG is a document with scripts: it is text here.
_PICTURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
)
#: Other files that are known by how they begin.
_FILES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"\x1aE\xdf\xa3", "video/webm"),
)
_EXTENSIONS = {
    "application/json": "json",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/gzip": "gz",
    "application/xml": "xml",
    "text/xml": "xml",
    "text/html": "html",
    "text/csv": "csv",
    "text/css": "css",
    "text/javascript": "js",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/bmp": "bmp",
    "image/svg+xml": "svg",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "video/mp4": "mp4",
    "video/webm": "webm",
}
#: Control characters that no text has.
_ODD = frozenset(map(chr, range(0x20))) - frozenset("\t\n\r\f\x1b")
_LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-seq"})


@dataclass(frozen=True, slots=True)
class Content:
    """A body. ``text`` is None where it is no text; ``problem`` is a code of ``describe_content`` or None.

    ``media_type`` is what the bytes are where they tell, else what the headers claim.
    """

    kind: Kind
    media_type: str
    charset: str = ""
    text: str | None = None
    problem: str | None = None


def read_content(run: RequestRun, body: bytes) -> Content:
    """What a run's body is. Never raises."""
    declared = (run.media_type or "").lower()
    if not body:
        return Content(Kind.EMPTY, declared)
    picture = _picture(body)
    if picture:
        return Content(Kind.IMAGE, picture, problem="is-picture" if declared and not declared.startswith("image/") else None)
    charset, text, problem = _decode(body, header_of(run, "content-type"), declared)
    if text is None:
        return Content(Kind.BINARY, _file_type(body) or declared or "application/octet-stream")
    kind = _text_kind(declared, text)
    if declared.startswith(("image/", "audio/", "video/")) and declared != "image/svg+xml":
        problem = "is-text"
    return Content(kind, declared or ("application/json" if kind is Kind.JSON else "text/plain"), charset, text, problem)


def header_of(run: RequestRun, name: str) -> str:
    """The first header of that name (in small letters) in the answer, else an empty text."""
    return next((value for key, value in run.response_headers if key.lower() == name), "")


def make_visible(text: str) -> str:
    """The text with control characters, and those that turn reading order around, as signs one can see."""
    return _HIDDEN.sub(lambda found: VISIBLE[ord(found.group())], text)


def hex_lines(body: bytes, count: int = 256) -> list[tuple[str, str, str]]:
    """(offset, bytes, letters) of the beginning, sixteen a line."""
    rows = [(at, body[at : at + 16]) for at in range(0, min(len(body), count), 16)]
    return [(f"{at:08x}", row.hex(" "), "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)) for at, row in rows]


def file_name(run: RequestRun, content: Content) -> str:
    """A harmless name for the download: from the headers or the URL, with the extension of what it is."""
    given = _given_name(header_of(run, "content-disposition")) or PurePath(unquote(urlsplit(run.url).path)).name
    stem, suffix = PurePath(given).stem, PurePath(given).suffix.lstrip(".")
    stem = re.sub(r"[^\w.-]+", "-", stem, flags=re.ASCII).strip(".-")[:60] or "answer"
    extension = _EXTENSIONS.get(content.media_type) or ("json" if content.kind is Kind.JSON else "")
    if not extension:
        own = re.fullmatch(r"[A-Za-z0-9]{1,8}", suffix)
        extension = own[0].lower() if own else ("txt" if content.text is not None else "bin")
    return f"{stem}.{extension}"


def _given_name(disposition: str) -> str:
    message = Message()
    try:
        message["Content-Disposition"] = disposition.replace("\r", " ").replace("\n", " ")
        return PurePath(message.get_filename("") or "").name
    except (ValueError, LookupError, UnicodeError):
        return ""


def _picture(body: bytes) -> str | None:
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    if body[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    found = next((media_type for mark, media_type in _PICTURES if body.startswith(mark)), None)
    return None if found == "image/bmp" and b"\0" not in body[:64] else found


def _file_type(body: bytes) -> str | None:
    if body[4:8] == b"ftyp":
        return "video/mp4"
    if body[:4] == b"RIFF" and body[8:12] == b"WAVE":
        return "audio/wav"
    return next((media_type for mark, media_type in _FILES if body.startswith(mark)), None)


def _decode(body: bytes, content_type: str, declared: str) -> tuple[str, str | None, str | None]:
    """(charset, text, problem). A byte order mark goes before the headers, the headers before UTF-8."""
    for mark, charset in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if body.startswith(mark):
            return charset, body[len(mark) :].decode(charset, "replace"), None
    is_texty = declared.startswith("text/") or any(word in declared for word in ("json", "xml", "javascript", "yaml", "form-url"))
    if not is_texty and (_file_type(body) or _looks_binary(body)):
        return "", None, None
    named = re.search(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", content_type, re.IGNORECASE)
    charset, problem = (named[1].lower() if named else "utf-8"), None
    try:
        if not codecs.lookup(charset)._is_text_encoding:
            raise LookupError(charset)
    except (LookupError, ValueError):
        charset, problem = "utf-8", "unknown-charset"
    try:
        return charset, body.decode(charset), problem
    except (UnicodeError, ValueError):
        return charset, body.decode(charset, "replace"), "broken-charset"


def _looks_binary(body: bytes) -> bool:
    """NUL bytes, or many bytes that no text has, among the first."""
    sample = body[:4096]
    if b"\0" in sample:
        return True
    odd = sum(letter == "\ufffd" or letter in _ODD for letter in sample.decode("utf-8", "replace"))
    return odd > len(sample) // 10


def _text_kind(declared: str, text: str) -> Kind:
    if declared in _LINES:
        return Kind.LINES
    if declared == "text/event-stream":
        return Kind.EVENTS
    if "json" in declared:
        return Kind.JSON
    if "html" in declared:
        return Kind.HTML
    if "xml" in declared:
        return Kind.XML
    # What claims to be nothing in particular is what it looks like.
    if declared in ("", "text/plain", "application/octet-stream", "text/javascript", "application/javascript"):
        begins = text[:200].lstrip()
        if begins.startswith(("{", "[")) and text[-200:].rstrip().endswith(("}", "]")) and "javascript" not in declared:
            return Kind.JSON
        if begins.lower().startswith(("<!doctype html", "<html")):
            return Kind.HTML
        if begins.startswith("<?xml"):
            return Kind.XML
    return Kind.TEXT
