"""Labels in the database: which count, for whom, and how much."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from hub.analyses import services
from hub.analyses.calibration import LABELS_NEEDED
from hub.analyses.learning import (
    MOST_LABELS_OF_A_STRANGER,
    Target,
    forget_learned,
    is_rule,
    judge_for,
    read_calibration,
    source_key,
)
from hub.analyses.models import AiAnalysis, Repair, RepairState, Verdict
from hub.contracts.actor import Actor
from hub.extensions import db
from tests.conftest import make_user
from tests.hub.analyses.fake_n8n import FakeN8n
from tests.hub.analyses.scene import OneAnswer, agree, work
from tests.hub.statements import count_statements

RULE = "http-timeout"
_numbers = itertools.count()


def answer(owner: Actor, helpful: bool | None = None, *, source: str = RULE, stated: float = 0.9) -> AiAnalysis:
    made = AiAnalysis(
        user_id=owner.user_id,
        error_data={},
        analysis={},
        suggestions=[{"kind": "patch", "confidence": stated}],
        confidence=stated,
        calibrated=stated,
        source=source,
        analyzer="rules 1",
        cause="timeout",
        helpful=helpful,
    )
    db.session.add(made)
    db.session.flush()
    return made


def repaired(owner: Actor, verdict: Verdict | None, analysis: AiAnalysis | None = None) -> Repair:
    analysis = analysis or answer(owner)
    made = Repair(
        analysis_id=analysis.id,
        user_id=owner.user_id,
        suggestion_index=0,
        digest=str(next(_numbers)),
        state=RepairState.APPLIED,
        verdict=verdict,
        confidence=analysis.confidence,
    )
    db.session.add(made)
    db.session.flush()
    return made


def cause(actor: Actor, source: str = RULE) -> tuple[float, int]:
    forget_learned()
    found = judge_for(actor).cause(source, 0.9)
    return found.value, found.labels


def fix(actor: Actor) -> tuple[float, int]:
    forget_learned()
    found = judge_for(actor).fix(RULE, 0.9)
    return found.value, found.labels


def test_without_labels_the_number_is_the_analyzers_own_and_said_in_words(alice: Actor) -> None:
    assert cause(alice) == (0.9, 0)
    found = judge_for(alice).cause(RULE, 0.9)
    assert (found.is_calibrated, found.word) == (False, "high")


def test_thumbs_move_the_cause_and_not_the_fix(alice: Actor) -> None:
    for _ in range(10):
        answer(alice, helpful=False)
    assert cause(alice) == (pytest.approx(0.9 * 10 / 15), 10)  # a thumb weighs half
    assert fix(alice) == (0.9, 0)


def test_feedback_that_is_taken_back_is_no_label_any_more(alice: Actor, analysis: AiAnalysis) -> None:
    source = analysis.source
    services.give_feedback(alice, analysis.id, False)
    assert cause(alice, source)[1] == 1
    services.give_feedback(alice, analysis.id, True)
    assert judge_for(alice).cause(source, 0.9).value >= 0.9
    services.give_feedback(alice, analysis.id, None)
    assert cause(alice, source) == (0.9, 0)


@pytest.mark.parametrize(
    ("verdict", "labels", "value"),
    [
        (Verdict.VERIFIED, 1, 10 / 11),
        (Verdict.FAILED, 1, 9 / 11),
        (Verdict.REGRESSED, 1, 9 / 11),
        (Verdict.PARTIAL, 0, 0.9),
        (Verdict.UNPROVEN, 0, 0.9),
        (None, 0, 0.9),
    ],
)
def test_verdicts_move_the_fix_and_not_the_cause(alice: Actor, verdict: Verdict | None, labels: int, value: float) -> None:
    repaired(alice, verdict)
    assert fix(alice) == (pytest.approx(value), labels)
    assert cause(alice) == (0.9, 0)


def test_the_same_change_tried_again_is_one_case_with_its_newest_verdict(alice: Actor) -> None:
    analysis = answer(alice)
    for verdict in (Verdict.FAILED, Verdict.FAILED, Verdict.VERIFIED):
        repaired(alice, verdict, analysis)
    assert fix(alice) == (pytest.approx(10 / 11), 1)


def test_a_real_repair_leaves_its_label(alice: Actor, analysis: AiAnalysis, n8n: FakeN8n) -> None:
    n8n.outcome = FakeN8n().outcome  # the same failure again
    done = work(agree(alice, analysis).id)
    assert (done.state, done.verdict, done.confidence) == (RepairState.ROLLED_BACK, Verdict.FAILED, 0.9)
    forget_learned()
    found = judge_for(alice).fix(analysis.source, 0.9)
    assert found.labels == 1
    assert found.value < 0.9


def test_a_stranger_moves_nobody_elses_numbers_far(alice: Actor, bob: Actor) -> None:
    for _ in range(200):
        answer(bob, helpful=False)
    assert cause(bob)[0] < 0.1
    value, labels = cause(alice)
    assert value > 0.7
    assert labels == MOST_LABELS_OF_A_STRANGER
    for number in range(4):
        other = Actor(user_id=make_user(f"user{number}").id)
        for _ in range(10):
            answer(other, helpful=True)
    value_of_five, labels = cause(alice)
    assert value_of_five > value
    assert labels == 5 * MOST_LABELS_OF_A_STRANGER >= LABELS_NEEDED


def test_versions_of_models_are_never_mixed_and_rules_live_on(alice: Actor) -> None:
    assert source_key("rules 0.1.0", "http-timeout") == source_key("rules 0.2.0", "http-timeout") == "http-timeout"
    one, other = source_key("openai 1", "gpt@p1"), source_key("openai 1", "gpt@p2")
    assert len({one, other, source_key("openai 2", "gpt@p1")}) == 3
    assert not is_rule(one)
    assert source_key("rules 0.1.0", "none") == source_key("none", "") == "none"
    for _ in range(30):
        answer(alice, helpful=False, source=one)
    assert cause(alice, one)[0] < 0.6
    assert cause(alice, other) == (0.9, 0)


def test_nobody_learns_from_an_answer_that_nobody_gave(alice: Actor) -> None:
    answer(alice, helpful=False, source="none", stated=0.0)
    assert cause(alice, "none") == (0.9, 0)


def test_the_labels_are_read_once_a_minute(alice: Actor) -> None:
    answer(alice, helpful=True)
    forget_learned()
    with count_statements() as statements:
        for _ in range(50):
            judge_for(alice).cause(RULE, 0.9)
    assert len(statements) == 2


# --- The report ----------------------------------------------------------------------------------------------------


def test_report_counts_own_labels_and_all_for_an_operator(alice: Actor, bob: Actor, operator: Actor) -> None:
    for helpful in (True, True, False):
        answer(alice, helpful)
    answer(bob, True, source="bobs-rule")
    answer(alice).cause = "unknown"
    own, everybody = read_calibration(alice), read_calibration(operator)
    assert (own.labels, everybody.labels) == (3, 4)
    assert [(row.source, row.labels) for row in own.sources] == [(RULE, 3)]
    assert (own.analyses, own.unknown) == (4, 1)
    assert own.coverage == pytest.approx(0.75)
    assert own.shown.brier == pytest.approx((0.01 + 0.01 + 0.81) / 3)
    assert read_calibration(alice, Target.CAUSE, "bobs-rule").labels == 0
    assert read_calibration(alice, Target.FIX).labels == 0


def test_page_is_drawn_empty_and_full(alice: Actor, browser_of: Callable[[Actor], FlaskClient]) -> None:
    page = browser_of(alice)
    assert "No cases yet" in page.get("/analyses/calibration").text
    for number in range(30):
        answer(alice, number % 3 > 0)
    html = page.get("/analyses/calibration").text
    assert "<svg" in html
    assert RULE in html
    assert "style=" not in html
    assert "No cases yet" in page.get("/analyses/calibration?target=fix").text
    assert page.get("/analyses/calibration?target=nonsense&source=nobody").status_code == 200


def test_a_page_says_a_word_first_and_a_number_with_its_cases_later(
    alice: Actor, analysis: AiAnalysis, analyzer: OneAnswer, browser_of: Callable[[Actor], FlaskClient]
) -> None:
    page = browser_of(alice)
    assert "not yet calibrated" in page.get(f"/analyses/{analysis.id}").text
    for _ in range(LABELS_NEEDED):
        answer(alice, helpful=True, source=analysis.source)
        repaired(alice, Verdict.VERIFIED, answer(alice, source=analysis.source))
    forget_learned()
    html = page.get(f"/analyses/{analysis.id}").text
    assert f"{LABELS_NEEDED} cases" in html
    assert "not yet calibrated" not in html
    assert "%" in page.get("/analyses").text
