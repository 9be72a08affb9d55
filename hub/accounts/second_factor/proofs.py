"""Checking a second factor: attempts are limited, refusals are audited, and each proof counts once."""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.accounts import rate_limits
from hub.accounts.actors import Client
from hub.accounts.models import User
from hub.accounts.notices import Notice, notify
from hub.accounts.second_factor import passkeys, recovery, totp
from hub.accounts.second_factor.passkeys import RelyingParty
from hub.audit.services import record_event
from hub.crypto import DecryptionError
from hub.errors import Invalid, TooMany, Unavailable
from hub.extensions import db

#: Wrong codes of one person: a guess hits one of three in a million, so 50 a day leave a chance of 1 in 6,700.
LIMITS = ((5, dt.timedelta(minutes=5)), (20, dt.timedelta(hours=1)), (50, dt.timedelta(days=1)))


@dataclass(frozen=True, slots=True)
class CodeProof:
    """What was typed: a code of the app, or a recovery code."""

    text: str


@dataclass(frozen=True, slots=True)
class PasskeyProof:
    """What the browser answered, as JSON, and where. None where the address of the hub allows no passkeys."""

    answer: str
    party: RelyingParty | None


Proof = CodeProof | PasskeyProof


def accept_code(user_id: str, text: str, client: Client) -> None:
    """Use up a code in the present transaction. ``Invalid`` says what is wrong with it; ``TooMany`` after too many of them."""
    try:
        for attempts, window in LIMITS:
            rate_limits.count_attempt({_bucket(user_id, window): attempts}, window=window)
    except TooMany as error:
        if error.is_first:  # a flood of them shall not flood the log
            _record_refusal(user_id, client, "code", "too many")
        raise
    recovery_code = recovery.normal_code(text)
    try:
        problem = _try_recovery_code(user_id, recovery_code) if recovery_code else _try_app_code(user_id, text)
    except DecryptionError as error:
        _record_refusal(user_id, client, "code", "unreadable")
        raise Unavailable(
            _("The hub cannot read your second factor, because its encryption key is missing. Ask an operator.")
        ) from error
    method = "recovery code" if recovery_code else "app"
    if problem:
        reason, message = problem
        _record_refusal(user_id, client, method, reason)
        raise Invalid(fields={"code": message})
    rate_limits.give_back({_bucket(user_id, window): attempts for attempts, window in LIMITS})
    record_event(client.as_actor(user_id), "second_factor.check", "user", user_id, details={"method": method})
    if recovery_code:
        notify(db.session.get_one(User, user_id), Notice.RECOVERY_CODE_USED, client)


def accept_passkey(user_id: str, proof: PasskeyProof, challenge: str, client: Client) -> None:
    """Take a passkey of the person in the present transaction; ``Invalid`` else."""
    accepted = accept_signature(proof, challenge, client, user_id=user_id)
    record_event(client.as_actor(user_id), "second_factor.check", "passkey", accepted.passkey_id, details={"method": "passkey"})


def accept_signature(
    proof: PasskeyProof, challenge: str, client: Client, *, user_id: str | None = None, verified: bool = False
) -> passkeys.Accepted:
    """``passkeys.accept_signature``, with each refusal audited and told in the same words."""
    if proof.party is None:
        raise Invalid(no_passkeys_here())
    try:
        return passkeys.accept_signature(proof.answer, challenge, proof.party, user_id=user_id, verified=verified)
    except passkeys.Refused as refused:
        if refused.copied and refused.user_id:
            notify(db.session.get_one(User, refused.user_id), Notice.PASSKEY_SUSPECTED, client, name=refused.copied)
        _record_refusal(refused.user_id, client, "passkey", refused.reason)
        raise Invalid(_("The passkey was not accepted. Try again, or sign in another way.")) from refused


def no_passkeys_here() -> str:
    """Why passkeys are not offered."""
    return str(_("Passkeys work only where the hub has a name of its own (HUB_PUBLIC_URL), not at a bare address."))


def _try_recovery_code(user_id: str, code: str) -> tuple[str, str] | None:
    """What is wrong with the code: a reason for the audit log, and words for the person."""
    match recovery.use_code(user_id, code):
        case recovery.Use.ACCEPTED:
            return None
        case recovery.Use.USED_BEFORE:
            return "used before", _("This recovery code was used already. Take another one.")
        case recovery.Use.UNKNOWN:
            return "wrong", _("This is none of your recovery codes.")


def _try_app_code(user_id: str, text: str) -> tuple[str, str] | None:
    sealed = db.session.scalar(sa.select(User.two_factor_secret).where(User.id == user_id))
    step = totp.step_of(totp.read_secret(user_id, sealed), plain_digits(text)) if sealed else None
    if step is None:
        return "wrong", _("The code is wrong or too old. Take the present one from your app.")
    if not totp.use_step(user_id, step):
        return "used before", _("This code was used already. Wait for the next one.")
    return None


def plain_digits(text: str) -> str:
    """A code as apps show it ("123 456"), without the space and in western digits, whatever keyboard it was typed on."""
    return "".join(str(unicodedata.decimal(sign, sign)) for sign in text if not sign.isspace())


def _record_refusal(user_id: str | None, client: Client, method: str, reason: str) -> None:
    details = {"method": method, "reason": reason}
    record_event(client.as_actor(user_id), "second_factor.check", "user", user_id, success=False, details=details)
    db.session.commit()


def _bucket(user_id: str, window: dt.timedelta) -> str:
    return f"second_factor:{int(window.total_seconds())}:{user_id}"
