"""Where the time of a run went, as bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

#: The steps in the order in which they happen.
STEPS = ("dns", "connect", "tls", "first_byte", "download")


@dataclass(frozen=True, slots=True)
class Bar:
    """One step: ``start`` and ``width`` are shares of the whole in per mille, ``ms`` its length; None where it did not happen."""

    step: str
    label: str
    ms: float | None
    start: float = 0
    width: float = 0
    failed: bool = False


def draw_timing(timing: Mapping[str, Any] | None, phase: str | None = None) -> list[Bar]:
    """The bars of a timing, one behind the other; ``phase`` is the step at which the run failed. Empty without a timing."""
    if not timing:
        return []
    lengths = {step: _positive(timing.get(f"{step}_ms")) for step in STEPS}
    whole = max(sum(length or 0 for length in lengths.values()), 0.001)
    bars, start = [], 0.0
    for step, length in lengths.items():
        width = 1000 * (length or 0) / whole
        bars.append(Bar(step, name_step(step), length, start, max(width, 3) if length is not None else 0, step == phase))
        start += width
    return bars


def name_step(step: str) -> str:
    """A step in words."""
    words = {
        "dns": _("Looking up the name"),
        "connect": _("Connecting"),
        "tls": _("Encryption (TLS)"),
        "first_byte": _("Waiting for the first byte"),
        "download": _("Receiving the body"),
    }
    return words.get(step, step)


def _positive(value: Any) -> float | None:
    return max(float(value), 0.0) if isinstance(value, int | float) else None
