"""The append-only log of what was done, the chains that bind its rows, and the seals of what was pruned."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from hub.columns import Created, Json, Key
from hub.extensions import Model


class AuditLog(Created, Model):
    """One event. ``user_id`` is no foreign key: the log outlives the user.

    ``chain`` is the user's id, or empty for the hub itself; ``sequence`` counts its rows from 1 without a gap. ``seal`` says
    that the hub wrote it, ``hash`` binds it to the next (``hub.audit.chain``). Triggers refuse UPDATE, and DELETE of rows that no
    checkpoint covers.
    """

    __tablename__ = "audit_logs"
    __table_args__ = (
        sa.Index("ix_audit_logs_user_id", "user_id"),
        sa.Index("ix_audit_logs_action", "action"),
        sa.Index("idx_audit_logs_user_action", "user_id", "action"),
        sa.Index("idx_audit_logs_created", sa.column("created_at").desc()),
        sa.Index("ix_audit_logs_user_page", "user_id", sa.column("created_at").desc(), sa.column("id").desc()),
        sa.Index("uq_audit_logs_chain_sequence", "chain", "sequence", unique=True),
    )

    id: Mapped[Key]
    user_id: Mapped[str | None] = mapped_column(sa.String(32))
    action: Mapped[str] = mapped_column(sa.String(80))
    resource: Mapped[str] = mapped_column(sa.String(80))
    resource_id: Mapped[str | None] = mapped_column(sa.String(80))
    ip_address: Mapped[str | None] = mapped_column(sa.String(45))
    user_agent: Mapped[str | None] = mapped_column(sa.String(400))
    success: Mapped[bool]
    details: Mapped[dict[str, Any] | None] = mapped_column(Json)
    chain: Mapped[str] = mapped_column(sa.String(64))
    sequence: Mapped[int] = mapped_column(sa.BigInteger)
    previous_hash: Mapped[str] = mapped_column(sa.String(64))
    hash: Mapped[str] = mapped_column(sa.String(64))
    seal: Mapped[str] = mapped_column(sa.String(80))


class AuditChain(Model):
    """The head of one chain: its last row's sequence and hash, and a seal of that hash. Its writers take turns at this row."""

    __tablename__ = "audit_chains"

    chain: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    sequence: Mapped[int] = mapped_column(sa.BigInteger)
    hash: Mapped[str] = mapped_column(sa.String(64))
    seal: Mapped[str] = mapped_column(sa.String(80))
    #: Up to which row the head was sent to the webhook.
    anchored: Mapped[int] = mapped_column(sa.BigInteger, default=0, server_default="0")


class AuditCheckpoint(Created, Model):
    """The sealed end of what was pruned from a chain: rows up to ``sequence`` may be deleted, and the rest is verified from here.

    ``count`` is how many rows went with it. Append-only as the log itself.
    """

    __tablename__ = "audit_checkpoints"
    __table_args__ = (sa.Index("ix_audit_checkpoints_chain_sequence", "chain", "sequence"),)

    id: Mapped[Key]
    chain: Mapped[str] = mapped_column(sa.String(64))
    sequence: Mapped[int] = mapped_column(sa.BigInteger)
    hash: Mapped[str] = mapped_column(sa.String(64))
    count: Mapped[int] = mapped_column(sa.BigInteger)
    seal: Mapped[str] = mapped_column(sa.String(80))
