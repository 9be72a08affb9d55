"""``hub environment``: variables and secrets that requests are sent with."""

from __future__ import annotations

import sys
from dataclasses import replace

import click

from hub.cli.actor import as_user
from hub.cli.choosing import choose_one
from hub.contracts.actor import Actor
from hub.http_builder import environments as services
from hub.http_builder.environments import EnvironmentRow, VariableDraft

_OWN = "Without --in it is your own variable, which every request may use."
_in = click.option("--in", "place", metavar="ENVIRONMENT", help="Name or id of the environment.")


@click.group()
def environment() -> None:
    """Keep variables and secrets for requests, in environments such as Staging."""


@environment.command("list")
@as_user
def list_(actor: Actor) -> None:
    """The environments, and the variables of each; "*" marks the active one. A secret's value is never shown."""
    _show_variables(actor, None, "(your own)")
    for row in services.list_environments(actor):
        _show_variables(actor, row.id, f"{'*' if row.active else ' '} {row.name}  {row.id}")


@environment.command()
@click.argument("name")
@as_user
def add(actor: Actor, name: str) -> None:
    """Make the environment NAME; the first one becomes active."""
    made = services.create_environment(actor, name)
    click.echo(f"{made.id}  {made.name}")


@environment.command(epilog=_OWN)
@click.argument("name")
@click.argument("value")
@_in
@as_user
def set(actor: Actor, name: str, value: str, place: str | None) -> None:
    """Give the variable NAME a VALUE. For secrets: hub environment secret."""
    _store(actor, place, VariableDraft(name, value))


@environment.command(epilog=_OWN)
@click.argument("name")
@click.option("--host", "hosts", multiple=True, required=True, help="Where it may go: host, host:port or *.suffix; repeat it.")
@_in
@as_user
def secret(actor: Actor, name: str, hosts: tuple[str, ...], place: str | None) -> None:
    """Store the secret NAME. Its value is read from standard input, or asked for on a terminal; it is never shown again."""
    value = click.prompt("Value", hide_input=True) if sys.stdin.isatty() else sys.stdin.read().rstrip("\r\n")
    _store(actor, place, VariableDraft(name, value, is_secret=True, hosts=hosts))


@environment.command()
@click.argument("name_or_id", required=False)
@as_user
def use(actor: Actor, name_or_id: str | None) -> None:
    """Make the environment NAME_OR_ID the active one; without it, none is."""
    chosen = _find(actor, name_or_id) if name_or_id else None
    services.activate_environment(actor, chosen.id if chosen else None)
    click.echo(f"{chosen.name} is active." if chosen else "No environment is active.")


def _find(actor: Actor, name_or_id: str) -> EnvironmentRow:
    return choose_one(services.list_environments(actor), name_or_id, "environment")


def _store(actor: Actor, place: str | None, draft: VariableDraft) -> None:
    """Change the variable of that name, or make it."""
    environment_id = _find(actor, place).id if place else None
    stored = next((row for row in services.list_variables(actor, environment_id) if row.name == draft.name), None)
    if stored is None:
        services.create_variable(actor, environment_id, draft)
    else:
        services.update_variable(actor, stored.id, replace(draft, description=stored.description or ""))
    click.echo(f"{draft.name} is stored.")


def _show_variables(actor: Actor, environment_id: str | None, title: str) -> None:
    click.echo(title)
    for row in services.list_variables(actor, environment_id):
        shown = f"(secret, for {', '.join(row.hosts)})" if row.is_secret else row.value
        click.echo(f"    {row.name}  {shown}")
