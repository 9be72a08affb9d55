"""``hub request``: saved requests, and single ones."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hub.cli.actor import as_user
from hub.cli.analyze import prose
from hub.cli.choosing import choose_one
from hub.cli.request_send import send
from hub.cli.run_printing import print_run, tidy
from hub.contracts.actor import Actor
from hub.contracts.analysis import Diagnosis
from hub.http_builder import services, transfer
from hub.http_builder.definitions import definition_of
from hub.http_builder.environments import list_environments
from hub.http_builder.explaining.services import explain_run
from hub.http_builder.exporting import FORMATS, export_saved
from hub.http_builder.importing import describe_note
from hub.http_builder.importing.saving import Fate, save_import
from hub.http_builder.models import Request
from hub.http_builder.request_types import request_resource
from hub.http_builder.running import run_now, view_run


@click.group()
def request() -> None:
    """Send, list, import and export HTTP requests."""


request.add_command(send)


@request.command("list")
@click.option("--search", help="Words in the name, URL, folder or tags.")
@click.option("--folder", help="Only those in a folder and below it.")
@as_user
def list_(actor: Actor, search: str | None, folder: str | None) -> None:
    """One line a request: id, method, name, URL and folder; changed last stands first."""
    cursor = None
    while True:
        page = services.list_requests(actor, search=search, folder=folder, cursor=cursor, limit=250)
        for row in page.rows:
            click.echo("  ".join(filter(None, (row.id, f"{row.method:7}", row.name, row.url, row.folder))))
        cursor = page.next_cursor
        if cursor is None:
            return


@request.command()
@click.argument("name_or_id")
@as_user
def show(actor: Actor, name_or_id: str) -> None:
    """Print the request NAME_OR_ID as JSON. Of secrets only the names are shown."""
    click.echo(request_resource(actor, _find(actor, name_or_id)).model_dump_json(indent=1))


@request.command()
@click.argument("name_or_id")
@click.option("--environment", "environment", metavar="NAME_OR_ID", help="Another environment than the active one.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole run as JSON, or why there is none as a problem document.")
@as_user
def run(actor: Actor, name_or_id: str, environment: str | None, as_json: bool) -> None:
    """Send the saved request NAME_OR_ID now, in this process, and print what comes back. The run is kept as history.

    Exit code 0: there is an answer. 1: it was refused, or no answer came. 3: the answer fails an assertion.
    """
    chosen = _find(actor, name_or_id)
    environment_id = choose_one(list_environments(actor), environment, "environment").id if environment else None
    definition, name = definition_of(chosen), chosen.name
    sent = run_now(actor, definition, request_id=chosen.id, environment_id=environment_id, name=name)
    sys.exit(print_run(view_run(actor, sent), as_json=as_json))


@request.command()
@click.argument("run_id")
@click.option("--language", type=click.Choice(["en", "ar"]), default="en", show_default=True, help="Language of the texts.")
@as_user
def explain(actor: Actor, run_id: str, language: str) -> None:
    """Say why the run RUN_ID failed and what to do, by the analyzers that explain executions."""
    analysis = explain_run(actor, run_id)
    click.echo(prose(Diagnosis.model_validate(analysis.analysis), language, with_patches=False))


@request.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--folder", default="", help="Put the requests into this folder.")
@click.option("--kind", help="The format; left out, it is recognised.")
@as_user
def import_(actor: Actor, file: Path, folder: str, kind: str | None) -> None:
    """Import the requests of FILE; "-" reads standard input.

    FILE is a cURL command, OpenAPI or Swagger, Postman, HAR, Insomnia, Bruno (also as ZIP) or n8n nodes. Requests of the same
    document that are there already are brought up to date. Exits 1 where nothing could be imported.
    """
    content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    result = transfer.read_import(None, content, None, kind=kind, folder=folder)
    summary = save_import(actor, result)
    for item in summary.items:
        because = "; ".join([*item.problems.values(), *(f"kept yours: {place}" for place in item.conflicts)])
        click.echo("  ".join(filter(None, (f"{item.fate:9}", item.request_id, tidy(item.name), because))))
    for request_id, name in summary.gone:
        click.echo(f"gone       {request_id}  {tidy(name)}")
    notes = [*result.notes, *(note for draft in result.drafts for note in draft.notes)]
    for words in dict.fromkeys([*map(describe_note, notes), *transfer.list_left_out(summary)]):
        click.echo(f"note: {tidy(words)}", err=True)
    if summary.items and len(summary.of(Fate.REFUSED)) == len(summary.items):
        sys.exit(1)


@request.command()
@click.argument("name_or_id")
@click.option("--as", "kind", type=click.Choice([known.kind for known in FORMATS]), default="curl", show_default=True)
@as_user
def export(actor: Actor, name_or_id: str, kind: str) -> None:
    """Print the request NAME_OR_ID for another tool. No secret is in it: those are environment variables there."""
    chosen = _find(actor, name_or_id)
    made = export_saved(chosen, kind)
    click.echo(made.text)
    for note in made.notes:
        click.echo(f"note: {describe_note(note)}", err=True)


@request.command()
@click.argument("name_or_id")
@as_user
def delete(actor: Actor, name_or_id: str) -> None:
    """Delete the request NAME_OR_ID. For a day it can be restored: hub request restore ID."""
    gone = services.delete_request(actor, _find(actor, name_or_id).id)
    click.echo(f"Deleted {tidy(gone.name)}. To have it back: hub request restore {gone.id}")


@request.command()
@click.argument("request_id")
@as_user
def restore(actor: Actor, request_id: str) -> None:
    """Undo the delete of REQUEST_ID."""
    click.echo(f"{tidy(services.restore_request(actor, request_id).name)} is back.")


def _find(actor: Actor, name_or_id: str) -> Request:
    return choose_one(services.find_requests(actor, name_or_id), name_or_id, "request")
