"""``hub automation``: how far the hub may go by itself."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from hub.automation import services
from hub.automation.models import AutomationLevel
from hub.automation.words import describe_reason
from hub.cli.actor import as_user
from hub.contracts.actor import Actor, Role

_LEVELS = [level.value.lower() for level in AutomationLevel]
#: Who has a shell on the hub's machine is its operator.
_OPERATOR = Actor(user_id=None, role=Role.OPERATOR, via="cli")


@click.group()
def automation() -> None:
    """Say how far the hub may go by itself; stop and start it."""


@automation.command()
@with_appcontext
def stop() -> None:
    """Stop automation for everybody, at once, also what is queued."""
    services.set_hub_switch(_OPERATOR, stopped=True)
    click.echo("Automation is stopped for everybody.")


@automation.command()
@with_appcontext
def start() -> None:
    """Let automation go on."""
    services.set_hub_switch(_OPERATOR, stopped=False)
    click.echo("Automation goes on.")


@automation.command()
@click.argument("workflow_id")
@click.argument("level", type=click.Choice(_LEVELS))
@as_user
def level(actor: Actor, workflow_id: str, level: str) -> None:
    """Set the LEVEL of WORKFLOW_ID: off, explain, propose, verify (drafts) or publish (what is proven)."""
    made = services.set_level(actor, workflow_id, AutomationLevel(level.upper()))
    click.echo(f"{workflow_id}  {made.level}")


@automation.command("list")
@as_user
def list_(actor: Actor) -> None:
    """The workflows with a level, and the newest things that automation did or left."""
    switch = services.get_switch(actor)
    if switch.is_stopped:
        click.echo("Automation is stopped.")
    for row in services.list_levels(actor):
        lowered = "  (lowered by the hub)" if row.lowered_at else ""
        click.echo(f"{row.workflow_id}  {row.level:8}  {row.instance_name}  {row.workflow_name}{lowered}")
    for run in services.list_runs(actor, limit=20).rows:
        state = run.verdict or run.repair_state or run.outcome
        parts = (
            f"{run.created_at:%Y-%m-%d %H:%M}",
            f"{state:10}",
            run.workflow_name,
            run.cause,
            describe_reason(run.reason, run.details),
        )
        click.echo("  ".join(filter(None, parts)))
