"""Makes a case fail on a real n8n, asks about it, applies the answer as the hub would, and looks whether it helped."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import jsonpatch
import requests

from hub.analyses.evidence import build_evidence
from hub.analyses.patch_policy import PatchRefused
from hub.analyses.patches import apply_change, document_of, rebase_patch
from hub.analyses.repair_guards import blocked_cause
from hub.contracts.analysis import Evidence
from hub.demo.n8n_server import ENDED, N8nRefused, N8nServer
from tests.benchmarks.repair.analyzers import Ask
from tests.benchmarks.repair.cases import Case, read_recording, write_recording
from tests.benchmarks.repair.fault_server import FaultServer
from tests.benchmarks.repair.judge import Answer, Outcome, Row, passes

Json = dict[str, Any]

#: Cases that run side by side; n8n itself is the bottleneck.
WORKERS = 5
#: Seconds for a run to end, and for a published version to be the live one.
RUN_PATIENCE, LIVE_PATIENCE = 60, 15
#: Refusals that say that the patch is wrong, not that it is forbidden.
_WRONG_PATCH = frozenset({"malformed", "does-not-apply", "test-failed", "no-change", "node-gone", "changed-since"})
_FAILED = tuple(status for status in ENDED if status != "success")


class NotReproduced(Exception):
    """The case did not fail; the message says what happened instead."""


@dataclass(frozen=True)
class Failure:
    """A failed run, and the workflow as n8n keeps it."""

    execution: Json
    workflow: Json


def run_offline(cases: Sequence[Case], ask: Ask) -> Iterator[tuple[Case, Row | None, str]]:
    """Judge the recordings: (case, row or None without one, why)."""
    for case in cases:
        recording = read_recording(case)
        if recording is None:
            yield case, None, "not recorded"
            continue
        evidence = build_evidence(recording["execution"], recording["workflow"])
        answer = ask(case, evidence)
        decided = _decide(case, answer, evidence, recording["workflow"])
        yield case, decided if isinstance(decided, Row) else Row(case, answer, Outcome.APPLICABLE), ""


def run_online(
    cases: Sequence[Case], ask: Ask, n8n: N8nServer, *, record: bool = False, guarded: bool = True
) -> Iterator[tuple[Case, Row | None, str]]:
    """Run the cases, some at a time: (case, row or None where it did not fail, why), in the order of the cases.

    ``record`` keeps the failed runs; without ``guarded`` also what the hub's policy withholds is applied.
    """

    def run(case: Case) -> tuple[Case, Row | None, str]:
        try:
            with FaultServer() as faults:
                return case, _Trial(case, n8n, faults).run(ask, record=record, guarded=guarded), ""
        except (NotReproduced, N8nRefused, TimeoutError, requests.RequestException) as error:
            return case, None, f"{type(error).__name__}: {error}"

    n8n.session.headers["Connection"] = "close"  # a kept connection may be closed by a busy n8n just when it is used again
    pool = ThreadPoolExecutor(WORKERS)
    try:
        yield from pool.map(run, cases)
    finally:
        pool.shutdown(cancel_futures=True)


def _decide(case: Case, answer: Answer, evidence: Evidence, workflow: Json, *, guarded: bool = True) -> Row | Json:
    """The changed workflow to try, or the row of an answer that is not to be tried."""
    if not answer.patch:
        return Row(case, answer, Outcome.NO_PATCH)
    if case.expect["must_not_patch"]:
        return Row(case, answer, Outcome.UNWANTED)
    if guarded and blocked_cause(answer.cause, evidence):
        return Row(case, answer, Outcome.WITHHELD, "blocked cause")
    try:
        changed = _change(answer.patch, evidence, workflow, guarded=guarded)
    except PatchRefused as refused:
        wrong = refused.code in _WRONG_PATCH
        return Row(case, answer, Outcome.REFUSED if wrong else Outcome.WITHHELD, str(refused))
    return changed if case.check else Row(case, answer, Outcome.UNTRIED)


def _change(patch: Sequence[Json], evidence: Evidence, workflow: Json, *, guarded: bool) -> Json:
    if guarded:
        return apply_change(patch, base=evidence.workflow, current=workflow).document
    before = document_of(workflow)
    changed: Json = jsonpatch.apply_patch(before, rebase_patch(patch, base=evidence.workflow, current=before))
    return changed


class _Trial:
    """One case on an n8n that is thrown away afterwards: nothing is cleaned up."""

    def __init__(self, case: Case, n8n: N8nServer, faults: FaultServer) -> None:
        self.case = case.placed(faults)
        self.n8n, self.faults = n8n, faults

    def run(self, ask: Ask, *, record: bool, guarded: bool) -> Row:
        failure = self._fail()
        if record:
            recording = {"execution": failure.execution, "workflow": failure.workflow}
            write_recording(self.case, recording, self.faults, self.n8n.port)
        evidence = build_evidence(failure.execution, failure.workflow)
        answer = ask(self.case, evidence)
        decided = _decide(self.case, answer, evidence, failure.workflow, guarded=guarded)
        return decided if isinstance(decided, Row) else self._repair(answer, decided, failure)

    def _fail(self) -> Failure:
        """Create everything and let the workflow fail."""
        self.faults.install(self.case.server)
        workflow_id = self.n8n.create_workflow(self._document())
        execution = self._call(workflow_id)
        if execution["status"] not in _FAILED:
            raise NotReproduced(f"the run ended with {execution['status']}")
        return Failure(execution, self.n8n.api("GET", f"/workflows/{workflow_id}"))

    def _document(self) -> Json:
        """The workflow with the ids that n8n gave its credentials and the workflows that it calls."""
        ids: dict[str, str] = {}
        for credential in self.case.credentials:
            wanted = {key: credential[key] for key in ("name", "type", "data")}
            ids[credential["id"]] = self.n8n.api("POST", "/credentials", json=wanted)["id"]
        for companion in self.case.companions:
            document = _with_ids(companion["workflow"], ids)
            ids[companion["id"]] = self.n8n.create_workflow(document, publish=companion.get("published", True))
        document: Json = _with_ids(self.case.workflow, ids)
        return document

    def _call(self, workflow_id: str) -> Json:
        """Call the webhook; the run that it starts, once it has ended. A sub-workflow's run may be listed beside it."""
        known = {run["id"] for run in self._runs(workflow_id)}
        deadline = time.monotonic() + RUN_PATIENCE
        called = False
        while time.monotonic() < deadline:
            called = called or self._send()
            runs = [run for run in self._runs(workflow_id) if run["id"] not in known and run["mode"] == "webhook"]
            if runs and runs[0]["status"] in ENDED:
                return self.n8n.execution(runs[0]["id"])
            time.sleep(0.3)
        raise TimeoutError(f"no run ended within {RUN_PATIENCE} s of calling {self.case.trigger['path']}")

    def _send(self) -> bool:
        """Call the webhook once; False while n8n does not know it yet."""
        trigger = self.case.trigger
        url = f"{self.n8n.url}/webhook/{trigger['path']}"
        return requests.request(trigger["method"], url, json=trigger.get("body"), timeout=RUN_PATIENCE).status_code != 404

    def _runs(self, workflow_id: str) -> list[Json]:
        found: list[Json] = self.n8n.api("GET", "/executions", params={"workflowId": workflow_id, "limit": 20})["data"]
        return found

    def _repair(self, answer: Answer, changed: Json, failure: Failure) -> Row:
        """Save the change, retry, and where that did not do call the webhook anew: a retry starts at the failed node only."""
        assert self.case.check
        workflow_id = failure.workflow["id"]
        try:
            self.n8n.api("PUT", f"/workflows/{workflow_id}", json=changed)  # publishes what was published
            self._await_live(workflow_id)
        except N8nRefused as refused:
            return Row(self.case, answer, Outcome.REFUSED, str(refused))
        runs = []
        for prove in (self._retry, self._call_again):
            self.faults.install(self.case.server)
            run = prove(failure)
            if passes(self.case.check, run, self.faults.served):
                return Row(self.case, answer, Outcome.REPAIRED, "retry" if prove == self._retry else "new run")
            runs.append(run)
        green = any(run is not None and run["status"] == "success" for run in runs)
        return Row(self.case, answer, Outcome.SWALLOWED if green else Outcome.STILL_FAILING)

    def _retry(self, failure: Failure) -> Json | None:
        try:
            path = f"/executions/{failure.execution['id']}/retry"
            retried = self.n8n.api("POST", path, json={"loadWorkflow": True})
            return self.n8n.execution(retried["id"])
        except (N8nRefused, requests.Timeout) as error:
            print(f"  {self.case.id}: no retry: {error}", file=sys.stderr)
            return None

    def _call_again(self, failure: Failure) -> Json | None:
        try:
            return self._call(failure.workflow["id"])
        except TimeoutError as error:
            print(f"  {self.case.id}: {error}", file=sys.stderr)
            return None

    def _await_live(self, workflow_id: str) -> None:
        deadline = time.monotonic() + LIVE_PATIENCE
        while time.monotonic() < deadline:
            workflow = self.n8n.api("GET", f"/workflows/{workflow_id}")
            if workflow["activeVersionId"] == workflow["versionId"]:
                return
            time.sleep(0.2)
        raise TimeoutError(f"workflow {workflow_id}: the patched version did not go live")


def _with_ids(value: Any, ids: dict[str, str]) -> Any:
    """A copy of the JSON value in which n8n's ids stand in place of the case's own."""
    if isinstance(value, dict):
        return {key: _with_ids(entry, ids) for key, entry in value.items()}
    if isinstance(value, list):
        return [_with_ids(entry, ids) for entry in value]
    return ids.get(value, value) if isinstance(value, str) else value
