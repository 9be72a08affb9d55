"""Retention: what is old goes behind a sealed checkpoint, from which the rest of its chain stays verifiable."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from hub.audit.chain import canonical_text
from hub.audit.models import AuditChain, AuditCheckpoint, AuditLog
from hub.columns import utc_now
from hub.crypto import current_signer
from hub.extensions import db
from hub.identifiers import new_id


def is_genuine(checkpoint: AuditCheckpoint) -> bool:
    """Whether the hub made this checkpoint, with a key that is configured."""
    return current_signer().check(_sealed_text(checkpoint), checkpoint.seal) is True


def _sealed_text(checkpoint: AuditCheckpoint) -> str:
    names = ("id", "chain", "sequence", "hash", "count", "created_at")
    return canonical_text({name: getattr(checkpoint, name) for name in names})


def _add_checkpoint(chain: str, sequence: int, end: str, count: int) -> None:
    checkpoint = AuditCheckpoint(id=new_id(), chain=chain, sequence=sequence, hash=end, count=count, created_at=utc_now())
    checkpoint.seal = current_signer().sign(_sealed_text(checkpoint))
    db.session.add(checkpoint)
    db.session.flush()


def cut_chain(chain: str, before: dt.datetime) -> int:
    """Delete the beginning of a chain up to its first event that is not older than ``before``, in the present transaction.

    Answers how many rows went. The chain must have been verified: what is deleted can no longer be.
    """
    rows = sa.select(AuditLog.sequence).where(AuditLog.chain == chain)
    first_kept = db.session.scalar(rows.where(AuditLog.created_at >= before).order_by(AuditLog.sequence).limit(1))
    of_chain = AuditLog.chain == chain
    old = of_chain if first_kept is None else sa.and_(of_chain, AuditLog.sequence < first_kept)
    last = db.session.execute(
        sa.select(AuditLog.sequence, AuditLog.hash).where(old).order_by(AuditLog.sequence.desc()).limit(1)
    ).one_or_none()
    if last is None:
        return 0
    gone = sa.and_(of_chain, AuditLog.sequence <= last.sequence)
    count = db.session.scalar(sa.select(sa.func.count()).select_from(AuditLog).where(gone)) or 0
    _add_checkpoint(chain, last.sequence, last.hash, count)
    db.session.execute(sa.delete(AuditLog).where(gone).execution_options(synchronize_session=False))
    return count


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many heads and checkpoints were sealed anew."""

    heads: int
    checkpoints: int


def reseal(sound: Mapping[str, str]) -> Resealed:
    """Seal heads and checkpoints with the newest key. ``sound``: the hash of the head of each chain that was verified. Commits.

    Afterwards an older key may go: a head's seal vouches for all rows before it.
    """
    signer = current_signer()
    heads = checkpoints = 0
    for chain in sorted(sound):
        head = db.session.scalar(sa.select(AuditChain).where(AuditChain.chain == chain).with_for_update())
        if head and head.hash == sound[chain] and not signer.is_newest(head.seal):
            head.seal = signer.sign(head.hash)
            heads += 1
        found = db.session.scalars(
            sa.select(AuditCheckpoint).where(AuditCheckpoint.chain == chain).order_by(AuditCheckpoint.sequence.desc())
        ).all()
        last = [checkpoint for checkpoint in found if checkpoint.sequence == found[0].sequence]
        if last and not any(signer.is_newest(checkpoint.seal) for checkpoint in last):
            _add_checkpoint(chain, last[0].sequence, last[0].hash, 0)
            checkpoints += 1
        db.session.commit()
    return Resealed(heads, checkpoints)
