"""Codes of an authenticator app (TOTP, RFC 6238): 6 digits, 30 seconds, SHA-1, which is what all apps understand."""

from __future__ import annotations

import base64
import datetime as dt
import json
import secrets
import time
from dataclasses import dataclass

import segno
import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from flask_babel import gettext as _

from hub.accounts.models import TWO_FACTOR_SECRET, User
from hub.accounts.second_factor.pending import Expired
from hub.columns import utc_now
from hub.crypto import DecryptionError, current_vault, declare_place, same_text
from hub.extensions import db

ISSUER = "AI-HTTP Hub"
STEP = 30
DIGITS = 6
SECRET_BYTES = 20
#: Steps before and after the present one whose code is taken too: clocks differ, and people type slowly.
DRIFT = 1
#: How long a secret that was shown may be confirmed.
ENROLMENT = dt.timedelta(minutes=30)
#: A secret in the form that confirms it.
_TYPED = declare_place("second_factor.enrolment")


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A new secret that its owner has not confirmed yet. ``sealed`` goes through the form; nothing is stored."""

    sealed: str
    secret: str
    uri: str
    picture: str

    @property
    def secret_in_groups(self) -> str:
        """The secret as people can type it."""
        return " ".join(self.secret[start : start + 4] for start in range(0, len(self.secret), 4))


def begin_enrolment(user_id: str, email: str) -> Enrolment:
    """A new secret with its QR code, drawn here."""
    secret = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()
    facts = {"secret": secret, "until": (utc_now() + ENROLMENT).timestamp()}
    return _show(current_vault().encrypt(json.dumps(facts), binding=f"{_TYPED}:{user_id}"), secret, email)


def open_enrolment(user_id: str, email: str, sealed: str) -> Enrolment:
    """What ``begin_enrolment`` sealed for this person; ``Expired`` after half an hour, or if it is not theirs."""
    try:
        facts = json.loads(current_vault().decrypt(sealed, binding=f"{_TYPED}:{user_id}"))
    except DecryptionError:
        facts = {"until": 0}
    if facts["until"] < utc_now().timestamp():
        raise Expired(_("That took too long. Scan the new QR code."))
    return _show(sealed, facts["secret"], email)


def _show(sealed: str, secret: str, email: str) -> Enrolment:
    uri = _generator(secret).get_provisioning_uri(email, ISSUER)
    # The quiet zone and the white ground belong to the code: on a dark page it must stay dark on light.
    picture = segno.make(uri, error="m", micro=False).svg_data_uri(scale=4, border=4, dark="#000", light="#fff")
    return Enrolment(sealed, secret, uri, picture)


def step_of(secret: str, code: str) -> int | None:
    """The time step whose code this is, near the present; None for a wrong code."""
    generator, now = _generator(secret), int(time.time()) // STEP
    matches = [step for step in range(now - DRIFT, now + DRIFT + 1) if same_text(code_at(generator, step), code)]
    return matches[-1] if matches else None


def code_at(generator: TOTP, step: int) -> str:
    """The code of a time step."""
    return generator.generate(step * STEP).decode()


def _generator(secret: str) -> TOTP:
    standard = SHA1()  # noqa: S303  # nosec B303 (RFC 6238's own, and the only one that all apps know)
    return TOTP(base64.b32decode(secret), DIGITS, standard, STEP, enforce_key_length=False)


def store_secret(user_id: str, secret: str, step: int) -> None:
    """Make ``secret`` the person's, in the present transaction; the code of ``step`` confirmed it and is used up."""
    values = {"two_factor_secret": TWO_FACTOR_SECRET.encrypt(secret, user_id), "two_factor_step": step}
    db.session.execute(sa.update(User).where(User.id == user_id).values(values))


def read_secret(user_id: str, sealed: str) -> str:
    """The person's secret; DecryptionError when its key is gone."""
    return TWO_FACTOR_SECRET.decrypt(sealed, user_id)


def use_step(user_id: str, step: int) -> bool:
    """Use up all codes to ``step``, in the present transaction; False when it was used before, at the same time too."""
    newer = sa.update(User).where(User.id == user_id, User.two_factor_step < step).values(two_factor_step=step)
    return bool(db.session.execute(newer.returning(User.id)).all())
