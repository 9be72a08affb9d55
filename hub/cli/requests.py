"""``hub request``."""

from __future__ import annotations

import click

from hub.cli.request_send import send


@click.group()
def request() -> None:
    """Send, list, import and export HTTP requests."""


request.add_command(send)
