"""Ten recovery codes for when app and passkeys are lost: shown once, stored as keyed hashes, each used once.

The key of the hashes is the person's own, random, and stored encrypted (``users.recovery_key``). So neither the database
alone nor a guess at 80 bits opens anything, and a rotation of ENCRYPTION_KEY re-encrypts the key and leaves the codes valid.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import hmac
import re
import secrets

import sqlalchemy as sa

from hub.accounts.models import RECOVERY_KEY, User
from hub.accounts.second_factor.models import RecoveryCode
from hub.columns import utc_now
from hub.extensions import db

CODES = 10
CODE_BYTES = 10
_GROUP = 4
_SHAPE = re.compile(r"[A-Z2-7]{16}")


class Use(enum.Enum):
    """What came of trying a recovery code."""

    ACCEPTED = enum.auto()
    USED_BEFORE = enum.auto()
    UNKNOWN = enum.auto()


def normal_code(text: str) -> str | None:
    """The code without spaces and dashes in capitals; None where the text has not the shape of one."""
    code = re.sub(r"[\s-]", "", text).upper()
    return code if _SHAPE.fullmatch(code) else None


def make_codes(user_id: str) -> list[str]:
    """Ten new codes in groups of four, in the present transaction; the old ones, used or not, end."""
    key = secrets.token_bytes(32)
    codes = [base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode() for _number in range(CODES)]
    drop_codes(user_id)
    db.session.execute(sa.update(User).where(User.id == user_id).values(recovery_key=RECOVERY_KEY.encrypt(key.hex(), user_id)))
    db.session.add_all([RecoveryCode(user_id=user_id, digest=_digest(key, code)) for code in codes])
    return ["-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP)) for code in codes]


def use_code(user_id: str, code: str) -> Use:
    """Use a code up, in the present transaction; of several at once one is accepted. DecryptionError when the key is gone."""
    sealed = db.session.scalar(sa.select(User.recovery_key).where(User.id == user_id))
    if sealed is None:
        return Use.UNKNOWN
    digest = _digest(bytes.fromhex(RECOVERY_KEY.decrypt(sealed, user_id)), code)
    mine = sa.and_(RecoveryCode.user_id == user_id, RecoveryCode.digest == digest)
    unused = sa.update(RecoveryCode).where(mine, RecoveryCode.used_at.is_(None)).values(used_at=utc_now())
    if db.session.execute(unused.returning(RecoveryCode.id)).all():
        return Use.ACCEPTED
    return Use.USED_BEFORE if db.session.scalar(sa.select(RecoveryCode.id).where(mine)) else Use.UNKNOWN


def count_left(user_id: str) -> int:
    """Codes that can still be used."""
    unused = sa.select(sa.func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return db.session.scalar(unused) or 0


def drop_codes(user_id: str) -> None:
    """Forget all codes, in the present transaction."""
    db.session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    db.session.execute(sa.update(User).where(User.id == user_id).values(recovery_key=None))


def _digest(key: bytes, code: str) -> str:
    return hmac.digest(key, code.encode(), hashlib.sha256).hex()
