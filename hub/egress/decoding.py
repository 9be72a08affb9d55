"""Content-Encoding undone piece by piece: no step ever holds more than a piece, whatever a bomb unfolds to."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import brotli

from hub.egress.errors import EgressError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE = 65_536
#: Encodings one over the other. Servers use one; more are a way to multiply.
MAX_LAYERS = 3
_GZIP_START = b"\x1f"
#: Of a frame with data, and of the sixteen kinds of frame that are passed over (RFC 8878, 3.1).
_ZSTD_STARTS = bytes([0x28, *range(0x50, 0x60)])
#: What a decoder keeps for looking back: 8 MB, the most that HTTP allows (RFC 9659). The format has frames that ask for 2 GB.
_ZSTD_OPTIONS: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 23}


def read_encodings(header: str, host: str) -> tuple[str, ...]:
    """The encodings to undo, the last applied first. Ends before one that is not known: what is inside stays as it is."""
    names = [name.strip().lower() for name in header.split(",")]
    names = [name for name in names if name not in ("", "identity")]
    if len(names) > MAX_LAYERS:
        raise EgressError("many-encodings", host=host, count=len(names), limit=MAX_LAYERS)
    known: list[str] = []
    for name in reversed(names):
        if name not in _STREAMS:
            break
        known.append(name)
    return tuple(known)


def decode(pieces: Iterator[bytes], encoding: str, host: str) -> Iterator[bytes]:
    """The decompressed pieces; ``EgressError("bad-encoding")`` for a body that is broken or ends too early."""
    stream: _Stream | None = None
    ended = False
    try:
        for given in pieces:
            piece = given
            while piece or stream:
                if stream is None:
                    if ended and piece[0] not in _FURTHER_STARTS[encoding]:
                        if encoding == "br":  # which takes it for an error itself where it comes in the same piece, as curl does
                            raise EgressError("bad-encoding", host=host, encoding=encoding)
                        return  # what follows the end belongs to nothing
                    stream, ended = _STREAMS[encoding](piece), False
                if out := stream.unfold(piece):
                    yield out
                if stream.ended:
                    piece, stream, ended = stream.rest, None, True
                elif stream.is_hungry:
                    break
                else:
                    piece = b""
    except (zlib.error, brotli.error, zstd.ZstdError) as error:
        raise EgressError("bad-encoding", host=host, encoding=encoding) from error
    if stream is not None:
        raise EgressError("bad-encoding", host=host, encoding=encoding)


class _Stream(Protocol):
    """One compressed stream on its way."""

    ended: bool
    rest: bytes
    """What came behind the end."""
    is_hungry: bool
    """All that could be made of what came is made."""

    def unfold(self, piece: bytes) -> bytes:
        """What ``piece`` adds, about ``PIECE`` bytes of it; the rest comes when called with nothing, until hungry or ended."""


class _Zlib:
    def __init__(self, wbits: int) -> None:
        self._engine = zlib.decompressobj(wbits)
        self.ended = self.is_hungry = False
        self.rest = b""

    def unfold(self, piece: bytes) -> bytes:
        out = self._engine.decompress(self._engine.unconsumed_tail + piece, PIECE)
        self.ended, self.rest = self._engine.eof, self._engine.unused_data
        self.is_hungry = not self._engine.unconsumed_tail and len(out) < PIECE  # a full piece may have more behind it
        return out


class _Brotli:
    rest = b""  # never any: the engine takes it for an error

    def __init__(self) -> None:
        self._engine = brotli.Decompressor()
        self.ended = self.is_hungry = False

    def unfold(self, piece: bytes) -> bytes:
        out: bytes = self._engine.process(piece, output_buffer_limit=PIECE)
        self.ended = self._engine.is_finished()
        self.is_hungry = len(out) < PIECE
        return out


class _Zstd:
    def __init__(self) -> None:
        self._engine = zstd.ZstdDecompressor(options=_ZSTD_OPTIONS)
        self.ended = self.is_hungry = False
        self.rest = b""

    def unfold(self, piece: bytes) -> bytes:
        out = self._engine.decompress(piece, PIECE)
        self.ended, self.rest, self.is_hungry = self._engine.eof, self._engine.unused_data, self._engine.needs_input
        return out


def _gzip(_start: bytes) -> _Stream:
    return _Zlib(16 + zlib.MAX_WBITS)


def _deflate(start: bytes) -> _Stream:
    """With the frame of zlib, as the standard says, or without, as some servers send it."""
    is_zlib = start[0] & 0x0F == 8 and (len(start) < 2 or int.from_bytes(start[:2], "big") % 31 == 0)
    return _Zlib(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)


_STREAMS: dict[str, Callable[[bytes], _Stream]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": lambda _start: _Brotli(),
    "zstd": lambda _start: _Zstd(),
}
#: How a further stream begins where one body may be made of several.
_FURTHER_STARTS = {"gzip": _GZIP_START, "x-gzip": _GZIP_START, "deflate": b"", "br": b"", "zstd": _ZSTD_STARTS}
