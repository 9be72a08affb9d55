"""The steps of a repair against an n8n. Each may be killed at any point and made again: it first looks how far it came.

check -> save -> retry -> wait -> publish -> record, or from anywhere after save: restore -> record.
With a webhook as proof: check -> save -> publish-first -> call -> wait -> record.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from hub.analyses.differences import change_digest
from hub.analyses.models import RepairState, Verdict
from hub.analyses.patch_policy import PatchRefused
from hub.analyses.patches import Change, apply_change, content_hash, document_of, same_document
from hub.analyses.repair_guards import blocked_cause, find_webhook_call, live_differs
from hub.analyses.repair_run import ProofKind, Refusal, RepairRun, Step
from hub.analyses.repair_verdict import OPEN_STATUSES, judge_run, reaches
from hub.instances.errors import (
    BrokenAnswer,
    Forbidden,
    Missing,
    N8nError,
    RateLimited,
    Rejected,
    ServerFault,
    Starting,
    TimedOut,
    TooLarge,
    Unreachable,
)

Json = dict[str, Any]

#: Asking again later may help.
PASSING = (RateLimited, Unreachable, TimedOut, Starting, ServerFault, BrokenAnswer)
RETRYABLE_STATUSES = ("error", "crashed")
POLL_SECONDS = 1.0
#: How long a retried execution may run before the repair is given up, and how long n8n may take to publish.
RUN_PATIENCE = 900.0
PUBLISH_PATIENCE = 30.0
#: How long an execution that was just asked for may take to be seen in n8n's lists.
APPEAR_PATIENCE = 5.0
DATA_BYTES = 20_000_000


class Client(Protocol):
    """The calls of ``N8nClient`` that a repair makes."""

    def get_workflow(self, workflow_id: str) -> Json: ...
    def update_workflow(self, workflow_id: str, document: Json, *, publish_if_active: bool) -> Json: ...
    def publish_workflow(self, workflow_id: str, version_id: str | None = None) -> Json: ...
    def get_execution(self, execution_id: str, *, with_data: bool = False, max_bytes: int | None = None) -> Json: ...
    def list_executions(
        self, cursor: str | None = None, limit: int = 250, status: str | None = None, workflow_id: str | None = None
    ) -> Any: ...
    def retry_execution(self, execution_id: str, *, load_workflow: bool) -> Json: ...
    def features(self) -> Any: ...


class RepairSteps:
    """Makes the steps of one run. ``call_webhook`` sends a stored request; ``sleep`` and ``clock`` are in seconds."""

    def __init__(
        self,
        client: Client,
        run: RepairRun,
        *,
        call_webhook: Callable[[Json], None],
        beat: Callable[[], None] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.client = client
        self.run = run
        self._call_webhook = call_webhook
        self._beat = beat
        self._sleep = sleep
        self._clock = clock
        #: True for the first step after a start: an earlier life may have made it, half or whole.
        self.resumed = True

    def make(self, step: Step) -> Step:
        """Make one step and name the next."""
        makers = {
            Step.CHECK: self._check,
            Step.SAVE: self._save,
            Step.PUBLISH_FIRST: self._publish_first,
            Step.RETRY: self._retry,
            Step.CALL: self._call,
            Step.WAIT: self._wait,
            Step.PUBLISH: self._publish,
            Step.RESTORE: self._restore,
            Step.UNDO: self._begin_undo,
        }
        following = makers[step]()
        self.resumed = False
        return following

    def make_stopped(self, step: Step) -> Step:
        """What is left of a step once automation was stopped: nothing new is changed in n8n, and what is unproven goes back."""
        if step is Step.CHECK:
            return self.run.end(RepairState.REFUSED, "automation-stopped")
        if step in (Step.SAVE, Step.RETRY):
            self.run.facts["why"] = ["automation-stopped", {}]
            return Step.RESTORE
        if step is Step.PUBLISH:
            self.run.facts["hold"] = "stopped-as-draft"
        return self.make(step)

    def give_up(self, step: Step, error: N8nError) -> Step:
        """Where to go when n8n does not let a step be made."""
        reason = {"error": error.code, "message": str(error.details.get("message", ""))[:300]}
        if step is Step.CHECK:
            return self.run.end(RepairState.REFUSED, "n8n-error", **reason)
        if step is Step.PUBLISH:
            return self.run.end(RepairState.APPLIED, "not-published", **reason)
        if step in (Step.RESTORE, Step.UNDO):
            return self._stay("not-restored", **reason)
        if self.run.verdict is None and step is not Step.SAVE:
            self.run.verdict = Verdict.UNPROVEN
        self.run.facts["why"] = ["n8n-error", reason]
        return Step.RESTORE

    def change(self) -> Change:
        """The repaired document: always the same from the kept old workflow."""
        assert self.run.pre_image is not None  # noqa: S101 - kept before any step that needs it
        return apply_change(self.run.patch, base=self.run.evidence.workflow, current=self.run.pre_image)

    # --- The way forward --------------------------------------------------------------------------------------------

    def _check(self) -> Step:
        """Is it still the workflow that was shown, and may it be repaired? Keeps the old workflow."""
        run = self.run
        fresh = self.client.get_workflow(run.workflow_id)
        try:
            if change_digest(run.patch, fresh.get("versionId"), content_hash(fresh)) != run.digest:
                raise Refusal("workflow-changed")
            self._check_workflow(fresh)
            self._check_execution()
            self._check_patch(fresh)
        except Refusal as refusal:
            return run.end(RepairState.REFUSED, refusal.code, **refusal.details)
        run.pre_image = fresh
        run.pre_version_id = fresh.get("versionId")
        return Step.SAVE

    def _check_workflow(self, fresh: Json) -> None:
        run = self.run
        if blocked_cause(run.cause, run.evidence):
            raise Refusal("blocked-cause", cause=run.cause)
        if fresh.get("isArchived"):
            raise Refusal("archived")
        is_live = bool(fresh.get("active"))
        draft_only = bool(self.client.features().publish_if_active)
        differs = is_live and live_differs(fresh)
        if is_live and not draft_only and (differs or run.proof is ProofKind.NONE):
            raise Refusal("draft-would-go-live")
        if run.proof is ProofKind.WEBHOOK and (differs or not is_live):
            raise Refusal("draft-would-go-live" if differs else "not-live")
        run.went_live = is_live and not draft_only
        run.facts.update(live=is_live, draft_only=draft_only, draft_differs=differs)

    def _check_execution(self) -> None:
        run = self.run
        execution = self.client.get_execution(run.execution_id, with_data=run.proof is ProofKind.WEBHOOK, max_bytes=DATA_BYTES)
        status = execution.get("status")
        if status in (*OPEN_STATUSES, "waiting"):
            raise Refusal("still-running")
        if execution.get("retrySuccessId"):
            raise Refusal("already-retried", execution=str(execution["retrySuccessId"]))
        if status not in RETRYABLE_STATUSES:
            raise Refusal("not-failed", status=str(status))
        if run.proof is ProofKind.WEBHOOK and find_webhook_call(execution) is None:
            raise Refusal("no-webhook-call")
        run.facts["known_runs"] = sorted({str(row["id"]) for row in self._list_runs() if self._could_be_ours(row)})

    def _check_patch(self, fresh: Json) -> None:
        try:
            change = apply_change(self.run.patch, base=self.run.evidence.workflow, current=fresh)
        except PatchRefused as refused:
            raise Refusal("patch-refused", reason=refused.code, **refused.details) from refused
        provable = reaches(change.document, self.run.evidence.failing_node, change.changed_nodes)
        if self.run.proof is ProofKind.RETRY and not provable:
            raise Refusal("upstream", node=self.run.evidence.failing_node)

    def _save(self) -> Step:
        """Save the repaired workflow, as a draft where this n8n can; then read it back."""
        run, intended = self.run, self.change().document
        fresh = self.client.get_workflow(run.workflow_id)
        if not same_document(fresh, intended):
            if not same_document(fresh, run.pre_image or {}):
                # An earlier life of this repair may have saved before somebody else did: then a person has to look.
                return run.end(RepairState.STUCK if self.resumed else RepairState.REFUSED, "changed-meanwhile")
            try:
                self.client.update_workflow(run.workflow_id, intended, publish_if_active=run.went_live)
            except Forbidden as forbidden:
                if "versionId" not in forbidden.body:
                    return run.end(RepairState.REFUSED, "n8n-refused", message=str(forbidden.details.get("message", ""))[:300])
            except (Rejected, Missing) as refused:
                return run.end(RepairState.REFUSED, "n8n-refused", message=str(refused.details.get("message", ""))[:300])
            fresh = self.client.get_workflow(run.workflow_id)
        run.facts["saved_hash"] = content_hash(fresh)
        if not same_document(fresh, intended):
            run.facts["why"] = ["saved-differently", {}]
            return Step.RESTORE
        run.new_version_id = fresh.get("versionId")
        if run.proof is ProofKind.WEBHOOK:
            run.went_live = True  # from here on it may be
            return Step.PUBLISH_FIRST
        if run.proof is ProofKind.NONE:
            run.verdict = Verdict.UNPROVEN
            return run.end(RepairState.APPLIED, "kept-as-draft" if run.facts["live"] else "kept-unproven")
        return Step.RETRY

    def _publish_first(self) -> Step:
        """Put the repaired workflow live, because a webhook runs what is live."""
        run = self.run
        if live_differs(self.client.get_workflow(run.workflow_id)):
            self.client.publish_workflow(run.workflow_id, run.new_version_id)
            self._await_live(run.new_version_id)
        return Step.CALL

    def _retry(self) -> Step:
        """Run the failed execution again from the node that failed, with the repaired workflow."""
        run = self.run
        found = self._find_run(patience=APPEAR_PATIENCE if self.resumed else 0)
        if found is None:
            try:
                answer = self.client.retry_execution(run.execution_id, load_workflow=True)
                found = str(answer["id"])
            except (TimedOut, Unreachable, ServerFault, KeyError) as error:
                # A retry blocks until it ends, and may have been cut off on the way: it runs on.
                found = self._find_run(patience=APPEAR_PATIENCE)
                if found is None and isinstance(error, Unreachable | ServerFault):
                    raise
            except (Rejected, Missing) as refused:
                return self._disproved(Verdict.UNPROVEN, "retry-refused", message=str(refused.details.get("message", ""))[:300])
        if found is None:
            return self._disproved(Verdict.UNPROVEN, "no-retry-seen")
        run.run_id = found
        return Step.WAIT

    def _call(self) -> Step:
        """Call the webhook again with the request that failed."""
        run = self.run
        found = self._find_run(patience=APPEAR_PATIENCE if self.resumed else 0)
        if found is None:
            failed = self.client.get_execution(run.execution_id, with_data=True, max_bytes=DATA_BYTES)
            request = find_webhook_call(failed)
            if request is None:
                return self._disproved(Verdict.UNPROVEN, "no-webhook-call")
            self._call_webhook(request)
            found = self._find_run(patience=PUBLISH_PATIENCE)
        if found is None:
            return self._disproved(Verdict.UNPROVEN, "no-run-seen")
        run.run_id = found
        return Step.WAIT

    def _wait(self) -> Step:
        """Wait for the end of the run and judge it."""
        run = self.run
        assert run.run_id is not None  # noqa: S101 - the steps before name it
        if not self._poll(RUN_PATIENCE, lambda: self._has_ended(run.run_id or "")):
            return self._disproved(Verdict.UNPROVEN, "still-runs")
        try:
            execution = self.client.get_execution(run.run_id, with_data=True, max_bytes=DATA_BYTES)
        except TooLarge:
            return self._disproved(Verdict.UNPROVEN, "too-large")
        change = self.change()
        proof = judge_run(
            execution,
            document=change.document,
            failure=run.evidence,
            version_id=run.new_version_id,
            changed_nodes=change.changed_nodes,
            is_retry=run.proof is ProofKind.RETRY,
        )
        if proof.verdict not in (Verdict.VERIFIED, Verdict.PARTIAL):
            return self._disproved(proof.verdict, proof.code, **proof.details)
        run.verdict = proof.verdict
        run.facts["why"] = [proof.code, proof.details]
        return Step.PUBLISH

    def _publish(self) -> Step:
        """Put the proven draft live where the old version was, unless the draft held more than the repair."""
        run = self.run
        code, details = run.facts["why"]
        if not run.facts["live"] or run.went_live:
            return run.end(RepairState.APPLIED, code, **details)
        if run.facts["draft_differs"]:
            return run.end(RepairState.APPLIED, "draft-not-published")
        fresh = self.client.get_workflow(run.workflow_id)
        if fresh.get("activeVersionId") != run.new_version_id:
            if fresh.get("versionId") != run.new_version_id or not fresh.get("active"):
                return run.end(RepairState.APPLIED, "edited-before-publish")
            if "hold" in run.facts:
                return run.end(RepairState.APPLIED, run.facts["hold"])
            self.client.publish_workflow(run.workflow_id, run.new_version_id)
            if not self._await_live(run.new_version_id):
                return run.end(RepairState.APPLIED, "not-published", error="timeout", message="")
        return run.end(RepairState.APPLIED, code, **details)

    # --- The way back -----------------------------------------------------------------------------------------------

    def _disproved(self, verdict: Verdict, code: str, **details: Any) -> Step:
        self.run.verdict = verdict
        self.run.facts["why"] = [code, details]
        return Step.RESTORE

    def _begin_undo(self) -> Step:
        """What a person takes back goes live again only where the repair is what runs live."""
        fresh = self.client.get_workflow(self.run.workflow_id)
        self.run.went_live = bool(fresh.get("active")) and not live_differs(fresh)
        return Step.RESTORE

    def _restore(self) -> Step:
        """Put the old workflow back, in the draft and live, unless somebody else has changed it since."""
        run = self.run
        assert run.pre_image is not None  # noqa: S101 - kept by the first step
        old = document_of(run.pre_image)
        fresh = self.client.get_workflow(run.workflow_id)
        if not same_document(fresh, old):
            ours = {content_hash(self.change().document), run.facts.get("saved_hash")}
            if content_hash(fresh) not in ours:
                return self._stay("edited-before-restore")
            try:
                self.client.update_workflow(run.workflow_id, old, publish_if_active=run.went_live)
            except Forbidden as forbidden:
                if "versionId" not in forbidden.body:
                    raise
            fresh = self.client.get_workflow(run.workflow_id)
            if not same_document(fresh, old):
                return self._stay("restored-differently")
        if run.went_live and live_differs(fresh):
            self.client.publish_workflow(run.workflow_id, fresh.get("versionId"))
            if not self._await_live(fresh.get("versionId")):
                return self._stay("not-live-again")
        code, details = run.facts.get("why") or ["n8n-error", {}]
        return run.end(RepairState.ROLLED_BACK, code, **details)

    def _stay(self, code: str, **details: Any) -> Step:
        """The old workflow is not back: a failed repair needs a person, an undo that was refused leaves the repair applied."""
        if self.run.facts.get("undo"):
            kept = code in ("not-restored", "edited-before-restore")
            return self.run.end(RepairState.APPLIED if kept else RepairState.STUCK, f"undo-{code}", **details)
        return self.run.end(RepairState.STUCK, code, **details)

    # --- Looking ----------------------------------------------------------------------------------------------------

    def _list_runs(self) -> list[Json]:
        """The newest executions of the workflow. n8n's unfiltered list may leave out those that still run."""
        rows: list[Json] = []
        for status in (None, "running", "new", "waiting"):
            if status in (None, *self.client.features().status_filters):
                rows += self.client.list_executions(limit=100, status=status, workflow_id=self.run.workflow_id).rows
        return rows

    def _could_be_ours(self, row: Json) -> bool:
        if self.run.proof is ProofKind.WEBHOOK:
            return row.get("mode") == "webhook"
        return str(row.get("retryOf") or "") == self.run.execution_id

    def _find_run(self, *, patience: float) -> str | None:
        """The run that this repair started: a retry of the failed execution, or a new webhook run, not known before."""
        run = self.run
        found: list[str] = []
        known = set(run.facts["known_runs"])

        def look() -> bool:
            found.extend(str(row["id"]) for row in self._list_runs() if self._could_be_ours(row) and str(row["id"]) not in known)
            return bool(found)

        self._poll(patience, look)
        return min(found, key=lambda run_id: (len(run_id), run_id)) if found else None

    def _has_ended(self, run_id: str) -> bool:
        return self.client.get_execution(run_id).get("status") not in OPEN_STATUSES

    def _await_live(self, version_id: str | None) -> bool:
        """Whether n8n says in time that this version is live; older ones name no version."""

        def is_live() -> bool:
            fresh = self.client.get_workflow(self.run.workflow_id)
            return bool(fresh.get("active")) and fresh.get("activeVersionId", version_id) == version_id

        return self._poll(PUBLISH_PATIENCE, is_live)

    def _poll(self, patience: float, holds: Callable[[], bool]) -> bool:
        """Ask until it holds or the patience (seconds) is over; asks at least once."""
        deadline = self._clock() + patience
        while not holds():
            if self._clock() >= deadline:
                return False
            self._beat()
            self._sleep(POLL_SECONDS)
        return True
