"""``hub repair``: apply a proposed change and see it proven."""

from __future__ import annotations

import sys
import time

import click
from flask_babel import force_locale

from hub.analyses.models import RepairState, Verdict
from hub.analyses.presentation import ShownRepair, present_repair, unified_lines
from hub.analyses.repair import RepairPreview, find_repair_job, get_repair, preview_repair, request_repair
from hub.analyses.repair_run import ProofKind
from hub.analyses.repair_words import describe_end, describe_warning
from hub.cli.actor import as_user
from hub.cli.foreground import LOOK_SECONDS, own_app, run_here
from hub.contracts.actor import Actor
from hub.errors import Conflict
from hub.extensions import db


@click.command()
@click.argument("analysis_id")
@click.argument("number", type=click.IntRange(min=1), default=1)
@click.option("--proof", type=click.Choice([kind.value for kind in ProofKind]), help="How to prove it, where a retry cannot.")
@click.option("--yes", is_flag=True, help="Apply without asking.")
@click.option("--language", type=click.Choice(["en", "ar"]), default="en", show_default=True, help="Language of the texts.")
@as_user
def repair(actor: Actor, analysis_id: str, number: int, proof: str | None, yes: bool, language: str) -> None:
    """Apply suggestion NUMBER of ANALYSIS_ID (see: hub execution analyze), retry the execution and judge it.

    If the retry does not prove the change, the old workflow is put back. Exits 0 only when the repair is verified.
    """
    with force_locale(language):
        preview = preview_repair(actor, analysis_id, number - 1)
        if preview.obstacle is not None:
            raise Conflict(describe_end(preview.obstacle.code, preview.obstacle.details))
        click.echo("\n".join(preview_lines(preview)))
        if not yes:
            click.confirm("Apply this change?", abort=True)
        chosen = ProofKind(proof) if proof else None
        repair_id = request_repair(actor, analysis_id, number - 1, preview.digest or "", chosen).id
        shown = _follow(actor, repair_id, language)
        click.echo(f"{shown.state}{f', {shown.verdict}' if shown.verdict else ''}: {shown.message}")
    sys.exit(0 if (shown.state, shown.verdict) == (RepairState.APPLIED, Verdict.VERIFIED) else 1)


def preview_lines(preview: RepairPreview, analysis_id: str | None = None) -> list[str]:
    """The change as a diff with what it risks; with ``analysis_id`` the command that applies it too."""
    lines = []
    for difference in preview.differences:
        title, changed = unified_lines(difference)
        lines += [f"--- {title}", *changed]
    lines += [f"! {describe_warning(notice.code, notice.details)}" for notice in preview.warnings]
    if preview.obstacle is not None:
        lines.append(f"! {describe_end(preview.obstacle.code, preview.obstacle.details)}")
    elif analysis_id is not None:
        proof = "" if ProofKind.RETRY in preview.proofs else f" --proof {'|'.join(preview.proofs)}"
        lines.append(f"Apply it: hub repair {analysis_id} {preview.suggestion_index + 1}{proof}")
    return lines


def _follow(actor: Actor, repair_id: str, language: str) -> ShownRepair:
    """Make the repair here, or watch the worker that was faster, and print each step; the repair once it has ended."""
    app = own_app()
    db.session.rollback()  # reading has taken SQLite's write lock, which the job needs
    printed = 0
    while True:
        with app.app_context():
            job = find_repair_job(get_repair(actor, repair_id))
            job_id = job.id if job else None
        if job_id is not None:
            run_here(app, job_id)
        with app.app_context(), force_locale(language):
            shown = present_repair(get_repair(actor, repair_id))
        for step in shown.steps[printed:]:
            click.echo(f"  {step.started_at:%H:%M:%S}  {step.name}")
        printed = len(shown.steps)
        if not shown.is_open:
            return shown
        time.sleep(LOOK_SECONDS)
