"""Envelopes: they open with the right key at their own place, and nowhere else."""

from __future__ import annotations

import pytest

from hub.crypto import DecryptionError, UndeclaredPlace, Vault, declare_place, derive_key, digest_token, key_id, key_of

OLD, NEW = bytes(range(1, 33)), bytes(range(101, 133))
PLACE = f"{declare_place('instances.api_key')}:c1"


def test_what_was_encrypted_opens_at_its_place() -> None:
    vault = Vault((NEW,))
    envelope = vault.encrypt("مفتاح n8n", binding=PLACE)
    assert "n8n" not in envelope
    assert vault.decrypt(envelope, binding=PLACE) == "مفتاح n8n"


def test_the_same_text_never_looks_the_same() -> None:
    vault = Vault((NEW,))
    assert vault.encrypt("key", binding=PLACE) != vault.encrypt("key", binding=PLACE)


def test_an_envelope_that_was_copied_to_another_row_does_not_open() -> None:
    vault = Vault((NEW,))
    envelope = vault.encrypt("key", binding=PLACE)
    with pytest.raises(DecryptionError, match="elsewhere"):
        vault.decrypt(envelope, binding="instances.api_key:c2")


@pytest.mark.parametrize("part", [2, 3])
def test_a_changed_envelope_does_not_open(part: int) -> None:
    vault = Vault((NEW,))
    parts = vault.encrypt("key", binding=PLACE).split(".")
    parts[part] = ("A" if parts[part][0] != "A" else "B") + parts[part][1:]
    with pytest.raises(DecryptionError):
        vault.decrypt(".".join(parts), binding=PLACE)


@pytest.mark.parametrize("envelope", ["", "plain", "v2.aaaaaaaa.AAAA.AAAA", "v1.aaaaaaaa.AAAA", "v1.00000000.AAAA.AAAA"])
def test_what_is_no_envelope_of_ours_is_refused(envelope: str) -> None:
    with pytest.raises(DecryptionError):
        Vault((NEW,)).decrypt(envelope, binding=PLACE)


def test_rotation_opens_old_envelopes_and_writes_new_ones() -> None:
    envelope = Vault((OLD,)).encrypt("key", binding=PLACE)
    both = Vault((NEW, OLD))
    assert both.decrypt(envelope, binding=PLACE) == "key"
    assert both.needs_rotation(envelope)
    assert not both.needs_rotation(both.encrypt("key", binding=PLACE))
    with pytest.raises(DecryptionError, match="not in ENCRYPTION_KEY"):
        Vault((NEW,)).decrypt(envelope, binding=PLACE)


def test_no_key_serves_two_purposes() -> None:
    assert len({derive_key(NEW, "flask.session"), derive_key(NEW, "hub.secrets"), NEW}) == 3


def test_digests_do_not_show_the_token() -> None:
    assert digest_token("token") == digest_token("token")
    assert len(digest_token("token")) == 64


def test_a_place_that_nobody_declared_is_refused() -> None:
    """A change of the key would not find it."""
    with pytest.raises(UndeclaredPlace, match="no declared place"):
        Vault((NEW,)).encrypt("key", binding="forgotten.column:c1")


def test_an_envelope_names_its_key() -> None:
    assert key_of(Vault((NEW, OLD)).encrypt("key", binding=PLACE)) == key_id(NEW)
    assert [key_of(text) for text in ("", "-", "v1.abc", "v2.12345678.a.b", "plain")] == [None] * 5
