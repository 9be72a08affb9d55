"""``hub user`` and ``hub api-key``."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import click
import sqlalchemy as sa
from flask.cli import with_appcontext

from hub.accounts.actors import Client
from hub.accounts.api_keys import PERMISSIONS, create_api_key
from hub.accounts.models import Plan, User
from hub.accounts.password_changes import replace_password
from hub.accounts.plans import set_plan
from hub.accounts.second_factor.services import reset_second_factor
from hub.accounts.users import register_user
from hub.audit.services import record_event
from hub.cli.actor import choose_user
from hub.columns import utc_now
from hub.contracts.actor import Actor, Role
from hub.errors import Conflict
from hub.extensions import db

CLIENT = Client(via="cli")


@click.group()
def user() -> None:
    """Create, list, export and delete users; change their plan; take a lost second factor off."""


@user.command("create")
@click.argument("email")
@click.option("--name", help="Shown name (default: what stands before the @).")
@click.option("--operator", is_flag=True, help="May see plugins, all users and the whole audit log.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
@with_appcontext
def create_user(email: str, name: str | None, operator: bool, password_stdin: bool) -> None:
    """Make an account. The password is asked for, or read from standard input; never an argument that others could see."""
    password = _read_password(password_stdin)
    role = Role.OPERATOR if operator else Role.USER
    person = register_user(email, password, name or email.partition("@")[0], client=CLIENT, role=role, verified=True)
    click.echo(f"Created {person.email} ({person.role.lower()}).")


def _read_password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


@user.command("password")
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
@with_appcontext
def set_password(email: str, password_stdin: bool) -> None:
    """Set a new password for the person with that EMAIL: the way back in where the hub sends no mail. Ends all sessions."""
    person = choose_user(email)
    replace_password(person.id, _read_password(password_stdin), client=CLIENT)
    click.echo(f"{person.email} has a new password and is signed out everywhere.")


@user.command("list")
@with_appcontext
def list_users() -> None:
    """List everybody with an account."""
    for person in db.session.scalars(sa.select(User).order_by(User.created_at, User.id)):
        click.echo(f"{person.email:<40} {person.role.lower():<9} {person.plan:<11} {person.created_at:%Y-%m-%d}  {person.name}")


@user.command("plan")
@click.argument("email")
@click.argument("plan", type=click.Choice([plan.value for plan in Plan], case_sensitive=False))
@with_appcontext
def change_plan(email: str, plan: str) -> None:
    """Give the person with that EMAIL another PLAN. It holds at once, and nothing is deleted."""
    person = choose_user(email)
    address = person.email
    changed = set_plan(CLIENT.as_actor(person.id), person.id, Plan(plan))
    db.session.commit()
    click.echo(f"{address} has the plan {Plan(plan).value} {'now' if changed else 'already'}.")


@user.command("reset-second-factor")
@click.argument("email")
@with_appcontext
def reset_factors(email: str) -> None:
    """Take app, passkeys and recovery codes off the account with that EMAIL, for somebody who lost them.

    The password stays, and a mail tells the owner. Be sure that it is the owner who asks: it is what an attacker would ask too.
    """
    person = choose_user(email)
    reset_second_factor(CLIENT.as_actor(person.id), person.id)
    click.echo(f"{person.email} has no second factor now.")


@user.command("export")
@click.argument("email")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_appcontext
def export_user(email: str, file: Path) -> None:
    """Write everything that belongs to the person with that EMAIL into the ZIP FILE. Secrets are not in it."""
    from hub.my_data.archive import write_archive
    from hub.my_data.ownership import Person

    if file.exists():
        raise Conflict(f"{file} exists already; nothing was overwritten.")
    person = choose_user(email)
    user_id, address = person.id, person.email
    record_event(Actor(user_id=user_id, via="cli"), "user.export", "user", user_id)
    db.session.commit()
    size = write_archive(file.absolute(), Person(user_id, address))
    click.echo(f"Wrote {file}: {size:,} bytes.")


@user.command("delete")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def delete_user(email: str, yes: bool) -> None:
    """Delete the person with that EMAIL and everything that belongs to them, at once and for ever."""
    from hub.my_data import services
    from hub.my_data.deletion import run_deletion

    person = choose_user(email)
    actor = Actor(user_id=person.id, role=person.role, via="cli")
    counts = ", ".join(f"{number:,} {table}" for table, number in services.count_belongings(actor).items() if number)
    if not yes:
        click.confirm(f"Delete {person.email} with {counts or 'nothing else'} for ever?", abort=True)
    services.request_deletion(actor, person.email)
    deleted = run_deletion(str(actor.user_id), lambda _done, _total: None)
    click.echo(f"Deleted {sum(deleted.values()):,} rows. The audit log keeps what was done.")


@click.group()
def api_key() -> None:
    """Create keys to the JSON API."""


@api_key.command("create")
@click.argument("email")
@click.argument("name")
@click.option("--permission", "permissions", multiple=True, type=click.Choice(PERMISSIONS), default=["read"], show_default=True)
@click.option("--expires-days", type=click.IntRange(min=1), help="The key ends after so many days (default: never).")
@with_appcontext
def create_key(email: str, name: str, permissions: tuple[str, ...], expires_days: int | None) -> None:
    """Make a key for the person with that EMAIL and print it, this once, to standard output."""
    person = choose_user(email)
    expires_at = utc_now() + dt.timedelta(days=expires_days) if expires_days else None
    actor = Actor(user_id=person.id, role=person.role, via="cli")
    _key, secret = create_api_key(actor, name, permissions, expires_at)
    click.echo("This key is not shown again:", err=True)
    click.echo(secret)
