"""``hub execution``: what ran, and why it failed."""

from __future__ import annotations

import click
from flask_babel import force_locale
from flask_babel import gettext as _

from hub.analyses.learning import judge_for
from hub.analyses.models import AiAnalysis
from hub.analyses.repair import preview_repair
from hub.analyses.repair_words import say_confidence
from hub.analyses.services import analyze_execution
from hub.cli.actor import as_user
from hub.cli.analyze import prose
from hub.cli.instances import find_instance
from hub.cli.repairs import preview_lines
from hub.contracts.actor import Actor
from hub.contracts.analysis import Diagnosis
from hub.executions.models import ExecutionStatus
from hub.executions.services import ExecutionRow, list_executions

_STATUSES = [status.value.lower() for status in ExecutionStatus]


@click.group()
def execution() -> None:
    """List executions and explain failures."""


@execution.command("list")
@click.option("--instance", "name_or_id", help="Only those of one instance.")
@click.option("--status", type=click.Choice(_STATUSES), help="Only those that ended like this.")
@click.option("--limit", type=click.IntRange(1, 250), default=20, show_default=True, help="How many, newest first.")
@as_user
def list_(actor: Actor, name_or_id: str | None, status: str | None, limit: int) -> None:
    """One line an execution: id, status, start in UTC, instance, workflow, and what went wrong."""
    instance_id = find_instance(actor, name_or_id).id if name_or_id else None
    wanted = ExecutionStatus(status.upper()) if status else None
    for row in list_executions(actor, instance_id=instance_id, status=wanted, limit=limit).rows:
        click.echo(_line(row))


def _line(row: ExecutionRow) -> str:
    problem = ": ".join(filter(None, (row.error_node, row.error_message)))
    parts = (row.id, f"{row.status:8}", f"{row.started_at:%Y-%m-%d %H:%M}", row.instance_name, row.workflow_name, problem)
    return "  ".join(filter(None, parts))


@execution.command()
@click.argument("execution_id")
@click.option("--language", type=click.Choice(["en", "ar"]), default="en", show_default=True, help="Language of the texts.")
@as_user
def analyze(actor: Actor, execution_id: str, language: str) -> None:
    """Say why EXECUTION_ID (see: hub execution list) failed, show the changes that repair it and how to apply them."""
    with force_locale(language):
        analysis = analyze_execution(actor, execution_id)
        judge = judge_for(actor)
        believed = say_confidence(judge.cause(analysis.source, analysis.confidence))
        click.echo(prose(Diagnosis.model_validate(analysis.analysis), language, with_patches=False, believed=believed))
        for number in _patches(analysis):
            fix = judge.fix(analysis.source, analysis.suggestions[number - 1]["confidence"])
            click.echo(f"\n{number}. {_('Works:')} {say_confidence(fix)}")
            click.echo("\n" + "\n".join(preview_lines(preview_repair(actor, analysis.id, number - 1), analysis.id)))


def _patches(analysis: AiAnalysis) -> list[int]:
    """Numbers, from 1, of the suggestions that are changes."""
    return [number for number, entry in enumerate(analysis.suggestions, 1) if entry["kind"] == "patch"]
