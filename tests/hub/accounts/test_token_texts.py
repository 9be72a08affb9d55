from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from hub.accounts.token_texts import encode_base62, has_checksum, random_secret, secret_text, with_checksum


def test_secrets_have_all_their_bits_in_one_word() -> None:
    assert secret_text(b"\xff" * 32) != secret_text(b"\xff" * 31 + b"\xfe")
    assert len(secret_text(b"\xff" * 32)) == len(secret_text(b"\0" * 32)) == 43
    assert re.fullmatch(r"[0-9A-Za-z]{43}", random_secret())
    assert encode_base62(2**256 - 1, 44).startswith("0"), "43 digits hold 256 bits"


def test_a_known_checksum() -> None:
    assert with_checksum("123456789") == "123456789" + encode_base62(0xCBF43926, 6), "CRC-32's check value"
    assert encode_base62(61 * 62 + 10, 6) == "0000zA"


@given(st.integers(0, 48), st.sampled_from("0123456789abcXYZ-_!"))
def test_any_wrong_character_shows(position: int, character: str) -> None:
    text = with_checksum("huba_" + "q" * 38)
    wrong = text[:position] + character + text[position + 1 :]
    assert has_checksum(wrong) is (wrong == text)
    assert not has_checksum(text[:-1])
    assert not has_checksum("")
