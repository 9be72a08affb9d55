"""Recorded executions of the demo's workflows, for the read-only sample instance that a newcomer finds.

`executions.json.gz` is a list of `{"execution", "workflow"}` as n8n's public API answers them, oldest first; it is made by
`tools/record_sample.py`. Times are moved on reading, so that the executions lie in the days before now.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "executions.json.gz"
NEWEST_AGE = timedelta(minutes=4)
SPACING = timedelta(hours=5)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]*Z$")
#: Nobody's executions come on the hour; minutes that each one is older than its even spacing.
UNEVENNESS = (0, 47, 131, 12, 88, 170, 35)


def read_sample(now: datetime) -> Iterator[dict[str, Any]]:
    """The recordings, oldest first, the newest some minutes before `now` (aware) and the others in the days before."""
    recordings = json.loads(gzip.decompress(FILE.read_bytes()))
    shifts = [
        now - _age(len(recordings) - 1 - position) - _parse(recording["execution"]["startedAt"])
        for position, recording in enumerate(recordings)
    ]
    for recording, shift in zip(recordings, shifts, strict=True):
        # A workflow is older than its first execution, and as old in every recording.
        yield {
            "execution": move_times(recording["execution"], shift),
            "workflow": move_times(recording["workflow"], min(shifts)),
        }


def _age(younger: int) -> timedelta:
    """How old the execution is that so many others are younger than."""
    return NEWEST_AGE + SPACING * younger + timedelta(minutes=UNEVENNESS[younger % len(UNEVENNESS)], seconds=37 * younger)


def move_times(value: Any, shift: timedelta) -> Any:
    """The value with every time in it moved: ISO texts, and `startTime` or `timestamp` in milliseconds."""
    if isinstance(value, list):
        return [move_times(each, shift) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _moved(key, each, shift) for key, each in value.items()}


def _moved(key: str, value: Any, shift: timedelta) -> Any:
    if isinstance(value, str) and TIME.match(value):
        return (_parse(value) + shift).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if key in ("startTime", "timestamp") and isinstance(value, int):
        return value + round(shift.total_seconds() * 1000)
    return move_times(value, shift)


def _parse(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
