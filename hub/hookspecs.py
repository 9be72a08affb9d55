"""Every hook: the contract between the hub and its plugins. Arguments are only ever added, never renamed or removed.

*Collect* hooks run once at start-up; a plugin that raises in one is disabled and listed with its reason.
*Notify* hooks run at run time, plugin by plugin; one that raises is logged and stops no other.
"""

from __future__ import annotations

from collections.abc import Callable

import pluggy

from hub.contracts.analysis import Analyzer
from hub.contracts.billing import BillingProvider
from hub.contracts.catalog import ServicePack
from hub.contracts.events import FailureEvent
from hub.contracts.model_analyzer import ModelAnalyzer
from hub.contracts.settings import PluginSettings
from hub.contracts.sync import SyncStrategy

hookspec = pluggy.HookspecMarker("hub")
hookimpl = pluggy.HookimplMarker("hub")


@hookspec
def hub_register_packs(register: Callable[[ServicePack], None]) -> None:
    """Collect. Call ``register(pack)`` for each service pack. A service id that is taken already is refused."""


@hookspec
def hub_register_analyzers(register: Callable[[Analyzer], None]) -> None:
    """Collect. Call ``register(analyzer)``. Analyzers are asked in the order of registration until one answers."""


@hookspec
def hub_register_model_analyzers(register: Callable[[ModelAnalyzer], None]) -> None:
    """Collect. Call ``register(analyzer)``. The first one that is ready is asked, in the worker, for what analyzers leave."""


@hookspec
def hub_register_billing_provider(register: Callable[[BillingProvider], None]) -> None:
    """Collect. Call ``register(provider)``. It sells plans: the first one that has plans for sale is offered to people."""


@hookspec
def hub_register_settings(register: Callable[[PluginSettings], None]) -> None:
    """Collect. Call ``register(settings)`` once. The hub keeps the values encrypted and shows operators a page for them."""


@hookspec
def hub_register_sync_strategies(register: Callable[[SyncStrategy], None]) -> None:
    """Collect. Call ``register(strategy)``. The strategy decides what a sync reads from an n8n, and in which order."""


@hookspec
def hub_failures_ingested(event: FailureEvent) -> None:
    """Notify. New failed executions were stored by a sync. Called once a page, after the page was committed."""
