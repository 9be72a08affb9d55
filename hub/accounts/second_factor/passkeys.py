"""Passkeys (WebAuthn): registering one, and accepting its signature. Who may do it and what follows is ``services``' matter."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from hub.accounts.second_factor.models import Passkey
from hub.columns import utc_now
from hub.extensions import db

NAME = "AI-HTTP Hub"
#: Of one person.
MOST = 20
#: A credential without attestation is about 1 kB; hardware that attests itself sends a few.
LARGEST_ANSWER = 64_000
_ID = re.compile(r"[A-Za-z0-9_-]{16,1400}")


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """This hub as browsers know it: ``id`` is its host name, ``origin`` with scheme and port."""

    id: str
    origin: str


class Refused(Exception):
    """A passkey's answer that does not count; ``reason`` is for the audit log, ``user_id`` whose passkey it was.

    ``copied`` is the name of a passkey that came with a sign count which had been seen.
    """

    def __init__(self, reason: str, user_id: str | None = None, *, copied: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.user_id = user_id
        self.copied = copied


@dataclass(frozen=True, slots=True)
class Accepted:
    """Whose passkey signed, and which one."""

    user_id: str
    passkey_id: str


def registration_options(user_id: str, email: str, name: str, party: RelyingParty) -> dict[str, Any]:
    """What the browser's ``navigator.credentials.create`` is given. Passkeys that the person has are not made twice."""
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=NAME,
        user_id=user_id.encode(),
        user_name=email,
        user_display_name=name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
        ),
        exclude_credentials=_descriptors(user_id),
    )
    return _as_dict(options_to_json(options))


def sign_in_options(party: RelyingParty) -> dict[str, Any]:
    """For signing in without a password: any passkey of this site, whose device must check who is there."""
    options = generate_authentication_options(rp_id=party.id, user_verification=UserVerificationRequirement.REQUIRED)
    return _as_dict(options_to_json(options))


def proof_options(user_id: str, party: RelyingParty) -> dict[str, Any]:
    """For a person who is known already: one of their own passkeys, touched is enough."""
    options = generate_authentication_options(
        rp_id=party.id, allow_credentials=_descriptors(user_id), user_verification=UserVerificationRequirement.PREFERRED
    )
    return _as_dict(options_to_json(options))


def add_passkey(user_id: str, answer: str, challenge: str, party: RelyingParty, name: str) -> Passkey:
    """The new passkey, in the present transaction; ``Refused`` where the answer does not hold."""
    facts = _parse(answer)
    try:
        verified: VerifiedRegistration = verify_registration_response(
            credential=facts,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=party.id,
            expected_origin=party.origin,
        )
    except Exception as error:  # the answer is a stranger's bytes: CBOR, keys and certificates fail in many ways
        raise Refused("invalid") from error
    credential_id = bytes_to_base64url(verified.credential_id)
    if db.session.scalar(sa.select(Passkey.id).where(Passkey.credential_id == credential_id)):
        raise Refused("known already")
    passkey = Passkey(
        user_id=user_id,
        name=name,
        credential_id=credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        transports=_transports(facts),
        backup_eligible=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        backed_up=verified.credential_backed_up,
    )
    db.session.add(passkey)
    db.session.flush()
    return passkey


def accept_signature(
    answer: str, challenge: str, party: RelyingParty, *, user_id: str | None = None, verified: bool = False
) -> Accepted:
    """Whose passkey signed ``challenge``; its count goes up in the present transaction. ``Refused`` with the reason else.

    ``user_id``: only this person's passkeys count; without it the passkey has to say whose it is.
    ``verified``: the device must have checked who is there (PIN, finger, face).
    """
    facts = _parse(answer)
    passkey = _find(facts)
    if passkey is None or (user_id and passkey.user_id != user_id):
        raise Refused("unknown", user_id)
    try:
        handle = _user_handle(facts)
        if handle != passkey.user_id and (handle is not None or user_id is None):
            raise Refused("another person's", passkey.user_id)
        # The library would judge the count before the signature, so that anybody could make a passkey suspicious.
        signed = verify_authentication_response(
            credential=facts,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,
            require_user_verification=verified,
        )
    except Refused:
        raise
    except Exception as error:
        raise Refused("invalid", passkey.user_id) from error
    if not _count_use(passkey.id, signed):
        db.session.execute(sa.update(Passkey).where(Passkey.id == passkey.id).values(suspected_at=utc_now()))
        raise Refused("sign count", passkey.user_id, copied=passkey.name)
    return Accepted(passkey.user_id, passkey.id)


def _count_use(passkey_id: str, signed: VerifiedAuthentication) -> bool:
    """Note the use, unless the count has been seen: then the key was copied. Synchronised passkeys do not count; theirs is 0."""
    count = signed.new_sign_count
    is_new = Passkey.sign_count < count if count else Passkey.sign_count == 0
    values = {"sign_count": count, "last_used_at": utc_now(), "backed_up": signed.credential_backed_up}
    used = sa.update(Passkey).where(Passkey.id == passkey_id, is_new).values(values)
    return bool(db.session.execute(used.returning(Passkey.id)).all())


def _find(facts: dict[str, Any]) -> Passkey | None:
    credential_id = facts.get("id")
    if not isinstance(credential_id, str) or not _ID.fullmatch(credential_id):
        return None
    return db.session.scalar(sa.select(Passkey).where(Passkey.credential_id == credential_id))


def _user_handle(facts: dict[str, Any]) -> str | None:
    """The id that the passkey keeps of its person; discoverable ones send it along."""
    handle = facts["response"].get("userHandle")
    return base64url_to_bytes(handle).decode() if handle else None


def _parse(answer: str) -> dict[str, Any]:
    try:
        facts = json.loads(answer) if len(answer) <= LARGEST_ANSWER else None
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        raise Refused("invalid")
    return facts


def _transports(facts: dict[str, Any]) -> list[str]:
    named = facts["response"].get("transports")
    known = [transport.value for transport in AuthenticatorTransport]
    return [name for name in known if isinstance(named, list) and name in named]


def _descriptors(user_id: str) -> list[PublicKeyCredentialDescriptor]:
    rows = db.session.execute(sa.select(Passkey.credential_id, Passkey.transports).where(Passkey.user_id == user_id))
    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(row.credential_id), transports=[AuthenticatorTransport(name) for name in row.transports]
        )
        for row in rows
    ]


def _as_dict(text: str) -> dict[str, Any]:
    options: dict[str, Any] = json.loads(text)
    return options
