"""Checks of plugins' settings: they ask other servers, so the worker makes them."""

from __future__ import annotations

from hub.jobs.services import JobContext, job
from hub.plugin_settings.services import run_check


@job("plugin.check")
def check(_context: JobContext, plugin: str) -> None:
    """Try the stored settings of a plugin out."""
    run_check(plugin)
