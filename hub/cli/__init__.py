"""The ``hub`` command."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import FlaskGroup


def _make_app() -> Flask:
    from hub import create_app  # the app imports this module

    return create_app()


@click.group(cls=FlaskGroup, create_app=_make_app, add_default_commands=False, add_version_option=False)
def main() -> None:
    """AI-HTTP Hub: connect n8n servers, see failures, repair them and prove it."""


def init_app(app: Flask) -> None:
    """Commands that need an app are registered on it here."""
