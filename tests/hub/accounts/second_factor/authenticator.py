"""An authenticator in software, for tests: makes passkeys and signs challenges as a device does (WebAuthn level 2)."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from hub.accounts.second_factor.passkeys import RelyingParty

PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40


@dataclass
class Authenticator:
    """One device with one passkey. ``count`` is its signature counter; ``counts`` False for a synchronised passkey."""

    party: RelyingParty
    verifies: bool = True
    counts: bool = True
    count: int = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    user_handle: bytes = b""

    def create(self, options: dict[str, Any]) -> str:
        """The answer to options for registering, as the page sends it."""
        self.user_handle = base64url_to_bytes(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        public_key = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor2.dumps(public_key)
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": self._data(ATTESTED) + attested})
        client = self._client("webauthn.create", options["challenge"])
        return self._answer(clientDataJSON=client, attestationObject=attestation, transports=["internal", "rubbish"])

    def sign(self, options: dict[str, Any], **changes: Any) -> str:
        """The answer to options for signing in. ``changes`` replaces parts of the response by other bytes."""
        self.count += self.counts
        data, client = self._data(0), self._client("webauthn.get", options["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        parts = {"authenticatorData": data, "clientDataJSON": client, "signature": signature, "userHandle": self.user_handle}
        return self._answer(**(parts | changes))

    def _data(self, flags: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0) | (0 if self.counts else ELIGIBLE | BACKED_UP)
        return hashlib.sha256(self.party.id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.party.origin, "crossOrigin": False}).encode()

    def _answer(self, **response: Any) -> str:
        name = bytes_to_base64url(self.credential_id)
        told = {key: bytes_to_base64url(value) if isinstance(value, bytes) else value for key, value in response.items()}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": told})
