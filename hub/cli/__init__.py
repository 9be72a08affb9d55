"""The ``hub`` command. Each subcommand is a click command or group in its own module, imported only when it is asked for.

A command that needs the app takes ``flask.cli.with_appcontext``; one that acts for a person takes ``hub.cli.actor.as_user``.
In tests: ``app.test_cli_runner().invoke(main, ["db", "status"])``.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

import hub

#: Command -> where it is, and its line in ``hub --help``.
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("hub.cli.running:run", "Start the web server and the background worker."),
    "worker": ("hub.cli.running:worker", "Start a background worker alone."),
    "check-env": ("hub.cli.environment:check_env", "Judge the configuration and say what to do."),
    "db": ("hub.cli.database:database", "Migrate, seed, back up, restore and look at the database."),
    "keys": ("hub.cli.keys:keys", "List, check and change the keys that encrypt secrets."),
    "user": ("hub.cli.users:user", "Create, list, export and delete users; change plans; take a lost second factor off."),
    "api-key": ("hub.cli.users:api_key", "Create keys to the JSON API."),
    "plugin": ("hub.cli.plugins:plugin", "List plugins, check one, begin a new one."),
    "instance": ("hub.cli.instances:instance", "Add, test and list n8n servers."),
    "sync": ("hub.cli.sync:sync", "Read workflows and executions from n8n now."),
    "execution": ("hub.cli.executions:execution", "List executions; explain one that failed."),
    "failures": ("hub.cli.failures:failures", "List what fails, once for all that is the same."),
    "repair": ("hub.cli.repairs:repair", "Apply a proposed change and prove it."),
    "request": ("hub.cli.requests:request", "Send HTTP requests; list, import and export saved ones."),
    "environment": ("hub.cli.variables:environment", "Keep variables and secrets for requests."),
    "chain": ("hub.cli.chains:chain", "Send requests one after the other."),
    "webhook": ("hub.cli.webhooks:webhook", "Tell other programs what happens."),
    "automation": ("hub.cli.automation:automation", "Say how far the hub may go by itself; stop and start it."),
    "calibration": ("hub.cli.calibration:calibration", "Show how well stated confidences hold."),
    "audit": ("hub.cli.audit:audit", "List, verify, export and prune the audit log."),
    "analyze": ("hub.cli.analyze:analyze", "Explain a failed execution from a file."),
}


class HubGroup(click.Group):
    """Loads subcommands lazily, and turns errors that a person can act on into one line instead of a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            from hub.cli.errors import explain  # imports SQLAlchemy, which only a failing command needs

            explained = explain(error)
            if explained is None:
                raise
            click.echo(f"hub: {explained.message}", err=True)
            sys.exit(explained.exit_code)


@click.group(cls=HubGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(hub.__version__, prog_name="hub")
@click.pass_context
def main(ctx: click.Context) -> None:
    """AI-HTTP Hub: connect n8n servers, see failures, repair them and prove it."""
    if ctx.obj is None:
        from flask.cli import ScriptInfo

        ctx.obj = ScriptInfo(create_app=hub.create_app, set_debug_flag=False)
