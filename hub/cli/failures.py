"""``hub failures``: what fails, once for all that is the same."""

from __future__ import annotations

import datetime as dt

import click

from hub.cli.actor import as_user
from hub.cli.instances import find_instance
from hub.columns import utc_now
from hub.contracts.actor import Actor
from hub.failures.credentials import RefusedCredential, list_refused_credentials
from hub.failures.services import FailureGroup, Sorting, list_failures

_days = click.option("--days", type=click.IntRange(1), default=30, show_default=True, help="How far to look back.")


@click.group()
def failures() -> None:
    """List failures over all instances, and refused credentials."""


@failures.command("list")
@click.option("--instance", "name_or_id", help="Only those of one instance.")
@click.option("--search", help="Words in the message, the node or the workflow.")
@click.option("--by-count", is_flag=True, help="The most frequent first instead of the last seen.")
@click.option("--limit", type=click.IntRange(1, 250), default=20, show_default=True, help="How many.")
@_days
@as_user
def list_(actor: Actor, name_or_id: str | None, search: str | None, by_count: bool, limit: int, days: int) -> None:
    """One line a failure: how often, last seen in UTC, workflows hit, node, message, and the cause where it was analysed."""
    page = list_failures(
        actor,
        instance_id=find_instance(actor, name_or_id).id if name_or_id else None,
        since=_since(days),
        search=search,
        sorting=Sorting.COUNT if by_count else Sorting.LAST_SEEN,
        limit=limit,
    )
    for group in page.rows:
        click.echo(_line(group))


@failures.command()
@_days
@as_user
def credentials(actor: Actor, days: int) -> None:
    """Credentials that services refused: how often, last time, name, and the workflows hurt and at risk."""
    for found in list_refused_credentials(actor, since=_since(days)):
        click.echo("\n".join(_credential_lines(found)))


def _since(days: int) -> dt.datetime:
    return utc_now() - dt.timedelta(days=days)


def _line(group: FailureGroup) -> str:
    problem = ": ".join(filter(None, (group.error_node, group.message)))
    hit = group.workflow_name if group.workflows == 1 else f"{group.workflows} workflows"
    cause = f"[{group.explained.cause}]" if group.explained else ""
    return "  ".join(filter(None, (f"{group.count:6}x", f"{group.last_seen:%Y-%m-%d %H:%M}", hit, problem, cause)))


def _credential_lines(found: RefusedCredential) -> list[str]:
    state = "works again" if found.works_again else "refused"
    name = f"{found.name or found.credential_id} ({found.kind or '?'})"
    lines = [f"{found.count:6}x  {found.last_seen:%Y-%m-%d %H:%M}  {name} on {found.instance_name}: {state}"]
    lines += [f"         failed {workflow.count}x: {workflow.workflow_name}" for workflow in found.hurt]
    return lines + [f"         at risk: {workflow.workflow_name}" for workflow in found.at_risk]
