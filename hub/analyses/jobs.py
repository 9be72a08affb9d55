"""Background work of the analyses room."""

from __future__ import annotations

from hub.analyses.model_answers import answer_call
from hub.analyses.repair import recover_repairs, run_repair
from hub.analyses.repair_proof import prove_waiting_repairs
from hub.jobs.services import JobContext, job, periodic


@job("repair.run")
def make_repair(context: JobContext, repair_id: str) -> None:
    """Make one repair; it may be killed at any point and run again."""
    run_repair(repair_id, beat=lambda: context.report(0))


@job("analysis.ask_model")
def ask_model(context: JobContext, call_id: str) -> None:
    """Ask a model about one analysis; killed while it asks, it asks once more and no further."""
    answer_call(call_id, beat=lambda: context.report(0))


@periodic("repair.recover", seconds=60)
def recover(_context: JobContext) -> None:
    """Take repairs up again whose job is gone."""
    recover_repairs()


@periodic("repair.prove", seconds=60)
def prove(_context: JobContext) -> None:
    """Close repairs that waited for the next run of their version."""
    prove_waiting_repairs()
