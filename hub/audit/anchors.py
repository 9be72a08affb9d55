"""Anchors: heads of chains written down where whoever holds the database does not reach, a file or another server.

Without one a cut end cannot be seen, nor a chain that was made anew with the key. The file has one JSON object a line, ``at``,
``chain``, ``sequence``, ``hash``, ``seal``, and is only ever appended to; the webhook gets the same objects in a list.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import current_app

from hub.audit.models import AuditChain, AuditLog
from hub.audit_settings import AuditSettings
from hub.columns import utc_now
from hub.config import Config
from hub.egress import EgressError, current_policy, describe_egress_error, fetch, open_session
from hub.errors import Unavailable
from hub.extensions import db

log = logging.getLogger(__name__)

#: Heads in one request to the webhook.
_HEADS_PER_REQUEST = 500


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a chain's head was at some time. ``at`` is ISO 8601 in UTC."""

    chain: str
    sequence: int
    hash: str
    seal: str
    at: str

    def as_json(self) -> dict[str, Any]:
        """The object that is written down."""
        return {"at": self.at, "chain": self.chain, "sequence": self.sequence, "hash": self.hash, "seal": self.seal}


def audit_settings() -> AuditSettings:
    """The settings of the present app."""
    config: Config = current_app.extensions["hub_config"]
    return config.audit


def read_anchors(path: Path | None = None) -> dict[str, Anchor]:
    """The last anchor of each chain in the file (``HUB_AUDIT_ANCHOR_FILE``); empty where there is none.

    A line that a crash cut short is passed over. ``Unavailable`` where the file cannot be read.
    """
    path = path or audit_settings().anchor_file
    anchors: dict[str, Anchor] = {}
    if path is None or not path.exists():
        return anchors
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                if anchor := _parse(line):
                    anchors[anchor.chain] = anchor
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(f"The file of anchors cannot be read: {error}. Look at HUB_AUDIT_ANCHOR_FILE.") from error
    return anchors


def _parse(line: str) -> Anchor | None:
    try:
        values = json.loads(line)
        return Anchor(str(values["chain"]), int(values["sequence"]), str(values["hash"]), str(values["seal"]), str(values["at"]))
    except (ValueError, KeyError, TypeError):
        return None


def anchor_heads(broken: Collection[str] = ()) -> int:
    """Write down every head that moved since it was anchored last; answers how many. Commits.

    A chain that is ``broken``, or no longer holds the row that was anchored, is left out, so that its last good anchor stays the
    last. ``Unavailable`` where the file or the server fails.
    """
    settings = audit_settings()
    if settings.anchor_file is None and settings.anchor_url is None:
        return 0
    filed = read_anchors()
    heads = list(db.session.scalars(sa.select(AuditChain).where(AuditChain.sequence > 0).order_by(AuditChain.chain)))
    at = utc_now().isoformat(timespec="seconds")
    written, posted = [], []
    for head in heads:
        before = filed.get(head.chain)
        if head.chain in broken or not _continues(head, before):
            continue
        anchor = Anchor(head.chain, head.sequence, head.hash, head.seal, at)
        if settings.anchor_file and (before is None or before.sequence < head.sequence):
            written.append(anchor)
        if settings.anchor_url and head.anchored < head.sequence:
            posted.append(anchor)
    db.session.rollback()  # no transaction is open while the disk or another server is waited for
    if settings.anchor_file:
        _append(settings.anchor_file, written)
    if settings.anchor_url:
        _post(settings.anchor_url, settings.anchor_secret, posted)
    return len({anchor.chain for anchor in (*written, *posted)})


def _continues(head: AuditChain, before: Anchor | None) -> bool:
    """Whether the chain still holds the row that was anchored, or has been pruned beyond it."""
    if before is None:
        return True
    if head.sequence < before.sequence:
        return False
    stored = db.session.scalar(sa.select(AuditLog.hash).where(AuditLog.chain == head.chain, AuditLog.sequence == before.sequence))
    return stored is None or stored == before.hash


def _append(path: Path, anchors: Iterable[Anchor]) -> None:
    lines = "".join(json.dumps(anchor.as_json()) + "\n" for anchor in anchors)
    if not lines:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as stream:
            stream.write(lines if _ends_whole(path) else "\n" + lines)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise Unavailable(f"The heads could not be anchored: {error}. Look at HUB_AUDIT_ANCHOR_FILE.") from error


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as stream:
        if stream.seek(0, os.SEEK_END) == 0:
            return True
        stream.seek(-1, os.SEEK_END)
        return stream.read() == b"\n"


def _post(url: str, secret: str | None, anchors: list[Anchor]) -> None:
    if not secret:
        raise Unavailable("HUB_AUDIT_ANCHOR_URL needs HUB_AUDIT_ANCHOR_SECRET, which signs what is sent.")
    session = open_session(current_policy())
    for start in range(0, len(anchors), _HEADS_PER_REQUEST):
        part = anchors[start : start + _HEADS_PER_REQUEST]
        body = json.dumps({"type": "audit.heads", "heads": [anchor.as_json() for anchor in part]}).encode()
        headers = {"Content-Type": "application/json", "X-Hub-Signature": sign_body(secret, body, int(utc_now().timestamp()))}
        try:
            answer = fetch(session, "POST", url, headers=headers, content=body)
        except EgressError as error:
            reason = describe_egress_error(error.code, error.details)
            raise Unavailable(f"The heads could not be anchored at HUB_AUDIT_ANCHOR_URL: {reason}") from error
        if not 200 <= answer.status < 300:
            raise Unavailable(f"The heads could not be anchored: HUB_AUDIT_ANCHOR_URL answered {answer.status}.")
        for anchor in part:
            head = sa.update(AuditChain).where(AuditChain.chain == anchor.chain, AuditChain.anchored < anchor.sequence)
            db.session.execute(head.values(anchored=anchor.sequence).execution_options(synchronize_session=False))
        db.session.commit()


def sign_body(secret: str, body: bytes, timestamp: int) -> str:
    """The header ``X-Hub-Signature``: ``t`` is the time in seconds, ``v1`` the HMAC-SHA-256 of ``<t>.<body>``."""
    digest = hmac.digest(secret.encode(), f"{timestamp}.".encode() + body, "sha256").hex()
    return f"t={timestamp},v1={digest}"
