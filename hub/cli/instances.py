"""``hub instance``: connect, list and test n8n servers."""

from __future__ import annotations

import sys

import click

from hub.cli.actor import as_user
from hub.contracts.actor import Actor
from hub.errors import NotFound
from hub.instances import services
from hub.instances.connection import ConnectionReport
from hub.instances.models import Instance
from hub.instances.words import describe_instance_error

_MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


@click.group()
def instance() -> None:
    """Add, test and list n8n servers."""


@instance.command()
@click.argument("name")
@click.argument("url")
@as_user
def add(actor: Actor, name: str, url: str) -> None:
    """Connect the n8n at URL and test it. The API key is read from standard input, or asked for on a terminal."""
    api_key = click.prompt("API key", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    added = services.create_instance(actor, name=name, url=url, api_key=api_key)
    click.echo(f"{added.id}  {added.name}  {added.url}")
    _show(services.check_connection(actor, added.id))


@instance.command("list")
@as_user
def list_(actor: Actor) -> None:
    """One line an instance: id, state, name, address and what is wrong."""
    cursor = None
    while True:
        page = services.list_instances(actor, cursor=cursor)
        for row in page.rows:
            state = "SAMPLE" if row.is_sample else row.status
            click.echo("  ".join(filter(None, (row.id, f"{state:12}", row.name, row.url, describe_instance_error(row)))))
        cursor = page.next_cursor
        if cursor is None:
            return


@instance.command()
@click.argument("name_or_id")
@as_user
def test(actor: Actor, name_or_id: str) -> None:
    """Test a connection; exits 1 when the hub can't use it."""
    _show(services.check_connection(actor, find_instance(actor, name_or_id).id))


def find_instance(actor: Actor, name_or_id: str) -> Instance:
    """The instance with this id, or the only one with this name."""
    rows = services.list_instances(actor, limit=250).rows
    found = [row for row in rows if name_or_id in (row.id, row.name)]
    if len(found) != 1:
        raise NotFound(f"There is no instance {name_or_id!r}, or more than one; see: hub instance list")
    return found[0]


def _show(report: ConnectionReport) -> None:
    for check in report.checks:
        click.echo(f"{_MARKS[check.state]}  {check.title}: {check.sentence}")
    if not report.ok:
        raise SystemExit(1)
