"""Keeping the log: verification with its event, the state that people are shown, and pruning."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from hub.audit import triggers
from hub.audit.anchors import anchor_heads, audit_settings, read_anchors
from hub.audit.checkpoints import cut_chain, reseal
from hub.audit.models import AuditChain, AuditLog
from hub.audit.services import HUB_CHAIN, record_event
from hub.audit.verification import Break, Verification, verify_all, verify_chain
from hub.columns import utc_now
from hub.contracts.actor import SYSTEM, Actor
from hub.errors import Conflict, Invalid, NotAllowed
from hub.extensions import db
from hub.jobs.services import enqueue, find_job

VERIFY = "audit.verify"
#: Breaks that the event of a verification names.
_BREAKS_TOLD = 20


@dataclass(frozen=True, slots=True)
class ChainState:
    """What somebody may know of the chain: the head of their own, and the last verification of all.

    ``breaks`` are those of their own chain, for operators of all. ``verified_at`` is None before the first verification.
    """

    sequence: int
    hash: str | None
    verified_at: dt.datetime | None
    ok: bool
    chains: int
    events: int
    breaks: list[Break]
    missing_triggers: list[str]
    is_anchored: bool
    is_running: bool


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a pruning deleted, and the chains that it left alone because they do not hold."""

    chains: int
    events: int
    broken: list[Break]


def require_operator(actor: Actor) -> None:
    """``NotAllowed`` but for operators and the hub itself."""
    if not actor.is_operator and actor != SYSTEM:
        raise NotAllowed(_("Only operators do this."))


def verify_log(actor: Actor) -> Verification:
    """Verify all chains, record what was found, seal heads with the newest key and anchor those of the sound chains. Commits."""
    require_operator(actor)
    db.session.rollback()  # the reading takes no lock, so it begins a transaction of its own
    found = verify_all(read_anchors())
    details = {
        "chains": found.chains,
        "events": found.events,
        "broken": len(found.breaks),
        "breaks": [
            {"chain": item.chain, "sequence": item.sequence, "kind": item.kind, "event_id": item.event_id}
            for item in found.breaks[:_BREAKS_TOLD]
        ],
        "missing_triggers": found.missing_triggers,
        "lost_keys": sorted(found.lost_keys),
    }
    record_event(SYSTEM, VERIFY, "audit", success=found.ok, details={**details, "asked_by": actor.user_id})
    db.session.commit()
    reseal({name: report.hash for name, report in found.sound.items()})
    anchor_heads({item.chain for item in found.breaks})
    return found


def ask_for_verification(actor: Actor) -> None:
    """Queue a verification; where one waits or runs already, that one."""
    require_operator(actor)
    enqueue(VERIFY, unique_key=f"periodic:{VERIFY}")
    record_event(actor, "audit.ask_verification", "audit")
    db.session.commit()


def protect_log(actor: Actor) -> None:
    """Make the triggers again. Commits."""
    require_operator(actor)
    triggers.create(db.session.connection())
    record_event(actor, "audit.protect", "audit")
    db.session.commit()


def note_export(actor: Actor, kind: str, filters: dict[str, str]) -> None:
    """Record that somebody takes events out as a file. Commits."""
    record_event(actor, "audit.export", "audit", details={"format": kind, **filters})
    db.session.commit()


def read_state(actor: Actor) -> ChainState:
    """The head of the actor's chain, and what the last verification says of it (to operators: of all)."""
    head = db.session.execute(
        sa.select(AuditChain.sequence, AuditChain.hash).where(AuditChain.chain == (actor.user_id or HUB_CHAIN))
    ).one_or_none()
    last = db.session.scalar(
        sa.select(AuditLog)
        .where(AuditLog.chain == HUB_CHAIN, AuditLog.action == VERIFY)
        .order_by(AuditLog.sequence.desc())
        .limit(1)
    )
    facts = (last.details or {}) if last else {}
    told = [Break(item["chain"], item["sequence"], item["kind"], item["event_id"]) for item in facts.get("breaks", [])]
    mine = told if actor.is_operator else [item for item in told if item.chain == actor.user_id]
    settings = audit_settings()
    return ChainState(
        sequence=head.sequence if head else 0,
        hash=head.hash if head else None,
        verified_at=last.created_at if last else None,
        ok=not mine and not facts.get("missing_triggers"),
        chains=facts.get("chains", 0) if actor.is_operator else 1,
        events=facts.get("events", 0) if actor.is_operator else 0,
        breaks=mine,
        missing_triggers=facts.get("missing_triggers", []),
        is_anchored=bool(settings.anchor_file or settings.anchor_url),
        is_running=actor.is_operator and find_job(f"periodic:{VERIFY}") is not None,
    )


def prune_events(actor: Actor, before: dt.datetime) -> Pruned:
    """Delete the events before a time, chain by chain, each behind a sealed checkpoint. Commits after each chain.

    A chain that does not hold is left as it is: it is evidence. ``Invalid`` for a time in the future.
    """
    require_operator(actor)
    if before > utc_now():
        raise Invalid(_("Name a time in the past: newer events are not pruned."))
    anchors = read_anchors()
    broken: list[Break] = []
    chains = events = 0
    for name in list(db.session.scalars(sa.select(AuditChain.chain).order_by(AuditChain.chain))):
        db.session.rollback()
        report = verify_chain(name, anchors.get(name))
        db.session.rollback()
        if report.broken:
            broken.append(report.broken)
        elif count := cut_chain(name, before):
            db.session.commit()
            chains, events = chains + 1, events + count
    if events or broken:
        details = {"before": before.isoformat(), "chains": chains, "events": events, "broken": len(broken)}
        record_event(actor, "audit.prune", "audit", success=not broken, details=details)
        db.session.commit()
    db.session.rollback()
    return Pruned(chains, events, broken)


def prune_by_setting() -> None:
    """Prune what is older than ``HUB_AUDIT_KEEP_DAYS``; ``Conflict`` where chains do not hold, so that the job says so."""
    days = audit_settings().keep_days
    if days is None:
        return
    pruned = prune_events(SYSTEM, utc_now() - dt.timedelta(days=days))
    if pruned.broken:
        raise Conflict(f"{len(pruned.broken)} chains of the audit log do not hold and were not pruned; run: hub audit verify")
