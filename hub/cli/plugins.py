"""``hub plugin``."""

from __future__ import annotations

import json
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from hub.plugin_manager import PluginInfo


@click.group()
def plugin() -> None:
    """Look at plugins, check one and begin a new one. They are installed with pip and enabled in HUB_PLUGINS."""


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


@plugin.command("check")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
def check(folder: Path) -> None:
    """Load the plugin in FOLDER as the hub would, without installing it. Exits 1 and says what is wrong."""
    from hub.cli.plugin_project import check_project

    for line in check_project(folder):
        click.echo(line)


@plugin.group("new")
def new() -> None:
    """Begin a new plugin."""


@new.command("service")
@click.argument("name")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to write it.  [default: hub-NAME]")
@click.option(
    "--openapi", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Make the requests of this document."
)
@click.option("--operations", default="", help="Only these operations of it: their operationIds, with commas between.")
@click.option("--tag", default="", help="Only operations with this tag.")
@click.option("--server", default="", help="The service's address, where the document names none or another one.")
def new_service(name: str, folder: Path | None, openapi: Path | None, operations: str, tag: str, server: str) -> None:
    """Write a project with the ready requests of a service. NAME is its id, such as open-meteo."""
    from hub.cli.plugin_project import write_project

    pack = None
    if openapi is not None:
        from hub.cli.pack_from_openapi import make_pack

        chosen = [word.strip() for word in operations.split(",") if word.strip()]
        pack = make_pack(name, openapi.read_text(encoding="utf-8", errors="replace"), operations=chosen, tag=tag, server=server)
    elif operations or tag or server:
        raise click.UsageError("--operations, --tag and --server go with --openapi")
    target = folder or Path(f"hub-{name}")
    for file in write_project(name, target, pack):
        click.echo(file)
    click.echo(f"Change pack.yaml, then: hub plugin check {target}")


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
