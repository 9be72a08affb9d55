"""Uploaded files: a text in any of the formats, or an archive of them, unpacked within bounds."""

from __future__ import annotations

import io
import zipfile
import zlib

from hub.http_builder.importing import bruno, import_text, openapi
from hub.http_builder.importing.results import ImportRefused, ImportResult

MAX_FILE_BYTES = 20_000_000
#: Of an archive: how many files are looked at, and bytes of those that are read, after unpacking.
MAX_FILES = 2_000
MAX_UNPACKED_BYTES = 20_000_000
_READ = (".bru", ".yml", ".yaml", ".json", ".har")
_CHUNK = 65_536


def decode(content: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 with its mark. Raises ``ImportRefused``."""
    if len(content) > MAX_FILE_BYTES:
        raise ImportRefused("too-large", limit=MAX_FILE_BYTES)
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ImportRefused("not-text") from error


def is_archive(content: bytes) -> bool:
    """Whether the file is a ZIP archive."""
    return content[:4] == b"PK\x03\x04"


def unpack(content: bytes) -> dict[str, str]:
    """The texts of an archive by their paths. Sizes are counted while unpacking, whatever the archive says of them."""
    if len(content) > MAX_FILE_BYTES:
        raise ImportRefused("too-large", limit=MAX_FILE_BYTES)
    texts: dict[str, str] = {}
    left = MAX_UNPACKED_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_FILES:
                raise ImportRefused("too-many-files", limit=MAX_FILES)
            for entry in entries:
                if entry.is_dir() or not entry.filename.lower().endswith(_READ) or "__MACOSX" in entry.filename:
                    continue
                unpacked = _unpack_entry(archive, entry, left)
                left -= len(unpacked)
                texts[entry.filename.replace("\\", "/").strip("/")] = decode(unpacked)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise ImportRefused("bad-archive") from error
    return texts


def _unpack_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> bytes:
    chunks, size = [], 0
    with archive.open(entry) as file:
        while chunk := file.read(_CHUNK):
            size += len(chunk)
            if size > limit:
                raise ImportRefused("archive-too-large", limit=MAX_UNPACKED_BYTES)
            chunks.append(chunk)
    return b"".join(chunks)


def read_archive(content: bytes) -> ImportResult:
    """The Bruno collection in an archive. Raises ``ImportRefused``."""
    texts = unpack(content)
    if not any(path.endswith(".bru") or path.rpartition("/")[2].startswith("opencollection.") for path in texts):
        raise ImportRefused("unknown-archive")
    return bruno.read_files(texts)


def import_file(content: bytes, *, kind: str | None = None, address: str | None = None) -> ImportResult:
    """The requests of a file of any format; ``address`` is where it was fetched. Raises ``ImportRefused``."""
    if is_archive(content):
        return read_archive(content)
    text = decode(content)
    if kind in (None, "openapi") and address and openapi.recognises(text):
        return openapi.read(text, address=address)
    return import_text(text, kind=kind)
