"""What notify hooks are told."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed execution as first seen. ``execution_id`` is the hub's id."""

    execution_id: str
    n8n_execution_id: str
    workflow_name: str
    status: str
    started_at: dt.datetime


@dataclass(frozen=True, slots=True)
class FailureEvent:
    """New failures of one instance. ``initial`` says that they come from its first sync: they may be old."""

    instance_id: str
    instance_name: str
    failures: tuple[Failure, ...]
    initial: bool = False
