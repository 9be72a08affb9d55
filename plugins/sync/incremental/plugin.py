"""The default sync strategy: newest executions first, down to what is known for sure."""

from __future__ import annotations

from collections.abc import Callable

from hub.plugin_api import SyncStrategy, hookimpl
from plugins.sync.incremental.strategy import Incremental


@hookimpl
def hub_register_sync_strategies(register: Callable[[SyncStrategy], None]) -> None:
    """Register the strategy."""
    register(Incremental())
