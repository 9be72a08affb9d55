"""The repair's steps against an n8n in memory: every verdict, the way back, and a kill at every point."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from hub.analyses.differences import change_digest
from hub.analyses.evidence import build_evidence
from hub.analyses.models import Verdict
from hub.analyses.patches import content_hash
from hub.analyses.repair_guards import blocked_cause
from hub.analyses.repair_run import ProofKind, RepairRun, Step
from hub.analyses.repair_steps import RepairSteps
from hub.instances.errors import Forbidden, N8nError, Rejected, TimedOut
from tests.hub.analyses.fake_n8n import (
    NOT_FOUND,
    FakeN8n,
    Killed,
    failed_execution,
    green_runs,
    item,
    make_workflow,
    node_run,
)

Json = dict[str, Any]

GOOD = [{"op": "add", "path": "/nodes/1/parameters/options/timeout", "value": 5000}]
UPSTREAM = [{"op": "add", "path": "/nodes/0/parameters/responseMode", "value": "lastNode"}]


def make_run(
    n8n: FakeN8n, patch: list[Json] = GOOD, *, proof: ProofKind = ProofKind.RETRY, cause: str = "not-found"
) -> RepairRun:
    workflow = make_workflow()
    return RepairRun(
        repair_id="r",
        workflow_id="wf",
        execution_id="10",
        cause=cause,
        evidence=build_evidence(failed_execution(), workflow),
        patch=tuple(patch),
        digest=change_digest(patch, "v1", content_hash(workflow)),
        proof=proof,
    )


def drive(n8n: FakeN8n, run: RepairRun, checkpoint: Callable[[RepairRun], None] = lambda _run: None) -> None:
    """Make all steps; n8n's clock stands still and sleeping takes no time."""
    now = [0.0]
    steps = RepairSteps(
        n8n, run, call_webhook=n8n.call_webhook, sleep=lambda seconds: now.__setitem__(0, now[0] + seconds), clock=lambda: now[0]
    )
    while run.step is not Step.RECORD:
        try:
            run.step = steps.make(run.step)
        except N8nError as error:
            run.step = steps.give_up(run.step, error)
        checkpoint(run)


def green(_workflow: Json) -> Json:
    return {"status": "success", "runs": green_runs()}


def red(message: str = NOT_FOUND["message"], node: str = "Fetch") -> Callable[[Json], Json]:
    error = {**NOT_FOUND, "message": message, "node": {"name": node}}
    runs = {**green_runs(), node: [node_run(error=error)]}
    return lambda _workflow: {"status": "error", "error": error, "runs": runs}


def finish(outcome: Callable[[Json], Json], patch: list[Json] = GOOD, **options: Any) -> tuple[FakeN8n, RepairRun]:
    n8n = FakeN8n(outcome)
    run = make_run(n8n, patch, **options)
    drive(n8n, run)
    return n8n, run


def is_as_before(n8n: FakeN8n) -> bool:
    old = make_workflow()
    draft = all(n8n.workflow[key] == old[key] for key in ("name", "nodes", "connections", "settings"))
    live = all(n8n.workflow["activeVersion"][key] == old[key] for key in ("nodes", "connections"))
    return draft and live


def test_verified_goes_live_with_credentials() -> None:
    n8n, run = finish(green)
    assert (run.facts["end"][0], run.verdict) == ("APPLIED", Verdict.VERIFIED)
    assert n8n.changes() == ["update_workflow", "retry_execution", "publish_workflow"]
    assert n8n.live_nodes()[1]["parameters"]["options"] == {"timeout": 5000}
    assert n8n.live_nodes()[1]["credentials"] == make_workflow()["nodes"][1]["credentials"]
    assert n8n.workflow["activeVersionId"] == run.new_version_id


def test_body_of_the_put_holds_only_the_document() -> None:
    n8n, _run = finish(green)
    assert set(n8n.bodies[0]) == {"name", "nodes", "connections", "settings"}
    assert n8n.bodies[0]["nodes"][1]["parameters"]["url"].endswith("INLINESECRET99")


@pytest.mark.parametrize(
    ("outcome", "verdict", "code"),
    [
        (red(), Verdict.FAILED, "same-failure"),
        (red("Request failed with status 405"), Verdict.REGRESSED, "new-failure"),
        (red("No name given", node="Store"), Verdict.REGRESSED, "new-failure"),
        (lambda _: {"status": "canceled", "runs": {}}, Verdict.REGRESSED, "ended-otherwise"),
        (lambda _: {"status": "success", "runs": {"Webhook": green_runs()["Webhook"]}}, Verdict.UNPROVEN, "target-not-run"),
        (
            lambda _: {"status": "success", "runs": {**green_runs(), "Fetch": [node_run([{**item(), "error": {"m": 1}}])]}},
            Verdict.FAILED,
            "error-hidden",
        ),
    ],
)
def test_what_is_not_proven_is_put_back(outcome: Callable[[Json], Json], verdict: Verdict, code: str) -> None:
    n8n, run = finish(outcome)
    assert (run.facts["end"][0], run.verdict, run.facts["end"][1]) == ("ROLLED_BACK", verdict, code)
    assert is_as_before(n8n)
    assert "publish_workflow" not in n8n.changes()


@pytest.mark.parametrize(
    ("runs", "status", "code"),
    [
        ({key: green_runs()[key] for key in ("Webhook", "Fetch")}, "success", "not-reached"),
        ({**green_runs(), "Fetch": [node_run([])]}, "success", "no-output"),
        ({**green_runs(), "Store": [node_run([{**item(), "error": {"m": 1}}])]}, "success", "error-continued"),
        (green_runs(), "waiting", "waiting"),
    ],
)
def test_partial_is_kept_and_published(runs: Json, status: str, code: str) -> None:
    n8n, run = finish(lambda _: {"status": status, "runs": runs})
    assert (run.facts["end"][:2], run.verdict) == (["APPLIED", code], Verdict.PARTIAL)
    assert n8n.workflow["activeVersionId"] == run.new_version_id


def test_a_node_that_puts_its_error_into_items_is_not_repaired() -> None:
    n8n = FakeN8n(lambda _: {"status": "success", "runs": {**green_runs(), "Fetch": [node_run([item(error="404")])]}})
    n8n.workflow["nodes"][1]["onError"] = "continueRegularOutput"
    run = make_run(n8n)
    run.digest = change_digest(GOOD, "v1", content_hash(n8n.workflow))
    run.evidence = build_evidence(failed_execution(), n8n.workflow)
    drive(n8n, run)
    assert run.facts["end"][:2] == ["ROLLED_BACK", "error-hidden"]


def test_a_run_of_another_version_proves_nothing() -> None:
    n8n = FakeN8n(green)
    original = n8n.retry_execution

    def other_version(execution_id: str, *, load_workflow: bool) -> Json:
        answer = original(execution_id, load_workflow=load_workflow)
        n8n.executions[answer["id"]]["workflowVersionId"] = "v1"
        return answer

    n8n.retry_execution = other_version  # type: ignore[method-assign]
    run = make_run(n8n)
    drive(n8n, run)
    assert run.facts["end"][:2] == ["ROLLED_BACK", "other-version"]
    assert is_as_before(n8n)


# --- Refusals ------------------------------------------------------------------------------------------------------


def change(n8n: FakeN8n, **values: Any) -> None:
    n8n.workflow.update(values)


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        (lambda n8n: change(n8n, versionId="v9"), "workflow-changed"),
        (lambda n8n: n8n.workflow["nodes"][2]["parameters"].update(value="x"), "workflow-changed"),
        (lambda n8n: change(n8n, isArchived=True), "archived"),
        (lambda n8n: n8n.executions["10"].update(status="running"), "still-running"),
        (lambda n8n: n8n.executions["10"].update(retrySuccessId="11"), "already-retried"),
        (lambda n8n: n8n.executions["10"].update(status="canceled"), "not-failed"),
        (lambda n8n: n8n.faults.update(update_workflow=[Rejected("must NOT have additional properties")]), "n8n-refused"),
        (lambda n8n: n8n.faults.update(update_workflow=[Forbidden({}, message="Forbidden")]), "n8n-refused"),
    ],
)
def test_refused_without_a_change(prepare: Callable[[FakeN8n], None], code: str) -> None:
    n8n = FakeN8n(green)
    prepare(n8n)
    before = copy.deepcopy(n8n.workflow)
    run = make_run(n8n)
    drive(n8n, run)
    assert run.facts["end"][:2] == ["REFUSED", code]
    assert n8n.workflow == before
    assert "retry_execution" not in n8n.changes()


@pytest.mark.parametrize("cause", ["bad-credentials", "forbidden", "connection-refused", "dns", "intentional-stop"])
def test_some_causes_are_never_patched(cause: str) -> None:
    n8n, run = finish(green, cause=cause)
    assert run.facts["end"][:2] == ["REFUSED", "blocked-cause"]
    assert n8n.changes() == []


def test_quota_is_never_patched() -> None:
    n8n = FakeN8n(green)
    run = make_run(n8n, cause="rate-limited")
    run.evidence = build_evidence(
        failed_execution({**NOT_FOUND, "httpCode": "429", "message": "You exceeded your current quota"})
    )
    drive(n8n, run)
    assert run.facts["end"][:2] == ["REFUSED", "blocked-cause"]


def test_a_quota_for_each_minute_is_a_pace() -> None:
    """Spreadsheet services call their limit of calls a minute a quota; waiting cures it."""
    message = "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute per user'"
    failed = build_evidence(failed_execution({**NOT_FOUND, "httpCode": "429", "message": message}))
    assert not blocked_cause("rate-limited", failed)
    used_up = {**NOT_FOUND, "httpCode": "429", "message": "Quota exceeded for this month"}
    assert blocked_cause("rate-limited", build_evidence(failed_execution(used_up)))


def test_upstream_change_is_not_retried() -> None:
    n8n, run = finish(green, UPSTREAM)
    assert run.facts["end"][:2] == ["REFUSED", "upstream"]
    assert n8n.changes() == []


def test_somebody_saves_at_the_same_moment() -> None:
    n8n = FakeN8n(green)
    run = make_run(n8n)

    def edit(run: RepairRun) -> None:
        if run.step is Step.SAVE:
            n8n.workflow["nodes"][2]["parameters"]["value"] = "theirs"

    drive(n8n, run, edit)
    assert run.facts["end"][:2] == ["REFUSED", "changed-meanwhile"]
    assert n8n.changes() == []


# --- n8n without drafts, and drafts that differ ----------------------------------------------------------------------


def test_old_n8n_goes_live_and_comes_back() -> None:
    n8n = FakeN8n(red(), draft_only=False)
    run = make_run(n8n)
    drive(n8n, run)
    assert run.went_live
    assert run.facts["end"][0] == "ROLLED_BACK"
    assert is_as_before(n8n)


def test_draft_with_other_changes_is_not_published() -> None:
    n8n = FakeN8n(green)
    n8n.workflow["activeVersion"]["nodes"][2]["parameters"]["value"] = "what runs live"
    n8n.workflow["activeVersionId"] = "v0"
    run = make_run(n8n)
    drive(n8n, run)
    assert run.facts["end"][:2] == ["APPLIED", "draft-not-published"]
    assert "publish_workflow" not in n8n.changes()


def test_old_n8n_with_a_differing_draft_is_refused() -> None:
    n8n = FakeN8n(green, draft_only=False)
    n8n.workflow["activeVersion"]["nodes"][2]["parameters"]["value"] = "what runs live"
    run = make_run(n8n)
    drive(n8n, run)
    assert run.facts["end"][:2] == ["REFUSED", "draft-would-go-live"]


def test_unpublished_workflow_stays_unpublished() -> None:
    n8n = FakeN8n(green)
    change(n8n, active=False, activeVersionId=None, activeVersion=None)
    run = make_run(n8n)
    drive(n8n, run)
    assert run.facts["end"][:2] == ["APPLIED", "verified"]
    assert not n8n.workflow["active"]


# --- Trouble -------------------------------------------------------------------------------------------------------


def test_retry_that_times_out_is_found() -> None:
    n8n = FakeN8n(green)
    original = n8n.retry_execution

    def slow(execution_id: str, *, load_workflow: bool) -> Json:
        original(execution_id, load_workflow=load_workflow)
        raise TimedOut

    n8n.retry_execution = slow  # type: ignore[method-assign]
    run = make_run(n8n)
    drive(n8n, run)
    assert run.facts["end"][:2] == ["APPLIED", "verified"]


def test_retry_that_is_refused_puts_back() -> None:
    n8n = FakeN8n(green)
    n8n.faults["retry_execution"] = [Rejected("no saved state", 409)]
    run = make_run(n8n)
    drive(n8n, run)
    assert (run.facts["end"][:2], run.verdict) == (["ROLLED_BACK", "retry-refused"], Verdict.UNPROVEN)
    assert is_as_before(n8n)


def test_run_that_never_ends_puts_back() -> None:
    n8n, run = finish(lambda _: {"status": "running", "runs": {}})
    assert run.facts["end"][:2] == ["ROLLED_BACK", "still-runs"]
    assert is_as_before(n8n)


def test_saved_in_another_form_is_put_back() -> None:
    n8n = FakeN8n(green)
    texts = iter([lambda document: {**document, "name": "Other"}, lambda document: document])
    n8n.store = lambda document: next(texts)(document)
    run = make_run(n8n)
    drive(n8n, run)
    assert run.facts["end"][:2] == ["ROLLED_BACK", "saved-differently"]
    assert is_as_before(n8n)


def test_publish_that_is_refused_keeps_the_draft_and_says_so() -> None:
    n8n = FakeN8n(green)
    n8n.faults["publish_workflow"] = [Forbidden({}, message="Forbidden")]
    run = make_run(n8n)
    drive(n8n, run)
    assert run.facts["end"][:2] == ["APPLIED", "not-published"]
    assert n8n.workflow["activeVersionId"] == "v1"


def test_stuck_when_the_way_back_is_refused() -> None:
    n8n = FakeN8n(red())
    original = n8n.update_workflow

    def once(workflow_id: str, document: Json, *, publish_if_active: bool) -> Json:
        if n8n.bodies:
            raise Rejected("no")
        return original(workflow_id, document, publish_if_active=publish_if_active)

    n8n.update_workflow = once  # type: ignore[method-assign]
    run = make_run(n8n)
    drive(n8n, run)
    assert run.facts["end"][:2] == ["STUCK", "not-restored"]


def test_stuck_rather_than_overwriting_somebody() -> None:
    n8n = FakeN8n(red())
    run = make_run(n8n)

    def edit(run: RepairRun) -> None:
        if run.step is Step.RESTORE:
            n8n.workflow["nodes"][2]["parameters"]["value"] = "theirs"

    drive(n8n, run, edit)
    assert run.facts["end"][:2] == ["STUCK", "edited-before-restore"]
    assert n8n.workflow["nodes"][2]["parameters"]["value"] == "theirs"


# --- The webhook as proof ------------------------------------------------------------------------------------------


def test_webhook_proves_an_upstream_change() -> None:
    n8n, run = finish(green, UPSTREAM, proof=ProofKind.WEBHOOK)
    assert (run.facts["end"][:2], run.verdict) == (["APPLIED", "verified"], Verdict.VERIFIED)
    assert n8n.changes() == ["update_workflow", "publish_workflow", "call_webhook"]


def test_webhook_that_fails_brings_the_old_version_back_live() -> None:
    n8n, run = finish(red(), UPSTREAM, proof=ProofKind.WEBHOOK)
    assert run.facts["end"][:2] == ["ROLLED_BACK", "same-failure"]
    assert is_as_before(n8n)


def test_kept_as_a_draft_without_proof() -> None:
    n8n, run = finish(green, UPSTREAM, proof=ProofKind.NONE)
    assert (run.facts["end"][:2], run.verdict) == (["APPLIED", "kept-as-draft"], Verdict.UNPROVEN)
    assert n8n.changes() == ["update_workflow"]
    assert n8n.live_nodes() == make_workflow()["nodes"]


# --- Kills ---------------------------------------------------------------------------------------------------------

SCENARIOS = {
    "verified": (green, GOOD, ProofKind.RETRY, True),
    "rolled back": (red(), GOOD, ProofKind.RETRY, True),
    "rolled back live": (red(), GOOD, ProofKind.RETRY, False),
    "webhook verified": (green, UPSTREAM, ProofKind.WEBHOOK, True),
    "webhook rolled back": (red(), UPSTREAM, ProofKind.WEBHOOK, True),
}


class Ledger:
    """Keeps the run as the database would: what was stored last is all that a new worker knows."""

    def __init__(self, run: RepairRun) -> None:
        self.stored = copy.deepcopy(run)

    def store(self, run: RepairRun) -> None:
        self.stored = copy.deepcopy(run)


def kill_points(scenario: str) -> int:
    outcome, patch, proof, draft_only = SCENARIOS[scenario]
    n8n, points = FakeN8n(outcome, draft_only=draft_only), [0]
    n8n.around = lambda _name, _after: points.__setitem__(0, points[0] + 1)
    drive(n8n, make_run(n8n, patch, proof=proof), lambda _run: points.__setitem__(0, points[0] + 1))
    return points[0]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_killed_anywhere_it_ends_as_if_undisturbed(scenario: str) -> None:
    """A kill before and after every call that changes something, and before every store of the progress."""
    outcome, patch, proof, draft_only = SCENARIOS[scenario]
    calm = FakeN8n(outcome, draft_only=draft_only)
    expected = make_run(calm, patch, proof=proof)
    drive(calm, expected)
    points = kill_points(scenario)
    assert points >= 9
    for point in range(points):
        n8n = FakeN8n(outcome, draft_only=draft_only)
        ledger, passed = Ledger(make_run(n8n, patch, proof=proof)), [0]

        def maybe_die(*_: object, passed: list[int] = passed, point: int = point) -> None:
            passed[0] += 1
            if passed[0] == point + 1:
                raise Killed

        n8n.around = maybe_die

        def checkpoint(run: RepairRun, ledger: Ledger = ledger, maybe_die: Callable[[], None] = maybe_die) -> None:
            maybe_die()
            ledger.store(run)

        with pytest.raises(Killed):
            drive(n8n, copy.deepcopy(ledger.stored), checkpoint)
        survivor = copy.deepcopy(ledger.stored)
        drive(n8n, survivor)
        assert survivor.facts["end"] == expected.facts["end"], f"killed at point {point}"
        assert survivor.verdict == expected.verdict
        assert n8n.workflow["nodes"] == calm.workflow["nodes"], f"killed at point {point}"
        assert n8n.live_nodes() == calm.live_nodes(), f"killed at point {point}"
        assert n8n.changes().count("retry_execution") <= 1, f"retried twice after a kill at point {point}"
        assert n8n.changes().count("call_webhook") <= 1, f"called twice after a kill at point {point}"
