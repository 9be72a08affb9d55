"""The mathematics of confidence: how stated numbers become numbers that hold, and how to see whether they do. Pure.

A rule's number moves from its hand-set prior towards the share of its cases that turned out right (beta-binomial). A model's
number is bent by a logistic curve of two parameters (Platt), held near identity while there are few cases.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

#: A rule's own number counts like this many cases.
PRIOR_CASES = 10.0
#: Below this many labels a number is said in words: it is not calibrated yet.
LABELS_NEEDED = 20
BINS = 10
#: Variances of the prior of slope and shift: one case moves 0.9 by about 0.1, twenty undo a plain over-confidence.
_SLOPE_VARIANCE = 0.1
_SHIFT_VARIANCE = 0.3
_EDGE = 0.01
_Z = 1.96


@dataclass(frozen=True, slots=True)
class Case:
    """Stated probability, and how much weight says that it came true (``right``) or did not (``wrong``)."""

    stated: float
    right: float
    wrong: float

    @property
    def weight(self) -> float:
        return self.right + self.wrong


def smooth_precision(prior: float, cases: Iterable[Case]) -> float:
    """The share of cases that came true, starting at ``prior`` with the weight of ``PRIOR_CASES``."""
    right, weight = prior * PRIOR_CASES, PRIOR_CASES
    for case in cases:
        right += case.right
        weight += case.weight
    return right / weight


@dataclass(frozen=True, slots=True)
class Platt:
    """A probability p becomes ``sigmoid(slope * logit(p) + shift)``; slope 1 and shift 0 leave it as it is."""

    slope: float = 1.0
    shift: float = 0.0

    def apply(self, stated: float) -> float:
        """The calibrated probability; rises (or stays) where ``stated`` rises."""
        if (self.slope, self.shift) == (1.0, 0.0):
            return stated
        return _sigmoid(self.slope * _logit(stated) + self.shift)


def fit_platt(cases: Sequence[Case]) -> Platt:
    """The most probable curve, given cases and the prior towards identity. Newton's method on a convex loss."""
    slope, shift = _minimise(cases, 1.0, 0.0, free_slope=True)
    if slope < 0:  # what is stated says less than nothing: one number for all is the best rising curve
        slope, shift = _minimise(cases, 0.0, shift, free_slope=False)
    return Platt(slope, shift)


def _minimise(cases: Sequence[Case], slope: float, shift: float, *, free_slope: bool) -> tuple[float, float]:
    for _round in range(50):
        # Gradient (g) and curvature (h) of the loss in slope (a) and shift (b), beginning with the prior's.
        g_a, g_b = (slope - 1.0) / _SLOPE_VARIANCE, shift / _SHIFT_VARIANCE
        h_aa, h_ab, h_bb = 1.0 / _SLOPE_VARIANCE, 0.0, 1.0 / _SHIFT_VARIANCE
        for case in cases:
            x = _logit(case.stated)
            p = _sigmoid(slope * x + shift)
            error, curve = case.weight * p - case.right, case.weight * p * (1.0 - p)
            g_a, g_b = g_a + error * x, g_b + error
            h_aa, h_ab, h_bb = h_aa + curve * x * x, h_ab + curve * x, h_bb + curve
        if free_slope:
            determinant = h_aa * h_bb - h_ab * h_ab
            step_a, step_b = (h_bb * g_a - h_ab * g_b) / determinant, (h_aa * g_b - h_ab * g_a) / determinant
        else:
            step_a, step_b = 0.0, g_b / h_bb
        # A Newton step may overshoot where the curve is flat, so none is longer than 1.
        length = max(abs(step_a), abs(step_b), 1.0)
        slope, shift = slope - step_a / length, shift - step_b / length
        if max(abs(step_a), abs(step_b)) < 1e-9:
            break
    return slope, shift


# --- Seeing whether numbers hold ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bin:
    """Cases with stated probabilities in ``[low, high)``. ``lowest`` and ``highest`` bound the share that came true (95 %)."""

    low: float
    high: float
    weight: float
    stated: float
    came_true: float
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """How well stated probabilities hold. ``brier`` and ``ece`` are None without cases; 0 is perfect."""

    bins: tuple[Bin, ...]
    weight: float
    brier: float | None
    ece: float | None


def measure_reliability(cases: Sequence[Case]) -> Reliability:
    """Brier score, expected calibration error over ten bins of equal width, and the bins that hold cases."""
    weight = sum(case.weight for case in cases)
    if not weight:
        return Reliability((), 0.0, None, None)
    squares = sum(case.right * (1 - case.stated) ** 2 + case.wrong * case.stated**2 for case in cases)
    grouped: dict[int, list[Case]] = {}
    for case in cases:
        grouped.setdefault(min(int(case.stated * BINS + 1e-9), BINS - 1), []).append(case)
    bins = tuple(_bin(index, grouped[index]) for index in sorted(grouped))
    ece = sum(found.weight * abs(found.stated - found.came_true) for found in bins) / weight
    return Reliability(bins, weight, squares / weight, ece)


def _bin(index: int, cases: Sequence[Case]) -> Bin:
    weight = sum(case.weight for case in cases)
    came_true = sum(case.right for case in cases) / weight
    lowest, highest = wilson_interval(came_true, weight)
    stated = sum(case.stated * case.weight for case in cases) / weight
    return Bin(index / BINS, (index + 1) / BINS, weight, stated, came_true, lowest, highest)


def wilson_interval(share: float, weight: float) -> tuple[float, float]:
    """Bounds (95 %) of a share seen in ``weight`` cases; never outside 0 to 1, and honest for few cases."""
    square = _Z * _Z / weight
    middle = (share + square / 2) / (1 + square)
    spread = _Z / (1 + square) * math.sqrt(share * (1 - share) / weight + square / (4 * weight))
    return max(0.0, middle - spread), min(1.0, middle + spread)


def _logit(probability: float) -> float:
    bounded = min(max(probability, _EDGE), 1.0 - _EDGE)
    return math.log(bounded / (1.0 - bounded))


def _sigmoid(value: float) -> float:
    if value >= 0:
        return 1.0 / (1.0 + math.exp(-value))
    power = math.exp(value)
    return power / (1.0 + power)
