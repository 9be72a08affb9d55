"""``hub audit``."""

from __future__ import annotations

import datetime as dt
import itertools
import sys
from typing import Any

import click
import sqlalchemy as sa
from flask.cli import with_appcontext

from hub.accounts.models import User
from hub.audit import keeping, services
from hub.audit.anchors import read_anchors
from hub.audit.exporting import FORMATS
from hub.audit.services import EventFilter, EventRow
from hub.audit.verification import Break, verify_all
from hub.audit.words import describe_break
from hub.cli.actor import as_user
from hub.contracts.actor import SYSTEM, Actor
from hub.extensions import DEFERRED, db

_WHEN = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


def _in_utc(_context: click.Context, _parameter: click.Parameter, value: dt.datetime | None) -> dt.datetime | None:
    return value.replace(tzinfo=dt.UTC) if value else None


def with_filters(command: Any) -> Any:
    """The options that choose events."""
    options = (
        click.option("--action", default="", help='An action or its beginning, as "instance.".'),
        click.option("--person", "user", default="", metavar="EMAIL", help="Whose events; operators may ask."),
        click.option("--resource", default="", help='A kind of object, as "instance".'),
        click.option("--refused/--succeeded", "refused", default=None, help="Only what failed, or only what did not."),
        click.option("--since", type=_WHEN, callback=_in_utc, help="From this time on (UTC)."),
        click.option("--until", type=_WHEN, callback=_in_utc, help="Before this time (UTC)."),
        click.option("--text", default="", help="Looked for in action, object, origin and details."),
    )
    for option in options:
        command = option(command)
    return command


def _filter(refused: bool | None, options: dict[str, Any]) -> EventFilter:
    return EventFilter(success=None if refused is None else not refused, **options)


@click.group()
def audit() -> None:
    """List, verify, export and prune the audit log."""


@audit.command("list")
@with_filters
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1), help="Newest events that are shown.")
@as_user
def list_events(actor: Actor, refused: bool | None, limit: int, **options: Any) -> None:
    """Show events, newest first: your own, for operators everybody's."""
    for event in itertools.islice(services.iterate_events(actor, _filter(refused, options)), limit):
        click.echo(_line(event))


def _line(event: EventRow) -> str:
    who = event.user_email or event.user_id or "–"
    thing = f"{event.resource} {event.resource_id or ''}".strip()
    outcome = "" if event.success else "  FAILED"
    facts = ", ".join(f"{name}={value}" for name, value in event.details.items())
    text = f"{event.created_at:%Y-%m-%d %H:%M:%S}  {who:<30} {event.action:<24} {thing}{outcome}  {facts}"
    return "".join(letter if letter.isprintable() else "�" for letter in text)


@audit.command()
@click.option("--record", is_flag=True, help="Also write down the result, seal heads with the newest key and anchor them.")
@with_appcontext
def verify(record: bool) -> None:
    """Verify every chain, and its head against HUB_AUDIT_ANCHOR_FILE. Names the first broken row of each; exits 1 if any is."""
    found = keeping.verify_log(SYSTEM) if record else verify_all(read_anchors())
    for broken in found.breaks:
        click.echo(f"BROKEN  {_whose(broken)}: {describe_break(broken)}" + (f" ({broken.event_id})" if broken.event_id else ""))
    for trigger in found.missing_triggers:
        click.echo(f"MISSING  trigger {trigger}: the database does not refuse changes; run: hub audit protect")
    for key in sorted(found.lost_keys):
        click.echo(f"note: key {key} is not configured; what it sealed is vouched for by later seals", err=True)
    click.echo(f"{found.chains} chains, {found.events} events: " + ("all hold." if found.ok else f"{len(found.breaks)} broken."))
    if not found.ok:
        sys.exit(1)


def _whose(broken: Break) -> str:
    db.session.connection(execution_options=DEFERRED)
    email = db.session.scalar(sa.select(User.email).where(User.id == broken.chain))
    db.session.rollback()
    return f"chain of {email} ({broken.chain})" if email else f"chain {broken.chain or 'of the hub itself'}"


@audit.command()
@as_user
def protect(actor: Actor) -> None:
    """Make the triggers again that refuse changes of the log, where verify says that they are missing. For operators."""
    keeping.protect_log(actor)
    click.echo("The database refuses changes of the audit log.")


@audit.command()
@with_filters
@click.option("--format", "kind", type=click.Choice(tuple(FORMATS)), default="jsonl", show_default=True)
@click.option(
    "--output", type=click.File("w", encoding="utf-8", lazy=True), default="-", help="A file; default: standard output."
)
@as_user
def export(actor: Actor, refused: bool | None, kind: str, output: Any, **options: Any) -> None:
    """Write events as CSV or JSON Lines: your own, for operators everybody's."""
    events = services.iterate_events(actor, _filter(refused, options))
    used = {name: str(value) for name, value in options.items() if value}
    keeping.note_export(actor, kind, used)
    for line in FORMATS[kind][0](events):
        output.write(line)


@audit.command()
@click.option("--before", required=True, type=_WHEN, callback=_in_utc, help="Delete the events before this time (UTC).")
@click.confirmation_option("--yes", prompt="Deleted events cannot be had back. Go on?")
@as_user
def prune(actor: Actor, before: dt.datetime) -> None:
    """Delete old events; what is left stays verifiable from a sealed checkpoint. For operators. A broken chain is left alone."""
    pruned = keeping.prune_events(actor, before)
    for broken in pruned.broken:
        click.echo(f"BROKEN, not pruned: {_whose(broken)}: {describe_break(broken)}")
    click.echo(f"Deleted {pruned.events} events of {pruned.chains} chains.")
    if pruned.broken:
        sys.exit(1)
