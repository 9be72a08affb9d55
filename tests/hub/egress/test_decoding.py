"""Content-Encoding, piece by piece: what real encoders write comes back, whatever the pieces; the rest is refused or bounded."""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import brotli
import pytest

from hub.contracts.exchange import Exchange, ExchangeLimits, WireRequest
from hub.egress import EgressError, send_exchange
from hub.egress.decoding import MAX_LAYERS, PIECE, decode, read_encodings, zstd
from tests.hub.egress.servers import LOOPBACK, Server, answer, saying

ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda body: brotli.compress(body, quality=5),
    "zstd": zstd.compress,
}
#: A frame of zstd that a reader passes over.
SKIPPED = b"\x5a\x2a\x4d\x18\x04\0\0\0abcd"
TEXT = "".join(f"طلب {number} of {number * 7919 % 1000}\n" for number in range(20_000)).encode()


def in_pieces(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


def decoded(body: bytes, encoding: str, size: int = PIECE) -> bytes:
    return b"".join(decode(in_pieces(body, size), encoding, "one.test"))


def send(start_server: Callable[..., Server], body: bytes, encodings: str) -> Exchange:
    server = start_server(saying(answer(body=body, Content_Encoding=encodings)))
    return send_exchange(LOOPBACK, WireRequest("GET", server.url()), ExchangeLimits(seconds=20, max_bytes=1_000_000))


@pytest.mark.parametrize("encoding", ENCODERS)
@pytest.mark.parametrize("size", [1, 7, 1000, PIECE])
def test_a_body_comes_back_whatever_its_pieces(encoding: str, size: int) -> None:
    body = TEXT[: 400 * size]
    assert decoded(ENCODERS[encoding](body), encoding, size) == body


@pytest.mark.parametrize("encoding", ENCODERS)
@pytest.mark.parametrize("length", [0, 1, PIECE - 1, PIECE, PIECE + 1, 98_304, 2 * PIECE, 300_000])
def test_no_length_is_special(encoding: str, length: int) -> None:
    for body in (bytes(length), random.Random(length).randbytes(length)):
        assert decoded(ENCODERS[encoding](body), encoding) == body


@pytest.mark.parametrize(
    "body",
    [
        zstd.compress(TEXT[:100]) + zstd.compress(TEXT[100:]),
        SKIPPED + zstd.compress(TEXT) + SKIPPED,
        zstd.compress(TEXT) + b"\0\0\0",
        zstd.compress(TEXT, options={zstd.CompressionParameter.checksum_flag: 1}),
        zstd.compress(TEXT, options={zstd.CompressionParameter.window_log: 23}),
    ],
    ids=["two frames", "frames to pass over", "something after the end", "a checksum", "8 MB of window"],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, PIECE])
def test_whatever_zstd_is_made_of_is_read(body: bytes, size: int) -> None:
    assert decoded(body, "zstd", size) == TEXT


@pytest.mark.parametrize("encoding", ENCODERS)
@pytest.mark.parametrize("size", [1, PIECE])
def test_what_is_cut_short_or_garbled_is_told(encoding: str, size: int) -> None:
    whole = ENCODERS[encoding](random.Random(1).randbytes(3000))
    garbled = whole[:1000] + bytes(byte ^ 0xFF for byte in whole[1000:1020]) + whole[1020:]
    broken = [whole[:1], whole[:-1], whole[:500], b"<html>no such encoding</html>" * 9]
    if encoding != "zstd":
        broken.append(garbled[:900] + b"\xff" * 900)
    if encoding == "br":  # which has no several streams, and no checksum
        broken += [whole + b"more", whole + whole]
    if encoding == "gzip":
        broken.append(garbled)
    for body in broken:
        with pytest.raises(EgressError) as error:
            decoded(body, encoding, size)
        assert error.value.code == "bad-encoding"
        assert error.value.details == {"host": "one.test", "encoding": encoding}


def test_a_checksum_of_zstd_is_checked() -> None:
    whole = bytearray(zstd.compress(random.Random(1).randbytes(3000), options={zstd.CompressionParameter.checksum_flag: 1}))
    whole[1000] ^= 1
    with pytest.raises(EgressError):
        decoded(bytes(whole), "zstd")


def test_a_frame_that_asks_for_much_memory_is_refused() -> None:
    """2 GB in fourteen bytes: RFC 9659 allows 8 MB."""
    for window_log in (24, 27, 31):
        frame = b"\x28\xb5\x2f\xfd\x00" + bytes([(window_log - 10) << 3]) + b"\x01\x00\x00"
        with pytest.raises(EgressError) as error:
            decoded(frame, "zstd")
        assert error.value.code == "bad-encoding"


def test_encodings_are_undone_from_the_last_to_the_first_that_is_known() -> None:
    assert read_encodings("gzip, br", "one.test") == ("br", "gzip")
    assert read_encodings("ZSTD", "one.test") == ("zstd",)
    assert read_encodings("identity", "one.test") == ()
    assert read_encodings("compress, br", "one.test") == ("br",)
    assert read_encodings("dcb", "one.test") == ()


@pytest.mark.parametrize("encodings", ["br", "zstd", "br, zstd", "zstd, br", "gzip, br, zstd", "br, br, br", "zstd, deflate"])
def test_encodings_over_each_other_are_undone(start_server: Callable[..., Server], encodings: str) -> None:
    body = TEXT
    for name in encodings.split(", "):
        body = ENCODERS[name](body)
    exchange = send(start_server, body, encodings)
    assert (exchange.body, exchange.truncated, exchange.wire_size) == (TEXT, False, len(body))


@pytest.mark.parametrize("layers", range(1, MAX_LAYERS + 1))
@pytest.mark.parametrize("encoding", ["br", "zstd"])
def test_a_bomb_is_cut_at_the_limit(start_server: Callable[..., Server], encoding: str, layers: int) -> None:
    bomb = bytes(50_000_000)
    for _layer in range(layers):
        bomb = ENCODERS[encoding](bomb)
    tracemalloc.start()
    try:
        exchange = send(start_server, bomb, ", ".join([encoding] * layers))
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
    assert (len(exchange.body), exchange.truncated) == (1_000_000, True)


def test_decoders_keep_little_beside_what_they_give() -> None:
    """Measured where Python's own count does not look: the most memory that a process ever had."""
    script = """
import resource, brotli
from hub.egress.decoding import decode, zstd
zeros = bytes(1_000_000)
for encoding, engine in {"br": brotli.Compressor(quality=1, lgwin=24), "zstd": zstd.ZstdCompressor()}.items():
    write = engine.process if encoding == "br" else engine.compress
    bomb = b"".join([*(write(zeros) for _part in range(100)), engine.finish() if encoding == "br" else engine.flush()])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert sum(map(len, decode(iter([bomb]), encoding, "one.test"))) == 100_000_000
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    grown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert all(int(kilobytes) < 40_000 for kilobytes in grown.stdout.split()), grown.stdout
