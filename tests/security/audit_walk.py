"""Every change leaves an audit event: looked for in the code of all services, and watched in every test that commits.

A function that commits without an event fails ``test_audit_walk``; one that writes an event only on some of its ways fails the
test that goes another. What need not be recorded is in ``NOT_AUDITED``, with the reason.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from hub.extensions import Session

HUB = Path(__file__).parents[2] / "hub"
_SEEN = "when somebody was last seen, at most every few minutes"
_LIMIT = "counts attempts; what is refused because of them is recorded"
_ASKED = "a step of a question to a model: asking, failing and the answer are recorded, model_calls keeps each word"
_MAIL = "delivery of a mail; what it tells of is recorded"
_MIRROR = "copies what n8n says; asking for it is recorded"
_STEP = "a step of work that was recorded when it was asked for, and is when it ends"
_QUEUE = "the queue's own bookkeeping; what a job changes is recorded by what it calls"
_TOKEN = "a token that a request fetched for itself; sending and signing in are recorded"
_TELLING = "delivery of a message; webhook_deliveries keeps each attempt, and switching a webhook off is recorded"
_CHALLENGE = "a challenge; the answer to it is recorded"
_WAITING = "waits to be chosen from; choosing is recorded"

#: Functions that commit and need no event, with the reason.
NOT_AUDITED = {
    "hub.accounts.api_keys.authenticate_api_key": _SEEN,
    "hub.accounts.api_clients.authenticate_access_token": _SEEN,
    "hub.accounts.api_clients.become_program": "the second half of signing in, which is recorded",
    "hub.accounts.api_clients.refresh": "new tokens for the same session; a token that comes twice is recorded",
    "hub.accounts.api_rates._take_slice": _LIMIT,
    "hub.accounts.billing.services.forget_old_events": "forgets ids of messages that nobody sends again",
    "hub.accounts.devices.drop_old_devices": "forgets browsers that counted for nothing any more",
    "hub.accounts.devices.remember_device_of": "knows the browser of a sign-in, which is recorded",
    "hub.accounts.password_changes.ask_for_reset": "queues a job, which looks who is meant and records that",
    "hub.accounts.second_factor.pending.begin": _CHALLENGE,
    "hub.accounts.second_factor.pending.drop_expired": "forgets what nobody finished",
    "hub.accounts.second_factor.pending.set_challenge": _CHALLENGE,
    "hub.accounts.second_factor.pending.take_challenge": _CHALLENGE,
    "hub.accounts.second_factor.services._take_challenge": _CHALLENGE,
    "hub.accounts.sessions.load_actor": _SEEN,
    "hub.accounts.sessions.drop_dead_sessions": "forgets sessions that had ended before",
    "hub.accounts.rate_limits.count_attempt": _LIMIT,
    "hub.accounts.rate_limits.drop_old_buckets": _LIMIT,
    "hub.accounts.verification.drop_old_registrations": "forgets registrations that nobody confirmed in time",
    "hub.accounts.verification.mail_confirmation": _MAIL,
    "hub.accounts.verification.mail_registration": _MAIL,
    "hub.analyses.model_answers.Journal.sending": _ASKED,
    "hub.analyses.model_answers.Journal.stage": _ASKED,
    "hub.analyses.model_answers._count": _ASKED,
    "hub.analyses.model_answers._kept_answer": _ASKED,
    "hub.analyses.model_answers._note_lost_life": _ASKED,
    "hub.analyses.model_answers._answer": _ASKED,
    "hub.analyses.model_answers._ask": _ASKED,
    "hub.analyses.repair.recover_repairs": _STEP,
    "hub.analyses.repair_ledger.save_run": _STEP,
    "hub.analyses.repair_proof._look_at": "how far runs were looked at; a verdict is recorded",
    "hub.analyses.services.analyze_execution": "a known analysis is asked for again; making one is recorded",
    "hub.audit.anchors._post": "how far the log itself is anchored",
    "hub.audit.checkpoints.reseal": "the log's own seals",
    "hub.automation.runner._open_run": _STEP,
    "hub.automation.runner._deal_with": _STEP,
    "hub.automation.runner._close": "what led nowhere stays in automation_runs; what was proposed or repaired is recorded",
    "hub.automation.runner.queue_failures": _QUEUE,
    "hub.database.key_rotation._write": "one batch of a rotation, which is recorded at its end",
    "hub.database.migrations._make_schema": "makes the schema in which the log will be",
    "hub.database.restoring._restore_postgresql": "puts the log itself in place; the command records it afterwards",
    "hub.database.tables.drop_all_tables": "drops the log itself",
    "hub.executions.ingest.ingest_executions": _MIRROR,
    "hub.executions.services.ensure_detail": _MIRROR,
    "hub.executions.services.import_execution": _MIRROR,
    "hub.executions.services.store_detail": _MIRROR,
    "hub.executions.suspicion_scan._scan_instance": "marks that are computed from what is stored",
    "hub.failures.jobs.mark_failures": "marks that are computed from what is stored",
    "hub.http_builder.explaining.services.explain_run": "says which analysis is the run's; making it is recorded",
    "hub.http_builder.importing.sources.forget_source": _WAITING,
    "hub.http_builder.importing.sources.keep_source": _WAITING,
    "hub.http_builder.n8n.saving._begin": _STEP,
    "hub.http_builder.n8n.saving._open": _STEP,
    "hub.http_builder.n8n.saving._plan": _STEP,
    "hub.http_builder.rendering.tokens._forget": _TOKEN,
    "hub.http_builder.rendering.tokens._load": _TOKEN,
    "hub.http_builder.rendering.tokens.store_token": _TOKEN,
    "hub.http_builder.running.chains.interrupt_chain": _STEP,
    "hub.http_builder.running.chains.run_chain": _STEP,
    "hub.http_builder.running.retention._delete": "one batch of a pruning, which is recorded at its end",
    "hub.http_builder.running.retention.end_abandoned_runs": _STEP,
    "hub.http_builder.running.sending._store": _STEP,
    "hub.http_builder.running.worker.run_queued": _STEP,
    "hub.http_builder.running.worker.send_taken": _STEP,
    "hub.http_builder.running.worker.take": _STEP,
    "hub.jobs.services._update_own": _QUEUE,
    "hub.jobs.services.claim_job": _QUEUE,
    "hub.jobs.services.enqueue_tick": _QUEUE,
    "hub.jobs.services.fail_exhausted_jobs": _QUEUE,
    "hub.jobs.services.prune_jobs": _QUEUE,
    "hub.jobs.services.run_again": _QUEUE,
    "hub.mail.jobs._note": _MAIL,
    "hub.mail.services.drop_old_mails": _MAIL,
    "hub.my_data.deletion.resume_deletions": _QUEUE,
    "hub.my_data.deletion.run_deletion": "batches of a deletion, which is recorded when it is asked for and at its end",
    "hub.plugin_settings.services.run_check": _STEP,
    "hub.sync.engine.SyncRun._load_state": _MIRROR,
    "hub.sync.engine.SyncRun._store": _MIRROR,
    "hub.sync.engine.claim_run": _MIRROR,
    "hub.sync.services._finish": _MIRROR,
    "hub.sync.services._give_up": _MIRROR,
    "hub.sync.services.schedule_syncs": _QUEUE,
    "hub.webhooks.retention._delete_all": "a batch of a pruning, which is recorded at its end",
    "hub.webhooks.retention.wake_waiting": _QUEUE,
    "hub.webhooks.sending._prepare": _TELLING,
    "hub.webhooks.sending._record": _TELLING,
    "hub.webhooks.services._url_problem": "changes nothing; no transaction is open while a name is looked up",
    "hub.workflows.ingest.ingest_workflows": _MIRROR,
}
_CHANGE = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+\"?(\w+)")
#: A call of one of these ends a transaction that keeps what was changed.
COMMITS = ("session.commit", "engine.begin")
RECORD = "hub.audit.services.record_event"


@dataclass
class Function:
    """One function or method: its name with its module, whether it commits, and the names of what it calls."""

    name: str
    commits: bool = False
    calls: set[str] = field(default_factory=set)


def read_functions() -> dict[str, Function]:
    """Every function of the hub by its full name."""
    found: dict[str, Function] = {}
    for file in sorted(HUB.rglob("*.py")):
        module = ".".join(file.relative_to(HUB.parent).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = dict(_imported(tree))
        names |= {node.name: f"{module}.{node.name}" for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        for name, node in _functions(tree, module):
            found[name] = _read(name, node, names)
    return found


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("hub"):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _functions(tree: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield f"{prefix}.{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}.{node.name}")


def _read(name: str, node: ast.FunctionDef, names: dict[str, str]) -> Function:
    function = Function(name)
    for call in ast.walk(node):
        if not isinstance(call, ast.Call):
            continue
        words = ast.unparse(call.func)
        if words.endswith(COMMITS):
            function.commits = True
        first, _dot, rest = words.partition(".")
        if first == "self":
            function.calls.add(f"{name.rpartition('.')[0]}.{rest}")
        elif first in names:
            function.calls.add(f"{names[first]}.{rest}" if rest else names[first])
    return function


def unrecorded(functions: dict[str, Function]) -> list[str]:
    """Functions that commit, and neither write an event nor call or are only called by one that does."""
    recording = {name for name, function in functions.items() if RECORD in function.calls}
    while True:
        more = {name for name, function in functions.items() if function.calls & recording} - recording
        if not more:
            break
        recording |= more
    return sorted(name for name, function in functions.items() if function.commits and name not in recording)


@contextmanager
def watch_commits() -> Iterator[list[str]]:
    """What is committed by the hub in the block without an event: the function that committed, and the tables it changed."""
    changed: set[str] = set()
    found: list[str] = []

    def note(_connection: Any, cursor: Any, statement: str, *_more: Any) -> None:
        change = _CHANGE.match(statement)
        if (
            change
            and (cursor.rowcount != 0 or "RETURNING" in statement)
            and (change[1] == "audit_logs" or _hub_function() is not None)
        ):
            changed.add(change[1])

    def judge(session: Any) -> None:
        tables = sorted(changed)
        changed.clear()
        function = _hub_function()
        if tables and function and "audit_logs" not in tables and not session.in_nested_transaction():
            found.append(f"{function} changed {', '.join(tables)}")

    def forget(_session: Any, _transaction: Any) -> None:
        changed.clear()

    listeners = (
        (Engine, "after_cursor_execute", note),
        (Session, "after_commit", judge),
        (Session, "after_soft_rollback", forget),
    )
    for target, event, listener in listeners:
        sa.event.listen(target, event, listener)
    try:
        yield found
    finally:
        for target, event, listener in listeners:
            sa.event.remove(target, event, listener)


def _hub_function() -> str | None:
    """The innermost function of the hub that is being called; None where a test itself does it, or where no event is needed."""
    frame: FrameType | None = sys._getframe(2)
    innermost = None
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("hub.") and not module.startswith(("hub.extensions", "hub.audit.chain")):
            function = f"{module}.{frame.f_code.co_qualname}"
            if function in NOT_AUDITED:
                return None
            innermost = innermost or function
        elif module.startswith("tests.") and innermost is None:
            return None
        frame = frame.f_back
    return innermost
