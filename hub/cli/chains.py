"""``hub chain``: requests that are sent one after the other."""

from __future__ import annotations

import sys
import time

import click

from hub.cli.actor import as_user
from hub.cli.choosing import choose_one
from hub.cli.foreground import LOOK_SECONDS, own_app, run_here
from hub.cli.run_printing import tidy
from hub.contracts.actor import Actor
from hub.extensions import db
from hub.http_builder.environments import list_environments
from hub.http_builder.models import RunState
from hub.http_builder.running import chains as services
from hub.http_builder.running.words import name_chain_state, name_state
from hub.jobs.services import find_job
from hub.jobs.worker import database_kept_open


@click.group()
def chain() -> None:
    """List and run chains of requests."""


@chain.command("list")
@as_user
def list_(actor: Actor) -> None:
    """One line a chain: id, number of steps, name, and how its last run went."""
    for row in services.list_chains(actor):
        last = name_chain_state(row.last_state) if row.last_state else None
        click.echo("  ".join(filter(None, (row.id, f"{row.steps:2}", row.name, last))))


@chain.command()
@click.argument("name_or_id")
@click.option("--environment", metavar="NAME_OR_ID", help="Another environment than the active one.")
@as_user
def run(actor: Actor, name_or_id: str, environment: str | None) -> None:
    """Send the requests of the chain NAME_OR_ID, one after the other, until one fails; exits 1 when one does."""
    chosen = choose_one(services.list_chains(actor), name_or_id, "chain")
    environment_id = choose_one(list_environments(actor), environment, "environment").id if environment else None
    run_id = services.start_chain(actor, chosen.id, environment_id).id
    job = find_job(services.job_key(run_id))
    job_id = job.id if job else ""
    db.session.rollback()  # reading has taken SQLite's write lock, which the job needs
    app = own_app()
    with database_kept_open(app):
        while True:
            run_here(app, job_id)
            with app.app_context():
                progress = services.show_chain_run(actor, run_id)
            if not progress.is_active:
                break
            time.sleep(LOOK_SECONDS)
    for step in progress.steps:
        took = f"{step.duration_ms:.0f} ms" if step.duration_ms is not None else None
        parts = (f"{name_state(step.state):12}", str(step.status_code or ""), step.method, tidy(step.name), took)
        click.echo("  ".join(filter(None, parts)))
    click.echo(name_chain_state(progress.state))
    sys.exit(0 if progress.state is RunState.DONE else 1)
