"""Secrets are found wherever they stand and however they are written."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hub.http_builder.rendering import Mask

SECRET = 'sk_live_4+eC/39"H&qLy<jW=arjtT1zdp7dc é'


def base64_at(offset: int) -> Callable[[str], str]:
    return lambda secret: base64.b64encode(b"x" * offset + secret.encode() + b"y").decode()


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda secret: quote(secret, safe=""),
    "percent lower": lambda secret: re.sub("%..", lambda found: found.group().lower(), quote(secret, safe="")),
    "form": quote_plus,
    "path": lambda secret: quote(secret, safe="!$&'()*+,;=:@"),
    "json": lambda secret: json.dumps(secret)[1:-1],
    "json unicode": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "php json": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "go json": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1].replace("<", "\\u003c").replace("&", "\\u0026"),
    "twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "some": lambda secret: quote(secret, safe="+<é"),
    "html": html.escape,
    "base64 0": base64_at(0),
    "base64 1": base64_at(1),
    "base64 2": base64_at(2),
    "base64 url": lambda secret: base64.urlsafe_b64encode(b"user:" + secret.encode()).decode(),
    "hex": lambda secret: secret.encode().hex(),
    "HEX": lambda secret: secret.encode().hex().upper(),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_is_found_in_text_and_bytes(encoding: str) -> None:
    written = ENCODINGS[encoding](SECRET)
    mask = Mask([("KEY", SECRET)])
    # Of Base64 the letters at both ends belong to the neighbours as well.
    core = written[4:-4] if "base64" in encoding else written
    for masked in (mask.text(f"before {written} after"), mask.bytes(f"before {written} after".encode()).decode()):
        assert core not in masked
        assert "{{KEY}}" in masked
        assert masked.startswith("before ")
        assert masked.endswith(" after")


@given(st.text(min_size=4, max_size=40), st.sampled_from(sorted(ENCODINGS)), st.text(max_size=5), st.text(max_size=5))
def test_any_secret_is_found(secret: str, encoding: str, before: str, after: str) -> None:
    assume(len(secret.strip()) >= 4)
    assume(len(secret.strip().encode()) >= 9 or "base64" not in encoding)
    assume(len(secret.strip().encode()) >= 8 or encoding.lower() != "hex")
    secret = secret.strip()
    written = ENCODINGS[encoding](secret)
    assume(encoding != "percent lower" or written.count("%") == 0)
    core = written[4:-4] if "base64" in encoding else written
    mask = Mask([("", secret)])
    assert core not in mask.text(f"{before}{written}{after}").replace("•", "")
    assert core.encode() not in mask.bytes(f"{before}{written}{after}".encode())


def test_json_keys_values_and_numbers() -> None:
    mask = Mask([("PIN", "123456"), ("KEY", "abcdef")])
    value = {"a": ["x abcdef y", 123456, 1.5, None, True], "abcdef": {"b": 1234567}}
    assert mask.json(value) == {"a": ["x {{KEY}} y", "{{PIN}}", 1.5, None, True], "{{KEY}}": {"b": "{{PIN}}7"}}


def test_headers_and_urls() -> None:
    mask = Mask([("KEY", "s p&ce")])
    assert mask.headers([("X-Key", "s p&ce"), ("Other", "1")]) == (("X-Key", "{{KEY}}"), ("Other", "1"))
    assert mask.text("https://a.example/?" + urlencode({"k": "s p&ce", "l": 1})) == "https://a.example/?k={{KEY}}&l=1"


def test_the_longer_secret_wins() -> None:
    mask = Mask([("SHORT", "abcd"), ("LONG", "abcdefgh")])
    assert mask.text("abcdefgh abcd") == "{{LONG}} {{SHORT}}"


def test_a_short_secret_is_masked_as_a_whole_value_only() -> None:
    mask = Mask([("PIN", "42")])
    assert mask.text("42") == "{{PIN}}"
    assert mask.text("1427 of 42 words") == "1427 of 42 words"
    assert mask.text('{"pin": "42", "other": "421"}') == '{"pin": "{{PIN}}", "other": "421"}'
    assert mask.text("pin=42&page=421") == "pin={{PIN}}&page=421"
    assert mask.bytes(b"pin=42&page=421") == b"pin={{PIN}}&page=421"
    assert mask.json({"pin": 42, "page": 421}) == {"pin": "{{PIN}}", "page": 421}


def test_other_encodings_of_a_body() -> None:
    mask = Mask([("KEY", "ключ-secret")])
    assert "secret".encode("utf-16-le") not in mask.bytes("x ключ-secret y".encode("utf-16-le"))
    assert b"{{KEY}}" in Mask([("KEY", "clé-secrète")]).bytes("x clé-secrète".encode("latin-1"))
    assert Mask([("KEY", "abcdef")]).bytes(b"\xff\xfeabcdef\0") == b"\xff\xfe{{KEY}}\0"


def test_nothing_to_mask() -> None:
    assert Mask().text("text") == "text"
    assert Mask([("A", ""), ("B", "  ")]).text("a  b") == "a  b"
    assert Mask().bytes(b"\0\xff") == b"\0\xff"


def test_more_secrets_can_be_added() -> None:
    assert (
        Mask([("A", "first-secret")]).with_secrets([("", "second-secret")]).text("first-secret second-secret") == "{{A}} ••••••"
    )
