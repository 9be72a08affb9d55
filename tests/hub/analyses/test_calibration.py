"""The mathematics of confidence: what it does without labels, how it moves, and what it recovers of a known distortion."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.analyses.calibration import (
    PRIOR_CASES,
    Case,
    Platt,
    fit_platt,
    measure_reliability,
    smooth_precision,
    wilson_interval,
)

shares = st.floats(0, 1)
weights = st.floats(0, 50)
cases_of = st.lists(st.builds(Case, shares, weights, weights), max_size=30)


def truth(stated: float) -> float:
    """What a model that says ``stated`` really achieves in the simulation: over-confident, as models are."""
    return 1 / (1 + math.exp(-(0.5 * math.log(stated / (1 - stated)) - 0.6)))


def simulate(count: int, seed: int) -> list[Case]:
    """Answers of an over-confident model with what became of them."""
    chance = random.Random(seed)
    cases = []
    for _ in range(count):
        stated = chance.uniform(0.6, 0.98)
        came_true = chance.random() < truth(stated)
        cases.append(Case(stated, float(came_true), float(not came_true)))
    return cases


# --- Rules ---------------------------------------------------------------------------------------------------------


@given(shares)
def test_a_rule_without_cases_keeps_its_prior(prior: float) -> None:
    assert smooth_precision(prior, []) == pytest.approx(prior)


@given(shares, cases_of)
def test_a_precision_stays_between_prior_and_what_was_seen(prior: float, cases: list[Case]) -> None:
    right, weight = sum(case.right for case in cases), sum(case.weight for case in cases)
    seen = right / weight if weight else prior
    assert min(prior, seen) - 1e-9 <= smooth_precision(prior, cases) <= max(prior, seen) + 1e-9


@given(st.floats(0.01, 0.99), cases_of)
def test_one_more_success_never_lowers_and_one_more_failure_never_raises(prior: float, cases: list[Case]) -> None:
    before = smooth_precision(prior, cases)
    assert smooth_precision(prior, [*cases, Case(prior, 1, 0)]) >= before - 1e-12
    assert smooth_precision(prior, [*cases, Case(prior, 0, 1)]) <= before + 1e-12


def test_as_many_failures_as_the_prior_weighs_halve_it() -> None:
    assert smooth_precision(0.9, [Case(0.9, 0, PRIOR_CASES)]) == pytest.approx(0.45)


# --- Models --------------------------------------------------------------------------------------------------------


@given(shares)
def test_without_labels_a_model_is_taken_at_its_word(stated: float) -> None:
    assert fit_platt([]).apply(stated) == stated


@given(cases_of, shares, shares)
def test_a_fitted_curve_rises_and_gives_probabilities(cases: list[Case], one: float, other: float) -> None:
    curve = fit_platt(cases)
    low, high = curve.apply(min(one, other)), curve.apply(max(one, other))
    assert 0 <= low <= high + 1e-12
    assert high <= 1


def test_few_labels_move_the_curve_little() -> None:
    assert 0.75 < fit_platt([Case(0.9, 0, 1)]).apply(0.9) < 0.9
    assert 0.9 < fit_platt([Case(0.9, 1, 0)]).apply(0.9) < 0.95


def test_numbers_that_hold_are_left_alone() -> None:
    cases = [Case(stated / 100, stated * 2, 200 - stated * 2) for stated in range(5, 100, 5)]
    curve = fit_platt(cases)
    assert (curve.slope, curve.shift) == (pytest.approx(1, abs=0.02), pytest.approx(0, abs=0.02))


def test_a_known_distortion_is_recovered() -> None:
    curve = fit_platt(simulate(5000, seed=1))
    assert (curve.slope, curve.shift) == (pytest.approx(0.5, abs=0.12), pytest.approx(-0.6, abs=0.2))


@pytest.mark.parametrize("labels", [20, 50, 100, 300])
def test_learning_improves_the_brier_score_on_cases_not_seen(labels: int) -> None:
    """Means over 20 seeds, on 2,000 fresh cases; printed with -s."""
    fresh = simulate(2000, seed=999)
    raw = measure_reliability(fresh)
    learned = []
    for seed in range(20):
        curve = fit_platt(simulate(labels, seed))
        learned.append(measure_reliability([Case(curve.apply(case.stated), case.right, case.wrong) for case in fresh]))
    brier = sum(found.brier or 0 for found in learned) / len(learned)
    ece = sum(found.ece or 0 for found in learned) / len(learned)
    print(f"{labels} labels: Brier {raw.brier:.3f} -> {brier:.3f}, ECE {raw.ece:.3f} -> {ece:.3f}")
    assert raw.brier
    assert raw.ece
    assert brier < raw.brier
    assert ece < raw.ece / 2


# --- Reliability ---------------------------------------------------------------------------------------------------


def test_nothing_to_measure() -> None:
    found = measure_reliability([])
    assert (found.bins, found.brier, found.ece) == ((), None, None)


def test_brier_and_error_of_a_sure_liar_and_a_saint() -> None:
    liar, saint = measure_reliability([Case(1.0, 0, 3)]), measure_reliability([Case(1.0, 3, 0)])
    assert (liar.brier, liar.ece) == (1, 1)
    assert (saint.brier, saint.ece) == (0, 0)


@given(cases_of)
def test_bins_hold_every_case_once_and_bound_the_share(cases: list[Case]) -> None:
    cases = [case for case in cases if case.weight > 1e-6]
    found = measure_reliability(cases)
    assert sum(bin_.weight for bin_ in found.bins) == pytest.approx(sum(case.weight for case in cases))
    for bin_ in found.bins:
        assert bin_.lowest - 1e-9 <= bin_.came_true <= bin_.highest + 1e-9
        assert bin_.low - 1e-6 <= bin_.stated <= bin_.high + 1e-6


def test_an_interval_narrows_with_cases() -> None:
    wide, narrow = wilson_interval(0.8, 5), wilson_interval(0.8, 500)
    assert wide[0] < narrow[0] < 0.8 < narrow[1] < wide[1]


def test_identity_is_exact() -> None:
    assert Platt().apply(1.0) == 1.0
