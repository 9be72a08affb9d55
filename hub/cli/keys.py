"""``hub keys``."""

from __future__ import annotations

import os
import sys
from collections import Counter

import click
from flask import current_app
from flask.cli import with_appcontext

from hub.config import Config, add_development_key, load_config, make_encryption_key, read_environment
from hub.contracts.actor import Actor
from hub.crypto import current_vault
from hub.database import envelopes, key_rotation
from hub.database.envelopes import Unreadable
from hub.errors import Invalid

#: Lines that are printed of a list that may be long.
MOST_LINES = 200
NO_ENVELOPE = "none"


@click.group()
def keys() -> None:
    """List, check and change the keys that encrypt secrets. See docs/keys.md."""


@keys.command("list")
@with_appcontext
def list_keys() -> None:
    """Show each key by its id, and how many values it made. Opens nothing."""
    by_place = envelopes.count_by_key()
    _print_keys(by_place)
    for place, counts in by_place.items():
        for its_key, number in sorted(counts.items()):
            click.echo(f"  {place:<32} {its_key or NO_ENVELOPE:<9} {number:>9,}")


@keys.command()
@click.option("--write", is_flag=True, help="Put it in front of the development keys (only where ENCRYPTION_KEY is not set).")
def new(write: bool) -> None:
    """Print a fresh key, and how to put it first. Nothing is changed."""
    key = make_encryption_key()
    if write:
        if read_environment().get("ENCRYPTION_KEY"):
            raise Invalid("ENCRYPTION_KEY is set, so the development file is not used. Put the new key first there.")
        config = load_config()
        file = add_development_key(config, key)
        click.echo(f"Put a new key first in {file}. Start the hub anew, then run: hub keys rotate")
        return
    click.echo(key)
    click.echo(
        "Nothing was changed. Put it in front, ENCRYPTION_KEY=<this key>,<present keys>, everywhere that the hub runs,\n"
        "start the hub anew, then run: hub keys rotate. Keep a copy apart from the backups of the database.",
        err=True,
    )


@keys.command()
@click.option("--check", "only_check", is_flag=True, help="Only count what there is to do; exits 1 where there is something.")
@with_appcontext
def rotate(only_check: bool) -> None:
    """Encrypt every value anew with the newest key, while the hub works. It may be stopped at any point and run again.

    Exits 1 where a value cannot be read, or is still made with an older key; such values are left as they are.
    """
    _warn_of_undeclared()
    if only_check:
        _print_keys(envelopes.count_by_key())
        sys.exit(1 if key_rotation.count_old() or envelopes.count_without_key() else 0)
    done: Counter[str] = Counter()

    def show(place: str, rows: int) -> None:
        done[place] += rows
        if rows:
            click.echo(f"  {place:<32} {done[place]:>9,}", err=True)

    report = key_rotation.rotate_keys(Actor(user_id=None, via="cli"), show)
    vault = current_vault()
    click.echo(f"Encrypted {report.rotated:,} values anew with {vault.newest}.")
    _print_unreadable(report.unreadable)
    if report.left:
        click.echo(
            f"✗ {report.left:,} values are made with an older key again: some process still has it first. "
            "Start all of them anew with the new key first, and run this again."
        )
    if not report.unreadable and not report.left:
        click.echo(f"Nothing in the database needs a key other than {vault.newest}.")
        _say_when_to_remove(vault.key_ids[1:])
    if report.unreadable or report.left:
        sys.exit(1)


@keys.command()
@with_appcontext
def check() -> None:
    """Open every value, change nothing, and name what cannot be read; exits 1 where there is something."""
    looked_at = 0
    unreadable: list[Unreadable] = []
    for _column, rows, closed in envelopes.open_all():
        looked_at += rows
        unreadable += closed
    undeclared = _warn_of_undeclared()
    _print_unreadable(unreadable)
    click.echo(f"{looked_at - len(unreadable):,} of {looked_at:,} values open.")
    if unreadable or undeclared:
        sys.exit(1)


def _print_keys(by_place: dict[str, Counter[str]]) -> None:
    vault = current_vault()
    totals: Counter[str] = sum(by_place.values(), Counter())
    for its_key in dict.fromkeys([*vault.key_ids, *sorted(totals)]):
        if its_key == vault.newest:
            words = "newest: encrypts and opens"
        elif its_key in vault.key_ids:
            words = "older: opens"
        elif its_key:
            words = "not configured: these values cannot be read"
        else:
            words = "made with no key: these values cannot be read"
        click.echo(f"{its_key or NO_ENVELOPE:<10} {totals[its_key]:>9,}  {words}")


def _say_when_to_remove(older: tuple[str, ...]) -> None:
    config: Config = current_app.extensions["hub_config"]
    where = "ENCRYPTION_KEY" if os.environ.get("ENCRYPTION_KEY") else str(config.instance_dir / "encryption.key")
    if older:
        click.echo("Seal the audit log with the new key before an old one goes: hub audit verify --record")
    for its_key in older:
        click.echo(f"The key {its_key} may leave {where}. Backups made before now still need it: keep it with them.")


def _print_unreadable(rows: list[Unreadable]) -> None:
    for row in rows[:MOST_LINES]:
        owner = f" of {row.owner}" if row.owner else ""
        label = f" “{row.label}”" if row.label else ""
        why = "was changed or moved" if row.has_key else f"needs the key {row.key_id}" if row.key_id else "is not encrypted"
        click.echo(f"✗ {row.place} {row.key}{label}{owner} {why}")
    if len(rows) > MOST_LINES:
        click.echo(f"✗ and {len(rows) - MOST_LINES:,} more")
    if rows:
        click.echo("Nothing of this was changed. Add the missing key to ENCRYPTION_KEY, or enter the values anew (docs/keys.md).")


def _warn_of_undeclared() -> bool:
    """Say what a plugin encrypted that is not enabled; whether there is any."""
    found = envelopes.find_undeclared()
    for place, ids in found.items():
        click.echo(f"! {place} holds values of {', '.join(sorted(ids))} that no enabled plugin declares: they are not rotated")
    return bool(found)
