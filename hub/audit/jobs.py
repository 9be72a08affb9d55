"""The room's own housekeeping."""

from __future__ import annotations

from hub.audit.anchors import anchor_heads
from hub.audit.keeping import VERIFY, prune_by_setting, verify_log
from hub.contracts.actor import SYSTEM
from hub.jobs.services import JobContext, periodic


@periodic(VERIFY, seconds=24 * 3600)
def verify(_context: JobContext) -> None:
    """Verify every chain, anchor the heads, and prune what need not be kept."""
    verify_log(SYSTEM)
    prune_by_setting()


@periodic("audit.anchor", seconds=3600)
def anchor(_context: JobContext) -> None:
    """Anchor the heads that moved."""
    anchor_heads()
