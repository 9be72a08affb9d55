"""Loads well, and raises whenever it is told something."""

from hub.plugin_api import hookimpl


@hookimpl
def hub_failures_ingested(event):
    raise RuntimeError("not again")
