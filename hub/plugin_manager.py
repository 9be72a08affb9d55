"""Loads bundled and third-party plugins, checks them, and keeps what they register."""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pluggy
import sqlalchemy as sa

from hub import hookspecs
from hub.contracts.analysis import Analyzer
from hub.contracts.catalog import ServicePack
from hub.contracts.sync import SyncStrategy

log = logging.getLogger(__name__)

GROUP = "hub.plugins"

#: Bundled plugins by name. Registered first; named by text, because the hub never imports plugins.
BUNDLED = {
    "stripe": "plugins.services.stripe.plugin",
    "rules": "plugins.analyzers.rules.plugin",
    "incremental": "plugins.sync.incremental.plugin",
    "failure_log": "plugins.notify.failure_log.plugin",
}


class PluginError(Exception):
    """A plugin breaks the contract. The message says how."""


@dataclass(slots=True)
class PluginInfo:
    """One installed plugin and how loading it went."""

    name: str
    module: str
    bundled: bool
    version: str = ""
    enabled: bool = False
    description: str = ""
    hooks: tuple[str, ...] = ()
    #: One sentence, None when all is well.
    problem: str | None = None
    traceback: str | None = None


@dataclass(slots=True)
class Registry:
    """What plugins registered, by name, with the plugin it came from."""

    packs: dict[str, ServicePack] = field(default_factory=dict)
    analyzers: dict[str, Analyzer] = field(default_factory=dict)
    strategies: dict[str, SyncStrategy] = field(default_factory=dict)
    owners: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, kind: str, name: str, thing: Any, owner: str) -> None:
        """Keep ``thing``; a name that is taken is refused with both owners' names."""
        shelf: dict[str, Any] = getattr(self, kind)
        if name in shelf:
            raise PluginError(f"{kind[:-1]} {name!r} is registered by {self.owners[kind, name]!r} already")
        shelf[name] = thing
        self.owners[kind, name] = owner

    def drop_owner(self, owner: str) -> None:
        """Forget all that one plugin registered."""
        for kind, name in [key for key, plugin in self.owners.items() if plugin == owner]:
            getattr(self, kind).pop(name)
            del self.owners[kind, name]


class PluginManager:
    """The plugins of one app. Built in ``create_app``; there is no global one, and nothing is reloaded at run time."""

    def __init__(self, metadata: sa.MetaData) -> None:
        self._pluggy = pluggy.PluginManager("hub")
        self._metadata = metadata
        self._pluggy.add_hookspecs(hookspecs)
        self.plugins: dict[str, PluginInfo] = {}
        self.registry = Registry()

    def load(self, enabled: tuple[str, ...], *, safe_mode: bool = False) -> None:
        """Find all installed plugins and load the enabled ones; ``enabled`` empty means all bundled ones."""
        self._discover()
        chosen = () if safe_mode else (enabled or tuple(BUNDLED))
        for name in chosen:
            if name not in self.plugins:
                problem = "is named in HUB_PLUGINS but not installed"
                self.plugins[name] = PluginInfo(name, module="", bundled=False, problem=problem)
                log.error("plugin %s %s", name, problem)
                continue
            self._load_one(self.plugins[name])

    def notify(self, hook_name: str, **arguments: Any) -> None:
        """Call a notify hook plugin by plugin: one that raises is logged and stops no other."""
        for name, plugin in self._pluggy.list_name_plugin():
            others = [other for _, other in self._pluggy.list_name_plugin() if other is not plugin]
            try:
                self._pluggy.subset_hook_caller(hook_name, others)(**arguments)
            except Exception:
                log.exception("plugin %s failed in %s", name, hook_name)

    def _discover(self) -> None:
        for name, module in BUNDLED.items():
            self.plugins[name] = PluginInfo(name, module, bundled=True, version="bundled")
        for point in importlib.metadata.entry_points(group=GROUP):
            version = point.dist.version if point.dist else ""
            if point.name in self.plugins:
                taken = f"{point.name} ({point.value})"
                problem = f"the name {point.name!r} is taken by {self.plugins[point.name].module}"
                self.plugins[taken] = PluginInfo(taken, point.value, bundled=False, version=version, problem=problem)
                log.error("plugin %s: %s", point.value, problem)
                continue
            self.plugins[point.name] = PluginInfo(point.name, point.value, bundled=False, version=version)

    def _load_one(self, info: PluginInfo) -> None:
        module: ModuleType | None = None
        try:
            module = self._import(info)
            info.description = (module.__doc__ or "").strip().split("\n")[0]
            self._pluggy.register(module, name=info.name)
            self._pluggy.check_pending()
            info.hooks = tuple(sorted(caller.name for caller in self._pluggy.get_hookcallers(module) or []))
            self._collect(info.name, module)
            info.enabled = True
        except Exception as error:
            info.problem = f"{type(error).__name__}: {error}"
            info.traceback = traceback.format_exc()
            log.exception("plugin %s could not be loaded", info.name)
            self.registry.drop_owner(info.name)
            if module is not None and self._pluggy.is_registered(module):
                self._pluggy.unregister(module)

    def _import(self, info: PluginInfo) -> ModuleType:
        """Import the plugin; tables that it brings without its own prefix are taken out again and it is refused."""
        before = set(self._metadata.tables)
        module = importlib.import_module(info.module)
        foreign = [name for name in set(self._metadata.tables) - before if not name.startswith(f"{info.name}_")]
        for name in foreign:
            self._metadata.remove(self._metadata.tables[name])
        if foreign:
            raise PluginError(f"tables must begin with {info.name}_: {', '.join(sorted(foreign))}")
        return module

    def _collect(self, name: str, module: ModuleType) -> None:
        """Run the collect hooks of one plugin alone, so that what it registers is known to be its own."""
        others = [plugin for plugin in self._pluggy.get_plugins() if plugin is not module]
        collectors: dict[str, tuple[str, Callable[[Any], str]]] = {
            "hub_register_packs": ("packs", lambda pack: pack.service_id),
            "hub_register_analyzers": ("analyzers", lambda analyzer: analyzer.name),
            "hub_register_sync_strategies": ("strategies", lambda strategy: strategy.name),
        }
        for hook_name, (kind, name_of) in collectors.items():

            def register(thing: Any, kind: str = kind, name_of: Callable[[Any], str] = name_of) -> None:
                self.registry.add(kind, name_of(thing), thing, name)

            self._pluggy.subset_hook_caller(hook_name, others)(register=register)
