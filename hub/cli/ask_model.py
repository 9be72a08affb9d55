"""``hub analyze --model``: asks the model that is set up in the hub, at once and without keeping anything."""

from __future__ import annotations

import sys

import click

from hub.analyses.model_answers import diagnose_with_model
from hub.app import create_app
from hub.contracts.analysis import Diagnosis, Evidence


class _Terminal:
    """Says on standard error what is being done."""

    def stage(self, name: str) -> None:
        click.echo({"waiting": "waiting for the model…"}.get(name, "asking the model once more…"), err=True)

    def sending(self, body: str) -> None:
        click.echo(f"sending {len(body.encode())} bytes", err=True)


def ask_model(evidence: Evidence, rules: Diagnosis) -> Diagnosis:
    """The model's diagnosis. Exits with 3 where no model is set up or it gives no answer; both say why."""
    app = create_app()
    with app.app_context():
        try:
            reply, reading = diagnose_with_model(evidence, rules, _Terminal())
        except LookupError:
            click.echo("hub analyze: no model is set up; an operator can do that on the Plugins page.", err=True)
            sys.exit(3)
    used = f"{reply.tokens_in} tokens sent, {reply.tokens_out} received" if reply.tokens_in is not None else "tokens not counted"
    click.echo(f"{reply.seconds:.1f} s, {used}" + (f", cost {reply.cost:.5f}" if reply.cost is not None else ""), err=True)
    if reading is None:
        click.echo(f"hub analyze: {reply.failure.words.en if reply.failure else 'no answer'}", err=True)
        sys.exit(3)
    for note in reading.notes:
        click.echo(note.en, err=True)
    return reading.diagnosis
