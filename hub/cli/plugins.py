"""``hub plugin``."""

from __future__ import annotations

import json

import click
from flask import current_app
from flask.cli import with_appcontext

from hub.plugin_manager import PluginInfo


@click.group()
def plugin() -> None:
    """Look at plugins. They are installed with pip and enabled in HUB_PLUGINS."""


@plugin.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for programs.")
@with_appcontext
def list_plugins(as_json: bool) -> None:
    """List installed plugins. Exits 1 when one that is meant to be there could not be loaded."""
    plugins = list(current_app.extensions["hub_plugins"].plugins.values())
    if as_json:
        click.echo(json.dumps([_as_object(info) for info in plugins], indent=2))
    else:
        width = max(len(info.name) for info in plugins)
        for info in plugins:
            click.echo(f"{info.name:<{width}}  {_state(info):<8}  {info.version:<8}  {info.problem or info.description}")
    if any(info.problem for info in plugins):
        raise click.exceptions.Exit(1)


def _state(info: PluginInfo) -> str:
    return "error" if info.problem else "enabled" if info.enabled else "disabled"


def _as_object(info: PluginInfo) -> dict[str, object]:
    return {
        "name": info.name,
        "module": info.module,
        "bundled": info.bundled,
        "version": info.version,
        "state": _state(info),
        "description": info.description,
        "hooks": info.hooks,
        "problem": info.problem,
    }
