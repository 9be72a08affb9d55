"""HTTP digest authentication (RFC 7616): the answer to a server's challenge."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from hub.http_builder.rendering.headers import Headers

_HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256", "SHA-512": "sha512", "SHA": "sha1"}
_PARAMETER = re.compile(r'([\w*-]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^\s,"]+))')
_CHALLENGE = re.compile(r"(?:^|,)\s*Digest\s+", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r",\s*[\w-]+\s+[\w*-]+\s*=")


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server asks for. ``qop`` is ``auth`` or empty (RFC 2069)."""

    realm: str
    nonce: str
    qop: str
    algorithm: str
    opaque: str | None


def read_challenge(headers: Iterable[tuple[str, str]]) -> Challenge | None:
    """The first challenge that can be answered, which is the one the server likes best; None where there is none."""
    for name, value in headers:
        if name.lower() != "www-authenticate":
            continue
        for text in _CHALLENGE.split(value)[1:]:
            own = text[: other.start()] if (other := _OTHER_SCHEME.search(text)) else text
            challenge = _read(own)
            if challenge:
                return challenge
    return None


def _read(text: str) -> Challenge | None:
    found = {name.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain for name, quoted, plain in _PARAMETER.findall(text)}
    offered = [word.strip().lower() for word in found.get("qop", "").split(",") if word.strip()]
    algorithm = found.get("algorithm", "MD5")
    plain = algorithm.upper().removesuffix("-SESS")
    if "nonce" not in found or plain not in _HASHES or (offered and "auth" not in offered):
        return None
    return Challenge(found.get("realm", ""), found["nonce"], "auth" if offered else "", algorithm, found.get("opaque"))


def answer(
    challenge: Challenge, method: str, uri: str, username: str, password: str, *, client_nonce: str | None = None
) -> tuple[str, str]:
    """The ``Authorization`` header, and the response in it. ``uri`` is what stands in the request line."""
    client_nonce = client_nonce or secrets.token_hex(8)

    def digest(*parts: str) -> str:
        hashed = hashlib.new(_HASHES[challenge.algorithm.upper().removesuffix("-SESS")], usedforsecurity=False)
        hashed.update(":".join(parts).encode("utf-8", "replace"))
        return hashed.hexdigest()

    identity = digest(username, challenge.realm, password)
    if challenge.algorithm.upper().endswith("-SESS"):
        identity = digest(identity, challenge.nonce, client_nonce)
    request = digest(method, uri)
    if challenge.qop:
        response = digest(identity, challenge.nonce, "00000001", client_nonce, challenge.qop, request)
    else:
        response = digest(identity, challenge.nonce, request)
    fields: Headers = [("realm", challenge.realm), ("nonce", challenge.nonce), ("uri", uri), ("response", response)]
    if challenge.opaque is not None:
        fields.append(("opaque", challenge.opaque))
    quoted = [("username", username), *fields]
    text = ", ".join(f'{name}="{_escape(value)}"' for name, value in quoted) + f", algorithm={challenge.algorithm}"
    if challenge.qop:
        text += f', qop={challenge.qop}, nc=00000001, cnonce="{client_nonce}"'
    return f"Digest {text}", response


def _escape(text: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", text)
