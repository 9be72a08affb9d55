"""Content-Encoding undone piece by piece: no step ever holds more than a piece, whatever a bomb unfolds to."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from hub.egress.errors import EgressError

PIECE = 65_536
#: Encodings one over the other. Servers use one; more are a way to multiply.
MAX_LAYERS = 3
_GZIP_START = 0x1F


def read_encodings(header: str, host: str) -> tuple[str, ...]:
    """The encodings to undo, the last applied first. Ends before one that is not known: what is inside stays as it is."""
    names = [name.strip().lower() for name in header.split(",")]
    names = [name for name in names if name not in ("", "identity")]
    if len(names) > MAX_LAYERS:
        raise EgressError("many-encodings", host=host, count=len(names), limit=MAX_LAYERS)
    known: list[str] = []
    for name in reversed(names):
        if name not in ("gzip", "x-gzip", "deflate"):
            break
        known.append(name)
    return tuple(known)


def decode(pieces: Iterator[bytes], encoding: str, host: str) -> Iterator[bytes]:
    """The decompressed pieces; ``EgressError("bad-encoding")`` for a stream that is broken or ends too early."""
    engine = None
    ended = False
    for given in pieces:
        piece = given
        while piece or engine:
            if engine is None:
                if ended and (encoding == "deflate" or piece[0] != _GZIP_START):
                    return  # what follows the end belongs to nothing, unless it is another member of a gzip file
                engine, ended = _engine(encoding, piece), False
            try:
                out = engine.decompress(piece, PIECE)
            except zlib.error as error:
                raise EgressError("bad-encoding", host=host, encoding=encoding) from error
            if out:
                yield out
            if engine.eof:
                piece, engine, ended = engine.unused_data, None, True
            else:
                piece = engine.unconsumed_tail
                if not piece and len(out) < PIECE:
                    break  # a full piece may have more behind it
    if engine is not None:
        raise EgressError("bad-encoding", host=host, encoding=encoding)


def _engine(encoding: str, start: bytes) -> Any:
    if encoding != "deflate":
        return zlib.decompressobj(16 + zlib.MAX_WBITS)
    is_zlib = start[0] & 0x0F == 8 and (len(start) < 2 or int.from_bytes(start[:2], "big") % 31 == 0)
    return zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
