"""The settings of the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.settings import Setting, at_least

AUDIT_SETTINGS: tuple[Setting, ...] = (
    Setting(
        "HUB_AUDIT_ANCHOR_FILE",
        None,
        "Absolute path of a file, best on another machine's disk, to which the heads of the audit log's chains are appended.",
        Path,
    ),
    Setting("HUB_AUDIT_ANCHOR_URL", None, "Address to which the heads of the audit log's chains are posted."),
    Setting("HUB_AUDIT_ANCHOR_SECRET", None, "The secret that signs what HUB_AUDIT_ANCHOR_URL is sent.", secret=True),
    Setting("HUB_AUDIT_KEEP_DAYS", None, "Days that events of the audit log are kept; without it for ever.", at_least(1)),
)


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """Where the heads are anchored, and how long events are kept (None: for ever)."""

    anchor_file: Path | None
    anchor_url: str | None
    anchor_secret: str | None
    keep_days: int | None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> AuditSettings:
        """From the parsed settings by name."""
        return cls(
            anchor_file=values["HUB_AUDIT_ANCHOR_FILE"],
            anchor_url=values["HUB_AUDIT_ANCHOR_URL"],
            anchor_secret=values["HUB_AUDIT_ANCHOR_SECRET"],
            keep_days=values["HUB_AUDIT_KEEP_DAYS"],
        )
