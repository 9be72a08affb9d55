"""``hub webhook``: addresses that are told what happens."""

from __future__ import annotations

import sys

import click

from hub.cli.actor import as_user
from hub.cli.choosing import choose_one
from hub.cli.instances import find_instance
from hub.contracts.actor import Actor
from hub.webhooks import services
from hub.webhooks.models import Webhook, WebhookDelivery
from hub.webhooks.words import describe_attempt


@click.group()
def webhook() -> None:
    """Tell other programs what happens."""


@webhook.command("list")
@as_user
def list_(actor: Actor) -> None:
    """One line a webhook: id, state, name, address and events."""
    for row in services.list_webhooks(actor):
        made = row.webhook
        state = "enabled" if made.enabled else "disabled"
        click.echo(f"{made.id}  {state:8}  {made.name}  {made.url}  {','.join(made.events)}")


@webhook.command()
@click.argument("name")
@click.argument("url")
@click.option("--event", "events", multiple=True, help="What it is told of; repeat it. Without it: everything.")
@click.option("--instance", "instances", multiple=True, help="Name or id; repeat it. Without it: all, also those to come.")
@as_user
def create(actor: Actor, name: str, url: str, events: tuple[str, ...], instances: tuple[str, ...]) -> None:
    """Make a webhook that calls URL. Its secret is printed this once."""
    chosen = [find_instance(actor, name_or_id).id for name_or_id in instances] or None
    wanted = events or [event.value for event in services.CHOICES]
    made, secret = services.create_webhook(actor, services.WebhookDraft(name, url, wanted, chosen))
    click.echo(f"{made.id}  {made.name}  {made.url}")
    click.echo(f"Secret (shown this once): {secret}")


@webhook.command()
@click.argument("name_or_id")
@as_user
def test(actor: Actor, name_or_id: str) -> None:
    """Send a ping now; exits 1 when it was not taken."""
    delivery = services.test_webhook(actor, _find(actor, name_or_id).id)
    click.echo(_line(delivery))
    if delivery.state != "DELIVERED":
        sys.exit(1)


@webhook.command()
@click.argument("name_or_id")
@click.option("--limit", type=click.IntRange(1, 250), default=20, show_default=True, help="How many.")
@as_user
def deliveries(actor: Actor, name_or_id: str, limit: int) -> None:
    """What was sent, newest first: id, time, state, event, attempts and what came of the last."""
    for delivery in services.list_deliveries(actor, _find(actor, name_or_id).id, limit=limit).rows:
        click.echo(_line(delivery))


def _find(actor: Actor, name_or_id: str) -> Webhook:
    return choose_one([row.webhook for row in services.list_webhooks(actor)], name_or_id, "webhook")


def _line(delivery: WebhookDelivery) -> str:
    last = delivery.last_attempt
    at = delivery.created_at.isoformat(timespec="seconds")
    words = [delivery.id, at, f"{delivery.state:9}", f"{delivery.type:18}", str(len(delivery.log))]
    return "  ".join([*words, *([describe_attempt(last)] if last else [])])
