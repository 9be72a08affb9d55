"""Encryption at rest and keyed hashes. The only module that touches the encryption keys.

Envelope: ``v1.<key id>.<nonce>.<ciphertext and tag>``, AES-256-GCM, 96-bit random nonce. The additional data binds a
value to its row and column, so that a ciphertext copied to another row does not open.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app

_VERSION = "v1"
_NONCE_BYTES = 12


#: What may be encrypted: ``table.column`` of every declared column, and what is handed out in forms and cookies.
_places: set[str] = set()


class DecryptionError(Exception):
    """The value was made with a key that is not configured, belongs to another row, or was changed."""


class UndeclaredPlace(LookupError):
    """A value was to be encrypted at a place that nobody declared, where no change of the key would find it."""


def declare_place(place: str) -> str:
    """Let values be encrypted at ``place``; answers it. Columns are declared with ``hub.encrypted_columns``."""
    _places.add(place)
    return place


def derive_key(key: bytes, purpose: str) -> bytes:
    """32 bytes for one purpose, so that no key serves two (HKDF-SHA256)."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(key)


def key_id(key: bytes) -> str:
    """What names a key in envelopes and lists without giving it away: 8 hexadecimal digits."""
    return hashlib.sha256(key).hexdigest()[:8]


def digest_token(token: str) -> str:
    """What is stored of a random token (sessions, API keys): 256 bits of entropy need no slow hash. Hex SHA-256."""
    return hashlib.sha256(token.encode()).hexdigest()


def same_text(one: str, other: str) -> bool:
    """Equality in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Vault:
    """Encrypts with the newest key and opens with any of them."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._ciphers = {key_id(key): AESGCM(derive_key(key, "hub.secrets")) for key in keys}
        self._newest = key_id(keys[0])

    @property
    def newest(self) -> str:
        """The id of the key that encrypts."""
        return self._newest

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of all keys that open, newest first."""
        return tuple(self._ciphers)

    def encrypt(self, text: str, *, binding: str) -> str:
        """The envelope of ``text``. ``binding`` names its declared place and row, e.g. ``instances.api_key:<row id>``."""
        place = binding.partition(":")[0]
        if place not in _places:
            raise UndeclaredPlace(f"{place} is no declared place of encrypted values; see hub/encrypted_columns.py")
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self._newest].encrypt(nonce, text.encode(), binding.encode())
        return ".".join((_VERSION, self._newest, _encode(nonce), _encode(sealed)))

    def decrypt(self, envelope: str, *, binding: str) -> str:
        """The text in ``envelope``; DecryptionError when it does not open at this place with a configured key."""
        try:
            version, its_key, nonce, sealed = envelope.split(".")
            if version != _VERSION:
                raise DecryptionError(f"unknown envelope version {version!r}")
            cipher = self._ciphers[its_key]
            return cipher.decrypt(_decode(nonce), _decode(sealed), binding.encode()).decode()
        except KeyError as error:
            raise DecryptionError("encrypted with a key that is not in ENCRYPTION_KEY") from error
        except (InvalidTag, ValueError) as error:
            raise DecryptionError("the value was changed or belongs elsewhere") from error

    def needs_rotation(self, envelope: str) -> bool:
        """Whether ``envelope`` was made with an older key than the newest."""
        return key_of(envelope) != self._newest


def key_of(envelope: str) -> str | None:
    """The id of the key that an envelope was made with; None for what is no envelope."""
    parts = envelope.split(".")
    return parts[1] if len(parts) == 4 and parts[0] == _VERSION else None


def current_vault() -> Vault:
    """The vault of the present app."""
    vault: Vault = current_app.extensions["hub_vault"]
    return vault


class Signer:
    """Says that the hub wrote something: ``<key id>.<HMAC-SHA-256>``, made with the newest key, checked with any."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._keys = {key_id(key): derive_key(key, "hub.audit") for key in keys}
        self._newest = key_id(keys[0])

    def sign(self, text: str) -> str:
        """The seal of ``text``."""
        return self._seal(self._newest, text)

    def check(self, text: str, seal: str) -> bool | None:
        """Whether ``seal`` is that of ``text``; None where it was made with a key that is not configured."""
        its_key = seal.partition(".")[0]
        return same_text(self._seal(its_key, text), seal) if its_key in self._keys else None

    def is_newest(self, seal: str) -> bool:
        """Whether ``seal`` was made with the newest key."""
        return seal.partition(".")[0] == self._newest

    def _seal(self, key_id: str, text: str) -> str:
        return f"{key_id}.{hmac.digest(self._keys[key_id], text.encode(), 'sha256').hex()}"


def current_signer() -> Signer:
    """The signer of the present app."""
    signer: Signer = current_app.extensions["hub_signer"]
    return signer
